"""Fits at the same time give what they give one after the other."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.training import clear_graphs
from skopt_wrap.training._joint import _graph

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


JOINT = {
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


@pytest.mark.parametrize("params", JOINT.values(), ids=JOINT)
def test_fits_together_equal_fits_one_by_one(blobs, params):
    X, y = blobs
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    params = {"epochs": 3, "metrics": ["accuracy"], "random_state": 0, **params}
    estimator = KerasClassifier(**params)
    jobs = [FitJob(clone(estimator), X, y, rows, weights) for rows in folds(X, 4)]
    outcomes = fit_together(jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert {outcome.path for outcome in outcomes} == {"joint"}
    for job in jobs:
        rows = job.rows
        alone = clone(estimator).fit(X[rows], y[rows], sample_weight=weights[rows])
        assert job.estimator.fit_path_ == "joint"
        assert alone.fit_path_ == "fused"
        assert_equal_fits(job.estimator, alone)
        for one, other in zip(
            job.estimator.model_.optimizer.variables, alone.model_.optimizer.variables, strict=True
        ):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "params,path,reason",
    [
        (
            {
                "model": "lstm",
                "model__input_shape": (4, 1),
                "model__units": 4,
                "model__bidirectional": False,
                "model__pooling": "last",
            },
            "fused",
            "LSTM",
        ),
        ({"optimizer": "lamb"}, "fused", "optimizer Lamb"),
        ({"compile__run_eagerly": True}, "fit: run_eagerly=True", "run_eagerly=True"),
    ],
    ids=["lstm", "lamb", "eager"],
)
def test_what_cannot_be_trained_jointly_is_fitted_by_itself(blobs, params, path, reason):
    X, y = blobs
    estimator = KerasClassifier(**{"epochs": 2, "random_state": 0, **params})
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    outcomes = fit_together(jobs)
    assert {outcome.path for outcome in outcomes} == {path}
    assert all(reason in outcome.reason for outcome in outcomes)
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], y[job.rows]))


def test_several_outputs_and_reduce_on_plateau(blobs):
    X, _ = blobs
    keras = pytest.importorskip("keras")
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=0, min_delta=100)
    estimator = KerasRegressor(epochs=5, callbacks=[plateau], random_state=0)
    jobs = [FitJob(clone(estimator), X, X[:, :2], rows) for rows in folds(X)]
    assert {outcome.path for outcome in fit_together(jobs)} == {"joint"}
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], X[job.rows, :2]))
    rates = [job.estimator.history_["learning_rate"] for job in jobs]
    assert min(min(rate) for rate in rates) < 1e-3


@pytest.mark.parametrize("compiled", [False, True])
def test_softmax_outputs_and_branches_are_trained_jointly(blobs, compiled):
    X, y = blobs

    def branches(meta):
        keras = pytest.importorskip("keras")
        inputs = keras.Input(meta["X_shape_"][1:])
        one = keras.layers.Dense(5, "tanh")(inputs)
        other = keras.layers.Dense(5)(inputs)
        joined = keras.layers.Concatenate()([keras.layers.Add()([one, other]), inputs])
        joined = keras.layers.LeakyReLU(0.1)(joined)
        outputs = keras.layers.Dense(meta["n_classes_"], "softmax")(joined)
        model = keras.Model(inputs, outputs)
        if compiled:
            model.compile("adam", "sparse_categorical_crossentropy")
        return model

    estimator = KerasClassifier(branches, epochs=3, random_state=0)
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    assert {outcome.path for outcome in fit_together(jobs)} == {"joint"}
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


def test_checkpoints_see_joint_and_other_fits_alike(blobs):
    X, y = blobs
    first, second = folds(X)[:2]
    stacked = KerasClassifier(epochs=4, random_state=0)
    other = KerasClassifier(epochs=3, optimizer="lamb", random_state=0)
    jobs = [FitJob(clone(stacked), X, y, first), FitJob(clone(other), X, y, second)]
    seen = []

    def look(epoch):
        seen.append((epoch, [job.estimator.n_iter_ for job in jobs], jobs[1].estimator.predict(X)))
        return epoch < 2

    fit_together(jobs, checkpoint_epochs=(1, 2, 3), checkpoint=look)
    assert [(epoch, counts) for epoch, counts, _ in seen] == [(1, [1, 1]), (2, [2, 2])]
    for job, estimator in zip(jobs, (stacked, other), strict=True):
        alone = clone(estimator).set_params(epochs=2).fit(X[job.rows], y[job.rows])
        assert_equal_fits(job.estimator, alone)


def test_graphs_serve_other_widths_rates_and_numbers_of_folds(blobs, monkeypatch):
    X, y = blobs
    clear_graphs()
    for n_splits, params in (
        (3, {}),
        (4, {"model__units": 9, "optimizer__learning_rate": 0.01, "batch_size": 11}),
        (2, {"model__units": (5, 7), "optimizer__beta_1": 0.9}),
    ):
        jobs = [
            FitJob(KerasClassifier(epochs=2, **params), X, y, rows) for rows in folds(X, n_splits)
        ]
        fit_together(jobs)
    (graph,) = _graph._GRAPHS.values()
    assert graph.train.experimental_get_tracing_count() == 1
    monkeypatch.setattr(_graph, "MAX_GRAPHS", 2)
    for n_layers in (0, 1, 3):
        fit_together([FitJob(KerasClassifier(epochs=1, model__n_layers=n_layers), X, y)])
    assert len(_graph._GRAPHS) == 2


def _raising(error):
    keras = pytest.importorskip("keras")

    class Raise(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise error

    return Raise()


def test_an_error_of_a_callback_ends_one_fit(blobs):
    X, y = blobs
    estimator = KerasClassifier(epochs=3, random_state=0)
    bad = clone(estimator).set_params(callbacks=[_raising(RuntimeError("no"))])
    jobs = [FitJob(e, X, y, r) for e, r in zip((clone(estimator), bad), folds(X), strict=False)]
    good, failed = fit_together(jobs)
    assert good.error is None
    assert str(failed.error) == "no" and "on_epoch_end" in failed.traceback
    assert not hasattr(jobs[1].estimator, "model_")
    rows = jobs[0].rows
    assert_equal_fits(jobs[0].estimator, clone(estimator).fit(X[rows], y[rows]))


def test_an_interrupt_leaves_no_estimator_changed(blobs):
    X, y = blobs
    estimator = KerasClassifier(epochs=3, callbacks=[_raising(KeyboardInterrupt())])
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    before = [dict(vars(job.estimator)) for job in jobs]
    with pytest.raises(KeyboardInterrupt):
        fit_together(jobs)
    assert [dict(vars(job.estimator)) for job in jobs] == before


def test_fits_are_trained_one_by_one_when_joint_training_fails(blobs, monkeypatch):
    X, y = blobs

    def fail(*args):
        raise MemoryError("no room")

    estimator = KerasClassifier(epochs=2, random_state=0)
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    monkeypatch.setattr(_graph.JointGraph, "_train", fail)
    clear_graphs()
    outcomes = fit_together(jobs)
    clear_graphs()
    assert {(outcome.path, outcome.reason) for outcome in outcomes} == {
        ("fused", "MemoryError: no room")
    }
    for job in jobs:
        assert_equal_fits(job.estimator, clone(estimator).fit(X[job.rows], y[job.rows]))


def test_fitted_together_goes_on_like_any_other(blobs):
    X, y = blobs
    estimator = KerasClassifier(epochs=2, random_state=0)
    jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
    fit_together(jobs)
    ours, rows = jobs[0].estimator, jobs[0].rows
    alone = clone(estimator).fit(X[rows], y[rows])
    loaded = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(loaded.predict_proba(X), ours.predict_proba(X))
    for fitted in (ours, loaded, alone):
        fitted.partial_fit(X[rows], y[rows])
    assert_equal_fits(ours, alone)
    assert_equal_fits(loaded, alone)


def test_threads_may_fit_together_at_the_same_time(blobs):
    X, y = blobs
    estimator = KerasClassifier(epochs=3, model__dropout=0.1, random_state=0)

    def run(_):
        jobs = [FitJob(clone(estimator), X, y, rows) for rows in folds(X)]
        fit_together(jobs)
        return [job.estimator.predict_proba(X) for job in jobs]

    with ThreadPoolExecutor(3) as pool:
        first, *rest = pool.map(run, range(3))
    for found in rest:
        np.testing.assert_array_equal(found, first)
