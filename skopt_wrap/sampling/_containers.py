"""Read X from any container, find the kind of data, and return results in the same container."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from .._sklearn import safe_indexing
from ..exceptions import DataError, ParameterError, SkoptWrapWarning, suggest
from ._transform import cast_to

KINDS = ("auto", "image", "tabular", "series", "text")
RANKS = {
    "image": "(n, height, width) or (n, height, width, channels)",
    "series": "(n, time) or (n, time, features)",
    "tabular": "(n, features)",
    "text": "(n,), of str",
}


@dataclass
class Data:
    """X after it was checked.

    Attributes
    ----------
    original : object
        What the caller passed; a list as an array.
    values : ndarray, sparse array or DataFrame
        The form that transforms work on: an object array of str for texts, a DataFrame or a CSR
        matrix for some tables, otherwise an ndarray.
    kind : {"image", "tabular", "series", "text"}
        The kind of data.
    was_list : bool
        Whether the caller passed a list, and gets lists back.
    """

    original: Any
    values: Any
    kind: str
    was_list: bool = False

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.values.shape[0]


def is_frame(X: Any) -> bool:
    """Return whether `X` is a pandas or polars DataFrame."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def _is_series(X: Any) -> bool:
    """Return whether `X` is a pandas or polars Series."""
    return type(X).__name__ == "Series" and hasattr(X, "to_numpy")


def _library(X: Any) -> str:
    """Return the name of the library that the class of `X` comes from."""
    return type(X).__module__.partition(".")[0]


def read(estimator: Any, X: Any, kind: str) -> Data:
    """Check X, find the kind of data, and set ``n_features_in_``.

    Parameters
    ----------
    estimator : AugmentingSampler
        Receives ``n_features_in_`` and ``feature_names_in_``.
    X : array-like
        Data.
    kind : {"auto", "image", "tabular", "series", "text"}
        What the caller says that X holds.

    Returns
    -------
    data : Data
        The checked data.
    """
    if kind not in KINDS:
        raise ParameterError(f"kind={kind!r} is unknown. {suggest(kind, KINDS)}")
    was_list = isinstance(X, list | tuple)
    texts = _texts(X, kind)
    if texts is not None:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                delattr(estimator, name)
        return Data(X, texts, "text", was_list)
    if was_list:
        X = _rectangular(X)
    rank = len(X.shape) if hasattr(X, "shape") else np.ndim(X)
    if kind == "text" or rank == 1 or rank > 4:
        raise _rank_error(X, rank, kind)
    values = validate_data(
        estimator,
        X=X,
        dtype=None,
        accept_sparse=["csr"],
        allow_nd=True,
        ensure_all_finite=True,
    )
    kind = _resolve_kind(kind, values)
    if sparse.issparse(values):
        values = values.copy() if values is X else values
        values.sort_indices()
    elif kind == "tabular" and is_frame(X):
        values = X
    elif kind == "tabular":
        pass
    elif values.dtype.kind not in "iuf":
        raise DataError(
            f"kind={kind!r} needs numbers. Got an array of dtype {values.dtype}; convert it, or "
            f"pass kind='tabular'."
        )
    return Data(X, values, kind, was_list)


def _texts(X: Any, kind: str) -> np.ndarray | None:
    """Return X as an object array of str, or None where it is not one-dimensional text."""
    if kind not in ("auto", "text") or sparse.issparse(X) or is_frame(X):
        return None
    if isinstance(X, list | tuple):
        if not X or not any(isinstance(text, str) for text in X):
            return None
        items = list(X)
    elif (isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "UOT") or _is_series(X):
        items = X.tolist() if isinstance(X, np.ndarray) else list(X)
        if not items or not any(isinstance(text, str) for text in items):
            return None
    else:
        return None
    for row, text in enumerate(items):
        if not isinstance(text, str):
            raise DataError(f"Texts must be str. Row {row} is {text!r} ({type(text).__name__}).")
    texts = np.empty(len(items), dtype=object)
    texts[:] = [str(text) for text in items]
    return texts


def _rectangular(X: Any) -> np.ndarray:
    """Return a list as an array; the error names the sample whose length differs."""
    try:
        return np.asarray(X)
    except ValueError as error:
        lengths = [len(row) if hasattr(row, "__len__") else None for row in X]
        odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        where = (
            f"row 0 has length {lengths[0]}, row {odd} has {lengths[odd]}"
            if odd is not None
            else "rows differ in their inner lengths"
        )
        raise DataError(
            f"X is ragged: {where}. Pad or cut the rows to one length before augmenting."
        ) from error


def _rank_error(X: Any, rank: int, kind: str) -> DataError:
    """Return the error for an X with a number of dimensions that fits no kind of data."""
    shape = getattr(X, "shape", None)
    if kind == "text":
        rule = f"kind='text' needs X of shape {RANKS['text']}"
        fix = " Pass the column that holds the texts, as X[:, 0]."
    else:
        rule = "X fits no kind of data: " + "; ".join(f"{k} {v}" for k, v in RANKS.items())
        fix = (
            " Reshape your data, for instance X.reshape(-1, 1) for a table with a single feature."
            if rank == 1
            else ""
        )
    return DataError(f"{rule}. Got shape {shape}, rank {rank}.{fix}")


def _resolve_kind(kind: str, values: Any) -> str:
    """Return the kind of data; raise for shapes that it cannot have."""
    rank, shape = len(values.shape), values.shape
    if kind == "auto":
        kind = {2: "tabular", 4: "image"}.get(rank) or _guess_three_dimensional(values)
    allowed = {"image": (3, 4), "series": (2, 3), "tabular": (2,)}[kind]
    if rank not in allowed or (sparse.issparse(values) and kind != "tabular"):
        hint = ""
        if kind == "image" and rank == 2:
            hint = " Reshape flattened images, as X.reshape(-1, height, width)."
        raise DataError(
            f"kind={kind!r} needs a dense X of shape {RANKS[kind]}. Got shape {shape}.{hint}"
            if kind != "tabular"
            else f"kind='tabular' needs X of shape {RANKS[kind]}. Got shape {shape}."
        )
    if kind == "image" and rank == 4 and shape[1] in (1, 3) and shape[2] == shape[3] > 4:
        raise DataError(
            f"Images need channels last, {RANKS['image']}. Got shape {shape}, which looks like "
            f"channels first; pass np.moveaxis(X, 1, -1)."
        )
    if kind == "series" and shape[1] < 2:
        raise DataError(f"Series need at least two time steps. Got shape {shape}.")
    return kind


def _guess_three_dimensional(values: np.ndarray) -> str:
    """Return "image" or "series" for a 3-D array, with a warning that says what was assumed."""
    shape = values.shape
    square = shape[1] == shape[2] and shape[1] >= 8
    kind = "image" if values.dtype == np.uint8 or square else "series"
    other = "series" if kind == "image" else "image"
    reason = "uint8 or square, at least 8 x 8" if kind == "image" else "neither uint8 nor square"
    warnings.warn(
        f"kind='auto' takes X of shape {shape} and dtype {values.dtype} for {RANKS[kind]}, that "
        f"is kind={kind!r} ({reason}). Pass kind={kind!r} to confirm, or kind={other!r}.",
        SkoptWrapWarning,
        stacklevel=8,
    )
    return kind


def take(array: Any, rows: np.ndarray) -> Any:
    """Return rows of any container, in the same container; pandas gets a new index."""
    if array is None:
        return None
    if isinstance(array, np.ndarray):
        return array[rows]
    if sparse.issparse(array):
        return array.tocsr()[rows].asformat(array.format)
    taken = safe_indexing(array, rows)
    if _library(taken) == "pandas":
        taken = taken.reset_index(drop=True)
    return taken


def numeric_columns(X: Any) -> list[int]:
    """Return the positions of the columns of a table that hold numbers; bool does not count."""
    if is_frame(X):
        if _library(X) == "polars":
            return [j for j, dtype in enumerate(X.dtypes) if dtype.is_numeric()]
        return [j for j, dtype in enumerate(X.dtypes) if getattr(dtype, "kind", "O") in "iuf"]
    if X.dtype.kind in "iuf":
        return list(range(X.shape[1]))
    if X.dtype.kind != "O":
        return []
    return [
        j
        for j in range(X.shape[1])
        if all(isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in X[:, j])
    ]


def numeric_part(X: Any) -> Any:
    """Return the numeric columns of a table as float64; a sparse matrix as it is."""
    if sparse.issparse(X):
        return X
    columns = numeric_columns(X)
    if not is_frame(X):
        return X[:, columns].astype(np.float64)
    part = np.empty((X.shape[0], len(columns)))
    for place, j in enumerate(columns):
        part[:, place] = _frame_column(X, j).to_numpy().astype(np.float64)
    return part


def _frame_column(X: Any, j: int) -> Any:
    """Return a column of a pandas or polars DataFrame by its position."""
    return X.iloc[:, j] if hasattr(X, "iloc") else X.to_series(j)


def write_numeric(X: Any, start: int, part: np.ndarray) -> Any:
    """Return the table with `part` in its numeric columns, from row `start` on.

    `X` is a private copy and may be overwritten. Integer columns receive rounded numbers.
    """
    columns = numeric_columns(X)
    if not is_frame(X):
        for place, j in enumerate(columns):
            whole = all(isinstance(v, int | np.integer) for v in X[:, j])
            X[start:, j] = cast_to(part[:, place], np.dtype(np.int64)) if whole else part[:, place]
        return X
    if _library(X) == "polars":
        import polars as pl

        fresh = []
        for place, j in enumerate(columns):
            column = X.to_series(j)
            values = np.rint(part[:, place]) if column.dtype.is_integer() else part[:, place]
            tail = pl.Series(column.name, values).cast(column.dtype)
            fresh.append(pl.concat([column[:start], tail]))
        return X.with_columns(fresh)
    for place, j in enumerate(columns):
        dtype = X.dtypes.iloc[j]
        X.iloc[start:, j] = cast_to(part[:, place], np.dtype(getattr(dtype, "numpy_dtype", dtype)))
    return X


def as_imblearn_table(X: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return a table that imbalanced-learn takes, and a function that converts its rows back.

    Only polars frames are converted, which imbalanced-learn returns as arrays.
    """
    if not is_frame(X) or _library(X) != "polars":
        return X, lambda rows: rows
    import polars as pl

    def restore(rows: Any) -> Any:
        columns = zip(X.columns, X.dtypes, rows.T, strict=True)
        return pl.DataFrame([pl.Series(n, c.tolist()).cast(d) for n, d, c in columns])

    return X.to_numpy(), restore


def stack(first: Any, second: Any) -> Any:
    """Return two tables of one container below each other."""
    if sparse.issparse(first):
        return sparse.vstack([first, second], format=first.format)
    if not is_frame(first):
        return np.concatenate([first, second])
    if _library(first) == "polars":
        import polars as pl

        return pl.concat([first, second])
    import pandas as pd

    return pd.concat([first, second], ignore_index=True)


def give_back(result: Any, data: Data) -> Any:
    """Return the result in the container in which the data came."""
    original = data.original
    if data.kind == "text":
        if data.was_list:
            return list(result)
        if isinstance(original, np.ndarray):
            if original.dtype.kind == "O":
                return result
            return result.astype(str if original.dtype.kind == "U" else original.dtype)
        if _library(original) == "polars":
            return type(original)(original.name, list(result))
        # A changed text need not be one of the categories of a categorical column.
        dtype = None if original.dtype.name == "category" else original.dtype
        return type(original)(list(result), name=original.name, dtype=dtype)
    if data.was_list:
        return result.tolist()
    if is_frame(original) and not is_frame(result):
        return _to_frame(result, original)
    if sparse.issparse(original):
        return result.asformat(original.format)
    return result


def _to_frame(result: Any, original: Any) -> Any:
    """Return an array or sparse matrix as a DataFrame with the columns and dtypes of `original`."""
    if _library(original) == "polars":
        frame = type(original)(np.asarray(result), schema=original.columns, orient="row")
        return frame.cast(dict(original.schema))
    import pandas as pd

    if sparse.issparse(result):
        frame = pd.DataFrame.sparse.from_spmatrix(result, columns=original.columns)
    else:
        frame = pd.DataFrame(result, columns=original.columns)
    return frame.astype(original.dtypes)
