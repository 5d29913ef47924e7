"""Arrays of labels, numbers and raw outputs, validated and brought into one form."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from ..exceptions import DataError
from ._data_kinds import check_kind, is_about_text, text_column


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


def check_values(y: Any, dtype: str = "float32") -> np.ndarray:
    """Return regression targets as an array of one or two dimensions, finite in `dtype`."""
    check_kind(y, "y")
    try:
        y = check_array(y, ensure_2d=False, allow_nd=True, dtype="numeric", input_name="y")
    except ValueError as error:
        if is_about_text(error):
            raise DataError(
                f"y must hold numbers for a regressor ({error}).{text_column(y)} For labels take "
                "a KerasClassifier."
            ) from error
        raise
    if y.ndim > 2:
        raise DataError(
            f"y must have one or two dimensions, got shape {y.shape}: a network for "
            "KerasRegressor returns one row of numbers a sample. Flatten the targets, "
            "y.reshape(len(y), -1), and reshape the predictions back."
        )
    check_range(y, "y", dtype)
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y


def check_range(values: np.ndarray, name: str, dtype: str) -> None:
    """Raise for finite numbers that become infinite in the precision of the network."""
    if values.dtype.kind not in "fiu" or values.dtype.itemsize < 4 or not values.size:
        return
    largest = np.abs(values).max()
    if largest > np.finfo(dtype).max:
        raise DataError(
            f"{'Input ' if name == 'X' else ''}{name} contains infinity or a value too large for "
            f"dtype({dtype!r}): the largest is {largest:.3g}. Scale {name}, for instance with "
            + (
                "a StandardScaler."
                if name == "X"
                else "sklearn.compose.TransformedTargetRegressor."
            )
        )


def count_columns(number: int) -> str:
    """Return ``"1 column"``, ``"2 columns"`` and so on."""
    return f"{number} column{'' if number == 1 else 's'}"
