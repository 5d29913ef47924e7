"""X that holds text, or sequences of unequal length, for a network with one input."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from ...architectures import ARCHITECTURES
from ...exceptions import DataError, InputWarning, ParameterError
from .._targets._arrays import check_range
from ._cells import number_arrays, stacked
from ._network_inputs import knows_padding


def special_rows(estimator: Any, X: Any, *, reset: bool) -> np.ndarray | None:
    """Return X that holds text or sequences of unequal length as one array; None for other X.

    Text becomes an array (n_samples, n_columns) of Python objects. Sequences are filled at their
    end: for networks of this package as :func:`padded` says, for others with zeros.
    """
    if sp.issparse(X):
        return None
    own = _own_architecture(estimator)
    if not own and (reset or estimator.X_dtype_.kind == "O"):
        texts = text_rows(X)
        if texts is not None:
            frame = X if hasattr(X, "columns") else texts
            validate_data(estimator, frame, reset=reset, skip_check_array=True)
            return texts
    known = None if reset else getattr(estimator, "sequence_length_", None)
    limit = _max_length(estimator)
    if own and limit is None and "max_length" not in estimator._builder_parameters():
        return None
    cells = sequences(X, always=known is not None or limit is not None)
    if cells is None:
        return None
    if not own and limit is None and not reset and estimator.free_lengths_ is not None:
        known = None if estimator._takes_any_length() else known
    arrays = number_arrays(cells, "X")
    longest = max(map(len, arrays))
    if longest < 1:
        raise DataError("X holds sequences, and all of them are empty.")
    length = limit or known or longest
    if limit is None and longest > length:
        n_longer = sum(len(a) > length for a in arrays)
        message = (
            f"X holds {n_longer} sequence{'' if n_longer == 1 else 's'} of more than {length} "
            "steps, the longest of the training data"
        )
        if not own:
            raise DataError(f"{message}; the network takes no more. Cut them.")
        warnings.warn(
            f"{message}; what is longer is cut off at the end. model__max_length sets the number "
            "of steps.",
            InputWarning,
            stacklevel=2,
        )
    arrays = [a[:length] for a in arrays]
    rows = padded(estimator, arrays, length) if own else stacked(arrays, "X", length)
    if rows.dtype.kind == "f" and not np.isfinite(rows).all():
        raise DataError("Input X contains NaN or infinity, in a sequence; fill or remove it first.")
    check_range(rows, "X", estimator._floatx)
    if reset:
        estimator.n_features_in_ = rows.shape[1]
        estimator.sequence_length_ = length
    return rows


def warn_of_padding(estimator: Any, network: Any) -> None:
    """Warn when sequences were filled up, and the user's network takes the zeros for steps.

    Warns
    -----
    InputWarning
        Says which layers leave them out.
    """
    padded_here = hasattr(estimator, "sequence_length_") and not _own_architecture(estimator)
    if padded_here and not knows_padding(network):
        warnings.warn(
            f"X holds sequences of unequal length, filled with zeros at the end, but no layer of "
            f"{network.name!r} masks them. Begin it with keras.layers.Masking(), or with "
            "Embedding(..., mask_zero=True) for token ids.",
            InputWarning,
            stacklevel=2,
        )


def _own_architecture(estimator: Any) -> bool:
    """Return whether the network is one of this package's architectures."""
    model = estimator.model
    return isinstance(model, str) or any(
        model is known or model is known.builder for known in ARCHITECTURES.values()
    )


def _max_length(estimator: Any) -> int | None:
    """Return the number of steps that the user asks for; None where nothing is asked."""
    value = estimator._routed("model").get("max_length")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ParameterError(f"model__max_length must be an int >= 1 or None, got {value!r}.")
    return int(value)


def text_rows(X: Any) -> np.ndarray | None:
    """Return rows of text as an array of Python objects (n_rows, n_columns); None for other X.

    Raises
    ------
    DataError
        For texts with missing ones among them.

    Examples
    --------
    >>> from skopt_wrap.estimators._inputs._sequences import text_rows
    >>> text_rows(["good", "bad"]).shape, text_rows([[1.0, 2.0]])
    ((2, 1), None)
    """
    if isinstance(X, list | tuple):
        first = next((item for item in X if item is not None), None)
        if not isinstance(first, str | bytes) and not (
            isinstance(first, list | tuple) and first and isinstance(first[0], str | bytes)
        ):
            return None
        if not isinstance(first, str | bytes) and len({len(row) for row in X}) > 1:
            return None
    kinds = {str(kind) for kind in getattr(X, "dtypes", ())} if hasattr(X, "columns") else set()
    if kinds and not kinds <= {"object", "str", "string", "String", "category", "large_string"}:
        return None
    listed = hasattr(X, "columns") or isinstance(X, list | tuple)
    cells = np.asarray(X, dtype=object) if listed else X
    if not isinstance(cells, np.ndarray):
        if not hasattr(cells, "dtype") or str(cells.dtype) not in (
            "object",
            "str",
            "string",
            "String",
            "category",
        ):
            return None
        cells = np.asarray(cells, dtype=object)
    if cells.dtype.kind not in "OUS" or cells.ndim not in (1, 2) or not cells.size:
        return None
    cells = cells.astype(object).reshape(len(cells), -1)
    texts = np.array([isinstance(cell, str | bytes) for cell in cells.ravel()])
    if texts.all():
        return cells
    missing = [cell is None or cell != cell for cell in cells.ravel()[~texts]]
    if texts.any() and all(np.asarray(missing, dtype=bool)):
        row = int(np.flatnonzero(~texts)[0] // cells.shape[1])
        raise DataError(f"X holds text with missing values, the first in row {row}; fill them.")
    return None


def sequences(X: Any, *, always: bool) -> list[Any] | None:
    """Return the rows of X when they are sequences of unequal length; None for other X.

    With `always`, rows of equal length are returned too.
    """
    if hasattr(X, "row_splits") and hasattr(X, "to_list"):  # tf.RaggedTensor
        return list(X.to_list())
    if isinstance(X, np.ndarray) and X.dtype != object:
        return list(X) if always and X.ndim in (2, 3) else None
    if hasattr(X, "columns"):  # a frame has rows of one length
        return list(np.asarray(X)) if always else None
    if not isinstance(X, list | tuple | np.ndarray) and not hasattr(X, "iloc"):
        return None
    cells = list(X)
    if not cells or getattr(X, "ndim", 1) != 1 or not all(map(_is_sequence, cells)):
        return None
    if always or len({len(cell) for cell in cells}) > 1 or isinstance(X, np.ndarray):
        return cells
    return list(cells) if hasattr(X, "iloc") else None


def _is_sequence(cell: Any) -> bool:
    if isinstance(cell, np.ndarray):
        return cell.ndim > 0 and cell.dtype.kind in "biufO"
    flat = isinstance(cell, Iterable) and hasattr(cell, "__len__")
    return flat and not isinstance(cell, str | bytes | dict | set)


def padded(estimator: Any, arrays: list[np.ndarray], length: int) -> np.ndarray:
    """Return sequences as the architectures of this package take them.

    Token ids become ids + 1, and 0 stands behind the end. Numbers get one more feature: 1 in
    every step, and 0, like all other features, behind the end.
    """
    filled = [a for a in arrays if a.size]
    tokens = "vocabulary_size" in estimator._builder_parameters() and all(
        a.ndim == 1 and a.dtype.kind in "iu" for a in filled
    )
    if tokens:
        low = min(int(a.min()) for a in filled)
        if low < 0:
            raise DataError(f"X holds the token id {low}; ids begin at 0.")
        return stacked([a.astype(np.int64) + 1 for a in arrays], "X", length)
    n_features = filled[0].shape[1] if filled and filled[0].ndim == 2 else 1
    rows = np.zeros((len(arrays), length, n_features + 1), "float64")
    for row, array in zip(rows, arrays, strict=True):
        row[: len(array), :-1] = array.reshape(-1, n_features)
        row[: len(array), -1] = 1
    return rows
