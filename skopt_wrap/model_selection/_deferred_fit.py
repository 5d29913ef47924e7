"""Take a candidate apart: what comes before the network is fitted, the network's fit is put off."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from .._pipelines import last_step
from .._sklearn import callbacks_of, check_method_params, safe_split
from ..estimators import FitJob, KerasClassifier, KerasRegressor

_PIPELINES = ("sklearn.pipeline", "imblearn.pipeline")


def why_whole(estimator: Any) -> str | None:
    """Return why a candidate must be fitted as a whole; None when it can be taken apart."""
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


def put_off(candidate: Any, X: Any, y: Any, rows: Any, fit_params: Mapping[str, Any]) -> FitJob:
    """Fit everything of `candidate` but its network, and return the network's fit.

    A pipeline fits itself: its own ``fit`` runs, so that order, random state, ``memory``, skipped
    steps and metadata are what they always are. Only the call that it makes last, of the
    network's ``fit``, is caught.

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
    caught: list[FitJob] = []

    def catch(X: Any, y: Any = None, **params: Any) -> Any:
        caught.append(_job(network, X, y, params))
        return network

    vars(network)["fit"] = catch
    try:
        candidate.fit(X_rows, y_rows, **params)
    finally:
        del vars(network)["fit"]
    return caught[0]


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


def as_scores(value: Any) -> dict[str, float]:
    """Return what a scorer returned as names mapped to floats.

    Parameters
    ----------
    value : float or mapping of str to float
        A score, or one for each metric.

    Returns
    -------
    scores : dict of str to float
        A single score is called ``"score"``.

    Raises
    ------
    TypeError
        When it is neither a number nor a dict of numbers.

    Examples
    --------
    >>> from skopt_wrap.model_selection import as_scores
    >>> as_scores(1), as_scores({"f1": 0.5})
    ({'score': 1.0}, {'f1': 0.5})
    """
    if isinstance(value, Mapping):
        return {str(name): as_scores(item)["score"] for name, item in value.items()}
    if hasattr(value, "item") and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"a scorer must return a number or a dict of numbers; got {type(value).__name__}."
        )
    return {"score": float(value)}
