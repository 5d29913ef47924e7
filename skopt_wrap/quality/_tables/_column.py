"""Column: the form in which every operation sees a column, whatever library it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

KINDS = ("number", "boolean", "date", "text")


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        Its name.
    kind : {"number", "boolean", "date", "text"}
        What its values are.
    values : ndarray of shape (n_samples,)
        Numbers as integers or floats (NaN where missing); booleans as bool, or as floats where
        some are missing; dates as datetime64 (NaT where missing); texts as int32 places in
        `levels` (-1 where missing).
    levels : ndarray of shape (n_levels,) of str, default=None
        The distinct texts, in order of first appearance.
    native : object, default=None
        The column as it came. None as soon as a value was changed.
    extras : tuple of Column, default=()
        Further columns made of this one: indicators, flags, parts of dates.
    """

    name: str
    kind: str
    values: np.ndarray
    levels: np.ndarray | None = None
    native: Any = field(default=None, repr=False, compare=False)
    extras: tuple[Column, ...] = ()

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.values)

    def missing(self) -> np.ndarray:
        """Return a mask of shape (n_samples,): where there is no value."""
        if self.kind == "text":
            return self.values < 0
        if self.kind == "date":
            return np.isnat(self.values)
        if self.values.dtype.kind == "f":
            return np.isnan(self.values)
        return np.zeros(self.n, dtype=bool)

    def texts(self) -> np.ndarray:
        """Return the distinct texts; empty for other kinds."""
        return np.empty(0, dtype=object) if self.levels is None else self.levels

    def counts(self) -> np.ndarray:
        """Return how often each level occurs, of shape (n_levels,)."""
        present = self.values[self.values >= 0]
        return np.bincount(present, minlength=len(self.texts()))

    def changed(self, values: np.ndarray, **other: Any) -> Column:
        """Return a copy with other values."""
        return replace(self, values=values, native=None, **other)

    def with_extra(self, column: Column) -> Column:
        """Return a copy with one more further column."""
        return replace(self, extras=(*self.extras, column))

    def without(self, mask: np.ndarray) -> Column:
        """Return a copy whose values are missing where `mask` is True."""
        if not mask.any():
            return self
        if self.kind == "text":
            return self.changed(np.where(mask, np.int32(-1), self.values))
        if self.kind == "date":
            return self.changed(np.where(mask, np.datetime64("NaT"), self.values))
        kept = self.values if self.values.dtype.kind == "f" else self.values.astype(np.float64)
        return self.changed(np.where(mask, kept.dtype.type(np.nan), kept))

    def map_levels(self, function: Callable[[Sequence[str]], Sequence[str | None]]) -> Column:
        """Return a text column whose levels went through `function`; None makes them missing.

        The function sees each distinct text once. Levels that become equal are joined.
        """
        old = self.texts()
        new = function(old.tolist())
        place: dict[str, int] = {}
        codes = np.empty(len(old) + 1, dtype=np.int32)
        codes[-1] = -1
        for i, text in enumerate(new):
            codes[i] = -1 if text is None else place.setdefault(text, len(place))
        if list(place) == old.tolist():
            return self
        return self.changed(codes[self.values], levels=as_objects(list(place)))


def without_levels(column: Column, gone: Sequence[int]) -> Column:
    """Return a text column in which some levels, given by place, are missing."""
    if not len(gone):
        return column
    stays = np.ones(len(column.texts()) + 1, dtype=bool)
    stays[list(gone)] = stays[-1] = False
    places = np.where(stays, np.cumsum(stays) - 1, -1).astype(np.int32)
    return column.changed(places[column.values], levels=column.texts()[stays[:-1]])


def as_objects(items: Sequence[Any]) -> np.ndarray:
    """Return a one-dimensional object array, whatever the items are."""
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def text_column(name: str, values: Sequence[Any], native: Any = None) -> Column:
    """Return a column of texts; whatever is no str is missing."""
    distinct = list(dict.fromkeys(values))
    if set(map(type, distinct)) <= {str}:
        levels, place = distinct, dict(zip(distinct, range(len(distinct)), strict=True))
    else:
        levels = [v for v in distinct if isinstance(v, str)]
        place = dict.fromkeys(distinct, -1) | {text: i for i, text in enumerate(levels)}
        levels = [str(text) for text in levels]  # subclasses of str are no texts of a table
    if len(levels) == len(values):
        codes = np.arange(len(values), dtype=np.int32)
    else:
        codes = np.fromiter(map(place.__getitem__, values), dtype=np.int32, count=len(values))
    return Column(name, "text", codes, as_objects(levels), native)


def number_text(value: float) -> str:
    """Return a number as text, whole numbers without a decimal point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
