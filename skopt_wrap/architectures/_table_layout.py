"""How the columns of a prepared table are arranged when they enter a network."""

from __future__ import annotations

from dataclasses import dataclass


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
    >>> from skopt_wrap.architectures._table_layout import TableLayout
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
