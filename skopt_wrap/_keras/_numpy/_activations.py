"""Keras' activations in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf, expit, log_expit
from scipy.special import log_softmax as _log_softmax

from .._backend import load_keras

Array = np.ndarray
Function = Callable[..., Array]

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def relu(x: Array, slope: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Array:
    """Return `x`, bounded from above, or a line of the given slope below the threshold."""
    if not slope and not threshold:
        y = np.maximum(x, 0.0)
    else:
        y = np.where(x > threshold, x, slope * np.minimum(x - threshold, 0.0))
    return y if max_value is None else np.minimum(y, max_value)


def softmax(x: Array, axis: Any = -1) -> Array:
    """Return shares whose logarithms differ as the values of `x` do."""
    y = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return `x` where it is positive, else ``alpha * (exp(x) - 1)``."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _celu(x: Array, alpha: float = 1.0) -> Array:
    return np.maximum(x, 0.0) + alpha * np.expm1(np.minimum(x, 0.0) / alpha)


def _gelu(x: Array, approximate: bool = False) -> Array:
    if approximate:
        return 0.5 * x * (1.0 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0


def _glu(x: Array) -> Array:
    first, second = np.split(x, 2, axis=-1)
    return first * expit(second)


_ACTIVATIONS: dict[str, Function] = {
    "celu": _celu,
    "elu": elu,
    "exponential": np.exp,
    "gelu": _gelu,
    "glu": _glu,
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0.0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1.0, 1.0),
    "leaky_relu": lambda x: relu(x, 0.2),
    "linear": lambda x: x,
    "log_sigmoid": log_expit,
    "log_softmax": lambda x: _log_softmax(x, axis=-1),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "relu": relu,
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "selu": lambda x: _SELU_SCALE * elu(x, _SELU_ALPHA),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0.0),
    "softmax": softmax,
    "softplus": _softplus,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x >= 1, x, 0.25 * np.square(np.maximum(x + 1.0, 0.0))),
    "sparse_sigmoid": lambda x: np.clip(0.5 * (x + 1.0), 0.0, 1.0),
    "squareplus": lambda x: (x + np.sqrt(np.square(x) + 4.0)) / 2.0,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
}


def numpy_activation(activation: Any) -> Function | None:
    """Return a function of NumPy that computes what a Keras activation does, or None.

    Parameters
    ----------
    activation : callable or None
        As layers hold it.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap._keras._numpy._activations import numpy_activation
    >>> numpy_activation(keras.activations.relu)(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if activation is None:
        return _ACTIVATIONS["linear"]
    name = getattr(activation, "__name__", "")
    known = name in _ACTIVATIONS and getattr(load_keras().activations, name, None) is activation
    return _ACTIVATIONS[name] if known else None
