"""Calibration: whether events with probability 0.3 happen in 3 of 10 cases."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exceptions import DataError, ParameterError
from ._checks import binary_arrays

__all__ = ["expected_calibration_error"]


def expected_calibration_error(
    y_true: Any, y_prob: Any, *, n_bins: int = 15, sample_weight: Any = None
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
    y_true, y_prob, weight = binary_arrays(y_true, y_prob, sample_weight, "y_prob")
    if y_prob.min() < 0 or y_prob.max() > 1:
        raise DataError(f"y_prob must lie in [0, 1], got [{y_prob.min():g}, {y_prob.max():g}].")
    weight = np.ones(len(y_true)) if weight is None else weight
    bins = np.minimum((y_prob * n_bins).astype(np.int64), n_bins - 1)
    gap = np.bincount(bins, weights=weight * (y_true - y_prob), minlength=n_bins)
    return float(np.abs(gap).sum() / weight.sum())
