"""Calibration: whether events with probability 0.3 happen in 3 of 10 cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exceptions import DataError, ParameterError
from ._checks import binary_arrays

__all__ = ["calibration_table", "expected_calibration_error"]


def expected_calibration_error(
    y_true: Any, y_prob: Any, *, n_bins: int = 15, labels: Any = None, sample_weight: Any = None
) -> float:
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
        With 1-D `y_prob`: 1 for the positive class, else 0. With 2-D `y_prob`: the true labels, of
        any kind; or the numbers of the true columns.
    y_prob : array-like of shape (n_samples,) or (n_samples, n_classes)
        Probabilities in [0, 1].
    n_bins : int, default=15
        Number of bins of equal width over [0, 1].
    labels : array-like of shape (n_classes,), default=None
        With 2-D `y_prob`: the label of each column. None takes whole numbers below the number of
        columns as numbers of columns, and else the sorted labels of `y_true`, which must then be as
        many as there are columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.

    Returns
    -------
    error : float
        In [0, 1]; lower is better.

    Raises
    ------
    ParameterError
        If `n_bins` is not a positive integer, or `labels` has not one label a column.
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
    >>> expected_calibration_error(["no", "yes"], [[0.9, 0.1], [0.1, 0.9]])
    0.1
    """
    if isinstance(n_bins, bool) or not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ParameterError(f"n_bins must be an integer >= 1, got {n_bins!r}.")
    y_prob = np.asarray(y_prob, dtype=np.float64)
    if y_prob.ndim == 2:
        y_true = _columns_of(y_true, y_prob, labels)
        best = y_prob.argmax(axis=1)
        y_true, y_prob = (best == y_true).astype(np.int64), y_prob[np.arange(len(best)), best]
    elif labels is not None:
        raise ParameterError(f"labels is for 2-D y_prob, got {labels!r} for shape {y_prob.shape}.")
    y_true, y_prob, weight = binary_arrays(y_true, y_prob, sample_weight, "y_prob")
    if y_prob.min() < 0 or y_prob.max() > 1:
        raise DataError(f"y_prob must lie in [0, 1], got [{y_prob.min():g}, {y_prob.max():g}].")
    weight = np.ones(len(y_true)) if weight is None else weight
    bins = np.minimum((y_prob * n_bins).astype(np.int64), n_bins - 1)
    gap = np.bincount(bins, weights=weight * (y_true - y_prob), minlength=n_bins)
    return float(np.abs(gap).sum() / weight.sum())


def _columns_of(y_true: Any, y_prob: np.ndarray, labels: Any) -> np.ndarray:
    """Return the number of the column that each true label belongs to."""
    array = np.asarray(y_true)
    if array.dtype.kind in "UST":
        array = array.astype(object)  # so that texts of other lengths compare as they are
    n_rows, n_columns = y_prob.shape
    if array.shape != (n_rows,):
        raise DataError(f"y_true must have shape {(n_rows,)}, got {array.shape}.")
    if labels is None:
        numbers = array.dtype.kind in "iuf" and not (array != np.floor(array)).any()
        if numbers and array.size and array.min() >= 0 and array.max() < n_columns:
            return array.astype(np.int64)
        known = sorted(set(array.tolist()))
        if len(known) != n_columns:
            raise DataError(
                f"y_true holds {len(known)} labels, but y_prob has {n_columns} columns; give "
                "labels=, the label of each column."
            )
    else:
        known = np.asarray(labels).tolist()
        if len(known) != n_columns or len(set(known)) != n_columns:
            raise ParameterError(
                f"labels must hold one label a column ({n_columns}), all different, got {labels!r}."
            )
    position = {label: i for i, label in enumerate(known)}
    strange = [label for label in array.tolist() if label not in position]
    if strange:
        raise DataError(f"y_true holds {strange[0]!r}, which labels={known} does not.")
    return np.array([position[label] for label in array.tolist()], dtype=np.int64)


def _quantiles(values: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return quantiles as ``np.quantile`` of the values, each repeated as often as it weighs."""
    order = np.argsort(values, kind="stable")
    ascending, reached = values[order], np.cumsum(weight[order])
    place = shares * max(reached[-1] - 1, 0)
    last = len(values) - 1
    low, high = (
        ascending[np.minimum(np.searchsorted(reached, at, side="right"), last)]
        for at in (np.floor(place), np.ceil(place))
    )
    return low + (high - low) * (place - np.floor(place))


def calibration_table(
    hits: np.ndarray, stated: np.ndarray, weight: np.ndarray | None = None, n_bins: int = 10
) -> dict[str, list[Any]]:
    """Return stated probability beside observed frequency, in bins of about equally many rows.

    The bins are those of scikit-learn's ``calibration_curve(strategy="quantile")``.

    Parameters
    ----------
    hits : ndarray of shape (n_samples,)
        1 where the event happened, else 0.
    stated : ndarray of shape (n_samples,)
        Its probability.
    weight : ndarray of shape (n_samples,) or None
        Weights of the samples. Whole numbers count as repetitions.
    n_bins : int, default=10
        Most bins; empty ones are left out.

    Returns
    -------
    table : dict of str to list
        Columns lower, upper, count, predicted and observed.
    """
    stated = stated.astype(np.float64)
    weight = np.ones(len(stated)) if weight is None else weight
    edges = _quantiles(stated, weight, np.linspace(0, 1, n_bins + 1))
    bins = np.searchsorted(edges[1:-1], stated)
    total = np.bincount(bins, weights=weight, minlength=n_bins)
    used = np.flatnonzero(total > 0)

    def mean(values: np.ndarray) -> list[float]:
        summed = np.bincount(bins, weights=weight * values, minlength=n_bins)[used]
        return (summed / total[used]).tolist()

    return {
        "lower": edges[used].tolist(),
        "upper": edges[used + 1].tolist(),
        "count": np.bincount(bins, minlength=n_bins)[used].tolist(),
        "predicted": mean(stated),
        "observed": mean(hits),
    }
