"""Copy a Keras 3 network to tf_keras (Keras 2) and its weights back. In the conversion process.

The contract: the copy predicts what the network predicts, to 1e-6, checked after every step; or
an `UnsupportedLayerError` names the layer. Networks are rebuilt layer by layer: neither the
configurations nor the files of Keras 3 can be loaded by Keras 2. Only settings that mean the
same on both sides are carried over (``hard_sigmoid``, for one, is another function there).
Regularizers and initializers are left behind: the copy is fine-tuned, not trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ..._keras import applied_once, is_table_layer, mask_operations, run_graph
from ...exceptions import ConversionError, SkoptWrapError, UnsupportedLayerError
from ._operations import apply_operation

TOLERANCE = 1e-6

_CONV = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups",
         "activation", "use_bias")  # fmt: skip
_POOL = ("pool_size", "strides", "padding", "data_format")
_GLOBAL = ("data_format", "keepdims")
_RNN = ("units", "activation", "recurrent_activation", "use_bias", "return_sequences",
        "go_backwards", "dropout", "recurrent_dropout")  # fmt: skip

# Layer -> settings that mean the same in both.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "Dense": ("units", "activation", "use_bias"),
    "Conv1D": _CONV,
    "Conv2D": _CONV,
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "depth_multiplier", "data_format",
                        "dilation_rate", "activation", "use_bias"),
    "SeparableConv2D": ("filters", "kernel_size", "strides", "padding", "data_format",
                        "dilation_rate", "depth_multiplier", "activation", "use_bias"),
    "MaxPooling1D": _POOL,
    "MaxPooling2D": _POOL,
    "AveragePooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "GlobalMaxPooling1D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalAveragePooling1D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "Flatten": ("data_format",),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "RepeatVector": ("n",),
    "ZeroPadding1D": ("padding",),
    "ZeroPadding2D": ("padding", "data_format"),
    "Dropout": ("rate",),
    "SpatialDropout1D": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianNoise": ("stddev",),
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "Activation": ("activation",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Softmax": ("axis",),
    "Embedding": ("input_dim", "output_dim", "mask_zero"),
    "Masking": ("mask_value",),
    "LSTM": _RNN,
    "GRU": (*_RNN, "reset_after"),
    "SimpleRNN": tuple(name for name in _RNN if name != "recurrent_activation"),
    "Rescaling": ("scale", "offset"),
    "Add": (),
    "Subtract": (),
    "Multiply": (),
    "Average": (),
    "Maximum": (),
    "Minimum": (),
    "Concatenate": ("axis",),
}  # fmt: skip

# Settings that must keep this value: the copy would mean something else.
_FIXED: dict[str, Any] = {
    "stateful": False,
    "return_state": False,
    "zero_output_for_mask": False,
    "synchronized": False,
    "rms_scaling": False,
    "quantization_config": None,
    "lora_rank": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "recurrent_constraint": None,
    "embeddings_constraint": None,
    "gamma_constraint": None,
    "beta_constraint": None,
    "depthwise_constraint": None,
    "pointwise_constraint": None,
}

_ACTIVATIONS = frozenset({"linear", "relu", "softmax", "sigmoid", "tanh", "elu", "selu", "gelu",
                          "softplus", "softsign", "exponential", "silu", "relu6"})  # fmt: skip
_RENAMED = {"silu": "swish", "relu6": None}

# Stands for a mask: Keras 3 writes masks into its graph, tf_keras passes them on by itself.
_MASK = object()

SUPPORTED = (*_SETTINGS, "Bidirectional", "InputLayer")


def to_tf_keras(
    model: Any, wrap: Callable[[Any, Any], Any] | None = None
) -> tuple[Any, dict[Any, Any]]:
    """Return a tf_keras copy of `model`, and the copy of each of its layers.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional, built.
    wrap : callable, default=None
        ``wrap(layer, copied_layer)`` returns what to put into the graph for a layer: the copy
        layer, or a wrapper around it.

    Returns
    -------
    copy : tf_keras.Model
        With the same weights.
    layers : dict
        Layer of `model` -> its copy, unwrapped.

    Raises
    ------
    UnsupportedLayerError
        For a layer without a copy, by name.
    """
    import tf_keras

    layers: dict[Any, Any] = {}
    placed: dict[Any, Any] = {}

    def place(operation: Any) -> Any:
        if not isinstance(operation, keras.Layer) or is_table_layer(operation):
            return operation
        if operation not in placed:
            layers[operation] = _copied_layer(operation)
            placed[operation] = wrap(operation, layers[operation]) if wrap else layers[operation]
        return placed[operation]

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation in masking:
            return _MASK
        if any(arg is _MASK for arg in args):
            raise UnsupportedLayerError(f"layer {operation.name!r} computes with a mask.")
        if is_table_layer(operation):  # it has nothing to train, and is run as it is
            return apply_operation(operation, args, {})[1]
        if isinstance(operation, keras.Operation):
            other, outputs = apply_operation(operation, args, kwargs)
            layers[operation] = other
            return outputs
        extra = {k: v for k, v in kwargs.items() if v is not None and k not in ("mask", "training")}
        if extra:
            raise UnsupportedLayerError(
                f"layer {operation.name!r} is called with {sorted(extra)}, which has no "
                "counterpart in Keras 2."
            )
        return operation(*args)

    source = model.inputs[0]
    start = tf_keras.Input(shape=tuple(source.shape[1:]), dtype=source.dtype)
    masking = mask_operations(model)
    try:
        outputs = run_graph(model, [start], place, call)
    except SkoptWrapError:
        raise
    except Exception as error:  # Keras 2 has limits of its own, which it tells in many ways
        reason = str(error).strip().partition("\n")[0]
        raise UnsupportedLayerError(
            f"Keras 2 cannot rebuild the network: {type(error).__name__}: {reason}"
        ) from error
    while isinstance(outputs, (list, tuple, dict)):
        outputs = next(iter(outputs.values() if isinstance(outputs, dict) else outputs))
    copy = tf_keras.Model(start, outputs)
    for layer, other in layers.items():
        if getattr(layer, "weights", None):
            other.set_weights(layer.get_weights())
    return copy, layers


def copy_back(layers: dict[Any, Any]) -> None:
    """Write the weights of each copied layer into the layer it was made from, by their names."""
    for layer, other in layers.items():
        if not isinstance(layer, keras.Layer):
            continue  # an operation has no weights
        found = {_role(weight.name): weight for weight in other.weights}
        if ("", "depthwise_kernel") in found and type(layer).__name__ == "DepthwiseConv2D":
            found["", "kernel"] = found.pop(("", "depthwise_kernel"))
        roles = [_role(weight.path) for weight in layer.weights]
        if set(found) != set(roles) or len(found) != len(other.weights):
            raise ConversionError(
                f"layer {layer.name!r}: its copy has the weights {sorted(found)} instead of "
                f"{sorted(roles)}."
            )
        for weight, role in zip(layer.weights, roles, strict=True):
            weight.assign(found[role].numpy())


def _role(path: str) -> tuple[str, str]:
    """Return what a weight is in its layer: its name, and the direction of a wrapped layer."""
    *scopes, name = path.partition(":")[0].split("/")
    starts = [scope.partition("_")[0] for scope in scopes]
    way = next((start for start in starts if start in ("forward", "backward")), "")
    return way, name


def check_same(first: Any, second: Any, x: np.ndarray, step: str) -> float:
    """Return the largest difference of two networks' outputs; raise above 1e-6.

    The difference is taken relative to outputs larger than 1.
    """
    a = np.asarray(first(x, training=False), dtype=np.float64)
    b = np.asarray(second(x, training=False), dtype=np.float64)
    if a.shape != b.shape:
        raise ConversionError(f"{step}: outputs of shape {b.shape} instead of {a.shape}.")
    difference = float(np.max(np.abs(a - b) / np.maximum(1, np.abs(a).max()), initial=0.0))
    if not difference <= TOLERANCE:
        raise ConversionError(
            f"{step}: outputs differ by {difference:.2g}, more than {TOLERANCE:g}; "
            "the network cannot be carried over."
        )
    return difference


def check_copy(model: Any, copy: Any, layers: dict[Any, Any], x: np.ndarray) -> None:
    """Raise UnsupportedLayerError, naming the layer, unless the copy answers as `model` does.

    Parameters
    ----------
    model : keras.Model
        The network.
    copy, layers : object
        As :func:`to_tf_keras` returned them, its layers unwrapped or wrapped.
    x : ndarray
        Rows on which they are compared.
    """
    try:
        check_same(model, copy, x, "Keras 3 to Keras 2")
    except ConversionError as error:
        raise UnsupportedLayerError(f"{_first_other(model, copy, layers, x)}{error}") from error


def _first_other(model: Any, copy: Any, layers: dict[Any, Any], x: np.ndarray) -> str:
    """Return which layer is the first whose copy answers otherwise, where it can be told."""
    import tf_keras

    placed = {getattr(item, "layer", item): item for item in copy.layers}  # wrappers, by content
    placed |= {item: item for item in copy.layers}
    for layer, other in layers.items():
        if applied_once(layer):
            first = keras.Model(model.inputs, layer.output)
            try:
                check_same(first, tf_keras.Model(copy.inputs, placed[other].output), x, "")
            except ConversionError:
                kind = type(layer).__name__
                return f"layer {layer.name!r} ({kind}) has no exact counterpart in Keras 2. "
    return ""


def _copied_layer(layer: Any, same: tuple[str, ...] = ()) -> Any:
    """Return an unbuilt tf_keras layer; settings in `same` are set by the wrapper around it."""
    import tf_keras

    kind = type(layer).__name__
    if not type(layer).__module__.startswith("keras.") or kind not in SUPPORTED:
        name = getattr(layer, "name", kind)
        raise UnsupportedLayerError(f"layer {name!r} ({kind}) has no counterpart in Keras 2.")
    if kind == "Bidirectional":
        return tf_keras.layers.Bidirectional(
            _copied_layer(layer.forward_layer, ("zero_output_for_mask",)),
            merge_mode=layer.merge_mode,
            backward_layer=_copied_layer(layer.backward_layer, ("zero_output_for_mask",)),
        )
    config = layer.get_config()
    for key, value in _FIXED.items():
        if key not in same and config.get(key, value) not in (value, False):
            raise UnsupportedLayerError(
                f"layer {layer.name!r} ({kind}): {key}={config[key]!r} cannot be carried over to "
                "Keras 2."
            )
    settings = {key: _setting(layer, key, config[key]) for key in _SETTINGS[kind]}
    return getattr(tf_keras.layers, kind)(**settings)


def _setting(layer: Any, key: str, value: Any) -> Any:
    if key not in ("activation", "recurrent_activation") or value is None:
        return value
    if not isinstance(value, str) or value not in _ACTIVATIONS:
        raise UnsupportedLayerError(
            f"layer {layer.name!r}: {key}={value!r} has no exact counterpart in Keras 2."
        )
    if value == "relu6":
        import tensorflow as tf

        return tf.nn.relu6
    return _RENAMED.get(value, value)
