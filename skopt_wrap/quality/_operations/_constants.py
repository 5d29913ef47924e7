"""Columns without information: one value, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._tables._column import Column
from ._base import ChangeLog, Operation, Step, some


@dataclass(frozen=True)
class _Presence(Step):
    def apply(self, column: Column, log: ChangeLog) -> Column:
        return column.changed((~column.missing()).astype(np.float64), kind="number", levels=None)


class Constants(Operation):
    """Columns with a single value, or with none, are dropped.

    Where some rows have the value and others have none, the column becomes 1.0 and 0.0 for "has a
    value", since that is what it tells. A single row cannot show that a column is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import Constants, DataCleaner
    >>> X = np.array([[1.0, 5.0], [2.0, 5.0]])
    >>> DataCleaner([Constants()]).fit_transform(X).tolist()
    [[1.0], [2.0]]
    """

    name: ClassVar[str] = "constants"
    kinds: ClassVar[tuple[str, ...]] = ("number", "boolean", "date", "text")

    def learn_column(self, column: Column) -> Step | None:
        """Look at one column; see :class:`Operation`."""
        if column.n < 2:
            return None
        missing = column.missing()
        if missing.all():
            return Step(self.name, column.kind, "no value at all", "dropped", column.n, True)
        if not is_constant(column):
            return None
        if column.kind == "text":
            value = some(column.texts()[column.counts() > 0].tolist())
        else:
            value = str(column.values[~missing][0])
        if not missing.any():
            return Step(self.name, column.kind, f"always {value}", "dropped", column.n, True)
        found = f"always {value} where not missing"
        return _Presence(self.name, column.kind, found, 'made 1 and 0 for "has a value"', column.n)


def is_constant(column: Column) -> bool:
    """Say whether all values of a column that are not missing are equal; there must be one."""
    if column.kind == "text":
        return int((column.counts() > 0).sum()) == 1
    values = column.values
    if column.kind == "date" or values.dtype.kind == "f":
        values = values[~column.missing()]
    return bool(values.min() == values.max())
