"""Tell what kind of value a part of an estimator is, without importing Keras."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np

ESTIMATOR_LIBRARIES = ("sklearn", "imblearn")
_BUILTIN = (bytes, complex, dict, float, frozenset, int, list, set, str, tuple, np.ndarray)
_DEEPEST = 20
_MOST_OBJECTS = 1000


def is_function(value: Any) -> bool:
    return isinstance(value, np.ufunc | types.MethodDescriptorType) or (
        callable(value) and hasattr(value, "__qualname__") and hasattr(value, "__module__")
    )


def is_parcel(value: Any) -> bool:
    """Whether a value is our mark for an object of Keras' or the user's inside a state."""
    cls = type(value)
    return cls.__name__ == "Parcel" and cls.__module__.startswith("skopt_wrap.")


def is_keras(value: Any) -> bool:
    """Whether a value is Keras', found without importing Keras."""
    keras = sys.modules.get("keras")
    if keras is None:
        return False
    if isinstance(value, keras.Model | keras.callbacks.Callback):
        return True
    bases = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    return "keras" in bases and hasattr(value, "get_config")


def has_plain_state(cls: type) -> bool:
    """Whether an object of a class is restored by its attributes alone."""
    if issubclass(cls, _BUILTIN):
        return False
    plain = vars(object)
    return all(
        next(vars(base)[name] for base in cls.__mro__ if name in vars(base)) is plain[name]
        for name in ("__reduce__", "__reduce_ex__")
    )


def holds_other_parts(value: Any, depth: int = 0) -> bool:
    """Whether an object of scikit-learn holds parts that skops does not know: ours or Keras'.

    Parameters
    ----------
    value : object
        An estimator, or what one holds.
    depth : int, default=0
        How deep the value lies.

    Returns
    -------
    holds : bool
        Whether it must be taken apart here.
    """
    top = type(value).__module__.partition(".")[0]
    if top in ("skopt_wrap", "keras") or is_keras(value):
        return True
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return any(holds_other_parts(item, depth + 1) for item in value.values())
    if isinstance(value, list | tuple | set):
        return any(holds_other_parts(item, depth + 1) for item in value)
    if isinstance(value, type) or is_function(value):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype.hasobject and any(
            holds_other_parts(item, depth + 1) for item in value.ravel()[:_MOST_OBJECTS]
        )
    if top in ESTIMATOR_LIBRARIES and hasattr(value, "__dict__"):
        return holds_other_parts(vars(value), depth + 1)
    return False
