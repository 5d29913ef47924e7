from __future__ import annotations

import pickle

import numpy as np
import pytest

from skopt_wrap.exceptions import ModelError, ParameterError, SkippedWarning
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


# Loops of one's own


def by_hand(seen):
    """A loop that calls the callbacks, as Keras' guides write it."""

    def loop(model, x, y, callbacks):
        for callback in callbacks:
            callback.set_model(model)
        for epoch in range(3):
            loss = model.train_on_batch(x, y)
            logs = {"loss": float(np.ravel(loss)[0]), "val_loss": float(epoch)}
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs=logs)
        seen.append(len(x))

    return loop


SIGNATURES = {
    "keywords": lambda loop: (
        lambda self, hp, model, x, y, callbacks=None, **kwargs: loop(model, x, y, callbacks)
    ),
    "validation required": lambda loop: (
        lambda self, hp, model, x, y, validation_data, callbacks=None, **kwargs: loop(
            model, x, y, callbacks
        )
    ),
    "nothing more": lambda loop: (
        lambda self, hp, model, x, y, callbacks: loop(model, x, y, callbacks)
    ),
    "neither": lambda loop: lambda self, hp, model, x, y: loop(model, x, y, []),
    "epochs and batch size": lambda loop: (
        lambda self, hp, model, x, y, epochs, batch_size, callbacks, **kwargs: (
            SEEN.append((epochs, batch_size)),
            loop(model, x, y, callbacks),
        )
    ),
}


@pytest.mark.parametrize("name", SIGNATURES)
@pytest.mark.parametrize("settings", [{}, {"cv": 0.3}, {"early_stopping": 3}], ids=str)
def test_loop_that_calls_the_callbacks_by_hand(iris, name, settings):
    n_samples = []
    mine = make(SIGNATURES[name](by_hand(n_samples)))
    settings = {**QUICK, "max_trials": 1, "epochs": 2, "error_score": "raise", **settings}
    est = TunedClassifier(mine, **settings).fit(*iris)
    if name != "neither":
        assert est.history_["val_loss"] == [0.0, 1.0, 2.0]
    held_out = 0.2 if name == "validation required" else 0.0
    if "early_stopping" not in settings:
        assert n_samples[-1] == 60 * (1 - held_out)
    if name == "epochs and batch size":
        assert (2, 32) in SEEN


def test_loop_without_weights_is_refused_when_there_are_some(iris):
    mine = make(SIGNATURES["neither"](by_hand([])))
    with pytest.raises(ModelError, match="takes no sample_weight"):
        TunedClassifier(mine, **QUICK).fit(*iris, sample_weight=np.linspace(0.5, 1, 60))


# What is declared, and what the caller makes of it


def test_declare_hyperparameters_is_called(iris):
    import keras
    import keras_tuner

    class Declares(keras_tuner.HyperModel):
        def declare_hyperparameters(self, hp):
            hp.Int("units", 5, 7)

        def build(self, hp):
            layers = [keras.Input((4,)), keras.layers.Dense(hp.get("units"))]
            model = keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")])
            model.compile("adam", loss="sparse_categorical_crossentropy")
            return model

    est = TunedClassifier(Declares(), epochs=1, **QUICK).fit(*iris)
    assert all(5 <= trial.params["units"] <= 7 for trial in est.trials_)
    assert est.model_.layers[0].units == est.best_params_["units"]
    assert est.space_["name"] == ["units"]


@pytest.mark.parametrize(
    ("values", "legal"),
    [(7, [7]), ([5, 7], [5, 7]), ([7], [7]), (range(5, 8), [5, 6, 7])],
    ids=str,
)
def test_space_replaces_what_the_model_function_declares(iris, values, legal):
    est = TunedClassifier(make(), space={"units": values, "batch_size": [30]}, epochs=1, **QUICK)
    est.fit(*iris)
    assert all(trial.params["units"] in legal for trial in est.trials_)
    assert est.model_.layers[0].units == est.best_params_["units"]
    assert est.best_estimator_.batch_size == 30
    assert est.space_["name"] == ["units", "batch_size"]


def test_values_of_any_kind_replace_a_declared_choice(iris):
    import keras

    def build(hp):
        bias = hp.Choice("bias", ["no", "yes"])
        layers = [keras.Input((4,)), keras.layers.Dense(3, use_bias=bool(bias))]
        model = keras.Sequential([*layers, keras.layers.Softmax()])
        model.compile("adam", loss="sparse_categorical_crossentropy")
        return model

    est = TunedClassifier(build, space={"bias": [True, None]}, epochs=1, **QUICK).fit(*iris)
    assert {trial.params["bias"] for trial in est.trials_} == {True, None}


def oracle(hyperparameters, **kwargs):
    import keras_tuner

    return keras_tuner.oracles.RandomSearchOracle(
        "val_loss", max_trials=2, hyperparameters=hyperparameters, **kwargs
    )


def test_hyperparameters_of_an_oracle_count(iris):
    import keras_tuner

    own = keras_tuner.HyperParameters()
    own.Int("units", 5, 6)
    settings = {**QUICK, "epochs": 1}
    est = TunedClassifier(make(), **{**settings, "tuner": oracle(own)}).fit(*iris)
    assert all(5 <= trial.params["units"] <= 6 for trial in est.trials_)
    other = keras_tuner.HyperParameters()
    other.Fixed("other", 1)
    fixed = oracle(other, tune_new_entries=False)
    est = TunedClassifier(make(), **{**settings, "tuner": fixed}).fit(*iris)
    assert [trial.params["units"] for trial in est.trials_] == [4] * len(est.trials_)  # its default
    closed = oracle(other, allow_new_entries=False)
    with pytest.raises(ParameterError, match=r"allow_new_entries=False.*\['units'\]"):
        TunedClassifier(make(), **{**settings, "tuner": closed}).fit(*iris)
    both = {**settings, "tuner": oracle(own), "space": {"units": [5]}}
    with pytest.raises(ParameterError, match="leave them to one of the two"):
        TunedClassifier(make(), **both).fit(*iris)


def test_model_functions_are_told_from_builders():
    from skopt_wrap.tuning._candidate._hypermodel import is_hypermodel

    assert is_hypermodel(lambda hp: None) and is_hypermodel(lambda hp, n=10: None)
    for builder in (lambda: None, lambda meta: None, lambda meta, hp=1: None, lambda hp, n: None):
        assert not is_hypermodel(builder)


def test_model_function_may_have_parameters_with_defaults(iris):
    def build_model(hp, n=10):
        import keras

        hidden = keras.layers.Dense(hp.Int("units", 2, n))
        model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(3, "softmax")])
        model.compile("adam", loss="sparse_categorical_crossentropy")
        return model

    search = TunedClassifier(build_model, epochs=1, error_score="raise", **QUICK).fit(*iris)
    assert 2 <= search.best_params_["units"] <= 10
