"""Read and write tables column by column, so that every column keeps its own dtype.

A table is a pandas or polars DataFrame, or an array. Nothing here converts a whole DataFrame to one
dtype: columns of dates, categories, nullable integers and numbers may stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse

from ..exceptions import DataError
from ._arrays import cast_to

#: Largest integer up to which float64 holds every integer.
EXACT = 2**53


def is_frame(X: Any) -> bool:
    """Return whether `X` is a pandas or polars DataFrame."""
    # Of the class: pandas computes `dtypes` each time that it is asked for.
    return hasattr(type(X), "columns") and hasattr(type(X), "dtypes")


def library(X: Any) -> str:
    """Return the name of the library that the class of `X` comes from."""
    return type(X).__module__.partition(".")[0]


def column_name(X: Any, j: int) -> Any:
    """Return the name of a column, or its position where it has no name."""
    return X.columns[j] if is_frame(X) else j


def get_column(X: Any, j: int) -> Any:
    """Return a column by its position: a Series, or a 1-D array."""
    if not is_frame(X):
        return X[:, j]
    return X.iloc[:, j] if hasattr(X, "iloc") else X.to_series(j)


def numeric_columns(X: Any) -> list[int]:
    """Return the positions of the columns of a table that hold numbers; bool does not count."""
    if is_frame(X):
        if library(X) == "polars":
            return [j for j, dtype in enumerate(X.dtypes) if dtype.is_numeric()]
        return [j for j, dtype in enumerate(X.dtypes) if getattr(dtype, "kind", "O") in "iuf"]
    if X.dtype.kind in "iuf":
        return list(range(X.shape[1]))
    if X.dtype.kind != "O":
        return []
    return [j for j in range(X.shape[1]) if _holds_numbers(X[:, j])]


def _holds_numbers(column: np.ndarray) -> bool:
    """Return whether a column of objects holds numbers and None only, and some number."""
    present = [value for value in column if value is not None]
    return bool(present) and all(
        isinstance(value, Real) and not isinstance(value, bool | np.bool_) for value in present
    )


def numeric_part(X: Any) -> Any:
    """Return the numeric columns of a table as float64, NaN where missing; sparse as it is."""
    if sparse.issparse(X):
        return X
    columns = numeric_columns(X)
    if not is_frame(X):
        return X[:, columns].astype(np.float64)
    part = np.empty((X.shape[0], len(columns)))
    for place, j in enumerate(columns):
        part[:, place] = as_floats(get_column(X, j))
    return part


def as_floats(column: Any) -> np.ndarray:
    """Return a column of numbers or booleans as float64, NaN where a value is missing."""
    if library(column) == "polars":
        import polars as pl

        return np.asarray(column.cast(pl.Float64).to_numpy())
    if isinstance(column, np.ndarray):
        return column.astype(np.float64)
    if isinstance(column.dtype, np.dtype) or _is_sparse(column.dtype):
        return np.asarray(column, dtype=np.float64)
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _is_sparse(dtype: Any) -> bool:
    """Return whether a dtype of pandas is a sparse one."""
    return type(dtype).__name__ == "SparseDtype"


def is_category(dtype: Any) -> bool:
    """Return whether a dtype of pandas or polars is one of categories."""
    return str(dtype).lower().startswith(("category", "categorical", "enum"))


def is_integer(X: Any, j: int) -> bool:
    """Return whether a numeric column holds integers by its dtype, or by its objects."""
    if not is_frame(X):
        if X.dtype.kind != "O":
            return X.dtype.kind in "iu"
        return all(isinstance(value, Integral) for value in X[:, j] if value is not None)
    dtype = get_column(X, j).dtype
    return bool(dtype.is_integer() if library(X) == "polars" else dtype.kind in "iu")


def observed_integers(X: Any, j: int) -> np.ndarray:
    """Return the values of an integer column that are not missing, without loss."""
    column = get_column(X, j)
    if isinstance(column, np.ndarray):
        if column.dtype.kind != "O":
            return column
        return np.array([value for value in column if value is not None])
    if library(column) == "polars":
        return np.asarray(column.drop_nulls().to_numpy())
    if isinstance(column.dtype, np.dtype) or _is_sparse(column.dtype):
        return np.asarray(column)
    return np.asarray(column.dropna().to_numpy(dtype=column.dtype.numpy_dtype))


def check_finite(X: Any) -> None:
    """Raise :class:`DataError` if a numeric column of a table holds infinity."""
    columns = [j for j in numeric_columns(X) if np.isinf(as_floats(get_column(X, j))).any()]
    if columns:
        names = [column_name(X, j) for j in columns]
        raise DataError(
            f"Input X contains infinity or a value too large for float64, in the columns {names}. "
            f"Replace it, for instance with X.replace([np.inf, -np.inf], np.nan)."
        )


def missing_columns(X: Any) -> list[Any]:
    """Return the names of the numeric columns of a table that have missing values."""
    if sparse.issparse(X):
        if X.dtype.kind != "f":
            return []
        return np.unique(X.tocoo().col[np.isnan(X.tocoo().data)]).tolist()
    if isinstance(X, np.ndarray) and X.dtype.kind in "iuf":
        return np.flatnonzero(np.isnan(X).any(axis=0)).tolist()
    return [
        column_name(X, j) for j in numeric_columns(X) if np.isnan(as_floats(get_column(X, j))).any()
    ]


def has_large_integers(X: Any) -> bool:
    """Return whether an array holds integers that float64 cannot hold exactly."""
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "iu" or X.dtype.itemsize < 8:
        return False
    return bool(X.size) and (int(X.max()) > EXACT or int(X.min()) < -EXACT)


def write_numeric(X: Any, start: int, before: np.ndarray, after: np.ndarray, observed: Any) -> Any:
    """Return the table with changed numbers in its numeric columns, from row `start` on.

    Only what differs is written, so that missing values and large integers stay as they are.

    Parameters
    ----------
    X : ndarray or DataFrame
        Table; a private copy that may be overwritten.
    start : int
        First row to write to.
    before, after : ndarray of shape (n_rows - start, n_numeric)
        What ``numeric_part`` gave for these rows, and what it became.
    observed : ndarray or DataFrame
        The table of the user, whose range limits integers too large for float64.

    Returns
    -------
    X : ndarray or DataFrame
        The table; each column has its dtype.
    """
    with np.errstate(invalid="ignore"):
        changed = (before != after) & ~np.isnan(after)
    fresh = {}
    for place, j in enumerate(numeric_columns(X)):
        rows = np.flatnonzero(changed[:, place])
        if not len(rows):
            continue
        values: Any = after[rows, place]
        if is_integer(X, j):
            old = get_column(X, j)[start:]
            old = old[rows] if isinstance(old, np.ndarray) else _taken(old, rows)
            values = _integers(old, before[rows, place], values, observed, j)
        if not is_frame(X):
            X[start + rows, j] = values
        else:
            fresh[j] = _with_values(get_column(X, j), start + rows, values)
    if library(X) == "polars":
        return X.with_columns(list(fresh.values())) if fresh else X
    for j, column in fresh.items():
        X.isetitem(j, column)
    return X


def _taken(column: Any, rows: np.ndarray) -> Any:
    """Return some elements of a Series."""
    return column.iloc[rows] if hasattr(column, "iloc") else column[rows]


def _integers(old: Any, before: np.ndarray, after: np.ndarray, observed: Any, j: int) -> Any:
    """Return changed integers: exact for any size, and within the range of their dtype."""
    if max(np.abs(after).max(), np.nanmax(np.abs(before), initial=0.0)) <= EXACT:
        return np.rint(after).astype(np.int64)
    known = observed_integers(observed, j)
    low, high = int(known.min()), int(known.max())
    steps = np.rint(after - before)
    return np.array(
        [
            min(max(int(value) + int(step), low), high)
            for value, step in zip(old, steps, strict=True)
        ],
        dtype=known.dtype,
    )


def _with_values(column: Any, rows: np.ndarray, values: Any) -> Any:
    """Return a Series, or its array, with other values in some rows."""
    if library(column) == "polars":
        import polars as pl

        fresh = pl.Series(_within(values, column.dtype)).cast(column.dtype)
        return column.clone().scatter(rows, fresh)
    dtype = column.dtype
    if _is_sparse(dtype):
        dense = np.asarray(column)
        stored = dense[rows] != dtype.fill_value
        dense = dense.copy()
        dense[rows[stored]] = cast_to(np.asarray(values)[stored], dense.dtype)
        return type(column.array)(dense, dtype=dtype)
    if isinstance(dtype, np.dtype):
        array = column.to_numpy(copy=True)
        array[rows] = cast_to(_within(values, dtype), dtype)
        return array
    array = column.array.copy()
    array[rows] = cast_to(_within(values, dtype.numpy_dtype), np.dtype(dtype.numpy_dtype))
    return array


def _within(values: np.ndarray, dtype: Any) -> np.ndarray:
    """Return integers clipped to the range of an integer dtype; others as they are."""
    if values.dtype.kind not in "iu":
        return values
    if hasattr(dtype, "is_integer") and hasattr(dtype, "max"):  # of polars
        import polars as pl

        low, high = pl.select(dtype.min(), dtype.max().alias("max")).row(0)
    else:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    known = np.iinfo(values.dtype)
    return np.clip(values, max(low, known.min), min(high, known.max))


def as_matrix(X: Any, categorical: list[int]) -> tuple[Any, Callable[[np.ndarray], Any]]:
    """Return a table as one matrix that imbalanced-learn takes, and the way back for new rows.

    Parameters
    ----------
    X : ndarray, sparse matrix or DataFrame
        Table.
    categorical : list of int
        Columns that become codes: one integer for each distinct value, missing ones included.
        Other columns must hold numbers or booleans.

    Returns
    -------
    matrix : ndarray of float64 or sparse matrix of shape (n_samples, n_features)
        The table; a numeric array or a sparse matrix is returned as it is.
    decode : callable
        Returns rows of such a matrix as a table like `X`, with its dtypes.
    """
    if not is_frame(X) and X.dtype.kind in "iuf":
        return X, lambda rows: rows
    examples = {}
    matrix = np.empty(X.shape)
    for j in range(X.shape[1]):
        column = get_column(X, j)
        if j in categorical:
            matrix[:, j], examples[j] = _encode(column, column_name(X, j))
        else:
            matrix[:, j] = as_floats(column)

    def decode(rows: np.ndarray) -> Any:
        columns = []
        for j in range(X.shape[1]):
            column = get_column(X, j)
            if j in examples:
                places = examples[j][np.rint(rows[:, j]).astype(np.intp)]
                taken = column[places] if isinstance(column, np.ndarray) else _taken(column, places)
                columns.append(taken)
            else:
                columns.append(_numbers_like(X, j, rows[:, j]))
        return _assemble(X, columns)

    return matrix, decode


def _encode(column: Any, name: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the code of each value of a column, and for each code a row that has it."""
    codes = np.empty(len(column), dtype=np.intp)
    seen: dict[Any, int] = {}
    values = column.to_list() if hasattr(column, "to_list") else column.tolist()
    try:
        for row, value in enumerate(values):
            missing = value is None or value is not value or not _equals_itself(value)
            codes[row] = seen.setdefault("\0missing" if missing else value, len(seen))
    except TypeError as error:
        raise DataError(
            f"The column {name!r} holds {type(value).__name__} objects, which cannot be compared; "
            f"drop it, or turn it into strings."
        ) from error
    return codes, np.unique(codes, return_index=True)[1]


def _equals_itself(value: Any) -> bool:
    """Return whether a value equals itself, which NaN, NaT and NA do not."""
    equal = value == value
    return equal is True or equal is np.True_ or bool(isinstance(equal, np.bool_) and equal)


def _numbers_like(X: Any, j: int, values: np.ndarray) -> Any:
    """Return numbers as a column of the dtype of column `j`; integers and bool are rounded."""
    column = get_column(X, j)
    if library(column) == "polars":
        import polars as pl

        if column.dtype == pl.Boolean:
            return pl.Series(column.name, np.rint(values) > 0)
        whole = column.dtype.is_integer()
        return pl.Series(column.name, np.rint(values) if whole else values).cast(column.dtype)
    if isinstance(column, np.ndarray):
        return np.rint(values).astype(np.int64) if is_integer(X, j) else values
    import pandas as pd

    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return pd.Series(np.rint(values) > 0).astype(dtype)
    base = np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))
    return pd.Series(pd.array(cast_to(values, base), dtype=dtype))


def _assemble(X: Any, columns: list[Any]) -> Any:
    """Return columns as a table like `X`."""
    if library(X) == "polars":
        import polars as pl

        return pl.DataFrame([c.alias(n) for c, n in zip(columns, X.columns, strict=True)])
    if not is_frame(X):
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for j, column in enumerate(columns):
            table[:, j] = column
        return table
    import pandas as pd

    frame = pd.concat([c.reset_index(drop=True) for c in columns], axis=1, ignore_index=True)
    frame.columns = X.columns
    return frame


__all__ = ["as_matrix", "numeric_columns", "numeric_part", "write_numeric"]
