"""Deferred fit: the steps of a pipeline before its network are fitted now, the network later.

The networks of all folds can then be trained jointly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._pipelines import last_step
from .._sklearn import callbacks_of, check_method_params, safe_split
from ..estimators import FitJob, KerasClassifier, KerasRegressor

_PIPELINES = ("sklearn.pipeline", "imblearn.pipeline")


def why_whole(estimator: Any) -> str | None:
    """Return why the fit of an estimator's network cannot be deferred; None when it can.

    Parameters
    ----------
    estimator : estimator
        A network's estimator, a pipeline, or any other.

    Returns
    -------
    reason : str or None
        Why each fit runs as a whole; None where the networks of several fits are trained together.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import why_whole
    >>> why_whole(LogisticRegression()), why_whole(KerasClassifier())
    ('no Keras estimator', None)
    """
    network = last_step(estimator)
    if not isinstance(network, KerasClassifier | KerasRegressor):
        return "no Keras estimator"
    if type(network).fit not in (KerasClassifier.fit, KerasRegressor.fit):
        return f"{type(network).__name__} has a fit of its own"
    while isinstance(estimator, Pipeline):
        kind = type(estimator)
        if kind.__module__ not in _PIPELINES:
            return f"{kind.__name__} is a pipeline of its own kind"
        if callbacks_of(estimator):
            return "callbacks watch the pipeline"
        if estimator.verbose:
            return "the pipeline prints times"
        estimator = estimator.steps[-1][1]
    return "callbacks watch the network" if callbacks_of(estimator) else None


def defer_fit(candidate: Any, X: Any, y: Any, rows: Any, fit_params: Mapping[str, Any]) -> FitJob:
    """Fit everything of `candidate` but its network, and return the network's fit.

    A pipeline fits itself: its own ``fit`` runs, so that order, random state, ``memory``, skipped
    steps and metadata are what they always are. Only its last step is replaced meanwhile, by a
    :class:`FitRecorder`.

    Parameters
    ----------
    candidate : estimator
        A network's estimator or a pipeline that ends in one; its first steps are fitted.
    X, y : array-like
        All rows.
    rows : ndarray of int
        The training rows.
    fit_params : mapping
        Arguments of ``candidate.fit``, aligned with all rows where they have as many.

    Returns
    -------
    job : FitJob
        A bare network shares `X` and `y` with every other fold.
    """
    network = last_step(candidate)
    if candidate is network and _can_share(X, y, rows):
        params = dict(fit_params)
        weights = params.get("sample_weight")
        if weights is None or (isinstance(weights, np.ndarray) and len(weights) == len(X)):
            params.pop("sample_weight", None)
            params = check_method_params(X, params=params, indices=rows)
            return FitJob(network, X, y, rows=rows, sample_weight=weights, fit_params=params)
    X_rows, y_rows = safe_split(candidate, X, y, rows)
    params = check_method_params(X, params=fit_params, indices=rows)
    if candidate is network:
        return _job(network, X_rows, y_rows, params)
    recorder, pipeline = FitRecorder(network), _last_pipeline(candidate)
    name = pipeline.steps[-1][0]
    pipeline.steps[-1] = (name, recorder)
    try:
        candidate.fit(X_rows, y_rows, **params)
    finally:
        pipeline.steps[-1] = (name, network)
    return recorder.job_


class FitRecorder(BaseEstimator):
    """Stands for a network at the end of a pipeline; keeps the call of `fit` instead of training.

    Parameters
    ----------
    network : KerasClassifier or KerasRegressor
        The network's estimator.
    """

    job_: FitJob

    def __init__(self, network: Any) -> None:
        self.network = network

    def fit(self, X: Any, y: Any = None, **params: Any) -> FitRecorder:
        """Keep data and metadata as the fit of the network."""
        self.job_ = _job(self.network, X, y, params)
        return self

    def get_metadata_routing(self) -> Any:
        """Return the metadata requests of the network."""
        return self.network.get_metadata_routing()

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.network)


def _last_pipeline(pipeline: Any) -> Any:
    """Return the innermost pipeline at the end of `pipeline`."""
    while isinstance(pipeline.steps[-1][1], Pipeline):
        pipeline = pipeline.steps[-1][1]
    return pipeline


def _job(network: Any, X: Any, y: Any, params: Mapping[str, Any]) -> FitJob:
    rest = {name: value for name, value in params.items() if name != "sample_weight"}
    return FitJob(network, X, y, sample_weight=params.get("sample_weight"), fit_params=rest)


def _can_share(X: Any, y: Any, rows: Any) -> bool:
    """Whether rows can be taken from the arrays later, one copy for all folds."""
    return (
        type(X) is np.ndarray
        and type(y) is np.ndarray
        and X.ndim > 1
        and isinstance(rows, np.ndarray)
        and rows.dtype.kind in "iu"
    )
