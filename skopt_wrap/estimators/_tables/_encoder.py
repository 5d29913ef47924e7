"""Frames and arrays as one matrix of numbers and codes; what was learned at the first fit holds."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...exceptions import DataChangedWarning, DataError, InputWarning
from ._columns import Column, declared_categories, table_columns

# Distinct texts up to which a column holds categories in any case.
_FEW = 20
_SHOWN = 5


class TableEncoder:
    """Codes for categories: 0 for missing and unknown values, then 1, 2, 3 in sorted order.

    Attributes
    ----------
    labels : list
        Names of the columns, or their numbers.
    categories : dict of int to list
        For each column of categories, by its number, the categories in the order of their codes.
    """

    def __init__(self, labels: Sequence[Any]) -> None:
        self.labels = list(labels)
        self.categories: dict[int, list[Any]] = {}

    @classmethod
    def learn(cls, X: Any, categorical_features: Any) -> tuple[TableEncoder, np.ndarray]:
        """Return the encoder of a table, and its matrix.

        Parameters
        ----------
        X : frame or ndarray of shape (n_samples, n_features)
            Rows to learn from.
        categorical_features : "from_dtype", None or array-like
            Which columns hold categories.

        Raises
        ------
        DataError
            For text that is no category.
        TypeError
            For a cell that is neither text nor a number.
        """
        columns = list(table_columns(X))
        made = cls([column.label for column in columns])
        by_dtype = isinstance(categorical_features, str)
        declared: set[int] = set()
        if not by_dtype and categorical_features is not None:
            declared = declared_categories(categorical_features, made.labels)
        matrix = [
            made._learn_column(number, column, number in declared, by_dtype)
            for number, column in enumerate(columns)
        ]
        return made, np.column_stack(matrix)

    def _learn_column(
        self, number: int, column: Column, declared: bool, by_dtype: bool
    ) -> np.ndarray:
        if not declared:
            kind = column.kind if by_dtype else "number"
            if kind != "category":
                try:
                    return column.numbers()
                except ValueError as error:
                    if not by_dtype:
                        raise _no_number(column, error) from error
            declared = kind == "category"
        cells = column.cells()
        known = _distinct(cells)
        _check_repeated(column, cells, known, declared)
        self.categories[number] = known
        return _codes(cells, known)

    def encode(self, X: Any) -> np.ndarray:
        """Return the matrix of a table like the first one.

        Parameters
        ----------
        X : frame or ndarray of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        matrix : ndarray of shape (n_samples, n_features), float64
            Numbers, NaN where they are missing, and codes.

        Warns
        -----
        InputWarning
            Names new categories; they get the code 0.
        """
        matrix, new = [], []
        for number, column in enumerate(table_columns(X)):
            known = self.categories.get(number)
            if known is None:
                try:
                    matrix.append(column.numbers())
                except ValueError as error:
                    raise _no_number(column, error, "held numbers in fit") from error
                continue
            cells = column.cells()
            codes = _codes(cells, known)
            unknown = {cell: None for cell, code in zip(cells, codes, strict=True)
                       if code == 0 and cell is not None}  # fmt: skip
            if unknown:
                _check_kind_of(column, known, unknown)
                new.append(f"{_shown_label(column)} ({_some(unknown)})")
            matrix.append(codes)
        if new:
            warnings.warn(
                f"Categories that fit did not see are treated as missing: {', '.join(new)}.",
                DataChangedWarning,
                stacklevel=5,
            )
        return np.column_stack(matrix)

    def forget(self, rows: np.ndarray) -> dict[int, np.ndarray]:
        """Forget the categories that no row has.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_features)
            Rows of the matrix that :meth:`learn` returned.

        Returns
        -------
        places : dict of int to ndarray
            For each column of categories, the new code of each old one.
        """
        places = {}
        for number, known in self.categories.items():
            present = np.zeros(len(known) + 1, bool)
            present[rows[:, number].astype(int)] = True
            present[0] = False
            places[number] = np.where(present, np.cumsum(present), 0).astype("float64")
            self.categories[number] = [known[k] for k in np.flatnonzero(present[1:])]
        return places

    @staticmethod
    def moved(matrix: np.ndarray, places: dict[int, np.ndarray]) -> np.ndarray:
        """Return a matrix with the new codes that :meth:`forget` returned."""
        matrix = matrix.copy()
        for number, new in places.items():
            matrix[:, number] = new[matrix[:, number].astype(int)]
        return matrix


def _distinct(cells: Iterable[Any]) -> list[Any]:
    """Return the distinct cells, numbers before texts, each sorted."""
    found: dict[Any, None] = {}
    for cell in cells:
        if cell is None:
            continue
        if not isinstance(cell, (str, bytes, int, float)):
            name = type(cell).__name__
            raise TypeError(f"argument must be a string or a real number, not {name!r}")
        found[cell] = None
    return sorted(found, key=lambda cell: (isinstance(cell, (str, bytes)), str(type(cell)), cell))


def _codes(cells: Sequence[Any], known: Sequence[Any]) -> np.ndarray:
    places = {category: float(code) for code, category in enumerate(known, start=1)}
    try:
        return np.array([places.get(cell, 0.0) for cell in cells], dtype="float64")
    except TypeError as error:
        raise TypeError(f"argument must be a string or a real number: {error}") from error


def _check_repeated(column: Column, cells: list[Any], known: list[Any], declared: bool) -> None:
    """Raise for a column of texts whose values hardly repeat, and warn of such categories."""
    n_cells = sum(cell is not None for cell in cells)
    if len(known) <= max(_FEW, n_cells // 2):
        return
    told = f"{_shown_label(column)} has {len(known)} different values in {n_cells} rows"
    if declared:
        warnings.warn(
            f"The column of categories {told}: a network learns little from values that do not "
            "repeat. Drop the column, or join rare categories.",
            InputWarning,
            stacklevel=6,
        )
        return
    raise DataError(
        f"The column {told}, such as {known[0]!r}: that is text or an identifier, no category. "
        "Drop it, make numbers of it first (TfidfVectorizer), read it alone with model='text', or "
        "name it in categorical_features if its values are categories all the same."
    )


def _check_kind_of(column: Column, known: list[Any], unknown: dict[Any, None]) -> None:
    """Raise when a column of texts holds numbers now, or the other way round."""
    before = {isinstance(cell, (str, bytes)) for cell in known}
    now = {isinstance(cell, (str, bytes)) for cell in unknown}
    if known and not before & now:
        raise DataError(
            f"The column {_shown_label(column)} held categories such as {known[0]!r} in fit, and "
            f"holds {next(iter(unknown))!r} now. Give the column as it was in fit."
        )


def _no_number(column: Column, error: Exception, told: str = "") -> DataError:
    text = next((cell for cell in column.cells() if isinstance(cell, (str, bytes))), "")
    if told:
        return DataError(
            f"The column {_shown_label(column)} {told}, and holds text such as {text!r} now "
            f"({error}). Give the column as it was in fit."
        )
    return DataError(
        f"X must hold numbers ({error}). Column {_shown_label(column)} holds text such as "
        f"{text!r}. Name the column in categorical_features if its values are categories."
    )


def _shown_label(column: Column) -> str:
    return repr(column.label) if isinstance(column.label, str) else str(column.label)


def _some(values: Iterable[Any]) -> str:
    values = list(values)
    more = ", ..." if len(values) > _SHOWN else ""
    return ", ".join(repr(value) for value in values[:_SHOWN]) + more
