"""Columns of arrays and frames, as numbers or as categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..exceptions import DataError

NUMERIC, CATEGORY = "numeric", "category"


@dataclass
class Column:
    """One column.

    Parameters
    ----------
    name : str
        Its name.
    kind : {"numeric", "category"}
        How its values are compared.
    dtype : str
        Type as it came.
    values : ndarray of shape (n_rows,)
        float64 with NaN, or objects with None, where values are missing.
    """

    name: str
    kind: str
    dtype: str
    values: np.ndarray
    _ordered: np.ndarray | None = field(default=None, repr=False)

    @property
    def ordered(self) -> np.ndarray:
        """The numbers in ascending order, without missing ones; sorted once."""
        if self._ordered is None:
            values = np.sort(self.values)  # NaN last
            self._ordered = values[: int(np.searchsorted(values, np.nan))]
        return self._ordered


def is_frame(X: Any) -> bool:
    """Tell whether X has named columns."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def frame_columns(X: Any) -> list[Column]:
    """Return the columns of a pandas or polars frame."""
    names = list(X.columns)
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"column names must be unique, these are not: {repeated}. Rename them.")
    return [make_column(str(name), X[name]) for name in names]


def array_columns(X: np.ndarray, names: list[str]) -> list[Column]:
    """Return the columns of a two-dimensional array."""
    if X.dtype.kind in "biuf":
        dtype, block = str(X.dtype), np.ascontiguousarray(X.T, dtype=np.float64)
        return [Column(n, NUMERIC, dtype, v) for n, v in zip(names, block, strict=True)]
    return [make_column(name, X[:, j]) for j, name in enumerate(names)]


def make_column(name: str, values: Any) -> Column:
    """Return one column from a series or an array.

    Numbers, booleans and times (in days) are numeric; text and pandas' or polars' categories are
    categories. Objects are numbers if all of them are.

    Raises
    ------
    TypeError
        If the values are neither numbers nor text.
    """
    dtype = str(getattr(values, "dtype", "object"))
    array = _extension_numbers(values, dtype)
    if array is None:
        array = np.asarray(values)
    if array.dtype.kind in "mM":
        unit = np.timedelta64(1, "D")
        days = array - np.datetime64(0, "s") if array.dtype.kind == "M" else array
        return Column(name, NUMERIC, dtype, np.asarray(days / unit, dtype=np.float64))
    named = dtype.lower().startswith(("cat", "enum"))
    if array.dtype.kind in "biuf" and not named:
        return Column(name, NUMERIC, dtype, np.ascontiguousarray(array, dtype=np.float64))
    objects = array.astype(object)
    missing = np.fromiter((_is_missing(v) for v in objects), dtype=bool, count=len(objects))
    present = objects[~missing]
    if not named and all(map(_is_number, present)):
        numbers = np.full(len(objects), np.nan)
        numbers[~missing] = present.astype(np.float64)
        return Column(name, NUMERIC, dtype, numbers)
    odd = next((v for v in present if not isinstance(v, str) and not _is_number(v)), None)
    if odd is not None:
        raise TypeError(
            f"column {name!r}: argument must be a string or a number, not a {type(odd).__name__}. "
            "Convert or drop the column."
        )
    objects[missing] = None
    objects[~missing] = [str(v) for v in present]
    return Column(name, CATEGORY, dtype, objects)


def _extension_numbers(values: Any, dtype: str) -> np.ndarray | None:
    """Return pandas' nullable numbers as float64, or None for other types."""
    if not hasattr(values, "to_numpy") or isinstance(getattr(values, "dtype", None), np.dtype):
        return None
    if dtype.lower().startswith(("int", "uint", "float", "bool", "double")):
        try:
            return np.asarray(values.to_numpy(dtype="float64", na_value=np.nan))
        except TypeError:  # polars takes no such arguments, and writes NaN for null by itself
            return np.asarray(values.to_numpy(), dtype=np.float64)
    return None


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)


def encode(values: np.ndarray, categories: dict[str, int], other: int, missing: int) -> np.ndarray:
    """Return the number of each category; `other` for new ones, `missing` for None.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._columns import encode
    >>> encode(np.array(["b", None, "x"], dtype=object), {"a": 0, "b": 1}, other=2, missing=3)
    array([1, 3, 2])
    """
    table: dict[Any, int] = {**categories, None: missing}
    get = table.get
    return np.fromiter((get(v, other) for v in values), dtype=np.intp, count=len(values))
