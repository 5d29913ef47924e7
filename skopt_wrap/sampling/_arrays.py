"""Small functions on arrays that many transforms share: dtypes and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse


def as_float(X: np.ndarray) -> np.ndarray:
    """Return `X` in the float dtype used for computing: float32 up to 16 bits, else float64.

    Texts are returned as they are.
    """
    if X.dtype.kind == "O":  # texts
        return X
    if X.dtype.kind == "f":
        return X.astype(np.float32) if X.dtype.itemsize < 4 else X
    return X.astype(np.float32 if X.dtype.itemsize <= 2 else np.float64)


def cast_to(X: Any, dtype: np.dtype) -> Any:
    """Return `X` as `dtype`; integers are rounded and clipped to their range."""
    if X.dtype == dtype:
        return X
    if sparse.issparse(X):
        return type(X)((cast_to(X.data, dtype), X.indices, X.indptr), shape=X.shape)
    if dtype.kind in "iu" and X.dtype.kind == "f":
        limits = np.iinfo(dtype)
        high = float(limits.max)
        if high > limits.max:  # int64's maximum is not a float64
            high = np.nextafter(high, 0)
        return np.clip(np.rint(X), limits.min, high).astype(dtype)
    return X.astype(dtype)


def spread(values: np.ndarray, ndim: int) -> np.ndarray:
    """Return one value for each sample, reshaped to broadcast against `ndim` dimensions."""
    return values.reshape(values.shape + (1,) * (ndim - values.ndim))
