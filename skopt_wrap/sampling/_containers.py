"""Read X from any container, find the kind of data, and return results in the same container."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from .._sklearn import safe_indexing
from ..exceptions import DataError, ParameterError, SkoptWrapWarning, suggest
from ._columns import check_finite, get_column, is_frame, library

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
    of_arrays : bool
        Whether the items of that list were arrays.
    """

    original: Any
    values: Any
    kind: str
    was_list: bool = False
    of_arrays: bool = False

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.values.shape[0]


def _is_series(X: Any) -> bool:
    """Return whether `X` is a pandas or polars Series."""
    return type(X).__name__ == "Series" and hasattr(X, "to_numpy")


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
    of_arrays = was_list and len(X) > 0 and all(isinstance(item, np.ndarray) for item in X)
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
    if is_frame(X) and kind in ("auto", "tabular") and not _all_sparse(X):
        return _read_frame(estimator, X)
    values = validate_data(
        estimator,
        X=X,
        dtype=None,
        accept_sparse=["csr"],
        allow_nd=True,
        ensure_all_finite="allow-nan",
    )
    kind = _resolve_kind(kind, values)
    if kind != "tabular":
        if values.dtype.kind not in "iuf":
            raise DataError(
                f"kind={kind!r} needs numbers. Got an array of dtype {values.dtype}; convert it, "
                f"or pass kind='tabular'."
            )
        assert_all_finite(values, input_name="X")
        _check_magnitude(values)
    elif sparse.issparse(values):
        values = values.copy() if values is X else values
        values.sort_indices()
    return Data(X, values, kind, was_list, of_arrays)


def _check_magnitude(values: np.ndarray) -> None:
    """Raise for numbers whose variance would be infinite in their own dtype."""
    if values.dtype.kind != "f" or values.dtype.itemsize < 4:
        return
    largest = float(max(-values.min(initial=0), values.max(initial=0)))
    limit = float(np.sqrt(np.finfo(values.dtype).max)) / 1e3
    if largest > limit:
        raise DataError(
            f"X holds {largest:.3g}, whose variance cannot be computed in {values.dtype} (up to "
            f"{limit:.3g} it can). Scale X, or convert it with X.astype('float64')."
        )


def _read_frame(estimator: Any, X: Any) -> Data:
    """Check a table in a DataFrame column by column; nothing is converted."""
    validate_data(estimator, X=X, skip_check_array=True)
    for count, name in zip(X.shape, ("sample", "feature"), strict=True):
        if not count:
            raise DataError(
                f"Found a DataFrame with 0 {name}(s) (shape={X.shape}) while a minimum of 1 is "
                f"required by {type(estimator).__name__}."
            )
    check_finite(X)
    return Data(X, X, "tabular")


def _all_sparse(X: Any) -> bool:
    """Return whether all columns of a pandas DataFrame are sparse numbers, mostly zero."""
    return library(X) == "pandas" and all(
        type(dtype).__name__ == "SparseDtype" and dtype.kind in "iuf" and dtype.fill_value == 0
        for dtype in X.dtypes
    )


def _texts(X: Any, kind: str) -> np.ndarray | None:
    """Return X as an object array of str, or None where it is no text.

    Text is 1-D, or a table with one column of str.
    """
    if kind not in ("auto", "text"):
        return None
    column = _only_column(X, kind)
    if isinstance(column, np.ndarray):
        items = column.tolist()
    elif isinstance(column, list | tuple) or _is_series(column):
        items = list(column)
    else:
        return None
    if not any(isinstance(text, str) for text in items):
        return None
    for row, text in enumerate(items):
        if not isinstance(text, str):
            raise DataError(
                f"Texts must be str. Row {row} is {text!r} ({type(text).__name__}). Fill missing "
                f"texts in, for instance with an empty string, or drop the row."
            )
    texts = np.empty(len(items), dtype=object)
    texts[:] = [str(text) for text in items]
    return texts


def _only_column(X: Any, kind: str) -> Any:
    """Return X if it is 1-D and may hold texts, or its only column; else None.

    A column of categories is text only where the caller says so with ``kind="text"``.
    """
    if is_frame(X):
        if X.shape[1] != 1:
            return None
        column = get_column(X, 0)
        name = str(column.dtype).lower()
        return (
            None
            if kind == "auto" and name.startswith(("category", "categorical", "enum"))
            else column
        )
    if isinstance(X, np.ndarray):
        if X.dtype.kind not in "UOT" or X.ndim not in (1, 2) or (X.ndim == 2 and X.shape[1] != 1):
            return None
        return X.ravel()
    return X if isinstance(X, list | tuple) or _is_series(X) else None


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
    if kind == "image" and rank == 4 and shape[1] <= 4 < min(shape[2:]):
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
    if library(taken) == "pandas":
        taken = taken.reset_index(drop=True)
    return taken


def stack(first: Any, second: Any) -> Any:
    """Return two tables of one container below each other."""
    if sparse.issparse(first):
        return sparse.vstack([first, second], format=first.format)
    if not is_frame(first):
        return np.concatenate([first, second])
    if library(first) == "polars":
        import polars as pl

        return pl.concat([first, second])
    import pandas as pd

    return pd.concat([first, second], ignore_index=True)


def give_back(result: Any, data: Data) -> Any:
    """Return the result in the container in which the data came."""
    original = data.original
    if data.kind == "text":
        return _give_back_texts(result, original, data.was_list)
    if data.of_arrays:
        return list(result)
    if data.was_list:
        return result.tolist()
    if is_frame(original) and not is_frame(result):
        return _to_frame(result, original)
    if sparse.issparse(original):
        return result.asformat(original.format)
    return result


def _give_back_texts(result: np.ndarray, original: Any, was_list: bool) -> Any:
    """Return texts in the container of the originals: a list, an array, a Series or a DataFrame."""
    if was_list:
        return list(result)
    if isinstance(original, np.ndarray):
        shape = (len(result), *original.shape[1:])
        if original.dtype.kind == "O":
            return result.reshape(shape)
        return result.astype(str if original.dtype.kind == "U" else original.dtype).reshape(shape)
    column = get_column(original, 0) if is_frame(original) else original
    if library(column) == "polars":
        series = type(column)(column.name, list(result))
        return series.to_frame() if is_frame(original) else series
    # A changed text need not be one of the categories of a categorical column.
    dtype = None if column.dtype.name == "category" else column.dtype
    series = type(column)(list(result), name=column.name, dtype=dtype)
    return series.to_frame().set_axis(original.columns, axis=1) if is_frame(original) else series


def _to_frame(result: Any, original: Any) -> Any:
    """Return an array or sparse matrix as a DataFrame with the columns and dtypes of `original`."""
    if library(original) == "polars":
        frame = type(original)(np.asarray(result), schema=original.columns, orient="row")
        return frame.cast(dict(original.schema))
    import pandas as pd

    if sparse.issparse(result):
        frame = pd.DataFrame.sparse.from_spmatrix(result, columns=original.columns)
    else:
        frame = pd.DataFrame(result, columns=original.columns)
    return frame.astype(original.dtypes)
