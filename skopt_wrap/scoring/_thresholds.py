"""Decision thresholds, and the confusion matrix at each of them from one sort."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["candidate_thresholds", "confusions_at"]


def candidate_thresholds(probabilities: np.ndarray, n_thresholds: int | None = None) -> np.ndarray:
    """Return the thresholds at which predictions change, ascending, with 0 and 1 included.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples,)
        Probabilities of the positive class.
    n_thresholds : int or None
        At most this many, at quantiles of the probabilities; None takes every distinct value.

    Returns
    -------
    thresholds : ndarray of shape (n_thresholds,)
        In [0, 1].
    """
    values = np.unique(probabilities)
    if n_thresholds is not None and len(values) > n_thresholds:
        values = np.unique(np.quantile(probabilities, np.linspace(0, 1, n_thresholds)))
    return np.unique(np.concatenate([[0.0], values, [1.0]]))


def confusions_at(
    y: np.ndarray,
    probabilities: np.ndarray,
    thresholds: np.ndarray,
    sample_weight: Any = None,
) -> np.ndarray:
    """Return the binary confusion matrix at each threshold.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    probabilities : ndarray of shape (n_samples,)
        Probabilities of the positive class; a row is predicted positive when its probability is
        at least the threshold.
    thresholds : ndarray of shape (n_thresholds,)
        In any order.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    matrices : ndarray of shape (n_thresholds, 2, 2)
        True classes in rows, the negative class first.
    """
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    order = np.argsort(probabilities, kind="stable")
    ascending = probabilities[order]
    below = np.searchsorted(ascending, thresholds, side="left")  # rows predicted negative
    positive = np.append(0.0, np.cumsum(weight[order] * y[order]))
    negative = np.append(0.0, np.cumsum(weight[order] * (1 - y[order])))
    missed, rejected = positive[below], negative[below]
    rows = [[rejected, negative[-1] - rejected], [missed, positive[-1] - missed]]
    return np.maximum(np.moveaxis(np.array(rows), 2, 0), 0.0)
