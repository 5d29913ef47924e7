"""Fits at the same time give what they give one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.exceptions import ParameterError

pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def folds(X, n_splits=3):
    return [train for train, _ in KFold(n_splits, shuffle=True, random_state=0).split(X)]


def assert_equal_fits(ours, theirs):
    assert ours.history_.keys() == theirs.history_.keys()
    assert ours.n_iter_ == theirs.n_iter_
    for name in ours.history_:
        np.testing.assert_allclose(
            ours.history_[name], theirs.history_[name], rtol=1e-4, atol=1e-5, err_msg=name
        )
    for one, other in zip(ours.model_.weights, theirs.model_.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


STACKED = {
    "plain": {},
    # Adam makes steps of the rounding errors in the gradient of a bias before batch normalization,
    # which is zero; SGD does not.
    "regularized": {
        "optimizer": "sgd",
        "model__batch_norm": True,
        "model__dropout": 0.3,
        "model__l2": 0.01,
        "model__l1": 0.001,
    },
    "momentum": {"optimizer": "sgd", "optimizer__momentum": 0.9, "optimizer__nesterov": True},
    "adamw": {"optimizer": "adamw", "optimizer__clipnorm": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "optimizer__global_clipnorm": 0.5},
    "amsgrad": {"optimizer__amsgrad": True, "optimizer__clipvalue": 0.01},
    "adagrad": {"optimizer": "adagrad", "optimizer__weight_decay": 0.01},
    "stopping": {"early_stopping": 1, "epochs": 12, "optimizer__learning_rate": 0.1},
    "stopping with dropout": {
        "early_stopping": 0,
        "epochs": 9,
        "model__dropout": 0.2,
        "optimizer__learning_rate": 0.1,
    },
    "balanced": {"class_weight": "balanced", "validation_split": 0.2},
    "float64": {"dtype": "float64", "model__batch_norm": True},
    "ordered": {"fit__shuffle": False, "batch_size": 7},
    "whole": {"batch_size": -1},
    "schedule": {"learning_rate_schedule": "warmup_cosine"},
    "function": {"learning_rate_schedule": lambda epoch, rate: rate * 0.5},
    "weighted": {
        "metrics": None,
        "compile__weighted_metrics": ["accuracy"],
        "class_weight": {0: 2.0},
    },
}


@pytest.mark.parametrize("params", STACKED.values(), ids=STACKED)
def test_fits_together_equal_fits_one_by_one(blobs, params):
    X, y = blobs
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    params = {"epochs": 3, "metrics": ["accuracy"], "random_state": 0, **params}
    estimator = KerasClassifier(**params)
    jobs = [FitJob(clone(estimator), X, y, rows, weights) for rows in folds(X, 4)]
    outcomes = fit_together(jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert {outcome.path for outcome in outcomes} == {"stacked"}
    for job in jobs:
        rows = job.rows
        alone = clone(estimator).fit(X[rows], y[rows], sample_weight=weights[rows])
        assert job.estimator.fit_path_ == "stacked"
        assert alone.fit_path_ == "fused"
        assert_equal_fits(job.estimator, alone)
        for one, other in zip(
            job.estimator.model_.optimizer.variables, alone.model_.optimizer.variables, strict=True
        ):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "params,reason",
    [
        ({"model": "cnn", "model__input_shape": (2, 2, 1), "model__filters": 4}, "fused"),
        ({"model": "lstm", "model__input_shape": (4, 1), "model__units": 4}, "fused"),
        ({"optimizer": "lamb"}, "fused"),
        ({"compile__run_eagerly": True}, "fit: run_eagerly=True"),
    ],
    ids=["cnn", "lstm", "lamb", "eager"],
)
def test_what_cannot_be_stacked_is_fitted_by_itself(blobs, params, reason):
    X, y = blobs
    estimator = KerasClassifier(**{"epochs": 2, "random_state": 0, **params})
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    assert {outcome.path for outcome in fit_together(jobs)} == {reason}
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], y[job.rows]))


def test_several_outputs_and_reduce_on_plateau(blobs):
    X, _ = blobs
    keras = pytest.importorskip("keras")
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=0, min_delta=100)
    estimator = KerasRegressor(epochs=5, callbacks=[plateau], random_state=0)
    jobs = [FitJob(clone(estimator), X, X[:, :2], rows) for rows in folds(X)]
    assert {outcome.path for outcome in fit_together(jobs)} == {"stacked"}
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], X[job.rows, :2]))
    rates = [job.estimator.history_["learning_rate"] for job in jobs]
    assert min(min(rate) for rate in rates) < 1e-3


def test_softmax_outputs_and_branches_are_stacked(blobs):
    X, y = blobs

    def branches(meta):
        keras = pytest.importorskip("keras")
        inputs = keras.Input(meta["X_shape_"][1:])
        one = keras.layers.Dense(5, "tanh")(inputs)
        other = keras.layers.Dense(5)(inputs)
        joined = keras.layers.Concatenate()([keras.layers.Add()([one, other]), inputs])
        joined = keras.layers.LeakyReLU(0.1)(joined)
        outputs = keras.layers.Dense(meta["n_classes_"], "softmax")(joined)
        return keras.Model(inputs, outputs)

    estimator = KerasClassifier(branches, epochs=3, random_state=0)
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    assert {outcome.path for outcome in fit_together(jobs)} == {"stacked"}
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], y[job.rows]))


def test_an_error_fails_its_own_fit(blobs):
    X, y = blobs
    good, bad = KerasClassifier(epochs=1), KerasClassifier(epochs=1)
    outcomes = fit_together(
        [FitJob(bad, X, y, fit_params={"epochs": 0}), FitJob(good, X, y, rows=np.arange(30))]
    )
    assert isinstance(outcomes[0].error, ParameterError)
    assert "epochs must be" in outcomes[0].traceback
    assert outcomes[1].error is None
    assert hasattr(good, "model_") and not hasattr(bad, "model_")


def test_checkpoints_show_the_state_after_an_epoch(blobs):
    X, y = blobs
    jobs = [FitJob(KerasClassifier(epochs=4, random_state=0), X, y, rows=rows) for rows in folds(X)]
    seen = []

    def look(epoch):
        seen.append((epoch, [job.estimator.predict_proba(X) for job in jobs]))

    fit_together(jobs, checkpoint_epochs=(2, 4, 9), checkpoint=look)
    assert [epoch for epoch, _ in seen] == [2, 4]
    for epoch, found in seen:
        for job, proba in zip(jobs, found, strict=True):
            alone = KerasClassifier(epochs=epoch, random_state=0).fit(X[job.rows], y[job.rows])
            np.testing.assert_allclose(proba, alone.predict_proba(X), atol=1e-5)


def test_a_checkpoint_that_returns_false_ends_the_fits_there(blobs):
    X, y = blobs
    jobs = [FitJob(KerasClassifier(epochs=4, random_state=0), X, y, rows=rows) for rows in folds(X)]
    fit_together(jobs, checkpoint_epochs=(1, 2), checkpoint=lambda epoch: epoch < 2)
    for job in jobs:
        alone = KerasClassifier(epochs=2, random_state=0).fit(X[job.rows], y[job.rows])
        assert_equal_fits(job.estimator, alone)
