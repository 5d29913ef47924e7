"""Numbers, booleans and dates that are kept as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar

import numpy as np

from ..._sklearn import Interval
from .._tables._coerce import from_levels
from .._tables._column import Column
from .._text import _booleans, _dates, _numbers
from ._base import ChangeLog, Learned, Operation, Step, count, some

_SAMPLE = 1000
_SHARE: list[object] = [Interval(Real, 0.5, 1, closed="both")]


def _sample(column: Column) -> tuple[list[str], list[int]]:
    """Return up to a thousand distinct texts from all over the column, and how often they occur."""
    texts, counts = column.texts(), column.counts()
    if len(texts) > _SAMPLE:
        chosen = np.linspace(0, len(texts) - 1, _SAMPLE).astype(int)
        texts, counts = texts[chosen], counts[chosen]
    return texts.tolist(), counts.tolist()


@dataclass(frozen=True)
class _ReadNumbers(Step):
    style: _numbers.NumberFormat = field(default_factory=_numbers.NumberFormat)

    def apply(self, column: Column, log: ChangeLog) -> Column:
        values = _numbers.parse_numbers(column.texts().tolist(), self.style)
        return _finish(column, values, "number", log)


@dataclass(frozen=True)
class _ReadDates(Step):
    style: _dates.DateFormat = field(default_factory=_dates.DateFormat)

    def apply(self, column: Column, log: ChangeLog) -> Column:
        values = _dates.parse_dates(column.texts().tolist(), self.style)
        return _finish(column, values, "date", log)


@dataclass(frozen=True)
class _ReadBooleans(Step):
    def apply(self, column: Column, log: ChangeLog) -> Column:
        values = _booleans.parse_booleans(column.texts().tolist())
        return _finish(column, values, "number", log)


def _finish(column: Column, by_level: np.ndarray, kind: str, log: ChangeLog) -> Column:
    """Return the column of another kind; count the texts that stand for nothing of that kind."""
    lost = np.isnat(by_level) if kind == "date" else np.isnan(by_level)
    if lost.any():
        n = int(column.counts()[lost].sum())
        log.add(column.name, f"text that is no {kind}", n, "set missing")
    return column.changed(from_levels(column, by_level), kind=kind, levels=None)


def _lost(column: Column, by_level: np.ndarray) -> tuple[int, str]:
    """Return how many rows could not be read, and a note about them."""
    bad = np.isnat(by_level) if by_level.dtype.kind == "M" else np.isnan(by_level)
    n = int(column.counts()[bad].sum())
    if not n:
        return 0, ""
    return n, f"; {count(n, 'other value')} ({some(column.texts()[bad].tolist())}) set missing"


class TextNumbers(Operation):
    """Numbers kept as text become numbers.

    Reads separators of both conventions (``1,234.5`` and ``1.234,5``, told from the whole
    column), currencies, percent signs and units: "12 kg" and "800 g" become 12.0 and 0.8. Codes
    with leading zeros ("00123") and units that do not fit together stay text.

    Parameters
    ----------
    min_share : float, default=0.95
        Least share of the values that must be numbers, in [0.5, 1]; the others become missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, TextNumbers
    >>> X = pd.DataFrame({"weight": ["12 kg", "800 g", "1,250 kg"]})
    >>> DataCleaner([TextNumbers()]).fit_transform(X)["weight"].tolist()
    [12.0, 0.8, 1250.0]
    """

    name: ClassVar[str] = "text_numbers"
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {"min_share": _SHARE}

    def __init__(self, min_share: float = 0.95) -> None:
        self.min_share = min_share

    def learn_column(self, column: Column) -> Learned | None:
        """Look at one column; see :class:`Operation`."""
        if not len(column.texts()):
            return None
        style, reason = _numbers.find_format(*_sample(column), self.min_share)
        if style is None:
            return Step(self.name, "text", reason, "") if reason else None
        values = _numbers.parse_numbers(column.texts().tolist(), style)
        counts = column.counts()
        if counts[~np.isnan(values)].sum() < self.min_share * counts.sum():
            return None
        note = _lost(column, values)[1]
        found = "numbers kept as text"
        if style.unit:
            found += f", unit {style.unit}"
            others = sorted(u for u in style.factors if u not in ("", style.unit))
            found += f" (also {', '.join(others)}, converted)" if others else ""
        if style.decimal == ",":
            found += ", decimal comma"
        step = _ReadNumbers(
            self.name, "text", found, f"made a number{note}", int(counts.sum()), style=style
        )
        return step, _finish(column, values, "number", ChangeLog())


class TextBooleans(Operation):
    """Words for true and false, such as yes and no, become 1.0 and 0.0.

    A column qualifies if it holds words of both sides and no other.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, TextBooleans
    >>> X = pd.DataFrame({"smoker": ["yes", "No", "no "]})
    >>> DataCleaner([TextBooleans()]).fit_transform(X)["smoker"].tolist()
    [1.0, 0.0, 0.0]
    """

    name: ClassVar[str] = "text_booleans"
    kinds: ClassVar[tuple[str, ...]] = ("text",)

    def learn_column(self, column: Column) -> Learned | None:
        """Look at one column; see :class:`Operation`."""
        texts = column.texts()
        used = texts[column.counts() > 0].tolist()
        if not 2 <= len(used) <= 50 or not _booleans.are_booleans(used):
            return None
        n = int(column.counts().sum())
        return _ReadBooleans(self.name, "text", f"{some(used)} kept as text", "made 1 and 0", n)


class TextDates(Operation):
    """Dates kept as text become dates.

    Reads ISO 8601, ``31.12.2020``, ``31/12/2020`` and ``12/31/2020`` (the order is told from the
    whole column), ``31 Dec 2020``, ``December 31, 2020`` and ``20201231``, with or without a time
    of day. Times with a zone are turned to UTC. :class:`DateParts` makes numbers of dates.

    Parameters
    ----------
    min_share : float, default=0.95
        Least share of the values that must be dates, in [0.5, 1]; the others become missing.
    day_first : bool, default=True
        What 03/04/2020 means where no value of the column tells: True for the third of April.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, TextDates
    >>> X = pd.DataFrame({"seen": ["31/12/2020", "1/2/2021"]})
    >>> DataCleaner([TextDates()]).fit_transform(X)["seen"].dt.month.tolist()
    [12, 2]
    """

    name: ClassVar[str] = "text_dates"
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "min_share": _SHARE,
        "day_first": ["boolean"],
    }

    def __init__(self, min_share: float = 0.95, day_first: bool = True) -> None:
        self.min_share = min_share
        self.day_first = day_first

    def learn_column(self, column: Column) -> Learned | None:
        """Look at one column; see :class:`Operation`."""
        if not len(column.texts()):
            return None
        style, note = _dates.find_format(*_sample(column), self.min_share, self.day_first)
        if style is None:
            return None
        values = _dates.parse_dates(column.texts().tolist(), style)
        counts = column.counts()
        if counts[~np.isnat(values)].sum() < self.min_share * counts.sum():
            return None
        lost = _lost(column, values)[1]
        found = "dates kept as text" + (f"; {note}" if note else "")
        step = _ReadDates(
            self.name, "text", found, f"made a date{lost}", int(counts.sum()), style=style
        )
        return step, _finish(column, values, "date", ChangeLog())
