from __future__ import annotations

import pickle

import numpy as np
import pytest

from skopt_wrap.exceptions import SkippedWarning
from skopt_wrap.tuning import TunedClassifier

pytestmark = pytest.mark.keras
SEEN = []  # clones of a HyperModel would have lists of their own
QUICK = {"tuner": "random", "max_trials": 2, "cv": 2, "random_state": 0}


def make(fit=None):
    """A HyperModel as Keras Tuner's guides write it."""
    import keras
    import keras_tuner

    class Mine(keras_tuner.HyperModel):
        def build(self, hp):
            model = keras.Sequential(
                [
                    keras.Input((4,)),
                    keras.layers.Dense(hp.Int("units", 4, 16), activation="relu"),
                    keras.layers.Dense(3, activation="softmax"),
                ]
            )
            model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            return model

    if fit is not None:
        Mine.fit = fit
    return Mine()


@pytest.fixture(autouse=True)
def _nothing_seen():
    SEEN.clear()


def test_fit_with_tuned_batch_size_and_epochs(iris):
    def fit(self, hp, model, *args, **kwargs):
        batch_size, epochs = hp.Choice("batch_size", [10, 15]), hp.Int("epochs", 2, 4)
        history = model.fit(*args, batch_size=batch_size, epochs=epochs, **kwargs)
        SEEN.append((len(args[0]), batch_size, len(history.epoch)))
        return history

    mine = make(fit)
    est = TunedClassifier(mine, **QUICK).fit(*iris)
    assert set(est.best_params_) == {"units", "batch_size", "epochs"}
    expected = [
        (30, trial.params["batch_size"], trial.params["epochs"])
        for trial in est.trials_ for _ in range(2)
    ]  # fmt: skip
    best = est.best_params_
    assert [*expected, (60, best["batch_size"], best["epochs"])] == SEEN
    assert len(est.history_["loss"]) == est.best_estimator_.n_iter_ == best["epochs"]
    assert all("HyperModel defines its own fit" in path for path in est.trials_[0].fit_path)
    assert type(est.model_).__name__ == "Sequential"
    back = pickle.loads(pickle.dumps(est.model_))
    np.testing.assert_array_equal(back.get_weights()[0], est.model_.get_weights()[0])


def test_fit_that_only_passes_on_trains_as_without_it(iris):
    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, shuffle=False, **kwargs)

    settings = {**QUICK, "epochs": 3, "batch_size": 7, "space": {"fit__shuffle": False}}
    with_fit = TunedClassifier(make(fit), **settings).fit(*iris)
    without = TunedClassifier(make(), **settings).fit(*iris)
    np.testing.assert_allclose(
        with_fit.predict_proba(iris[0]), without.predict_proba(iris[0]), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        with_fit.cv_results_["mean_test_score"], without.cv_results_["mean_test_score"]
    )


def test_training_loop_of_ones_own(iris):
    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        size = hp.Choice("rows", [5, 10])
        for start in range(0, len(x), size):
            loss = model.train_on_batch(x[start : start + size], y[start : start + size])
        SEEN.append(len(validation_data[0]))
        return float(np.ravel(loss)[0])

    mine = make(fit)
    est = TunedClassifier(mine, space={"validation_split": 0.2}, **QUICK).fit(*iris)
    assert set(est.best_params_) == {"units", "rows", "validation_split"}
    assert SEEN == [6, 6, 6, 6, 12]
    assert est.score(*iris) >= 0


def test_callbacks_and_weights_reach_the_hypermodel(iris):
    import keras

    counted = []

    class Counts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            counted.append(epoch)

    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, **kwargs)
        SEEN.append(kwargs.get("sample_weight") is not None)
        return history

    mine = make(fit)
    est = TunedClassifier(mine, callbacks=Counts, epochs=2, **{**QUICK, "max_trials": 1})
    est.fit(*iris, sample_weight=np.linspace(0.5, 1, 60))
    assert counted == [0, 1] * 3
    assert SEEN == [True] * 3


def test_error_in_fit_fails_its_trial_alone(iris):
    def fit(self, hp, model, *args, **kwargs):
        if hp.Choice("bad", ["no", "yes"]) == "yes":
            raise RuntimeError("no luck")
        return model.fit(*args, **kwargs)

    with pytest.warns(SkippedWarning, match="no luck"):
        est = TunedClassifier(
            make(fit), **{**QUICK, "max_trials": 4, "random_state": 2}, epochs=1
        ).fit(*iris)  # fmt: skip
    assert est.best_params_["bad"] == "no"
