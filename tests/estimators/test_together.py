"""Fits at the same time give what they give one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

from skopt_wrap import KerasClassifier
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


def test_fits_together_equal_fits_one_by_one(blobs):
    X, y = blobs
    estimator = KerasClassifier(epochs=3, metrics=["accuracy"], random_state=0)
    jobs = [FitJob(clone(estimator), X, y, rows=rows) for rows in folds(X)]
    outcomes = fit_together(jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 3
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
