"""How far two sets of outputs are apart, in units of how much the outputs vary."""

from __future__ import annotations

import numpy as np


def output_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of an output, in units of its own spread.

    Parameters
    ----------
    found, expected : ndarray of shape (n_rows, ..., n_units)
        Outputs for the same rows.

    Returns
    -------
    difference : float
        Root-mean-square difference of an output (a place on the last axis) divided by the standard
        deviation of the expected one; the largest of all outputs. Probabilities share one unit:
        they are divided by the standard deviation of all of them together. 0.0 is equal, and 1.0
        is as far away as the mean would be.

    Examples
    --------
    Years that differ by 4: an error of 1 is a quarter of the spread, not a thousandth of the years.

    >>> import numpy as np
    >>> from skopt_wrap.compression._differences import output_difference
    >>> years = np.array([[1996.0], [2004.0]])
    >>> output_difference(years + 1, years)
    0.25
    """
    width = expected.shape[-1] if expected.ndim > 1 else 1
    a = np.asarray(found, dtype=np.float64).reshape(-1, width)
    b = np.asarray(expected, dtype=np.float64).reshape(-1, width)
    error = np.sqrt(np.mean((a - b) ** 2, axis=0))
    spread = b.std(axis=0)
    if b.min(initial=0.0) >= 0 and b.max(initial=0.0) <= 1:
        return float(np.sqrt(np.mean(error**2))) / _unit(np.sqrt(np.mean(spread**2)), b)
    shares = [e / _unit(s, column) for e, s, column in zip(error, spread, b.T, strict=True)]
    return float(max(shares))


def _unit(spread: float, values: np.ndarray) -> float:
    """Return the spread, or the size of values that hardly vary."""
    size = float(np.abs(values).max(initial=0.0))
    return float(spread) if spread > 1e-6 * size else size or 1.0
