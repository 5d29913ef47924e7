"""How the columns of a prepared table are arranged when they enter a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._keras import Columns


@dataclass(frozen=True)
class TableLayout:
    """The columns of a prepared table, from left to right: numbers, other columns, codes.

    An estimator that prepares tables hands the layout to a builder as ``meta["table_"]``. Without
    it every column is a number, in the units of the user.

    Parameters
    ----------
    n_numbers : int
        Columns of numbers, scaled.
    n_other : int, default=0
        Columns of one-hot categories and indicators of missing values.
    cardinalities : tuple of int, default=()
        For each last column, which holds the codes of one category: how many codes there are.
        Code 0 stands for missing and unknown values.

    Examples
    --------
    >>> from skopt_wrap.architectures import TableLayout
    >>> TableLayout(n_numbers=3, n_other=2, cardinalities=(12,)).n_columns
    6
    """

    n_numbers: int
    n_other: int = 0
    cardinalities: tuple[int, ...] = ()

    @property
    def n_columns(self) -> int:
        """Columns in all."""
        return self.n_numbers + self.n_other + len(self.cardinalities)


def table_meta(columns: Columns, n_samples: int) -> dict[str, Any]:
    """Return what a builder is told of the columns that a network prepares by itself.

    Parameters
    ----------
    columns : Columns
        What becomes of each column of the table.
    n_samples : int
        Rows of the table.

    Returns
    -------
    meta : dict
        ``X_shape_`` of the prepared columns, and ``table_``, their :class:`TableLayout`.

    Examples
    --------
    >>> from skopt_wrap._keras import Columns
    >>> from skopt_wrap.architectures import table_meta
    >>> table_meta(Columns(numbers=(0, 1), one_hot=((2, 3),)), 100)["X_shape_"]
    (100, 5)
    """
    layout = TableLayout(len(columns.numbers), columns.n_other, tuple(n for _, n in columns.codes))
    return {"X_shape_": (n_samples, layout.n_columns), "table_": layout}
