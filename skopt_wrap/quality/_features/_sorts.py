"""Sorts of columns, as far as the choice of an encoder or a scaler goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from .._operations._categories import is_free_text
from .._operations._outliers import medcouple
from .._tables._column import Column
from .._tables._matrix import as_numbers
from .._tables._read import open_table

SORTS = ("binary", "number", "skewed", "category", "many_categories", "free_text")


def column_sort(column: Column, many: int = 30) -> tuple[str, str]:
    """Return the sort of a column, and why.

    Parameters
    ----------
    column : Column
        The column.
    many : int, default=30
        More levels than this are many.

    Returns
    -------
    sort : {"binary", "number", "skewed", "category", "many_categories", "free_text"}
        The sort.
    reason : str
        What tells so.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._features._sorts import column_sort
    >>> from skopt_wrap.quality._tables._column import Column
    >>> column_sort(Column("x", "number", np.array([0.0, 1.0, 1.0])))
    ('binary', '2 different values')
    """
    if column.kind == "text":
        levels = int((column.counts() > 0).sum())
        if is_free_text(column):
            return "free_text", "texts of several words that hardly repeat"
        if levels > many:
            return "many_categories", f"{levels} categories"
        return "category", f"{levels} categories"
    values = as_numbers(column)
    values = values[~np.isnan(values)]
    if len(np.unique(values[:10_000])) <= 2 and len(np.unique(values)) <= 2:
        return "binary", f"{len(np.unique(values))} different values"
    grid = np.quantile(values, np.linspace(0, 1, 401))
    first, middle, third = grid[100], grid[200], grid[300]
    skew = medcouple(grid)
    width = third - first
    reach = max(grid[-2] - middle, middle - grid[1]) / width if width > 0 else np.inf
    if reach > 6 or abs(skew) > 0.35:
        return "skewed", f"skewness {skew:.2f}, tails {reach:.1f} quartile distances long"
    return "number", f"skewness {skew:.2f}, tails {reach:.1f} quartile distances long"


class ColumnsOfSort(BaseEstimator):
    """Choose the columns of some sorts: a callable for ``ColumnTransformer``.

    It looks at the rows that it is fitted on, so that each fold of a cross-validation decides for
    itself.

    Parameters
    ----------
    *sorts : str
        "binary", "number", "skewed", "category", "many_categories" or "free_text".

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality._features._sorts import ColumnsOfSort
    >>> X = pd.DataFrame({"a": [1.0, 2.5, 3.0], "b": ["x", "y", "x"]})
    >>> ColumnsOfSort(("category",))(X)
    [1]
    """

    def __init__(self, sorts: tuple[str, ...]) -> None:
        self.sorts = sorts

    def __call__(self, X: Any) -> list[int]:
        """Return the places of the columns."""
        source = open_table(X)
        return [
            place
            for place in range(len(source.names))
            if column_sort(source.column(place))[0] in self.sorts
        ]


def joined_name(_transformer: Any, _names: Any) -> np.ndarray:
    """Return the name of the column that :func:`join_texts` makes."""
    return np.array(["text"], dtype=object)


def join_texts(X: Any) -> list[str]:
    """Return the texts of each row as one; a function for ``FunctionTransformer``."""
    source = open_table(X)
    parts = []
    for place in range(len(source.names)):
        column = source.column(place)
        parts.append(np.append(column.texts(), "")[column.values].tolist())
    return [" ".join(map(str, row)) for row in zip(*parts, strict=True)]
