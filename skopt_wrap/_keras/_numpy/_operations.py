"""Keras operations that are no layers, as they stand in the graph of a functional network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._activations import Function

Array = np.ndarray
_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


def _cast(operation: Any) -> Function | None:
    if operation.dtype in ("float32", "float64"):
        return lambda x: x.astype("float64", copy=False)
    return (lambda x: x.astype("int64")) if operation.dtype in _WHOLE else None


def _plain(function: Function) -> Callable[[Any], Function]:
    return lambda _: function


_OPERATIONS: dict[str, Callable[[Any], Function | None]] = {
    "Absolute": _plain(np.abs),
    "Add": _plain(np.add),
    "Cast": _cast,
    "Divide": _plain(np.true_divide),
    "Exp": _plain(np.exp),
    "GetItem": _plain(lambda x, key: x[key]),
    "Maximum": _plain(np.maximum),
    "Minimum": _plain(np.minimum),
    "Multiply": _plain(np.multiply),
    "Negative": _plain(np.negative),
    "Square": _plain(np.square),
    "Subtract": _plain(np.subtract),
    "TrueDivide": _plain(np.true_divide),
}


def numpy_operation(operation: Any) -> Function | None:
    """Return a function of NumPy that takes what `operation` takes, or None."""
    kind = type(operation)
    if not kind.__module__.startswith("keras.src.ops."):
        return None
    make = _OPERATIONS.get(kind.__name__)
    return None if make is None else make(operation)
