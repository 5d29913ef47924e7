"""The fully connected network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._keras import load_keras
from ._architecture import Architecture
from ._blocks import (
    ACTIVATIONS,
    close_network,
    dense_block,
    dropout_space,
    embed_codes,
    layer_options,
    open_network,
    regularization_space,
    widths,
)


def dense(
    meta: Mapping[str, Any],
    *,
    units: int | Sequence[int] = 64,
    n_layers: int = 2,
    activation: str = "relu",
    dropout: float = 0.0,
    batch_norm: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    bias_initializer: str = "zeros",
    normalize: bool = True,  # noqa: ARG001  the estimator acts on it
) -> Any:
    """Build a fully connected network; rows of more than one dimension are flattened.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    units : int or sequence of int, default=64
        Width of every hidden layer, or one width per layer (then `n_layers` is not used).
    n_layers : int, default=2
        Number of hidden layers; 0 gives a linear model.
    activation : str, default="relu"
        Any Keras activation.
    dropout : float, default=0.0
        Fraction of a hidden layer's outputs dropped while training, in [0, 1).
    batch_norm : bool, default=False
        Normalize each hidden layer before its activation.
    l1, l2 : float, default=0.0
        Penalties on every kernel.
    kernel_initializer, bias_initializer : str or keras.Initializer
        Any Keras initializer.
    normalize : bool, default=True
        Whether an estimator that is given a table puts a layer in front of the network that scales
        numbers, fills gaps and takes categories apart. The function itself does not use it.

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

    Raises
    ------
    ParameterError
        When a parameter breaks its rule.

    Examples
    --------
    >>> from skopt_wrap.architectures import dense
    >>> meta = {"X_shape_": (150, 4), "n_outputs_expected_": 3}
    >>> dense(meta, units=(8, 8)).count_params()
    139
    """
    keras = load_keras()
    layers = widths("units", units, n_layers)
    options = layer_options(
        l1=l1, l2=l2, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer
    )
    inputs, tensor = open_network(meta, None)
    tensor = embed_codes(tensor, meta)
    if len(meta["X_shape_"]) > 2:
        tensor = keras.layers.Flatten()(tensor)
    for width in layers:
        tensor = dense_block(
            tensor,
            width,
            activation=activation,
            batch_norm=batch_norm,
            dropout=dropout,
            options=options,
        )
    return close_network(inputs, tensor, meta, options, "dense")


def _compact_space() -> dict[str, Any]:
    return {"model__units": [32, 64, 128, 256], "model__n_layers": [1, 2, 3], **dropout_space()}


def _full_space() -> dict[str, Any]:
    return {
        "model__n_layers": [1, 2, 3, 4],
        "model__units": [16, 32, 64, 128, 256, 512],
        "model__activation": list(ACTIVATIONS),
        **regularization_space(),
    }


DENSE = Architecture(
    "dense",
    dense,
    _compact_space,
    _full_space,
    per_layer={"model__units": "model__n_layers"},
    tables=True,
)
