"""One fit among several that are done together, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class FitJob:
    """One fit of :func:`fit_together`.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Fitted in place.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Rows; jobs that are given the same object share one copy of it.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    rows : ndarray of shape (n_rows,), default=None
        Positions of the training rows in `X` and `y`; None takes all.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, aligned with `X`.
    fit_params : mapping, default={}
        Further arguments of ``estimator.fit``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap import KerasRegressor
    >>> from skopt_wrap.estimators import FitJob
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> FitJob(KerasRegressor(), X, X[:, 0], rows=np.array([0, 2])).rows.tolist()
    [0, 2]
    """

    estimator: Any
    X: Any
    y: Any
    rows: np.ndarray | None = None
    sample_weight: Any = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class FitOutcome:
    """What became of one :class:`FitJob`.

    Parameters
    ----------
    seconds : float
        Time that the fit took; fits trained together share their time equally.
    path : str
        How the network was trained, as in ``estimator.fit_path_``: ``"joint"`` with others,
        ``"fused"`` by itself, or ``"fit: <reason>"`` by ``keras.Model.fit``; empty after an error.
    reason : str or None
        Why it was not trained jointly.
    error : Exception or None
        What the fit raised.
    traceback : str or None
        Where it came from.
    n_joint : int
        Number of networks that were trained jointly, with this one.

    Examples
    --------
    >>> from skopt_wrap.estimators import FitOutcome
    >>> FitOutcome(seconds=0.1, path="fused").error is None
    True
    """

    seconds: float = 0.0
    path: str = ""
    reason: str | None = None
    error: Exception | None = None
    traceback: str | None = None
    n_joint: int = 1
