"""Ranking metrics that scikit-learn does not have, as functions of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve

from ...exceptions import ParameterError
from ._checks import binary_arrays

__all__ = [
    "lift_at_k_score",
    "precision_at_recall_score",
    "recall_at_k_score",
    "recall_at_precision_score",
]


def _fraction(value: Any, name: str) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < value <= 1:
        raise ParameterError(f"{name} must be a number in (0, 1], got {value!r}.")
    return float(value)


def _percent(k: Any) -> float:
    number = isinstance(k, int | float | np.number) and not isinstance(k, bool)
    if not number or not 0 < k <= 100:
        raise ParameterError(f"k must be a percentage in (0, 100], got {k!r}.")
    return float(k)


def _check_zero_division(zero_division: Any) -> float:
    if isinstance(zero_division, bool) or zero_division not in (0, 1):
        raise ParameterError(f"zero_division must be 0.0 or 1.0, got {zero_division!r}.")
    return float(zero_division)


def _precision_recall(
    y_true: Any, y_score: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return precision and recall at each threshold; None where no row is positive."""
    y_true, y_score, weight = binary_arrays(y_true, y_score, sample_weight)
    if not y_true.any() or (weight is not None and not weight[y_true == 1].any()):
        return None
    precisions, recalls, _ = precision_recall_curve(y_true, y_score, sample_weight=weight)
    return precisions, recalls


def precision_at_recall_score(
    y_true: Any,
    y_score: Any,
    *,
    recall: float = 0.9,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> float:
    """Return the highest precision among thresholds whose recall is at least `recall`.

    Use it when a fixed share of the positives must be found, and what matters is how many false
    alarms that costs. It does not choose a threshold to deploy: the threshold is taken on the
    rows scored.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 for the positive class, else 0.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more positive.
    recall : float, default=0.9
        Least recall, in (0, 1].
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    zero_division : {0.0, 1.0}, default=0.0
        Value when no row is positive, so that recall is not defined.

    Returns
    -------
    score : float
        Precision, in [0, 1].

    Raises
    ------
    ParameterError
        If `recall` or `zero_division` is out of range.
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> from skopt_wrap.scoring import precision_at_recall_score
    >>> precision_at_recall_score([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9], recall=1.0)
    0.666...
    """
    recall = _fraction(recall, "recall")
    zero_division = _check_zero_division(zero_division)
    curve = _precision_recall(y_true, y_score, sample_weight)
    if curve is None:
        return zero_division
    precisions, recalls = curve
    return float(precisions[recalls >= recall - 1e-12].max())


def recall_at_precision_score(
    y_true: Any,
    y_score: Any,
    *,
    precision: float = 0.9,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> float:
    """Return the highest recall among thresholds whose precision is at least `precision`.

    Use it when alarms are acted upon and most of them must be right. 0 when no threshold is
    precise enough.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 for the positive class, else 0.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more positive.
    precision : float, default=0.9
        Least precision, in (0, 1].
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    zero_division : {0.0, 1.0}, default=0.0
        Value when no row is positive, so that recall is not defined.

    Returns
    -------
    score : float
        Recall, in [0, 1].

    Raises
    ------
    ParameterError
        If `precision` or `zero_division` is out of range.
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> from skopt_wrap.scoring import recall_at_precision_score
    >>> recall_at_precision_score([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9], precision=0.8)
    0.5
    """
    precision = _fraction(precision, "precision")
    zero_division = _check_zero_division(zero_division)
    curve = _precision_recall(y_true, y_score, sample_weight)
    if curve is None:
        return zero_division
    precisions, recalls = curve
    return float(recalls[precisions >= precision - 1e-12].max())


def recall_at_k_score(
    y_true: Any,
    y_score: Any,
    *,
    k: float = 10,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> float:
    """Return the recall within the `k` percent of rows that score highest.

    Use it when only so many rows can be looked at (a call list, a review queue). Rows that tie at
    the edge count in proportion, as if in random order, so that the value does not depend on the
    order of the rows. It is the cumulative gains curve at `k`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 for the positive class, else 0.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more positive.
    k : float, default=10
        Percentage of rows (of weight) taken, in (0, 100].
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    zero_division : {0.0, 1.0}, default=0.0
        Value when no row is positive.

    Returns
    -------
    score : float
        Recall, in [0, 1].

    Raises
    ------
    ParameterError
        If `k` or `zero_division` is out of range.
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> from skopt_wrap.scoring import recall_at_k_score
    >>> recall_at_k_score([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9], k=20)
    0.5
    """
    k, zero_division = _percent(k), _check_zero_division(zero_division)
    y_true, y_score, weight = binary_arrays(y_true, y_score, sample_weight)
    weight = np.ones(len(y_true)) if weight is None else weight
    positive = weight * y_true
    if not positive.any():
        return zero_division
    _, group = np.unique(-y_score, return_inverse=True)
    taken = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=weight))])
    found = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=positive))])
    return float(np.interp(k / 100 * taken[-1], taken, found) / found[-1])


def lift_at_k_score(
    y_true: Any,
    y_score: Any,
    *,
    k: float = 10,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> float:
    """Return how many times more positives the top `k` percent hold than a random choice would.

    Equals :func:`recall_at_k_score` divided by ``k / 100``: 1 for a useless ranking, at most
    ``min(100 / k, 1 / prevalence)``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 for the positive class, else 0.
    y_score : array-like of shape (n_samples,)
        Scores; greater means more positive.
    k : float, default=10
        Percentage of rows (of weight) taken, in (0, 100].
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    zero_division : {0.0, 1.0}, default=0.0
        Value when no row is positive.

    Returns
    -------
    score : float
        Lift, not negative.

    Raises
    ------
    ParameterError
        If `k` or `zero_division` is out of range.
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> from skopt_wrap.scoring import lift_at_k_score
    >>> lift_at_k_score([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9], k=20)
    2.5
    """
    found = recall_at_k_score(
        y_true, y_score, k=k, sample_weight=sample_weight, zero_division=zero_division
    )
    if not np.any(np.asarray(y_true) * (1 if sample_weight is None else np.asarray(sample_weight))):
        return found  # zero_division as it is, not divided
    return found / (float(k) / 100)
