"""Columns that say the same as an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from .._tables._column import Column
from ._base import Learned, Operation, Step


class Duplicates(Operation):
    """Columns whose values equal those of an earlier column, row for row, are dropped.

    Columns are compared after earlier operations, so that "12 kg" equals 12. A single row cannot
    show that columns are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner, Duplicates
    >>> X = np.array([[1.0, 1.0, 5.0], [2.0, 2.0, 5.0]])
    >>> DataCleaner([Duplicates()]).fit_transform(X).tolist()
    [[1.0, 5.0], [2.0, 5.0]]
    """

    name: ClassVar[str] = "duplicates"
    kinds: ClassVar[tuple[str, ...]] = ("number", "boolean", "date", "text")

    def learn(self, columns: Sequence[Column | None]) -> dict[int, Learned]:
        """Compare all columns; see :class:`Operation`."""
        seen: dict[tuple[str, int], list[Column]] = {}
        steps: dict[int, Learned] = {}
        for place, column in enumerate(columns):
            if column is None or column.n < 2:
                continue
            same_hash = seen.setdefault((_family(column), fingerprint(column)), [])
            twin = next((other for other in same_hash if equal(column, other)), None)
            if twin is None:
                same_hash.append(column)
                continue
            steps[place] = Step(
                self.name, column.kind, f"equal to {twin.name!r}", "dropped", column.n, True
            )
        return steps


def _family(column: Column) -> str:
    return "number" if column.kind == "boolean" else column.kind


def _comparable(column: Column) -> np.ndarray:
    """Return values that are equal for equal columns, with one representation of each value."""
    if column.kind == "text":
        order = np.argsort(column.texts().astype(str), kind="stable")
        rank = np.full(len(order) + 1, -1, dtype=np.int32)
        rank[order] = np.arange(len(order))
        return rank[column.values]
    if column.kind == "date":
        return column.values.astype(np.int64)
    values = column.values
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    floats = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        whole = floats.astype(np.int64)
    return whole if np.array_equal(whole.astype(np.float64), floats) else floats + 0.0


def fingerprint(column: Column) -> int:
    """Return a hash that equal columns share."""
    values = _comparable(column)
    texts = tuple(sorted(column.texts().tolist())) if column.kind == "text" else ()
    return hash((values.tobytes(), texts))


def equal(a: Column, b: Column) -> bool:
    """Say whether two columns have the same values; missing equals missing."""
    if a.kind == "text" and sorted(a.texts()) != sorted(b.texts()):
        return False
    x, y = _comparable(a), _comparable(b)
    return bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f" and y.dtype.kind == "f"))
