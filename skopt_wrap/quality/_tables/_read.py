"""Reading X: any frame that narwhals knows, or anything that becomes a two-dimensional array."""

from __future__ import annotations

import datetime
import decimal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.utils import check_array

from ...exceptions import DataError
from ._column import Column, number_text, text_column

_NESTED = (list, tuple, dict, set, frozenset, np.ndarray)
_DATES = (datetime.date, np.datetime64)
_SPANS = (datetime.timedelta, np.timedelta64)


class NestedValueError(DataError, TypeError):
    """A column holds lists, dicts, bytes or other objects that no operation can take."""


@dataclass(frozen=True)
class Source:
    """X as it came: how its columns are reached, and what its library is.

    Attributes
    ----------
    frame : narwhals.DataFrame or None
        The frame; None for arrays.
    array : ndarray or None
        The array; None for frames.
    names : list of str
        Names of the columns; ``x0``, ``x1``, ... for arrays.
    labels : list
        Names as the caller wrote them, which in pandas may be other things than str.
    """

    frame: Any
    array: np.ndarray | None
    names: list[str]
    labels: list[Any]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.array) if self.array is not None else self.frame.shape[0]

    def native(self, place: int) -> Any:
        """Return the column at a place, as narwhals' series or as a view of the array."""
        return self.array[:, place] if self.array is not None else self.frame[:, place]

    def dtype(self, place: int) -> str:
        """Return the name of the dtype of a column, as its library writes it."""
        if self.array is not None:
            return str(self.array.dtype)
        return str(getattr(self.frame[:, place].to_native(), "dtype", ""))

    def column(self, place: int, name: str | None = None) -> Column:
        """Return the column at a place, under another name if one is given."""
        native = self.native(place)
        name = self.names[place] if name is None else name
        if self.array is not None:
            return read_array(name, native, native)
        return read_series(name, native)


def is_frame(X: Any) -> bool:
    """Say whether narwhals knows `X` as a table that is in memory."""
    return isinstance(nw.from_native(X, eager_only=True, pass_through=True), nw.DataFrame)


def open_table(X: Any) -> Source:
    """Return X as a source of columns.

    Raises
    ------
    DataError
        For no rows, no columns, or two columns of one name.
    ValueError, TypeError
        scikit-learn's, for what is no two-dimensional table.
    """
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise DataError("X is a query, not a table. Pass X.collect(), which holds its rows.")
    if hasattr(X, "columns") and hasattr(X, "shape"):
        _check_names(list(X.columns))
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        array = check_array(X, dtype=None, ensure_all_finite=False)
        names = [f"x{i}" for i in range(array.shape[1])]
        return Source(None, array, names, names)
    labels = list(X.columns) if hasattr(X, "columns") else list(frame.columns)
    names = [str(label) for label in labels]
    for axis, unit in ((0, "sample(s)"), (1, "feature(s)")):
        if frame.shape[axis] == 0:
            raise DataError(
                f"Found array with 0 {unit} (shape={frame.shape}) while a minimum of 1 is "
                f"required. Check the filter or the file that X came from."
            )
    return Source(frame, None, names, labels)


def _check_names(labels: Sequence[Any]) -> None:
    twice = sorted(name for name, times in Counter(map(str, labels)).items() if times > 1)
    if twice:
        raise DataError(
            f"X has several columns of one name: {', '.join(map(repr, twice[:5]))}. Rename them, "
            f"so that each column can be told from the others."
        )


def read_series(name: str, series: Any) -> Column:
    """Return a series of narwhals as a column."""
    dtype = series.dtype
    if dtype == nw.Boolean:
        if not series.is_null().any():
            return Column(name, "boolean", series.to_numpy().astype(bool), native=series)
        return replace(_from_objects(name, series.to_list(), series), native=series)
    if dtype.is_nested():
        raise _nested(name, _first(series.to_list()))
    if dtype.is_decimal() or dtype in (nw.Int128, nw.UInt128):
        return Column(name, "number", series.cast(nw.Float64).to_numpy())
    if dtype.is_numeric():
        values = series.to_numpy()
        if values.dtype.kind not in "iuf":
            values = values.astype(np.float64)
        return Column(name, "number", values, native=series)
    if dtype in (nw.String, nw.Categorical) or isinstance(dtype, nw.Enum):
        return _from_objects(name, series.to_list(), series)
    values = series.to_numpy()
    if values.dtype.kind in "OUTS" or dtype == nw.Time:
        return _from_objects(name, series.to_list(), series)
    return read_array(name, values, series)


def read_array(name: str, values: np.ndarray, native: Any) -> Column:
    """Return a one-dimensional array as a column."""
    kind = values.dtype.kind
    if kind in "iuf":
        return Column(name, "number", values, native=native)
    if kind == "b":
        return Column(name, "boolean", values, native=native)
    if kind == "M":
        return Column(name, "date", values.astype("datetime64[us]"), native=native)
    if kind == "m":
        return Column(name, "number", _seconds(values), native=None)
    if kind == "c":
        raise DataError(
            f"Complex data not supported. Column {name!r} holds complex numbers; split them into "
            f"a real and an imaginary part."
        )
    return _from_objects(name, values.tolist(), native)


def _from_objects(name: str, values: Sequence[Any], native: Any) -> Column:
    """Return Python objects as a column, of the kind that all of them have, else of text."""
    types = set(map(type, values))
    empty = {t for t in types if t is type(None) or t.__name__ in ("NAType", "NaTType")}
    types -= empty
    if not types - {float} and all(v != v for v in _floats(values)):
        return Column(name, "number", np.full(len(values), np.nan))
    words = {t for t in types if issubclass(t, str)}
    if words and types - words <= {float} and all(v != v for v in _floats(values)):
        return text_column(name, values, native)
    for t in types:
        texts = ("__str__", "__repr__")
        silent = all(getattr(t, name) is getattr(object, name) for name in texts)
        if silent or issubclass(t, (*_NESTED, bytes, bytearray)):
            raise _nested(name, next(v for v in values if type(v) is t))
        if issubclass(t, complex | np.complexfloating):
            raise DataError(f"Complex data not supported. Column {name!r} holds complex numbers.")
    if types and all(issubclass(t, bool | np.bool_) for t in types):
        flags = _as_floats(values)
        whole = not np.isnan(flags).any()
        return Column(name, "boolean", flags.astype(bool) if whole else flags)
    if all(_is_number(t) for t in types):
        whole = not empty and all(issubclass(t, int | np.integer) for t in types)
        numbers = _as_floats(values)
        if whole and np.abs(numbers).max(initial=0) < 2**53:
            numbers = numbers.astype(np.int64)
        return Column(name, "number", numbers)
    if all(issubclass(t, _DATES) or hasattr(t, "to_timestamp") for t in types):
        return Column(name, "date", np.array(list(map(_moment, values)), "datetime64[us]"))
    if all(issubclass(t, _SPANS) for t in types):
        spans = [np.timedelta64("NaT") if type(v) in empty else np.timedelta64(v) for v in values]
        return Column(name, "number", _seconds(np.array(spans, dtype="timedelta64[us]")))
    if all(issubclass(t, datetime.time) for t in types):
        return Column(name, "number", np.array(list(map(_seconds_of_day, values))))
    return text_column(name, list(map(_as_text, values)))


def _floats(values: Sequence[Any]) -> Any:
    return (v for v in values if type(v) is float)


def _is_number(t: type) -> bool:
    numbers = (int, float, np.integer, np.floating, decimal.Decimal)
    return issubclass(t, numbers) and not issubclass(t, bool)


def _is_empty(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _as_floats(values: Sequence[Any]) -> np.ndarray:
    return np.array([np.nan if _is_empty(v) else float(v) for v in values])


def _as_text(value: Any) -> str | None:
    """Return a scalar of any type as text; None where there is none."""
    if _is_empty(value) or (isinstance(value, float | np.floating) and value != value):
        return None
    if _is_number(type(value)):
        return number_text(float(value)) if np.isfinite(float(value)) else str(value)
    return str(value)


def _moment(value: Any) -> Any:
    """Return a date in a form that NumPy takes; times with a zone are turned to UTC."""
    if _is_empty(value):
        return np.datetime64("NaT")
    if hasattr(value, "to_timestamp"):  # a pandas Period: its start
        value = value.to_timestamp()
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return np.datetime64(value.isoformat(), "us")
    return np.datetime64(value, "us")


def _seconds(spans: np.ndarray) -> np.ndarray:
    return spans / np.timedelta64(1, "s")


def _seconds_of_day(value: Any) -> float:
    if _is_empty(value):
        return np.nan
    return float(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)


def _first(values: Sequence[Any]) -> Any:
    return next((v for v in values if v is not None), values[0])


def _nested(name: str, value: Any) -> NestedValueError:
    return NestedValueError(
        f"Column {name!r} holds objects of type {type(value).__name__}, such as "
        f"{repr(value)[:60]}. A value given as argument must be a string or a number, a boolean "
        f"or a date. Expand nested values into columns of their own, or drop the column."
    )
