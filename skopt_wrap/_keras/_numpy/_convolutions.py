"""Keras' convolutions and pooling in NumPy, channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ._activations import Function, numpy_activation
from ._layers import Twin, fixed

Array = np.ndarray


def _padded(
    x: Array, sizes: Sequence[int], strides: Sequence[int], padding: str, value: float
) -> Array:
    """Return `x` with the border that a padding rule asks for."""
    if padding == "valid":
        return x
    border = [(0, 0)]
    for n, size, stride in zip(x.shape[1:-1], sizes, strides, strict=True):
        total = max((-(-n // stride) - 1) * stride + size - n, 0)
        border.append((size - 1, 0) if padding == "causal" else (total // 2, total - total // 2))
    border.append((0, 0))
    if not any(map(any, border)):
        return x
    return np.pad(x, border, constant_values=value)


def _windows(x: Array, sizes: Sequence[int], strides: Sequence[int]) -> Array:
    """Return the windows of `x`: (n_rows, *places, n_channels, *sizes)."""
    axes = tuple(range(1, x.ndim - 1))
    found = sliding_window_view(x, tuple(sizes), axis=axes)
    return found[(slice(None), *(slice(None, None, stride) for stride in strides))]


def convolution(layer: Any) -> Twin | None:
    """Return the twin of ``Conv1D`` and ``Conv2D``."""
    activation = numpy_activation(layer.activation)
    plain = layer.groups == 1 and set(layer.dilation_rate) == {1}
    if activation is None or not plain or layer.data_format != "channels_last":
        return None
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return None
    sizes, strides, padding = tuple(layer.kernel_size), tuple(layer.strides), layer.padding

    def make(kernel: Array, bias: Array | None = None) -> Function:
        matrix = kernel.reshape(-1, kernel.shape[-1])
        n = len(sizes)
        order = (*range(n + 1), *range(n + 2, 2 * n + 2), n + 1)

        def call(x: Array) -> Array:
            windows = _windows(_padded(x, sizes, strides, padding, 0.0), sizes, strides)
            places = windows.shape[: n + 1]
            y = windows.transpose(order).reshape(-1, len(matrix)).dot(matrix)
            if bias is not None:
                y += bias
            return activation(y.reshape(*places, -1))

        return call

    return [layer._kernel, *([layer.bias] if layer.use_bias else [])], make


def _pooling(function: Function, border: float) -> Callable[[Any], Twin | None]:
    def twin(layer: Any) -> Twin | None:
        averages = border == 0.0
        if layer.data_format != "channels_last" or (averages and layer.padding != "valid"):
            return None
        sizes, strides = (
            (value,) if isinstance(value, int) else tuple(value)
            for value in (layer.pool_size, layer.strides)
        )

        def call(x: Array) -> Array:
            x = _padded(x, sizes, strides, layer.padding, border)
            windows = _windows(x, sizes, strides)
            return function(windows, axis=tuple(range(-len(sizes), 0)))

        return fixed(call)

    return twin


CONVOLUTIONS: dict[str, Callable[[Any], Twin | None]] = {
    "Conv1D": convolution,
    "Conv2D": convolution,
    "MaxPooling1D": _pooling(np.max, -np.inf),
    "MaxPooling2D": _pooling(np.max, -np.inf),
    "AveragePooling1D": _pooling(np.mean, 0.0),
    "AveragePooling2D": _pooling(np.mean, 0.0),
}
