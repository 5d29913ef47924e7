"""The networks for tables, trained jointly, end as they end by themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.training import clear_graphs
from skopt_wrap.training._joint import _graph

pytest.importorskip("keras")
pytestmark = pytest.mark.keras
SMALL = {"model__units": 12, "model__n_layers": 2, "random_state": 0, "batch_size": 16}


@pytest.fixture(scope="module")
def frame():
    """A frame with gaps, a few and many categories; labels; weights."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], 50))
    X = pd.DataFrame({"a": rng.normal(size=150) + y, "b": rng.lognormal(size=150)})
    X.loc[::7, "a"] = np.nan
    X["few"] = pd.Categorical.from_codes(y, list("uvw"))
    X["many"] = pd.Categorical.from_codes(np.arange(150) % 15, list("abcdefghijklmno"))
    return X, y, rng.uniform(0.5, 2, 150)


def assert_equal(ours, alone, tolerance):
    assert ours.n_iter_ == alone.n_iter_ and ours.history_.keys() == alone.history_.keys()
    for name, values in alone.history_.items():
        np.testing.assert_allclose(ours.history_[name], values, rtol=tolerance, atol=tolerance)
    for one, other in zip(ours.model_.weights, alone.model_.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=tolerance, atol=tolerance)


CLASSES = {
    "whole training": {"dtype": "float64", "epochs": 8},
    "three epochs": {"epochs": 3},
    "plain": {
        "dtype": "float64",
        "epochs": 4,
        "model__n_frequencies": 0,
        "model__dropout": 0.0,
        "model__activation": "linear",
        "model__label_smoothing": 0.0,
        "optimizer__decay": 0.0,
    },
}


@pytest.mark.parametrize("params", CLASSES.values(), ids=CLASSES)
def test_classifiers_equal_those_trained_alone(frame, params):
    X, y, weights = frame
    estimator = KerasClassifier("realmlp", **{**SMALL, **params})
    rows = [np.arange(len(X)) % 4 != k for k in range(2)]
    jobs = [FitJob(clone(estimator), X, y, np.flatnonzero(r), weights) for r in rows]
    assert [(o.error, o.path, o.reason) for o in fit_together(jobs)] == [(None, "joint", None)] * 2
    tolerance = 1e-9 if "dtype" in params else 1e-4
    for job, r in zip(jobs, rows, strict=True):
        alone = clone(estimator).fit(X[r], y[r], sample_weight=weights[r])
        assert alone.fit_path_ == "fused"
        assert_equal(job.estimator, alone, tolerance)
        ours = job.estimator.predict_proba(X)
        np.testing.assert_allclose(ours, alone.predict_proba(X), atol=tolerance)


def test_regressors_on_arrays_equal_those_trained_alone(frame):
    X, y, _ = frame
    X, y = X[["a", "b"]].fillna(0.0).to_numpy(), 100 + 3.0 * y
    estimator = KerasRegressor("realmlp", **SMALL, epochs=8, dtype="float64")
    jobs = [FitJob(clone(estimator), X, y, np.arange(start, 140)) for start in (0, 9)]
    assert {outcome.path for outcome in fit_together(jobs)} == {"joint"}
    alone = clone(estimator).fit(X[9:140], y[9:140])
    assert_equal(jobs[1].estimator, alone, 1e-9)


def test_one_graph_serves_other_rates_and_decays(frame):
    X, y, _ = frame
    clear_graphs()
    estimator = KerasClassifier("realmlp", **SMALL, epochs=2, dtype="float64")
    trials = [
        {"optimizer__learning_rate": 0.1, "optimizer__decay": 0.03},
        {"model__dropout": 0.4, "model__scale_rate": 3.0, "model__embedding_rate": 0.3},
    ]
    jobs = [FitJob(clone(estimator).set_params(**params), X, y) for params in trials]
    assert {outcome.path for outcome in fit_together(jobs)} == {"joint"}
    (graph,) = _graph._GRAPHS.values()
    assert graph.train.experimental_get_tracing_count() == 1
    for job, params in zip(jobs, trials, strict=True):
        assert_equal(job.estimator, clone(estimator).set_params(**params).fit(X, y), 1e-9)


def test_members_are_trained_jointly_and_tempered_one_by_one(frame):
    X, y, _ = frame
    estimator = KerasClassifier("realmlp", **SMALL, epochs=6, dtype="float64", members=3)
    estimator.fit(X, y)
    assert estimator.fit_path_ == "joint"
    rng = np.random.RandomState(0)
    members = [
        clone(estimator).set_params(members=None, random_state=int(rng.randint(2**31 - 1)))
        for _ in range(3)
    ]
    mean = np.mean([member.fit(X, y).predict_proba(X) for member in members], axis=0)
    np.testing.assert_allclose(estimator.predict_proba(X), mean, atol=1e-9)


@pytest.mark.parametrize("kind", ["classes", "labels", "values", "no bins"])
def test_networks_of_members_equal_those_trained_alone(frame, kind):
    X, y, weights = frame
    estimator = {"labels": KerasClassifier, "values": KerasRegressor}.get(kind, KerasClassifier)(
        "tabm", **SMALL, epochs=4, dtype="float64", model__n_members=3, model__dropout=0.2
    )
    if kind == "no bins":
        estimator.set_params(model__n_bins=0)
    target = {"labels": y > 0, "values": 10.0 * y}.get(kind, y)
    rows = [np.arange(len(X)) % 4 != k for k in range(2)]
    jobs = [FitJob(clone(estimator), X, target, np.flatnonzero(r), weights) for r in rows]
    assert [(o.error, o.path, o.reason) for o in fit_together(jobs)] == [(None, "joint", None)] * 2
    alone = clone(estimator).fit(X[rows[1]], target[rows[1]], sample_weight=weights[rows[1]])
    assert_equal(jobs[1].estimator, alone, 1e-9)
