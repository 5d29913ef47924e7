"""Keras' layers in NumPy: what each returns when it does not train.

For each class of layers a function takes a layer and returns the variables that it reads, and a
function that makes, of their values, the function of the layer's inputs. It returns None for a
layer whose settings have no such function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._activations import Function, elu, numpy_activation, relu, softmax

Array = np.ndarray
Maker = Callable[..., Function]
Twin = tuple[list[Any], Maker]


def fixed(function: Function) -> Twin:
    """Return the twin of a layer without variables."""
    return [], lambda: function


def dense(layer: Any) -> Twin | None:
    """Return ``activation(x @ kernel + bias)``."""
    activation = numpy_activation(layer.activation)
    if activation is None or getattr(layer, "lora_enabled", False):
        return None
    if getattr(layer, "quantization_mode", None):
        return None

    def make(kernel: Array, bias: Array | None = None) -> Function:
        width, linear = kernel.shape[0], layer.activation is None or activation(_ONE) is _ONE

        def call(x: Array) -> Array:
            y = x.reshape(-1, width).dot(kernel) if x.ndim > 2 else x.dot(kernel)
            if bias is not None:
                y += bias
            if x.ndim > 2:
                y = y.reshape(*x.shape[:-1], -1)
            return y if linear else activation(y)

        return call

    return [layer.kernel, *([layer.bias] if layer.use_bias else [])], make


_ONE = np.ones((1, 2))
_SMALLEST = 1e-7  # of a standard deviation, in Keras' Normalization


def activation_layer(layer: Any) -> Twin | None:
    """Return the twin of ``Activation``."""
    function = numpy_activation(layer.activation)
    return None if function is None else fixed(function)


def _relu_layer(layer: Any) -> Twin:
    slope, top, threshold = layer.negative_slope, layer.max_value, layer.threshold
    return fixed(lambda x: relu(x, slope, top, threshold))


def _leaky_relu(layer: Any) -> Twin:
    return fixed(lambda x: np.where(x > 0, x, layer.negative_slope * x))


def _elu_layer(layer: Any) -> Twin:
    return fixed(lambda x: elu(x, layer.alpha))


def _softmax_layer(layer: Any) -> Twin:
    axis = tuple(layer.axis) if isinstance(layer.axis, list | tuple) else layer.axis
    return fixed(lambda x: softmax(x, axis))


def _prelu(layer: Any) -> Twin:
    def make(alpha: Array) -> Function:
        return lambda x: np.maximum(x, 0.0) + alpha * np.minimum(x, 0.0)

    return [layer.alpha], make


def _along(values: Array, axis: int, rank: int) -> Array:
    """Return values of one axis so that they broadcast against arrays of a rank."""
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


def _batch_norm(layer: Any) -> Twin | None:
    if isinstance(layer.axis, list | tuple):
        return None
    variables = [layer.moving_mean, layer.moving_variance]
    variables += [layer.gamma] if layer.scale else []
    variables += [layer.beta] if layer.center else []

    def make(mean: Array, variance: Array, *rest: Array) -> Function:
        factor = 1.0 / np.sqrt(variance + layer.epsilon)
        if layer.scale:
            factor = factor * rest[0]
        shift = (rest[-1] if layer.center else 0.0) - mean * factor

        def call(x: Array) -> Array:
            if layer.axis in (-1, x.ndim - 1):
                return x * factor + shift
            return x * _along(factor, layer.axis, x.ndim) + _along(shift, layer.axis, x.ndim)

        return call

    return variables, make


def _layer_norm(layer: Any) -> Twin | None:
    axes = tuple(layer.axis) if isinstance(layer.axis, list | tuple) else (layer.axis,)
    if getattr(layer, "rms_scaling", False) or len(axes) != 1:
        return None
    axis = axes[0]
    variables = [v for v in (layer.gamma, layer.beta) if v is not None]

    def make(*values: Array) -> Function:
        def call(x: Array) -> Array:
            centered = x - x.mean(axis=axis, keepdims=True)
            spread = np.square(centered).mean(axis=axis, keepdims=True)
            y = centered / np.sqrt(spread + layer.epsilon)
            rest = [_along(value, axis, x.ndim) for value in values]
            if layer.gamma is not None:
                y = y * rest[0]
            return y if layer.beta is None else y + rest[-1]

        return call

    return variables, make


def _rms_norm(layer: Any) -> Twin | None:
    axes = tuple(layer.axis) if isinstance(layer.axis, list | tuple) else (layer.axis,)
    if len(axes) != 1:
        return None

    def make(scale: Array) -> Function:
        def call(x: Array) -> Array:
            power = np.square(x).mean(axis=axes, keepdims=True)
            return x / np.sqrt(power + layer.epsilon) * _along(scale, axes[0], x.ndim)

        return call

    return [layer.scale], make


def _unit_norm(layer: Any) -> Twin:
    axis = tuple(layer.axis) if isinstance(layer.axis, list | tuple) else layer.axis

    def call(x: Array) -> Array:
        length = np.sqrt(np.square(x).sum(axis=axis, keepdims=True))
        return x / np.maximum(length, 1e-12)

    return fixed(call)


def _normalization(layer: Any) -> Twin | None:
    if layer.mean is None or layer.invert:
        return None
    known: list[Any] = [None, None, None]

    def call(x: Array) -> Array:
        given, mean, factor = known
        if given is not layer.mean:  # another tensor whenever the layer learns
            mean = np.asarray(layer.mean, "float64")
            factor = 1.0 / np.maximum(np.sqrt(np.asarray(layer.variance, "float64")), _SMALLEST)
            known[:] = [layer.mean, mean, factor]
        return (x - mean) * factor

    return fixed(call)


def _rescaling(layer: Any) -> Twin:
    scale, offset = (np.asarray(value, "float64") for value in (layer.scale, layer.offset))
    return fixed(lambda x: x * scale + offset)


def _embedding(layer: Any) -> Twin | None:
    if layer.mask_zero or getattr(layer, "lora_enabled", False):
        return None
    if getattr(layer, "quantization_mode", None):
        return None

    def make(table: Array) -> Function:
        return lambda x: table[codes_of(x, len(table))]

    return [layer._embeddings], make


def codes_of(x: Array, n_codes: int) -> Array:
    """Return numbers as codes; raise where one is none of the codes."""
    codes = x.astype(np.intp)
    if codes.size and (codes.min() < 0 or codes.max() >= n_codes):
        raise IndexError(f"a code is not in [0, {n_codes - 1}]")
    return codes


def _flatten(layer: Any) -> Twin | None:
    if layer.data_format == "channels_first":
        return None
    return fixed(lambda x: x.reshape(len(x), -1))


def _reshape(layer: Any) -> Twin:
    shape = tuple(layer.target_shape)
    return fixed(lambda x: x.reshape(len(x), *shape))


def _permute(layer: Any) -> Twin:
    axes = (0, *layer.dims)
    return fixed(lambda x: x.transpose(axes))


def _repeat(layer: Any) -> Twin:
    return fixed(lambda x: np.repeat(x[:, None], layer.n, axis=1))


def _concatenate(layer: Any) -> Twin:
    return fixed(lambda *parts: np.concatenate(parts, axis=layer.axis))


def _merge(function: Function) -> Callable[[Any], Twin]:
    def merged(*parts: Array) -> Array:
        total = parts[0]
        for part in parts[1:]:
            total = function(total, part)
        return total

    return lambda _: fixed(merged)


def _average(_: Any) -> Twin:
    def mean(*parts: Array) -> Array:
        return sum(parts[1:], parts[0]) / len(parts)

    return fixed(mean)


def _over_steps(function: Function, axes: Sequence[int]) -> Callable[[Any], Twin | None]:
    def twin(layer: Any) -> Twin | None:
        if layer.data_format == "channels_first":
            return None
        return fixed(lambda x: function(x, axis=tuple(axes), keepdims=layer.keepdims))

    return twin


def identity(_: Any) -> Twin:
    """Return the twin of a layer that acts in training only."""
    return fixed(lambda x: x)


LAYERS: dict[str, Callable[[Any], Twin | None]] = {
    "Dense": dense,
    "Activation": activation_layer,
    "ReLU": _relu_layer,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu_layer,
    "PReLU": _prelu,
    "Softmax": _softmax_layer,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "UnitNormalization": _unit_norm,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat,
    "Concatenate": _concatenate,
    "Add": _merge(np.add),
    "Subtract": _merge(np.subtract),
    "Multiply": _merge(np.multiply),
    "Maximum": _merge(np.maximum),
    "Minimum": _merge(np.minimum),
    "Average": _average,
    "GlobalAveragePooling1D": _over_steps(np.mean, [1]),
    "GlobalAveragePooling2D": _over_steps(np.mean, [1, 2]),
    "GlobalMaxPooling1D": _over_steps(np.max, [1]),
    "GlobalMaxPooling2D": _over_steps(np.max, [1, 2]),
    **dict.fromkeys(
        (
            "ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise Identity "
            "SpatialDropout1D SpatialDropout2D SpatialDropout3D"
        ).split(),
        identity,
    ),
}
