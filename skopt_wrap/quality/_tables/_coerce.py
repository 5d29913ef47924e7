"""Bringing a column that comes in another dtype than on `fit` into the kind that `fit` saw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._text._booleans import parse_booleans
from .._text._dates import DateFormat, parse_dates
from .._text._numbers import NumberFormat, parse_numbers
from ._column import Column, as_objects, number_text, text_column

_NOT_A_DATE = np.datetime64("NaT", "us")


def coerce(column: Column, kind: str) -> tuple[Column, int]:
    """Return the column in another kind, and how many values could not be turned.

    Values that have no counterpart in the other kind become missing.

    Parameters
    ----------
    column : Column
        What came.
    kind : {"number", "boolean", "date", "text"}
        What is wanted.

    Returns
    -------
    column : Column
        A column of this kind.
    n_lost : int
        Number of values that are missing now and were not before.
    """
    before = int(column.missing().sum())
    if column.kind == kind:
        return column, 0
    out = _turn(column, kind)
    return out, int(out.missing().sum()) - before


def _turn(column: Column, kind: str) -> Column:
    pair = (column.kind, kind)
    if kind == "text":
        return _write(column)
    if column.kind == "text":
        if kind == "date":
            return column.changed(
                from_levels(column, _dates(column.texts())), kind="date", levels=None
            )
        reader = parse_booleans if kind == "boolean" else _numbers
        values = reader(column.texts().tolist())
        return column.changed(from_levels(column, values), kind=kind, levels=None)
    if pair == ("boolean", "number"):
        return column.changed(column.values.astype(np.float64), kind="number")
    if pair == ("number", "boolean"):
        flags = np.isin(column.values, (0, 1))
        return column.without(~flags & ~column.missing()).changed(
            np.where(flags, column.values, np.nan).astype(np.float64), kind="boolean"
        )
    if kind == "date":
        return column.changed(np.full(column.n, _NOT_A_DATE), kind="date")
    return column.changed(np.full(column.n, np.nan), kind=kind)


def _numbers(texts: Sequence[str]) -> np.ndarray:
    return parse_numbers(texts, NumberFormat())


def _dates(texts: np.ndarray) -> np.ndarray:
    return parse_dates(texts.tolist(), DateFormat())


def from_levels(column: Column, by_level: np.ndarray) -> np.ndarray:
    """Return a value for each row of a text column, from one for each of its levels."""
    none = _NOT_A_DATE if by_level.dtype.kind == "M" else np.nan
    return np.append(by_level, none)[column.values]


def _write(column: Column) -> Column:
    """Return numbers, booleans or dates as text."""
    distinct, codes = np.unique(column.values, return_inverse=True)
    present = ~(np.isnat(distinct) if column.kind == "date" else np.isnan(distinct.astype(float)))
    if column.kind == "date":
        texts = [str(v.astype("datetime64[s]")).replace("T00:00:00", "") for v in distinct]
    elif column.kind == "boolean":
        texts = [str(bool(v)) if ok else "" for v, ok in zip(distinct, present, strict=True)]
    else:
        texts = [number_text(v) if ok and np.isfinite(v) else str(v)
                 for v, ok in zip(distinct.tolist(), present, strict=True)]  # fmt: skip
    items = as_objects([t if ok else None for t, ok in zip(texts, present, strict=True)])
    return text_column(column.name, items[codes].tolist())
