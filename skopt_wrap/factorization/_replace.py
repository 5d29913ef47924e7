"""Build the Keras layers that stand for a factorized one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._keras import load_keras
from ._forms import Factors
from ._statistics import TargetLayer

Array = np.ndarray


def chain_for(
    target: TargetLayer, factors: Factors, bias: Array | None
) -> list[tuple[Any, list[Array]]]:
    """Return the layers that replace one, in order, each with its weights.

    The last one has the name, the bias and the activation of the layer that it stands for, so
    that names of outputs stay as they are.

    Parameters
    ----------
    target : TargetLayer
        Layer that is replaced.
    factors : Factors
        Fitted form of its kernel.
    bias : ndarray of shape (n_outputs,) or None
        Bias that goes with it.
    """
    make = {"embedding": _embedding, "dense": _dense, "convolution": _convolution}
    chain = make[target.kind](target, factors)
    if bias is not None:
        chain[-1][1].append(bias)
    return chain


def _settings(target: TargetLayer, *, last: bool) -> dict[str, Any]:
    """Return the arguments that a replacement inherits."""
    config = target.layer.get_config()
    names = ["dtype", "trainable"]
    kept = {name: config[name] for name in names if name in config}
    regularizer = config.get("kernel_regularizer", config.get("embeddings_regularizer"))
    if target.kind != "embedding":
        kept["kernel_regularizer"] = regularizer
    if not last:
        return {**kept, "use_bias": False} if target.kind != "embedding" else kept
    kept["name"] = target.layer.name
    for name in ("activation", "use_bias", "bias_initializer", "bias_regularizer"):
        if name in config:
            kept[name] = config[name]
    if config.get("bias_constraint") is not None:
        kept["bias_constraint"] = config["bias_constraint"]
    return kept


def _dense(target: TargetLayer, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    units = target.layer.units
    if factors.form == "tensor-train":
        from ._layer import TensorTrainDense

        shapes = [core.shape for core in factors.arrays]
        layer = TensorTrainDense.from_config(
            {
                **_settings(target, last=True),
                "units": units,
                "rank": list(factors.ranks),
                "n_cores": len(shapes),
                "input_factors": [shape[1] for shape in shapes],
                "output_factors": [shape[2] for shape in shapes],
            }
        )
        return [(layer, list(factors.arrays))]
    left, right = factors.arrays
    name = f"{target.layer.name}_factor"
    first = keras.layers.Dense.from_config(
        {**_settings(target, last=False), "name": name, "units": left.shape[1]}
    )
    second = keras.layers.Dense.from_config({**_settings(target, last=True), "units": units})
    return [(first, [left]), (second, [right])]


def _embedding(target: TargetLayer, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    left, right = factors.arrays
    config = target.layer.get_config()
    first = type(target.layer).from_config(
        {**config, "output_dim": left.shape[1], "name": f"{target.layer.name}_factor"}
    )
    second = keras.layers.Dense(
        right.shape[1],
        use_bias=False,
        name=target.layer.name,
        dtype=target.layer.dtype_policy,
        trainable=target.layer.trainable,
    )
    return [(first, [left]), (second, [right])]


def _convolution(target: TargetLayer, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    layer, config = target.layer, target.layer.get_config()
    cls, size, name = type(layer), layer.kernel_size, layer.name
    inner, outer = _settings(target, last=False), _settings(target, last=True)
    place = {key: config[key] for key in ("strides", "padding", "dilation_rate")}
    one = (1,) * len(size)

    def pointwise(settings: dict[str, Any], matrix: Array, **named: Any) -> tuple[Any, list[Array]]:
        made = cls.from_config(
            {**settings, "filters": matrix.shape[1], "kernel_size": one, **named}
        )
        return made, [matrix.reshape(*one, *matrix.shape)]

    if factors.form == "svd":
        left, right = factors.arrays
        first = cls.from_config(
            {**inner, **place, "filters": left.shape[1], "kernel_size": size,
             "name": f"{name}_factor"}
        )  # fmt: skip
        kernel = left.reshape(*size, -1, left.shape[1])
        return [(first, [kernel]), pointwise(outer, right)]
    if factors.form == "tucker":
        inputs, core, outputs = factors.arrays
        middle = cls.from_config(
            {**inner, **place, "filters": core.shape[2], "kernel_size": size,
             "name": f"{name}_core"}
        )  # fmt: skip
        return [
            pointwise(inner, inputs, name=f"{name}_factor"),
            (middle, [core.reshape(*size, *core.shape[1:])]),
            pointwise(outer, outputs),
        ]
    inputs, positions, outputs = factors.arrays
    depthwise = keras.layers.DepthwiseConv1D if len(size) == 1 else keras.layers.DepthwiseConv2D
    settings = {**inner, "depthwise_regularizer": inner["kernel_regularizer"]}
    del settings["kernel_regularizer"]
    middle = depthwise.from_config(
        {**settings, **place, "kernel_size": size, "name": f"{name}_core"}
    )
    return [
        pointwise(inner, inputs, name=f"{name}_factor"),
        (middle, [positions.reshape(*size, -1, 1)]),
        pointwise(outer, outputs),
    ]
