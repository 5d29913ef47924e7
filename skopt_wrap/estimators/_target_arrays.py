"""Arrays of labels, numbers and raw outputs, validated and brought into one form."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from ..exceptions import DataError


def output_table(raw: Any) -> np.ndarray:
    """Return raw outputs as a float64 table (n, units)."""
    raw = np.asarray(raw, dtype="float64")
    return raw.reshape(len(raw), -1)


def check_labels(y: Any) -> np.ndarray:
    """Return classification targets as an array, one column for plain labels.

    Missing labels are refused; labels may be of any type.
    """
    if hasattr(y, "isna") and np.any(y.isna()):
        raise DataError("y contains missing values (NA); give every row a label.")
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y", ensure_all_finite=True)
    if y.dtype == object and any(item is None for item in y.ravel()):
        raise DataError("y contains None; give every row a label.")
    if y.ndim == 1 or y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y


def check_values(y: Any) -> np.ndarray:
    """Return regression targets as an array of one or two dimensions, finite, float."""
    y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y
