"""Infinite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..._sklearn import StrOptions
from .._tables._column import Column
from ._base import ChangeLog, Operation, Step, count


@dataclass(frozen=True)
class _Finite(Step):
    low: float = np.nan
    high: float = np.nan

    def apply(self, column: Column, log: ChangeLog) -> Column:
        values = column.values
        if values.dtype.kind != "f":
            return column
        mask = np.isinf(values)
        n = int(mask.sum())
        if not n:
            return column
        if not self.n:
            log.add(column.name, "infinite value", n, self.done or "set missing")
        if np.isnan(self.low):
            return column.without(mask)
        return column.changed(np.where(mask, np.where(values > 0, self.high, self.low), values))


class Infinities(Operation):
    """Infinite numbers become missing, or the greatest or least finite one.

    Parameters
    ----------
    action : {"missing", "clip"}, default="missing"
        "clip" puts the greatest (least) finite value of `fit` in the place of an infinite one.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner, Infinities
    >>> X = np.array([[1.0], [np.inf], [3.0]])
    >>> DataCleaner([Infinities("clip")]).fit_transform(X).ravel().tolist()
    [1.0, 3.0, 3.0]
    """

    name: ClassVar[str] = "infinities"
    kinds: ClassVar[tuple[str, ...]] = ("number",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "action": [StrOptions({"missing", "clip"})]
    }

    def __init__(self, action: str = "missing") -> None:
        self.action = action

    def learn_column(self, column: Column) -> Step:
        """Look at one column; see :class:`Operation`."""
        values = column.values
        low = high = np.nan
        n = int(np.isinf(values).sum()) if values.dtype.kind == "f" else 0
        if self.action == "clip":
            finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
            if len(finite):
                low, high = float(finite.min()), float(finite.max())
        found = count(n, "infinite value") if n else ""
        done = ("set missing" if np.isnan(low) else "clipped") if n else ""
        return _Finite(self.name, "number", found, done, n, low=low, high=high)
