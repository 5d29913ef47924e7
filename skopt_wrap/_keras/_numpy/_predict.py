"""Raw outputs of a network for an estimator: by NumPy where that is faster, else by TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._backend import load_keras
from .._inspect import functional_class
from .._predict import predict_raw
from .._predict_nested import predict_nested
from .._structure import input_tensors
from ._network import NoTwinError, NumpyNetwork

_ATTRIBUTE = "_skopt_wrap_numpy"
# Beyond this many multiplications TensorFlow is as fast (benchmarks/estimator_overhead.py).
_MOST_MULTIPLICATIONS = 2**20
_MOST_FOR_ONE_ROW = 2**20
_CHECKED_ROWS = 32
_FAR = 1e30
_TOLERANCE = 1e-6


def predict_rows(model: Any, x: Any, *, rows: int | None = None, nested: bool = False) -> Any:
    """Return the raw outputs of `model` for the rows of `x`.

    A network of layers that are known here is computed by NumPy as long as the rows are few. It is
    compared with the network at the first call, and left where outputs differ by more than 1e-6 of
    their size. With many rows the outputs come from TensorFlow and differ by less than that.

    Parameters
    ----------
    model : keras.Model
        Built network.
    x : ndarray or dict of str to ndarray
        Rows as the network takes them.
    rows : int, default=None
        Rows computed together by TensorFlow, which then computes all; None lets their size decide.
    nested : bool, default=False
        Whether the network has several inputs or outputs, or takes text.

    Returns
    -------
    outputs : ndarray, or list or dict of ndarray, of shape (n_rows, ...)
        Raw outputs; float32 for half-precision networks.
    """
    twin = None if rows is not None else _twin_for(model, x, nested)
    if twin is not None:
        found = _by_numpy(twin, model, x)
        if found is not None:
            return found
    return _by_tensorflow(model, x, rows, nested)


def _by_tensorflow(model: Any, x: Any, rows: int | None, nested: bool) -> Any:
    return (predict_nested if nested else predict_raw)(model, x, rows=rows)


def _by_numpy(twin: NumpyNetwork, model: Any, x: Any) -> Any:
    """Return outputs, or None where the rows are too many or hold what only TensorFlow refuses."""
    n_rows = len(next(iter(x.values())) if isinstance(x, Mapping) else x)
    if not n_rows or n_rows * twin.multiplications > _MOST_MULTIPLICATIONS:
        return None
    given = _in_order(model, x)
    if any(not _moderate(array) for array in (given if isinstance(given, list) else [given])):
        return None
    try:
        return twin(given)
    except IndexError:  # a code that the network does not know
        return None


def _moderate(x: np.ndarray) -> bool:
    """Return whether float32 numbers are so small that sums of them do not overflow; or NaN."""
    return x.dtype != np.float32 or not (x.max() > _FAR or x.min() < -_FAR)


def _in_order(model: Any, x: Any) -> Any:
    """Return the rows of each input in the order of the network's inputs."""
    if not isinstance(x, Mapping):
        return x
    places = {id(tensor): name for name, tensor in (input_tensors(model) or {}).items()}
    return [x[places[id(tensor)]] for tensor in model.inputs]


def _twin_for(model: Any, x: Any, nested: bool) -> NumpyNetwork | None:
    """Return the network in NumPy, checked once; None where there is none."""
    known = model.__dict__.get(_ATTRIBUTE)
    if known is None:
        known = (_checked(model, x, nested),)
        object.__setattr__(model, _ATTRIBUTE, known)
    twin: NumpyNetwork | None = known[0]
    return twin


def _checked(model: Any, x: Any, nested: bool) -> NumpyNetwork | None:
    """Return the network in NumPy if it computes what `model` does."""
    keras = load_keras()
    arrays = list(x.values()) if isinstance(x, Mapping) else [x]
    if type(model) not in (keras.Sequential, keras.Model, functional_class()) or not model.inputs:
        return None
    if not all(isinstance(a, np.ndarray) and a.dtype.kind in "fiu" and len(a) for a in arrays):
        return None
    try:
        twin = NumpyNetwork(model)
        if twin.multiplications > _MOST_FOR_ONE_ROW:
            return None
        rows = _varied(x, twin)
        found = twin(_in_order(model, rows))
    except (NoTwinError, IndexError):
        return None
    expected = _by_tensorflow(model, rows, None, nested)
    flat = keras.tree.flatten
    return twin if all(map(_agree, flat(found), flat(expected))) else None


def _varied(x: Any, twin: NumpyNetwork) -> Any:
    """Return some rows, and multiples of them where rows hold numbers and no codes."""
    if isinstance(x, Mapping):
        return {name: array[:_CHECKED_ROWS] for name, array in x.items()}
    some = x[:_CHECKED_ROWS]
    if twin.takes_codes or some.dtype.kind != "f":
        return some
    places = np.arange(_CHECKED_ROWS) % len(some)
    factors = np.where(np.arange(_CHECKED_ROWS) < len(some), 1.0, np.linspace(-2, 2, _CHECKED_ROWS))
    shape = (-1, *[1] * (some.ndim - 1))
    return (some[places] * factors.reshape(shape)).astype(some.dtype)


def _agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether outputs are the same up to the rounding of the network's own arithmetic."""
    finite = np.isfinite(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    size = np.abs(expected[finite]).max(initial=1.0)
    return bool(np.abs(found[finite] - expected[finite]).max(initial=0.0) <= _TOLERANCE * size)
