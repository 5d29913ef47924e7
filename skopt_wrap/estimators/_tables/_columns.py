"""The columns of a frame or an array, each with its label, its values, and what it was declared."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...exceptions import ParameterError, suggest

# Beginnings of the names that pandas and polars give to types of categories, texts and truth.
_CATEGORY_NAMES = ("category", "categorical", "enum")
_TEXT_NAMES = ("str", "string", "utf8", "large_string", "object", "<u", "|s", "bool")


@dataclass
class Column:
    """One column of a table.

    `label` is its name in a frame, which `named` says, and its number in an array.
    """

    label: Any
    values: Any
    named: bool = False

    @property
    def kind(self) -> str:
        """Return "category" where it is declared, "text" for texts and objects, else "number"."""
        name = str(getattr(self.values, "dtype", "object")).lower()
        if name.startswith(_CATEGORY_NAMES):
            return "category"
        if name.startswith("bool"):
            return "category" if self.named else "number"
        return "text" if name.startswith(_TEXT_NAMES) else "number"

    def cells(self) -> list[Any]:
        """Return the cells as plain Python objects, None where they are missing."""
        values = self.values
        raw = values.to_list() if hasattr(values, "to_list") else np.asarray(values).tolist()
        return [None if _is_missing(cell) else cell for cell in raw]

    def numbers(self) -> np.ndarray:
        """Return the cells as float64, NaN where they are missing.

        Raises
        ------
        ValueError
            For text that is no number.
        TypeError
            For a cell that is neither text nor a number.
        """
        if self.kind == "number":
            with contextlib.suppress(TypeError, ValueError):  # gaps of a kind of their own
                return np.asarray(self.values, dtype="float64")
        filled = [np.nan if cell is None else cell for cell in self.cells()]
        return np.array([float(cell) for cell in filled], dtype="float64")


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float) and cell != cell


def is_frame(X: Any) -> bool:
    """Return whether `X` has named columns, as frames of pandas and polars have."""
    return hasattr(X, "columns") and hasattr(X, "shape") and not hasattr(X, "nnz")


def table_columns(X: Any) -> Iterator[Column]:
    """Yield the columns of a frame or of an array of two dimensions."""
    if is_frame(X):
        for number, label in enumerate(list(X.columns)):
            yield Column(label, X.iloc[:, number] if hasattr(X, "iloc") else X[label], True)
        return
    for number in range(X.shape[1]):
        yield Column(number, X[:, number])


def declared_categories(given: Any, labels: Sequence[Any]) -> set[int]:
    """Return the numbers of the columns that `categorical_features` names.

    Parameters
    ----------
    given : array-like of bool, int or str
        A mask, numbers of columns, or names.
    labels : sequence
        Names of the columns, or their numbers.

    Raises
    ------
    ParameterError
        For columns that are not there.
    """
    items = np.asarray(given)
    if items.ndim != 1 or items.dtype.kind not in "biuUSO":
        raise ParameterError(
            "categorical_features must be 'from_dtype', None, or a list of column names, column "
            f"numbers or one bool a column, got {given!r}."
        )
    if items.dtype.kind == "b":
        if len(items) != len(labels):
            raise ParameterError(
                f"categorical_features holds {len(items)} bools, but X has {len(labels)} columns."
            )
        return set(np.flatnonzero(items).tolist())
    places = {label: number for number, label in enumerate(labels)}
    found = set()
    for item in items.tolist():
        if isinstance(item, str):
            if item not in places:
                raise ParameterError(
                    f"categorical_features names {item!r}, which is no column of X. "
                    + suggest(item, [str(label) for label in labels])
                )
            found.add(places[item])
        elif not 0 <= item < len(labels):
            raise ParameterError(
                f"categorical_features names the column {item}, but X has {len(labels)} columns."
            )
        else:
            found.add(int(item))
    return found
