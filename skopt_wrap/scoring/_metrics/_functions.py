"""Metrics that neither scikit-learn nor imbalanced-learn has, as functions of arrays."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_curve

from ...exceptions import DataError, ParameterError
from .._targets import check_weights

__all__ = [
    "expected_calibration_error",
    "expected_cost_score",
    "lift_at_k_score",
    "precision_at_recall_score",
    "recall_at_k_score",
    "recall_at_precision_score",
]


def _binary_arrays(y_true, y_score, sample_weight, name="y_score"):
    y_true = np.asarray(y_true)
    y_score = np.asarray(y_score, dtype=np.float64)
    if y_true.ndim != 1 or y_true.size == 0 or not np.isin(y_true, (0, 1)).all():
        raise DataError(
            "y_true must be a non-empty 1-D array of 0 (negative) and 1 (positive), got shape "
            f"{y_true.shape}."
        )
    if y_score.shape != y_true.shape:
        raise DataError(f"{name} must have y_true's shape {y_true.shape}, got {y_score.shape}.")
    if not np.isfinite(y_score).all():
        raise DataError(f"{name} must be finite, got NaN or infinity.")
    return y_true.astype(np.int64), y_score, check_weights(sample_weight, len(y_true))


def _fraction(value, name):
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < value <= 1:
        raise ParameterError(f"{name} must be a number in (0, 1], got {value!r}.")
    return float(value)


def _percent(k):
    number = isinstance(k, int | float | np.number) and not isinstance(k, bool)
    if not number or not 0 < k <= 100:
        raise ParameterError(f"k must be a percentage in (0, 100], got {k!r}.")
    return float(k)


def _check_zero_division(zero_division):
    if isinstance(zero_division, bool) or zero_division not in (0, 1):
        raise ParameterError(f"zero_division must be 0.0 or 1.0, got {zero_division!r}.")
    return float(zero_division)


def precision_at_recall_score(
    y_true, y_score, *, recall=0.9, sample_weight=None, zero_division=0.0
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
    y_true, y_score, weight = _binary_arrays(y_true, y_score, sample_weight)
    if not y_true.any() or (weight is not None and not weight[y_true == 1].any()):
        return zero_division
    precisions, recalls, _ = precision_recall_curve(y_true, y_score, sample_weight=weight)
    return float(precisions[recalls >= recall - 1e-12].max())


def recall_at_precision_score(
    y_true, y_score, *, precision=0.9, sample_weight=None, zero_division=0.0
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
    y_true, y_score, weight = _binary_arrays(y_true, y_score, sample_weight)
    if not y_true.any() or (weight is not None and not weight[y_true == 1].any()):
        return zero_division
    precisions, recalls, _ = precision_recall_curve(y_true, y_score, sample_weight=weight)
    return float(recalls[precisions >= precision - 1e-12].max())


def recall_at_k_score(y_true, y_score, *, k=10, sample_weight=None, zero_division=0.0) -> float:
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
    y_true, y_score, weight = _binary_arrays(y_true, y_score, sample_weight)
    weight = np.ones(len(y_true)) if weight is None else weight
    positive = weight * y_true
    if not positive.any():
        return zero_division
    _, group = np.unique(-y_score, return_inverse=True)
    taken = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=weight))])
    found = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=positive))])
    return float(np.interp(k / 100 * taken[-1], taken, found) / found[-1])


def lift_at_k_score(y_true, y_score, *, k=10, sample_weight=None, zero_division=0.0) -> float:
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


def expected_calibration_error(y_true, y_prob, *, n_bins=15, sample_weight=None) -> float:
    r"""Return the expected calibration error over bins of equal width.

    The mean gap between stated probability and observed frequency,
    :math:`\sum_b w_b\,|\bar y_b - \bar p_b|`, where :math:`w_b` is the share of rows whose
    probability falls in bin :math:`b`. 1-D probabilities are those of the positive class [1]_;
    with one column a class, the probability of the class predicted is held against whether it was
    right [2]_. The value depends on the bins; it is not a proper scoring rule, so look at the
    Brier score beside it.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 for the positive class, else 0; with 2-D `y_prob` the number of the true column.
    y_prob : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probabilities in [0, 1].
    n_bins : int, default=15
        Number of bins of equal width over [0, 1].
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.

    Returns
    -------
    error : float
        In [0, 1]; lower is better.

    Raises
    ------
    ParameterError
        If `n_bins` is not a positive integer.
    DataError
        If the arrays do not fit together or hold no probabilities.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities
       using Bayesian binning", AAAI, 2015.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
       ICML, 2017.

    Examples
    --------
    >>> from skopt_wrap.scoring import expected_calibration_error
    >>> expected_calibration_error([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25])
    0.0
    >>> expected_calibration_error([0, 1], [0.2, 0.6])
    0.3
    """
    if isinstance(n_bins, bool) or not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ParameterError(f"n_bins must be an integer >= 1, got {n_bins!r}.")
    y_prob = np.asarray(y_prob, dtype=np.float64)
    if y_prob.ndim == 2:
        y_true = np.asarray(y_true)
        if y_true.shape != y_prob.shape[:1]:
            raise DataError(f"y_true must have shape {y_prob.shape[:1]}, got {y_true.shape}.")
        best = y_prob.argmax(axis=1)
        y_true, y_prob = (best == y_true).astype(np.int64), y_prob[np.arange(len(best)), best]
    y_true, y_prob, weight = _binary_arrays(y_true, y_prob, sample_weight, "y_prob")
    if y_prob.min() < 0 or y_prob.max() > 1:
        raise DataError(f"y_prob must lie in [0, 1], got [{y_prob.min():g}, {y_prob.max():g}].")
    weight = np.ones(len(y_true)) if weight is None else weight
    bins = np.minimum((y_prob * n_bins).astype(np.int64), n_bins - 1)
    gap = np.bincount(bins, weights=weight * (y_true - y_prob), minlength=n_bins)
    return float(np.abs(gap).sum() / weight.sum())


def check_costs(costs, n_classes) -> np.ndarray:
    """Return a cost matrix as float64, or raise ParameterError."""
    try:
        matrix = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"costs must be a square matrix of numbers: {error}") from error
    if matrix.shape != (n_classes, n_classes):
        raise ParameterError(
            f"costs must have shape ({n_classes}, {n_classes}), one row a true class and one "
            f"column a predicted class, got shape {matrix.shape}."
        )
    if not np.isfinite(matrix).all():
        raise ParameterError("costs must be finite, got NaN or infinity.")
    return matrix


def expected_cost_score(y_true, y_pred, costs, *, labels=None, sample_weight=None) -> float:
    r"""Return the mean cost of a row under a cost matrix.

    :math:`\frac{1}{\sum_n w_n} \sum_n w_n\, C_{y_n, \hat y_n}`. Negative entries are gains.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        True and predicted labels.
    costs : array-like of shape (n_classes, n_classes)
        ``costs[i, j]`` is the cost of predicting class j when class i is true, classes in
        sorted order (or that of `labels`), as rows and columns of scikit-learn's confusion matrix.
    labels : array-like of shape (n_classes,), default=None
        Order of the classes; None takes the sorted labels of both arrays.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.

    Returns
    -------
    cost : float
        Lower is better.

    Raises
    ------
    ParameterError
        If the matrix has not one row and column a class.
    DataError
        If the weights cannot be used.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.

    Examples
    --------
    >>> from skopt_wrap.scoring import expected_cost_score
    >>> costs = [[0, 1], [10, 0]]  # a missed positive costs ten false alarms
    >>> expected_cost_score([0, 0, 0, 1], [0, 0, 1, 0], costs)
    2.75
    """
    from sklearn.metrics import confusion_matrix

    y_true = np.asarray(y_true)
    weight = check_weights(sample_weight, len(y_true))
    matrix = confusion_matrix(y_true, y_pred, labels=labels, sample_weight=weight)
    costs = check_costs(costs, len(matrix))
    return float((matrix * costs).sum() / matrix.sum())
