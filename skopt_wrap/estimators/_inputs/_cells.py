"""Columns whose cells are numbers, text, arrays or sequences, made one array."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...exceptions import DataError
from .._targets._kinds import check_kind


def column_array(column: Any, name: str, length: int | None = None) -> np.ndarray:
    """Return the cells of one column as an array with a row for each cell.

    Parameters
    ----------
    column : Series or ndarray of shape (n_rows,) or (n_rows, ...)
        Numbers; or text, arrays of one shape, or sequences of unequal length in its cells.
    name : str
        What messages call it.
    length : int, default=None
        Steps of every sequence; None takes those of the longest.

    Returns
    -------
    array : ndarray of shape (n_rows, ...)
        Numbers; or text, with dtype object.

    Raises
    ------
    DataError
        For missing and infinite values, dates, and cells of several kinds.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._inputs._cells import column_array
    >>> cells = np.empty(2, dtype=object)
    >>> cells[:] = [[1, 2, 3], [4]]
    >>> column_array(cells, "steps").tolist()
    [[1, 2, 3], [4, 0, 0]]
    """
    check_kind(column, name)
    if hasattr(column, "isna") and np.any(column.isna()):
        row = int(np.argmax(np.asarray(column.isna())))
        raise DataError(f"Input {name} contains NaN (missing values), the first in row {row}.")
    array = np.asarray(column)
    if array.dtype.kind in "US":
        array = array.astype(object)
    if array.dtype == object and array.ndim == 1:
        array = _cells_array(array, name, length)
    elif array.dtype == object:
        _check_texts(array, name)
    return array if array.dtype == object else _finite_numbers(array, name)


def _cells_array(cells: np.ndarray, name: str, length: int | None) -> np.ndarray:
    kinds = {_kind(cell) for cell in cells}
    if kinds == {"text"} or not len(cells):
        return cells
    if kinds == {"number"}:
        return np.array(cells.tolist())
    if kinds == {"array"}:
        return stacked(list(cells), name, length)
    if "missing" in kinds:
        row = next(i for i, cell in enumerate(cells) if _kind(cell) == "missing")
        raise DataError(f"Input {name} contains NaN (missing values), the first in row {row}.")
    raise DataError(
        f"{name} holds cells of several kinds ({', '.join(sorted(kinds))}): "
        f"{', '.join(repr(cell)[:40] for cell in cells[:3])}. One input takes cells of one kind."
    )


def _kind(cell: Any) -> str:
    if isinstance(cell, str | bytes):
        return "text"
    if (
        cell is None
        or (isinstance(cell, float) and np.isnan(cell))
        or type(cell).__name__
        in (
            "NAType",
            "NaTType",
        )
    ):
        return "missing"
    if isinstance(cell, numbers.Number | np.bool_):
        return "number"
    return "array" if hasattr(cell, "__len__") else type(cell).__name__


def _check_texts(array: np.ndarray, name: str) -> None:
    for cell in array.ravel():
        if not isinstance(cell, str | bytes):
            raise DataError(f"{name} holds text, and {cell!r} ({type(cell).__name__}) among it.")


def _finite_numbers(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind == "b":
        return array.astype("uint8")
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} must hold numbers, text or arrays of numbers, got {array.dtype}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        problem = "NaN" if np.isnan(array).any() else "infinity"
        raise DataError(f"Input {name} contains {problem}; fill or remove it first.")
    return array


def stacked(cells: Sequence[Any], name: str, length: int | None = None) -> np.ndarray:
    """Return arrays of one shape as one array; sequences of unequal length are filled with zeros.

    The zeros stand at the end. With `length`, every sequence gets at least that many steps.

    Raises
    ------
    DataError
        For arrays that differ in more than the number of steps, and for images of unequal size.
    """
    arrays = number_arrays(cells, name)
    lengths = {len(a) for a in arrays}
    if len(lengths) == 1 and (arrays[0].ndim > 2 or length in (None, *lengths)):
        return np.stack(arrays)
    longest = max(*lengths, length or 1)
    steps = next((a.shape[1:] for a in arrays if a.size), ())
    dtype = np.result_type(*{a.dtype for a in arrays if a.size} or {np.dtype("float64")})
    padded = np.zeros((len(arrays), longest, *steps), dtype)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array.reshape(-1, *steps)
    return padded


def number_arrays(cells: Sequence[Any], name: str) -> list[np.ndarray]:
    """Return cells as arrays of numbers that differ at most in their first axis.

    Raises
    ------
    DataError
        For other cells.
    """
    try:
        arrays = [np.asarray(cell) for cell in cells]
    except ValueError as error:
        raise DataError(f"{name} holds a cell that is no array of numbers ({error}).") from error
    filled = [a for a in arrays if a.size]
    if any(a.dtype.kind not in "biuf" for a in filled):
        raise DataError(f"{name} holds a cell that is no array of numbers.")
    ranks, steps = {a.ndim for a in filled}, {a.shape[1:] for a in filled}
    unequal = len({len(a) for a in arrays if a.ndim}) > 1
    if len(ranks) > 1 or 0 in ranks or len(steps) > 1 or (unequal and max(ranks, default=1) > 2):
        raise DataError(
            f"{name} holds arrays of unlike shapes, {sorted({a.shape for a in arrays})[:5]}. "
            "Sequences may differ in their first axis, the number of steps; images must have one "
            "size."
        )
    return arrays


def decoded(array: np.ndarray) -> np.ndarray:
    """Return an array with TensorFlow's bytes as text."""
    if array.dtype.kind not in "SO":
        return array
    cells = [cell.decode() if isinstance(cell, bytes) else cell for cell in array.ravel()]
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    return texts.reshape(array.shape)
