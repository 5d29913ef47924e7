"""Any table as a matrix of numbers, for models that look at data before training."""

from __future__ import annotations

import numpy as np

from ._column import Column
from ._read import Source

_MOST_LEVELS = 20


def design_matrix(source: Source) -> np.ndarray:
    """Return a table as finite float64 numbers of mean 0 and standard deviation 1 at most.

    Numbers and dates are standardized with missing ones at the median, which get an indicator;
    texts of up to 20 levels become indicators, others the logarithm of how often they occur.

    Parameters
    ----------
    source : Source
        The table.

    Returns
    -------
    X : ndarray of shape (n_samples, n_columns), float64
        The matrix; with a single column of zeros where the table holds no information.
    """
    parts = [part for i in range(len(source.names)) for part in _parts(source.column(i))]
    parts = [part for part in parts if part.min() != part.max()]
    if not parts:
        return np.zeros((source.n, 1))
    return np.column_stack([standardized(part) for part in parts])


def standardized(values: np.ndarray) -> np.ndarray:
    """Return numbers with mean 0 and standard deviation 1, whatever their size."""
    scale = float(np.abs(values).max()) or 1.0
    small = values / scale
    spread = float(small.std())
    return (small - small.mean()) / spread if spread > 0 else np.zeros(len(values))


def as_numbers(column: Column) -> np.ndarray:
    """Return numbers, booleans and dates as floats, NaN where missing or infinite."""
    if column.kind == "date":
        days = column.values.astype(np.int64) / 86_400e6
        return np.where(column.missing(), np.nan, days)
    values = column.values.astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _parts(column: Column) -> list[np.ndarray]:
    if column.kind == "text":
        counts = column.counts()
        if len(counts) <= _MOST_LEVELS:
            return [(column.values == code).astype(np.float64) for code in range(len(counts))]
        often = np.append(np.log1p(counts), 0.0)
        return [often[column.values]]
    values = as_numbers(column)
    missing = np.isnan(values)
    if not missing.any():
        return [values]
    if missing.all():
        return []
    return [np.where(missing, np.median(values[~missing]), values), missing.astype(np.float64)]
