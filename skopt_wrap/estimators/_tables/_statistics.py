"""Statistics of numbers by which networks scale them; a weight of 2 counts as a repeated row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def weighted_quantiles(
    values: np.ndarray, weights: np.ndarray, probabilities: Sequence[float]
) -> np.ndarray:
    """Return quantiles by the inverse of the weighted distribution function.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers, at least one.
    weights : ndarray of shape (n,)
        Positive weights.
    probabilities : sequence of float
        In (0, 1].

    Returns
    -------
    quantiles : ndarray of shape (n_probabilities,)
        Each one of the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._tables._statistics import weighted_quantiles
    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 4.0]), [0.25, 0.5])
    array([2., 2.])
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.asarray(weights, "float64")[order])
    wanted = np.asarray(probabilities) * reached[-1] * (1 - 1e-12)
    places = np.searchsorted(reached, wanted, side="left")
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], dtype="float64")


def center_and_factor(column: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the median of a column, and one divided by its interquartile range.

    Where half of the values are equal, the factor is 2 divided by the whole range; for a constant
    column, and for one without values, it is 0.

    Parameters
    ----------
    column : ndarray of shape (n_samples,)
        Numbers; NaN where they are missing.
    weights : ndarray of shape (n_samples,)
        Sample weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._tables._statistics import center_and_factor
    >>> center_and_factor(np.array([0.0, 2.0, 4.0, 8.0, np.nan]), np.ones(5))
    (2.0, 0.25)
    """
    kept = (weights > 0) & ~np.isnan(column)
    if not kept.any():
        return 0.0, 0.0
    values = column[kept].astype("float64")
    low, middle, high = weighted_quantiles(values, weights[kept], (0.25, 0.5, 0.75))
    width = high - low
    if width == 0:
        width = (values.max() - values.min()) / 2
    # What rounding makes of equal numbers is no range.
    constant = width <= 1e-9 * np.abs(values).max()
    return float(middle), 0.0 if constant else float(1 / width)
