"""Convolutions, poolings and their like, of several networks at once.

Values are (networks, rows, positions ..., channels). A convolution is computed network by network,
because a kernel belongs to one of them; everything else treats the samples of all networks as one
batch. Numbers of channels and sizes of kernels are known only when the graph runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._keras import load_tensorflow
from ._layer_spec import LayerSpec, NotJointlyTrainable, activated, dropout_spec


def _convolution(layer: Any) -> list[LayerSpec]:
    _channels_last(layer)
    if layer.groups != 1:
        raise NotJointlyTrainable(f"{layer.name} has groups")
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise NotJointlyTrainable(f"{layer.name} is quantized or has LoRA weights")
    weights = (layer.kernel,) if layer.bias is None else (layer.kernel, layer.bias)
    settings = (tuple(layer.strides), layer.padding, tuple(layer.dilation_rate))
    return [LayerSpec("Conv", (*settings, layer.bias is not None), weights), *activated(layer)]


def _pooling(layer: Any) -> list[LayerSpec]:
    _channels_last(layer)
    settings = (tuple(layer.pool_size), tuple(layer.strides), layer.padding.upper())
    return [LayerSpec("MaxPool" if layer.pool_mode == "max" else "AveragePool", settings)]


def _global_pooling(kind: str) -> Callable[[Any], list[LayerSpec]]:
    def make(layer: Any) -> list[LayerSpec]:
        _channels_last(layer)
        return [LayerSpec(kind, (bool(layer.keepdims),))]

    return make


def _zero_padding(layer: Any) -> list[LayerSpec]:
    _channels_last(layer)
    sides = layer.padding if isinstance(layer.padding[0], (tuple, list)) else [layer.padding]
    return [LayerSpec("ZeroPadding", tuple(tuple(side) for side in sides))]


def _spatial_dropout(layer: Any) -> list[LayerSpec]:
    _channels_last(layer)
    return dropout_spec("SpatialDropout", layer)


def _channels_last(layer: Any) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise NotJointlyTrainable(f"{layer.name} takes channels first")


DESCRIBERS: dict[str, Callable[[Any], list[LayerSpec]]] = {
    name + rank: maker
    for rank in ("1D", "2D")
    for name, maker in {
        "Conv": _convolution,
        "MaxPooling": _pooling,
        "AveragePooling": _pooling,
        "GlobalMaxPooling": _global_pooling("GlobalMaxPool"),
        "GlobalAveragePooling": _global_pooling("GlobalAveragePool"),
        "ZeroPadding": _zero_padding,
        "SpatialDropout": _spatial_dropout,
    }.items()
}


def _convolve(settings: tuple[Any, ...], x: Any, weights: list[Any], _noise: Any) -> Any:
    """Return the convolution of each network's values with its kernel, plus its bias."""
    tf, (strides, padding, dilations, biased) = load_tensorflow(), settings
    networks = x.shape[0]
    if padding == "causal" or (padding == "same" and max(dilations) > 1):
        # TensorFlow pads for a dilated kernel only where its size is known beforehand.
        wide = [d * (tf.shape(weights[0])[i + 1] - 1) for i, d in enumerate(dilations)]
        before = [n if padding == "causal" else n // 2 for n in wide]
        sides = [[n, whole - n] for n, whole in zip(before, wide, strict=True)]
        x, padding = tf.pad(x, [[0, 0], [0, 0], *sides, [0, 0]]), "valid"
    parts = [tf.unstack(part, num=networks) for part in (x, *weights)]
    found = [
        tf.nn.convolution(rows, kernel, list(strides), padding.upper(), dilations=list(dilations))
        for rows, kernel in zip(parts[0], parts[1], strict=True)
    ]
    if biased:
        found = [tf.nn.bias_add(rows, bias) for rows, bias in zip(found, parts[2], strict=True)]
    return tf.stack(found)


def _pooled(average: bool) -> Callable[..., Any]:
    def pool(settings: tuple[Any, ...], x: Any, _weights: list[Any], _noise: Any) -> Any:
        tf, (size, strides, padding) = load_tensorflow(), settings
        function = tf.nn.avg_pool if average else tf.nn.max_pool
        shape = tf.shape(x)
        rows = tf.reshape(x, tf.concat([[-1], shape[2:]], 0))
        found = function(rows, size, strides, padding, "NWC" if len(size) == 1 else "NHWC")
        return tf.reshape(found, tf.concat([shape[:2], tf.shape(found)[1:]], 0))

    return pool


def _pooled_globally(average: bool) -> Callable[..., Any]:
    def pool(settings: tuple[Any, ...], x: Any, _weights: list[Any], _noise: Any) -> Any:
        tf, axes = load_tensorflow(), list(range(2, x.shape.rank - 1))
        function = tf.reduce_mean if average else tf.reduce_max
        return function(x, axes, keepdims=settings[0])

    return pool


def _padded(settings: tuple[Any, ...], x: Any, _weights: list[Any], _noise: Any) -> Any:
    return load_tensorflow().pad(x, [[0, 0], [0, 0], *map(list, settings), [0, 0]])


def _drop_channels(_settings: tuple[Any, ...], x: Any, _weights: list[Any], noise: Any) -> Any:
    if noise is None:
        return x
    tf = load_tensorflow()
    shape = tf.shape(x)
    ones = [1] * (x.shape.rank - 3)
    return noise(x, tf.concat([shape[1:2], ones, shape[-1:]], 0))


# Of settings, values, weights and noise, as for `compute`.
COMPUTED: dict[str, Callable[..., Any]] = {
    "Conv": _convolve,
    "MaxPool": _pooled(average=False),
    "AveragePool": _pooled(average=True),
    "GlobalMaxPool": _pooled_globally(average=False),
    "GlobalAveragePool": _pooled_globally(average=True),
    "ZeroPadding": _padded,
    "SpatialDropout": _drop_channels,
}
