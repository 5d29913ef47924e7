"""The cost of a classifier's errors, under a table of costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from ...exceptions import ParameterError
from .._targets import check_weights

__all__ = ["check_costs", "expected_cost_score"]


def check_costs(costs: Any, n_classes: int) -> np.ndarray:
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


def expected_cost_score(
    y_true: Any, y_pred: Any, costs: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
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
    y_true = np.asarray(y_true)
    weight = check_weights(sample_weight, len(y_true))
    matrix = confusion_matrix(y_true, y_pred, labels=labels, sample_weight=weight)
    costs = check_costs(costs, len(matrix))
    return float((matrix * costs).sum() / matrix.sum())
