"""Arrays of labels, numbers and raw outputs, validated and brought into one form."""

from __future__ import annotations

import numbers as numbers_abc
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from ...exceptions import DataError
from ._kinds import check_kind, explained


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
    if y.dtype == object:
        y = _plain_labels(y)
    if y.ndim == 1 or y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y


def _plain_labels(y: np.ndarray) -> np.ndarray:
    """Return labels that are Python objects; whole numbers as integers.

    Raises
    ------
    DataError
        For missing labels, and for texts and numbers in one target.
    """
    labels = y.ravel().tolist()
    if any(item is None for item in labels):
        raise DataError("y contains None; give every row a label.")
    kinds = {str if isinstance(item, str) else type(item) for item in labels}
    numbers = {kind for kind in kinds if issubclass(kind, numbers_abc.Number)}
    if numbers and len(numbers) < len(kinds):
        names = sorted(kind.__name__ for kind in kinds)
        raise DataError(
            f"y holds labels of several types ({', '.join(names)}); make them all texts, "
            "y.astype(str), or all numbers."
        )
    if all(issubclass(kind, numbers_abc.Integral) for kind in kinds):
        return np.array(labels).reshape(y.shape)
    return y


def check_values(y: Any, dtype: str = "float32") -> np.ndarray:
    """Return regression targets as an array of one or two dimensions, finite in `dtype`."""
    check_kind(y, "y")
    try:
        y = check_array(y, ensure_2d=False, allow_nd=True, dtype="numeric", input_name="y")
    except ValueError as error:
        better = explained(error, y, "y")
        if better is None:
            raise
        raise better from error
    if y.ndim > 2:
        raise DataError(
            f"y must have one or two dimensions, got shape {y.shape}: a network for "
            "KerasRegressor returns one row of numbers a sample. Flatten the targets, "
            "y.reshape(len(y), -1), and reshape the predictions back."
        )
    check_range(y, "y", dtype)
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


def column_names(y: Any) -> tuple[Any, ...]:
    """Return the names of the columns of a frame; none for other targets."""
    return tuple(y.columns) if hasattr(y, "columns") else ()
