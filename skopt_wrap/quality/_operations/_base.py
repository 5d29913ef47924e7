"""What an operation of DataCleaner is, and what it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sklearn.base import BaseEstimator

from ..._sklearn import validate_parameter_constraints
from .._tables._column import Column


@dataclass
class ChangeLog:
    """What `transform` met that `fit` had not seen.

    Attributes
    ----------
    entries : list of tuple (column, change, n, rule)
        Name of the column, what was new, how many values, and what was done with them.
    """

    entries: list[tuple[str, str, int, str]] = field(default_factory=list)

    def add(self, column: str, change: str, n: int, rule: str) -> None:
        """Note a change; none of 0 values."""
        if n:
            self.entries.append((column, change, int(n), rule))


@dataclass(frozen=True)
class Step:
    """What an operation learned about one column, and repeats on new rows.

    Attributes
    ----------
    operation : str
        Name of the operation.
    kind : str
        Kind of column that it is for; others pass it unchanged.
    found : str
        What was found, for the report.
    done : str
        What is done about it, for the report; "" where the column is left alone.
    n : int
        Number of values concerned in `fit`.
    drops : bool
        Whether the column is left out.
    """

    operation: str
    kind: str
    found: str = ""
    done: str = ""
    n: int = 0
    drops: bool = False

    def apply(self, column: Column, log: ChangeLog) -> Column:
        """Return the column, changed.

        Parameters
        ----------
        column : Column
            A column of this kind.
        log : ChangeLog
            Receives what `fit` had not seen.

        Returns
        -------
        column : Column
            A new one; the old one is not changed.
        """
        return column


Learned = Step | tuple[Step, Column]


class Operation(BaseEstimator):
    """One thing that :class:`DataCleaner` looks for and mends.

    A new operation is a subclass in a file of its own, with a `name`, the `kinds` of column that
    it is for and `learn_column` (or `learn`, where it compares columns), and a place in the list
    of :mod:`skopt_wrap.quality`'s operations.
    """

    name: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {}

    def learn(self, columns: Sequence[Column | None]) -> dict[int, Learned]:
        """Look at all columns.

        Parameters
        ----------
        columns : sequence of Column or None
            The table as earlier operations left it; None where a column was dropped.

        Returns
        -------
        steps : dict of int to (Step or tuple of Step and Column)
            Place of a column -> what to do with it.
        """
        steps: dict[int, Learned] = {}
        for place, column in enumerate(columns):
            if column is not None and column.kind in self.kinds:
                step = self.learn_column(column)
                if step is not None:
                    steps[place] = step
        return steps

    def learn_column(self, column: Column) -> Learned | None:
        """Look at one column of the right kind.

        Parameters
        ----------
        column : Column
            The column.

        Returns
        -------
        step : Step, tuple of Step and Column, or None
            None where there is nothing to do, now or later. What the step makes of the column
            may come with it, where it is known already.
        """
        raise NotImplementedError

    def check(self) -> None:
        """Check the parameters.

        Raises
        ------
        ValueError
            scikit-learn's, naming the parameter, its rule and its value.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )


def some(items: Sequence[object], n: int = 3) -> str:
    """Return the first few items as text.

    Examples
    --------
    >>> from skopt_wrap.quality._operations._base import some
    >>> some(["a", "b", "c", "d"])
    "'a', 'b', 'c', ..."
    """
    shown = ", ".join(repr(item) for item in items[:n])
    return shown + (", ..." if len(items) > n else "")


def count(n: int, thing: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> from skopt_wrap.quality._operations._base import count
    >>> count(1, "value"), count(2, "value")
    ('1 value', '2 values')
    """
    if n == 1:
        return f"1 {thing}"
    return f"{n:,} {thing[:-1]}ies" if thing.endswith("y") else f"{n:,} {thing}s"
