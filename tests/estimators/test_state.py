"""Copies, seeds, interrupts: what an estimator keeps, and what it leaves alone."""

from __future__ import annotations

import copy
import io
import os
import pickle
import random
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, TrainingInterruptedWarning

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

FAST = {"epochs": 4, "optimizer__learning_rate": 0.02, "random_state": 0}


def through_joblib(thing):
    buffer = io.BytesIO()
    joblib.dump(thing, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e)), through_joblib]
)
def test_copies_predict_and_can_be_fitted_again(blobs, copied):
    X, y = blobs
    classifier = KerasClassifier(model__dropout=0.2, **FAST)
    assert copied(classifier).get_params() == classifier.get_params()
    classifier.fit(X, y)
    other = copied(classifier)
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(other.fit(X, y).predict_proba(X), classifier.predict_proba(X))
    assert not hasattr(clone(classifier), "model_")


def test_copies_go_on_training_with_their_optimizer(blobs):
    X, y = blobs
    classifier = KerasClassifier(**FAST).fit(X, y)
    other = pickle.loads(pickle.dumps(classifier))
    classifier.partial_fit(X, y)
    other.partial_fit(X, y)
    np.testing.assert_allclose(
        other.predict_proba(X), classifier.predict_proba(X), rtol=1e-4, atol=1e-12
    )


def test_seed_fixes_weights_history_and_predictions(blobs):
    X, y = blobs
    params = {**FAST, "model__dropout": 0.3, "validation_split": 0.2}
    first, second = (KerasClassifier(**params).fit(X, y) for _ in range(2))
    assert first.history_ == second.history_
    for ours, theirs in zip(first.model_.weights, second.model_.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    other = KerasClassifier(**{**params, "random_state": 1}).fit(X, y)
    assert other.history_ != first.history_


def test_seed_gives_the_same_result_in_another_process(blobs):
    X, y = blobs
    script = (
        "import numpy as np; from skopt_wrap import KerasClassifier; "
        "rng = np.random.default_rng(0); y = np.arange(90) % 3; "
        "X = rng.normal(size=(90, 4)) + 3 * np.eye(4)[y]; "
        "c = KerasClassifier(epochs=4, optimizer__learning_rate=0.02, random_state=0).fit(X, y); "
        "print(repr(c.history_['loss'][-1]), repr(float(c.predict_proba(X).sum(axis=0)[0])))"
    )
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True
    )
    classifier = KerasClassifier(**FAST).fit(X, y)
    total = float(classifier.predict_proba(X).sum(axis=0)[0])
    assert done.stdout.split() == [repr(classifier.history_["loss"][-1]), repr(total)]


def test_global_random_states_are_left_alone(blobs):
    import tensorflow as tf

    X, y = blobs

    def draws():
        random.seed(1)
        np.random.seed(1)
        keras.utils.set_random_seed(1)
        return lambda: (
            random.random(),
            np.random.random(),
            float(tf.random.uniform(())),
            float(keras.random.uniform(())),
        )

    draw = draws()
    expected = draw()
    draw = draws()
    KerasClassifier(model__dropout=0.2, validation_split=0.2, **FAST).fit(X, y).predict(X)
    assert draw() == expected


def test_inputs_and_parameters_are_not_changed(blobs):
    X, y = blobs
    X, y, weights = X.copy(), y.copy(), np.ones(len(y))
    metrics, callbacks = ["accuracy"], [keras.callbacks.EarlyStopping("loss", patience=2)]
    params = {"metrics": metrics, "callbacks": callbacks, "class_weight": {0: 2.0}}
    for array in (X, y, weights):
        array.flags.writeable = False
    classifier = KerasClassifier(**params, **FAST)
    before = {**classifier.get_params()}
    classifier.fit(X, y, sample_weight=weights, epochs=2)
    assert classifier.get_params() == before and classifier.epochs == 4
    assert metrics == ["accuracy"] and callbacks[0].best_weights is None
    assert classifier.n_iter_ == 2


def test_warm_start_goes_on(blobs):
    X, y = blobs
    classifier = KerasClassifier(warm_start=True, **FAST).fit(X, y)
    model, loss = classifier.model_, classifier.history_["loss"][-1]
    classifier.fit(X, y)
    assert classifier.model_ is model and classifier.n_iter_ == 8
    assert len(classifier.history_["loss"]) == 8 and classifier.history_["loss"][4] < loss
    assert int(model.optimizer.iterations) == 8 * 3
    with pytest.raises(DataError, match="does not know"):
        classifier.fit(X, y + 1)
    with pytest.raises(ValueError, match="features"):
        classifier.fit(X[:, :3], y)
    assert classifier.n_iter_ == 8


def test_partial_fit_trains_one_epoch_at_a_time(blobs):
    X, y = blobs
    classifier = KerasClassifier(**FAST)
    classifier.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    assert classifier.classes_.tolist() == [0, 1, 2] and classifier.n_iter_ == 1
    for _ in range(15):
        classifier.partial_fit(X, y)
    assert classifier.n_iter_ == 16 and classifier.score(X, y) > 0.9
    with pytest.raises(DataError, match=r"classes \[5\].*does not know"):
        classifier.partial_fit(X, np.where(y == 0, 5, y))
    with pytest.raises(DataError, match="differ from those of the first call"):
        classifier.partial_fit(X, y, classes=[0, 1])
    regressor = KerasRegressor(**FAST).partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0])
    assert regressor.n_iter_ == 2


class Interrupt(keras.callbacks.Callback):
    """Raise KeyboardInterrupt, as Ctrl-C does, at the end of one epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 5:
            raise KeyboardInterrupt


class InterruptStep(keras.callbacks.Callback):
    """The same in the middle of an epoch, which takes the ordinary road."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 5 * 3 + 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [Interrupt, InterruptStep])
@pytest.mark.parametrize("asked_by", ["early_stopping", "checkpoint"])
def test_interrupt_keeps_the_best_weights_when_asked_for(blobs, tmp_path, interrupt, asked_by):
    X, y = blobs
    params = {"epochs": 50, "random_state": 0, "validation_split": 0.2}
    if asked_by == "early_stopping":
        params |= {"callbacks": [interrupt()], "early_stopping": 30}
    else:
        file = str(tmp_path / "best.keras")
        checkpoint = keras.callbacks.ModelCheckpoint(file, save_best_only=True)
        params |= {"callbacks": [checkpoint, interrupt()]}
    with pytest.warns(TrainingInterruptedWarning, match=r"after \d epochs"):
        classifier = KerasClassifier(**params).fit(X, y)
    assert classifier.n_iter_ == 5
    reference = KerasClassifier(
        epochs=1 + int(np.argmin(classifier.history_["val_loss"])),
        random_state=0,
        validation_split=0.2,
    ).fit(X, y)
    # The interrupted one has a callback of its own, so it is trained itself and no twin of it,
    # where TensorFlow orders the sums in another way.
    np.testing.assert_allclose(classifier.predict_proba(X), reference.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("interrupt", [Interrupt, InterruptStep])
def test_interrupt_leaves_an_unfitted_estimator_unfitted(blobs, interrupt):
    X, y = blobs
    classifier = KerasClassifier(epochs=50, callbacks=[interrupt()], random_state=0)
    before = dict(vars(classifier))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert vars(classifier) == before


def test_interrupt_leaves_a_fitted_estimator_as_it_was(blobs):
    X, y = blobs
    classifier = KerasClassifier(warm_start=True, **FAST).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(callbacks=[Interrupt()], epochs=50)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert classifier.n_iter_ == 4
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_failed_fit_keeps_what_was_there(blobs):
    X, y = blobs
    classifier = KerasClassifier(**FAST).fit(X, y)
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError):
        classifier.fit(X, np.zeros(len(y)))
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_estimators_of_equal_networks_do_not_disturb_each_other(blobs):
    X, y = blobs
    first = KerasClassifier(**FAST).fit(X, y)
    before = first.predict_proba(X)
    KerasClassifier(**{**FAST, "random_state": 7}).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), before)


def test_threads_fit_side_by_side(blobs):
    X, y = blobs
    expected = [
        KerasClassifier(**{**FAST, "random_state": s}).fit(X, y).predict_proba(X) for s in range(4)
    ]
    together = joblib.Parallel(n_jobs=4, backend="threading")(
        joblib.delayed(
            lambda s: KerasClassifier(**{**FAST, "random_state": s}).fit(X, y).predict_proba(X)
        )(s)
        for s in range(4)
    )
    for ours, theirs in zip(together, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_progress_can_be_silenced_and_shown(blobs, capfd):
    X, y = blobs
    KerasClassifier(**FAST).fit(X, y)
    out, err = capfd.readouterr()
    assert out == "" and "epoch" not in err
    KerasClassifier(verbose=2, **FAST).fit(X, y)
    assert "4/4" in capfd.readouterr().err
