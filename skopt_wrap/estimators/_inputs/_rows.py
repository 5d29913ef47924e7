"""The rows of X as a network takes them: one array, or one for each input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...exceptions import DataError

TEXT = "string"


class InputRows:
    """Rows for the named inputs of a network; picking rows picks them of every input.

    Parameters
    ----------
    parts : dict of str to ndarray of shape (n_rows, ...)
        Array of each input.
    n_columns : int
        Columns of X.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._inputs._rows import InputRows
    >>> rows = InputRows({"a": np.zeros((3, 2)), "b": np.ones((3, 1))}, n_columns=3)
    >>> rows.shape, rows[[0, 2]].parts["b"].shape
    ((3, 3), (2, 1))
    """

    dtype = np.dtype(object)

    def __init__(self, parts: dict[str, np.ndarray], n_columns: int) -> None:
        self.parts, self.n_columns = parts, n_columns

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __getitem__(self, rows: Any) -> InputRows:
        return InputRows({name: a[rows] for name, a in self.parts.items()}, self.n_columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of X."""
        return len(self), self.n_columns

    @property
    def row_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of a row of each input."""
        return {name: tuple(a.shape[1:]) for name, a in self.parts.items()}


def is_text(array: Any) -> bool:
    """Return whether rows hold text, in an array of Python objects."""
    return isinstance(array, np.ndarray) and array.dtype == object


def as_network_input(X: Any, dtypes: Any) -> Any:
    """Return validated rows in the dtypes of the network's inputs.

    Parameters
    ----------
    X : ndarray, csr_matrix, csr_array or InputRows
        Validated rows.
    dtypes : str, or dict of str to str
        Dtype of the only input, or of each.

    Returns
    -------
    x : ndarray, csr_matrix, csr_array or dict of str to ndarray
        A dict for `InputRows` of a network that takes several inputs.

    Raises
    ------
    DataError
        For text where the network takes numbers, the reverse, and fractions where it takes whole
        numbers by name.
    """
    if not isinstance(X, InputRows):
        return _cast(X, dtypes, "X") if is_text(X) or dtypes == TEXT else _numbers(X, dtypes)
    if isinstance(dtypes, Mapping):
        return {name: _cast(a, dtypes[name], f"inputs[{name!r}]") for name, a in X.parts.items()}
    ((name, array),) = X.parts.items()
    return _cast(array, dtypes, f"inputs[{name!r}]")


def _numbers(X: Any, dtype: str) -> Any:
    return X.astype(dtype, copy=False)


def _cast(array: np.ndarray, dtype: str, name: str) -> np.ndarray:
    if is_text(array):
        numbers = None if dtype == TEXT else _written_numbers(array)
        if numbers is not None:
            return numbers.astype(dtype)
        if dtype != TEXT:
            raise DataError(
                f"{name} holds text such as {array.ravel()[0]!r}, but the network takes numbers "
                f"({dtype}) there. Begin that input with keras.Input(..., dtype='string') and a "
                "StringLookup, TextVectorization or Hashing layer, or encode the text first."
            )
        return array
    if dtype == TEXT:
        raise DataError(
            f"{name} holds numbers ({array.dtype}), but the network takes text there. Make them "
            "text first, astype(str), or begin the network with a layer for numbers."
        )
    cast = array.astype(dtype, copy=False)
    if np.dtype(dtype).kind in "iu" and array.dtype.kind == "f" and (cast != array).any():
        raise DataError(
            f"{name} holds fractions such as {array[cast != array][0]:g}, but the network takes "
            f"whole numbers ({dtype}) there."
        )
    return cast


def _written_numbers(text: np.ndarray) -> np.ndarray | None:
    """Return numbers that are written as text; None where they are none, or not finite."""
    try:
        numbers = text.astype("float64")
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def first_rows(X: Any, floatx: str) -> Any:
    """Return two rows to try a network on, of numbers in `floatx`; a dict for named inputs."""
    rows = X[:2]
    if isinstance(rows, InputRows):
        return {name: a if is_text(a) else a.astype(floatx) for name, a in rows.parts.items()}
    if is_text(rows):
        return rows
    return (rows.toarray() if sp.issparse(rows) else rows).astype(floatx)
