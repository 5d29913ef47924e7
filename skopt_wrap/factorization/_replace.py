"""Keras layers that compute what a fitted form says."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._keras import load_keras
from ._forms import Factors
from ._statistics import Site

Array = np.ndarray


def chain_for(site: Site, factors: Factors, bias: Array | None) -> list[tuple[Any, list[Array]]]:
    """Return the layers that replace one, in order, each with its weights.

    The last one has the name, the bias and the activation of the layer that it stands for, so
    that names of outputs stay as they are.

    Parameters
    ----------
    site : Site
        Layer that is replaced.
    factors : Factors
        Fitted form of its kernel.
    bias : ndarray of shape (n_outputs,) or None
        Bias that goes with it.
    """
    make = {"embedding": _embedding, "dense": _dense, "convolution": _convolution}
    chain = make[site.kind](site, factors)
    if bias is not None:
        chain[-1][1].append(bias)
    return chain


def _settings(site: Site, *, last: bool) -> dict[str, Any]:
    """Return the arguments that a replacement inherits."""
    config = site.layer.get_config()
    names = ["dtype", "trainable"]
    kept = {name: config[name] for name in names if name in config}
    regularizer = config.get("kernel_regularizer", config.get("embeddings_regularizer"))
    if site.kind != "embedding":
        kept["kernel_regularizer"] = regularizer
    if not last:
        return {**kept, "use_bias": False} if site.kind != "embedding" else kept
    kept["name"] = site.layer.name
    for name in ("activation", "use_bias", "bias_initializer", "bias_regularizer"):
        if name in config:
            kept[name] = config[name]
    if config.get("bias_constraint") is not None:
        kept["bias_constraint"] = config["bias_constraint"]
    return kept


def _dense(site: Site, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    units = site.layer.units
    if factors.form == "tensor-train":
        from ._layer import TensorTrainDense

        shapes = [core.shape for core in factors.arrays]
        layer = TensorTrainDense.from_config(
            {
                **_settings(site, last=True),
                "units": units,
                "rank": list(factors.ranks),
                "n_cores": len(shapes),
                "input_factors": [shape[1] for shape in shapes],
                "output_factors": [shape[2] for shape in shapes],
            }
        )
        return [(layer, list(factors.arrays))]
    left, right = factors.arrays
    name = f"{site.layer.name}_factor"
    first = keras.layers.Dense.from_config(
        {**_settings(site, last=False), "name": name, "units": left.shape[1]}
    )
    second = keras.layers.Dense.from_config({**_settings(site, last=True), "units": units})
    return [(first, [left]), (second, [right])]


def _embedding(site: Site, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    left, right = factors.arrays
    config = site.layer.get_config()
    first = type(site.layer).from_config(
        {**config, "output_dim": left.shape[1], "name": f"{site.layer.name}_factor"}
    )
    second = keras.layers.Dense(
        right.shape[1],
        use_bias=False,
        name=site.layer.name,
        dtype=site.layer.dtype_policy,
        trainable=site.layer.trainable,
    )
    return [(first, [left]), (second, [right])]


def _convolution(site: Site, factors: Factors) -> list[tuple[Any, list[Array]]]:
    keras = load_keras()
    layer, config = site.layer, site.layer.get_config()
    cls, size, name = type(layer), layer.kernel_size, layer.name
    inner, outer = _settings(site, last=False), _settings(site, last=True)
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
