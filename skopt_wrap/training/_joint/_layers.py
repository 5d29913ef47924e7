"""Layers of several networks of equal architecture, computed by one operation for all.

Values carry a leading axis of networks: rows are (networks, rows, ...), a kernel (networks, in,
out). A layer is described by a plain tuple, so that descriptions of equal layers are equal and a
traced graph needs no Keras object. A layer that is not described here is not trained jointly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._keras import (
    is_table_layer,
    load_keras,
    load_tensorflow,
    own_class_name,
    prepare_columns,
)
from . import _convolution, _member_layers, _table_network_layers
from ._layer_spec import LayerSpec, NotJointlyTrainable, activated, dropout_spec

_MERGES = ("Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum")


_OWN = {**_table_network_layers.DESCRIBERS, **_member_layers.DESCRIBERS}


def describe(layer: Any) -> list[LayerSpec]:
    """Return the steps that `layer` consists of.

    Raises
    ------
    NotJointlyTrainable
        For a layer, or a setting of it, that is not among those known here.
    """
    keras = load_keras()
    kind = type(layer).__name__
    if is_table_layer(layer):
        return [LayerSpec("Table", (layer.columns,), stats=(layer.center, layer.factor))]
    own = _OWN.get(own_class_name(layer) or "")
    if own is None and getattr(keras.layers, kind, None) is not type(layer):
        raise NotJointlyTrainable(f"{kind} is not a layer of Keras")
    if not layer.trainable:
        raise NotJointlyTrainable(f"{layer.name} is frozen")
    if getattr(layer, "activity_regularizer", None) is not None:
        raise NotJointlyTrainable(f"{layer.name} has an activity_regularizer")
    policy = layer.dtype_policy
    if policy.compute_dtype != policy.variable_dtype or policy.name not in ("float32", "float64"):
        raise NotJointlyTrainable(f"{layer.name} computes in {policy.name}")
    if any(variable.constraint is not None for variable in layer.trainable_variables):
        raise NotJointlyTrainable(f"{layer.name} has a constraint")
    maker = own or _DESCRIBERS.get(kind)
    if maker is not None:
        return maker(layer)
    if kind in _MERGES:
        return [LayerSpec(kind)]
    raise NotJointlyTrainable(f"layers of type {kind} are trained one network at a time")


def _dense(layer: Any) -> list[LayerSpec]:
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise NotJointlyTrainable(f"{layer.name} is quantized or has LoRA weights")
    weights = (layer.kernel,) if layer.bias is None else (layer.kernel, layer.bias)
    return [LayerSpec("Dense", (layer.bias is not None,), weights), *activated(layer)]


def _elementwise(*names: str) -> Callable[[Any], list[LayerSpec]]:
    def make(layer: Any) -> list[LayerSpec]:
        keras = load_keras()
        options = tuple((name, _number(getattr(layer, name))) for name in names)
        function = {
            "ReLU": keras.activations.relu,
            "LeakyReLU": keras.activations.leaky_relu,
            "ELU": keras.activations.elu,
        }[type(layer).__name__]
        return [LayerSpec("Activation", (function, options))]

    return make


def _number(value: Any) -> Any:
    return None if value is None else float(value)


def _softmax(layer: Any) -> list[LayerSpec]:
    if layer.axis != -1:
        raise NotJointlyTrainable(f"{layer.name} works on axis {layer.axis}")
    return [LayerSpec("Activation", (load_keras().activations.softmax,))]


def _dropout(layer: Any) -> list[LayerSpec]:
    if layer.noise_shape is not None:
        raise NotJointlyTrainable(f"{layer.name} has a noise_shape")
    return dropout_spec("Dropout", layer)


def _batch_normalization(layer: Any) -> list[LayerSpec]:
    if layer.axis != -1:
        raise NotJointlyTrainable(f"{layer.name} normalizes axis {layer.axis}")
    if getattr(layer, "renorm", False) or layer.synchronized:
        raise NotJointlyTrainable(f"{layer.name} is synchronized or renormalized")
    weights = [layer.gamma] if layer.scale else []
    weights += [layer.beta] if layer.center else []
    settings = (bool(layer.scale), bool(layer.center), float(layer.momentum), float(layer.epsilon))
    return [
        LayerSpec(
            "BatchNormalization",
            settings,
            tuple(weights),
            stats=(layer.moving_mean, layer.moving_variance),
        )
    ]


def _flatten(layer: Any) -> list[LayerSpec]:
    if layer.data_format != "channels_last":
        raise NotJointlyTrainable(f"{layer.name} takes channels first")
    between = layer.input.shape[1:-1]
    return [LayerSpec("Flatten", size=None if None in between else int(np.prod(between)))]


def _concatenate(layer: Any) -> list[LayerSpec]:
    if layer.axis != -1:
        raise NotJointlyTrainable(f"{layer.name} joins axis {layer.axis}")
    return [LayerSpec("Concatenate")]


_DESCRIBERS: dict[str, Callable[[Any], list[LayerSpec]]] = {
    "Dense": _dense,
    "Activation": activated,
    "ReLU": _elementwise("negative_slope", "max_value", "threshold"),
    "LeakyReLU": _elementwise("negative_slope"),
    "ELU": _elementwise("alpha"),
    "Softmax": _softmax,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Reshape": lambda layer: [LayerSpec("Reshape", tuple(layer.target_shape))],
    "Identity": lambda _layer: [],
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    **_convolution.DESCRIBERS,
}


def compute(
    kind: str,
    settings: tuple[Any, ...],
    values: list[Any],
    weights: list[Any],
    stats: list[Any],
    noise: Callable[..., Any] | None,
) -> tuple[Any, list[Any]]:
    """Return the output of one step, and its statistics after it.

    Parameters
    ----------
    kind, settings : str, tuple
        Of the description.
    values : list of tensor of shape (networks, rows, ...)
        Inputs.
    weights, stats : list of tensor of shape (networks, ...)
        Variables of the step.
    noise : callable or None
        Applies dropout; None outside training.
    """
    tf, x = load_tensorflow(), values[0]
    if kind in _convolution.COMPUTED:
        return _convolution.COMPUTED[kind](settings, x, weights, noise), stats
    if kind in _table_network_layers.COMPUTED:
        return _table_network_layers.COMPUTED[kind](settings, x, weights, stats), stats
    if kind in _member_layers.COMPUTED:
        own, training = _member_layers.COMPUTED[kind], noise is not None
        return own(settings, x, weights, stats, training), stats
    if kind == "Dense":
        kernel, bias = weights[0], weights[1] if settings[0] else None
        if x.shape.rank == 3:
            return _affine(x, kernel, bias), stats
        shape = tf.shape(x)
        flat = tf.reshape(x, [shape[0], -1, tf.shape(kernel)[1]])
        wide = tf.concat([shape[:-1], tf.shape(kernel)[2:]], 0)
        return tf.reshape(_affine(flat, kernel, bias), wide), stats
    if kind == "Activation":
        function, options = settings[0], dict(settings[1]) if len(settings) > 1 else {}
        return function(x, **options), stats
    if kind == "FadingDropout":
        return (x if noise is None else noise(x, coarse=True)), stats
    if kind == "Dropout":
        return (x if noise is None else noise(x)), stats
    if kind == "Flatten":
        shape = tf.shape(x)
        return tf.reshape(x, [shape[0], shape[1], _size(x)]), stats
    if kind == "Reshape":
        shape = tf.shape(x)
        wanted = tf.constant([int(n) for n in settings], tf.int32)
        return tf.reshape(x, tf.concat([shape[:2], wanted], 0)), stats
    if kind == "BatchNormalization":
        return _normalized(settings, x, weights, stats, training=noise is not None)
    if kind == "Concatenate":
        return tf.concat(values, -1), stats
    if kind == "Table":
        center, factor = (tf.expand_dims(stat, 1) for stat in stats)
        return prepare_columns(x, center, factor, settings[0]), stats
    return _merged(kind, values), stats


def _affine(x: Any, kernel: Any, bias: Any) -> Any:
    """Return ``x @ kernel + bias``, with a gradient that does not look for broadcast axes."""
    tf = load_tensorflow()
    if bias is None:
        return tf.raw_ops.BatchMatMul(x=x, y=kernel)

    @tf.custom_gradient
    def affine(x: Any, kernel: Any, bias: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any, Any]:
            return (
                tf.raw_ops.BatchMatMul(x=upstream, y=kernel, adj_y=True),
                tf.raw_ops.BatchMatMul(x=x, y=upstream, adj_x=True),
                tf.reduce_sum(upstream, 1),
            )

        return tf.raw_ops.BatchMatMul(x=x, y=kernel) + tf.expand_dims(bias, 1), gradient

    return affine(x, kernel, bias)


def _size(x: Any) -> Any:
    """Return the number of values in a row."""
    tf, known = load_tensorflow(), x.shape[2:].num_elements()
    return known if known is not None else tf.reduce_prod(tf.shape(x)[2:])


def _normalized(
    settings: tuple[Any, ...], x: Any, weights: list[Any], stats: list[Any], *, training: bool
) -> tuple[Any, list[Any]]:
    """Batch normalization of each network by itself, as ``keras.layers.BatchNormalization``."""
    tf = load_tensorflow()
    scale, center, momentum, epsilon = settings
    shape = tf.shape(x)
    if x.shape.rank > 3:  # positions are rows like any other; fewer axes are faster
        x = tf.reshape(x, [shape[0], -1, shape[-1]])
    gamma = tf.expand_dims(weights[0], 1) if scale else None
    beta = tf.expand_dims(weights[-1], 1) if center else None
    if training:
        mean, variance = tf.nn.moments(x, [1])
        stats = [
            old * momentum + new * (1.0 - momentum)
            for old, new in zip(stats, (mean, variance), strict=True)
        ]
    else:
        mean, variance = stats
    mean, variance = tf.expand_dims(mean, 1), tf.expand_dims(variance, 1)
    found = tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)
    return tf.reshape(found, shape), stats


def _merged(kind: str, values: list[Any]) -> Any:
    tf = load_tensorflow()
    step = {
        "Add": tf.add,
        "Average": tf.add,
        "Multiply": tf.multiply,
        "Subtract": tf.subtract,
        "Maximum": tf.maximum,
        "Minimum": tf.minimum,
    }[kind]
    x = values[0]
    for value in values[1:]:
        x = step(x, value)
    return x / len(values) if kind == "Average" else x
