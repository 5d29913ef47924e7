"""Missing values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..._sklearn import StrOptions
from .._tables._column import Column, as_objects
from ._base import ChangeLog, Operation, Step, count


@dataclass(frozen=True)
class _Fill(Step):
    value: Any = None
    indicator: bool = False

    def apply(self, column: Column, log: ChangeLog) -> Column:
        mask = column.missing()
        n = int(mask.sum())
        if self.indicator:
            flag = Column(f"{column.name}_missing", "number", mask.astype(np.float64))
            column = column.with_extra(flag)
        if not n:
            return column
        if not self.n:
            log.add(
                column.name, "missing where fit saw none", n, f"filled with {_show(self.value)}"
            )
        if column.kind == "text":
            levels = column.texts().tolist()
            if self.value not in levels:
                levels.append(self.value)
            code = np.int32(levels.index(self.value))
            return column.changed(np.where(mask, code, column.values), levels=as_objects(levels))
        filled = np.where(mask, self.value, column.values)
        if column.kind == "boolean":
            filled = filled.astype(bool)
        return column.changed(filled)


def _show(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]"))
    return f"{value:g}" if isinstance(value, float) else repr(value)


class Missing(Operation):
    """Missing values are filled, and marked by a column of their own.

    Numbers get the median, dates the middle date, booleans the more frequent value, texts a
    category of their own. Every column learns what to fill in, also where `fit` saw nothing
    missing, so that `transform` never lets a missing value through.

    Parameters
    ----------
    fill_text : str, default="missing"
        The category of missing texts.
    indicator : {"auto", "always", "never"}, default="auto"
        Whether numbers, dates and booleans get a column ``<name>_missing`` of 1.0 and 0.0: where
        `fit` saw missing values ("auto"), for every column, or never.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner, Missing
    >>> X = np.array([[1.0], [np.nan], [3.0], [8.0]])
    >>> DataCleaner([Missing()]).fit_transform(X).tolist()
    [[1.0, 0.0], [3.0, 1.0], [3.0, 0.0], [8.0, 0.0]]
    """

    name: ClassVar[str] = "missing"
    kinds: ClassVar[tuple[str, ...]] = ("number", "boolean", "date", "text")
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "fill_text": [str],
        "indicator": [StrOptions({"auto", "always", "never"})],
    }

    def __init__(self, fill_text: str = "missing", indicator: str = "auto") -> None:
        self.fill_text = fill_text
        self.indicator = indicator

    def learn_column(self, column: Column) -> Step:
        """Look at one column; see :class:`Operation`."""
        mask = column.missing()
        n = int(mask.sum())
        value = self.fill_text if column.kind == "text" else typical_value(column, mask)
        wanted = self.indicator == "always" or (self.indicator == "auto" and n > 0)
        flag = wanted and column.kind != "text"
        found = f"{count(n, 'missing value')} ({n / column.n:.1%})" if n else ""
        done = f"filled with {_show(value)}" + (", marked" if flag else "") if n or flag else ""
        return _Fill(self.name, column.kind, found, done, n, value=value, indicator=flag)


def typical_value(column: Column, missing: np.ndarray) -> Any:
    """Return the median of numbers and dates, the more frequent boolean; 0 where all is missing.

    Of whole numbers and dates, the lower of two middle values, which occurs in the column.
    """
    values = column.values[~missing] if missing.any() else column.values
    if not len(values):
        return np.datetime64(0, "us") if column.kind == "date" else 0.0
    if column.kind == "boolean":
        return float(values.mean() > 0.5)
    if column.kind == "date":
        middle = np.partition(values.astype(np.int64), (len(values) - 1) // 2)[
            (len(values) - 1) // 2
        ]
        return np.datetime64(int(middle), "us")
    if values.dtype.kind in "iu":
        place = (len(values) - 1) // 2
        return values.dtype.type(np.partition(values, place)[place]).item()
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else 0.0
