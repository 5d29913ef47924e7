"""Rows as a user has them, with names and texts, as the numbers that a file reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...exceptions import DataError


def is_missing(value: Any) -> bool:
    """Return whether a value stands for none: None, NaN, ``pandas.NA`` or ``NaT``."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def encode(X: Any, columns: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return rows as the float32 numbers that a file reads.

    Parameters
    ----------
    X : array-like or data frame of shape (n_rows, n_columns)
        Rows as the user has them. Columns of a frame are found by name where the file knows names.
    columns : sequence of mapping
        What the file's metadata says of each column: ``name``, ``kind`` ("number", "category" or
        "ignored"), ``missing`` (whether a value may be missing), ``categories`` and ``unknown``,
        ``values`` (numbers that are allowed).

    Returns
    -------
    numbers : ndarray of shape (n_rows, n_columns), float32
        Categories as their place in ``categories``, unknown ones as -1, missing values as NaN.

    Raises
    ------
    DataError
        For other columns, a missing value or an unknown category where the file takes none.

    Examples
    --------
    >>> from skopt_wrap.compression._litert._table import encode
    >>> color = {"name": "color", "kind": "category", "categories": ["red", "blue"],
    ...          "missing": False, "unknown": "code"}
    >>> size = {"name": "size", "kind": "number", "missing": True}
    >>> encode([["blue", 1.5], ["green", None]], [color, size])
    array([[ 1. ,  1.5],
           [-1. ,  nan]], dtype=float32)
    """
    found = _columns_of(X, [str(column["name"]) for column in columns])
    if not found:
        return np.zeros((len(X), 0), dtype=np.float32)
    numbers = np.zeros((len(found[0]), len(columns)), dtype=np.float32)
    for i, (values, column) in enumerate(zip(found, columns, strict=True)):
        if column["kind"] == "category":
            numbers[:, i] = _codes(values, column)
        elif column["kind"] == "number":
            numbers[:, i] = _numbers(values, column)
    return numbers


def _columns_of(X: Any, names: list[str]) -> list[np.ndarray]:
    """Return the columns of `X` in the order of `names`."""
    own = getattr(X, "columns", None)
    if own is not None and not callable(own):
        own = [str(name) for name in own]
        places = {name: i for i, name in enumerate(own)}
        if set(names) <= set(places):
            values = X.iloc if hasattr(X, "iloc") else None
            if values is not None:
                return [np.asarray(values[:, places[name]]) for name in names]
            return [np.asarray(X[name]) for name in names]
        if any(not _is_default(i, name) for i, name in enumerate(names)):
            missing = [name for name in names if name not in places]
            raise DataError(f"X lacks the columns {missing}; the file reads {names}.")
    if hasattr(X, "toarray"):
        X = X.toarray()
    table = np.asarray(X) if hasattr(X, "dtype") else np.asarray(X, dtype=object)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise DataError(
            f"X must have {len(names)} columns ({', '.join(names[:10])}"
            f"{', ...' if len(names) > 10 else ''}), got an array of shape {table.shape}."
        )
    return list(table.T)


def _is_default(place: int, name: str) -> bool:
    return name == f"x{place}"


def _codes(values: np.ndarray, column: Mapping[str, Any]) -> np.ndarray:
    """Return the codes of a column of categories."""
    codes = {_key(value): float(i) for i, value in enumerate(column["categories"])}
    plain = values.tolist()
    absent = [is_missing(value) for value in plain]
    if any(absent) and not column["missing"]:
        raise DataError(f"column {column['name']!r} lacks a value in row {absent.index(True)}.")
    found = [
        float("nan") if gone else codes.get(_key(value), -1.0)
        for value, gone in zip(plain, absent, strict=True)
    ]
    if column["unknown"] == "error" and -1.0 in found:
        unknown = plain[found.index(-1.0)]
        raise DataError(
            f"column {column['name']!r} holds {unknown!r}, which is not among its categories "
            f"{column['categories'][:20]}."
        )
    return np.array(found, dtype=np.float32)


def _key(value: Any) -> Any:
    """Return what a category is found by; numbers and texts never mean the same."""
    return (isinstance(value, str), value)


def _numbers(values: np.ndarray, column: Mapping[str, Any]) -> np.ndarray:
    """Return a column of numbers."""
    if values.dtype.kind not in "biuf":
        plain = values.tolist()
        try:
            values = np.array([float("nan") if is_missing(v) else float(v) for v in plain])
        except (TypeError, ValueError) as error:
            raise DataError(f"column {column['name']!r} must hold numbers: {error}.") from error
    single: np.ndarray = values.astype(np.float32)
    bad = ~np.isfinite(single)
    if column["missing"]:
        bad &= ~np.isnan(single)
    if bad.any():
        row, also = int(np.argmax(bad)), " or missing values" if column["missing"] else ""
        raise DataError(
            f"column {column['name']!r} must hold finite numbers{also}, got {values[row]} in "
            f"row {row}."
        )
    if "values" in column:
        known = np.isin(single, np.asarray(column["values"], dtype=np.float32)) | np.isnan(single)
        if not known.all():
            raise DataError(
                f"column {column['name']!r} holds {values[int(np.argmin(known))]}, which is not "
                f"among its categories {column['values'][:20]}."
            )
    return single
