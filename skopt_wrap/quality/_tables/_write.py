"""Giving columns back in the library in which the table came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from ._column import Column
from ._read import Source


def write_array(source: np.ndarray, columns: Sequence[Column]) -> np.ndarray:
    """Return columns as an array: of the dtype of `source` where it can hold them.

    Parameters
    ----------
    source : ndarray of shape (n_samples, n_features)
        The array that came.
    columns : sequence of Column
        What is to be returned.

    Returns
    -------
    array : ndarray of shape (n_samples, n_columns)
        Floats for numbers and booleans; objects where texts are among them.
    """
    kinds = {column.kind for column in columns}
    dtype: np.dtype[Any]
    if kinds == {"date"}:
        dtype = np.dtype("datetime64[us]")
    elif kinds <= {"number", "boolean"}:
        exact = source.dtype.kind in "iub" and all(c.values.dtype == source.dtype for c in columns)
        dtype = source.dtype if exact or source.dtype.kind == "f" else np.dtype(np.float64)
    else:
        dtype = np.dtype(object)
    out = np.empty((columns[0].n, len(columns)), dtype=dtype)
    for place, column in enumerate(columns):
        out[:, place] = as_objects_of(column) if dtype.kind == "O" else column.values
    return out


def as_objects_of(column: Column) -> np.ndarray:
    """Return the values of a column as Python objects; NaN where a text is missing."""
    if column.kind == "text":
        return np.append(column.texts(), np.nan)[column.values]
    return column.values.astype(object)


def write_frame(source: Source, columns: Sequence[Column], names: Sequence[str]) -> Any:
    """Return columns as a frame of the library of `source`, with its index where it has one.

    Parameters
    ----------
    source : Source
        Where the columns came from.
    columns : sequence of Column
        What is to be returned; those with a native form are given back as they came.
    names : sequence of str
        Their names.

    Returns
    -------
    frame : object
        A frame of the library of `source`.
    """
    backend = source.frame.implementation
    index = nw.maybe_get_index(source.frame)
    frames = []
    for column, name in zip(columns, names, strict=True):
        series = column.native
        if series is None:
            series = _series(column, name, backend)
            if index is not None:  # of pandas; the series is new, and ours alone
                series.to_native().index = index
        frames.append(series.alias(name).to_frame())
    return nw.concat(frames, how="horizontal").to_native()


def _series(column: Column, name: str, backend: Any) -> Any:
    if column.kind == "text":
        values = np.array([*column.texts(), None], dtype=object)[column.values]
        return nw.new_series(name, values, nw.String, backend=backend)
    return nw.new_series(name, np.ascontiguousarray(column.values), backend=backend)
