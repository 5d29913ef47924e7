"""The recurrent network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._keras import load_keras
from ..exceptions import ParameterError
from ._architecture import Architecture
from ._blocks import (
    check_fraction,
    check_length,
    close_network,
    dropout_space,
    layer_options,
    open_network,
    refuse_rank,
    regularization_space,
    row_shape,
    widths,
)
from ._recipe import Recipe
from ._series._shared import rows_per_step

_POOLINGS = ("average_max", "last")


def lstm(
    meta: Mapping[str, Any],
    *,
    units: int | Sequence[int] = 32,
    n_layers: int = 1,
    bidirectional: bool | str = "auto",
    pooling: str = "average_max",
    activation: str = "tanh",
    recurrent_dropout: float = 0.0,
    batch_norm: bool = False,
    embedding_dim: int = 32,
    vocabulary_size: int | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    bias_initializer: str = "zeros",
    recurrent_initializer: str = "orthogonal",
    input_shape: Sequence[int] | None = None,
    max_length: int | None = None,
) -> Any:
    """Build an LSTM for sequences (n, t, f), series (n, t) or token ids (n, t) of integers.

    Two-dimensional integers are token ids and go through an embedding (0 is an ordinary id);
    two-dimensional floats are univariate series.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    units : int or sequence of int, default=32
        Width of every recurrent layer, or one width per layer (then `n_layers` is not used).
    n_layers : int, default=1
        Number of recurrent layers.
    bidirectional : bool or "auto", default="auto"
        Read each sequence in both directions. "auto" does so unless sequences of unequal length
        were filled up: a network that reads those in both directions cannot become a file.
    pooling : {"average_max", "last"}, default="average_max"
        What follows the last recurrent layer: average and maximum of its outputs over all steps, or
        its output in the last step alone.
    activation : str, default="tanh"
        Any Keras activation, of the recurrent layers.
    recurrent_dropout : float, default=0.0
        Fraction of the recurrent state dropped while training, in [0, 1).
    batch_norm : bool, default=False
        Normalize the outputs of each recurrent layer.
    embedding_dim : int, default=32
        Width of the embedding of token ids.
    vocabulary_size : int, default=None
        Number of token ids; None takes the largest id of the training data plus one.
    dropout : float, default=0.0
        Fraction of each recurrent layer's outputs dropped while training, in [0, 1).
    l1, l2 : float, default=0.0
        Penalties on every input kernel.
    kernel_initializer, bias_initializer, recurrent_initializer : str or keras.Initializer
        Any Keras initializer.
    input_shape : sequence of int, default=None
        Reshape each row to this shape first, such as ``(8, 8)`` for 8 steps of 8 features.
    max_length : int, default=None
        Steps of every sequence. Sequences of unequal length are filled up to it, and the steps that
        were added are masked; longer ones lose their end. None takes the longest sequence of the
        training data.

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

    Raises
    ------
    ModelError
        When rows are no sequences.
    ParameterError
        When a parameter breaks its rule.

    Examples
    --------
    >>> from skopt_wrap.architectures import lstm
    >>> meta = {"X_shape_": (100, 20, 3), "n_outputs_expected_": 1, "X_dtype_": "float32"}
    >>> lstm(meta, units=8).output_shape
    (None, 1)
    """
    keras = load_keras()
    check_fraction("dropout", dropout)
    check_fraction("recurrent_dropout", recurrent_dropout)
    layers = widths("units", units, n_layers)
    if not layers:
        raise ParameterError(
            "model__n_layers must be an int >= 1: without a recurrent layer, the "
            f"network has no single state to classify; got units={units!r}, n_layers={n_layers!r}."
        )
    if pooling not in _POOLINGS:
        raise ParameterError(f"model__pooling must be one of {_POOLINGS}, got {pooling!r}.")
    options = layer_options(
        l1=l1, l2=l2, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer
    )
    check_length(meta, max_length, input_shape)
    filled_up = "sequence_length_" in meta
    shape = row_shape(meta, input_shape)
    tokens = len(shape) == 1 and np.issubdtype(np.dtype(meta["X_dtype_"]), np.integer)
    if tokens:
        # In sequences that were filled up, ids are one greater, and 0 stands behind the end.
        size = int(meta["X_max_"]) + 1 if vocabulary_size is None else vocabulary_size + filled_up
        inputs = keras.Input(shape, dtype="int32")
        tensor = keras.layers.Embedding(size, embedding_dim, mask_zero=filled_up)(inputs)
    elif len(shape) == 1:
        inputs, tensor = open_network(meta, (*shape, 1))
    elif len(shape) == 2:
        inputs, tensor = open_network(meta, input_shape)
    else:
        refuse_rank("lstm", meta, shape, "sequences (n, t, f), series (n, t) or token ids (n, t)")
    if isinstance(bidirectional, str):
        if bidirectional != "auto":
            raise ParameterError(
                f"model__bidirectional must be a bool or 'auto', got {bidirectional!r}."
            )
        bidirectional = not filled_up
    mask = _real_steps(inputs if tokens else tensor, tokens) if filled_up else None
    if filled_up and not tokens:
        tensor = keras.layers.Masking()(tensor)  # all features are 0 behind the end only
    for i, width in enumerate(layers):
        layer = keras.layers.LSTM(
            width,
            activation=activation,
            recurrent_dropout=recurrent_dropout,
            recurrent_initializer=recurrent_initializer,
            return_sequences=i < len(layers) - 1 or pooling != "last",
            **options,
        )
        tensor = (keras.layers.Bidirectional(layer) if bidirectional else layer)(tensor)
        if batch_norm:
            tensor = keras.layers.BatchNormalization()(tensor)
        if dropout:
            tensor = keras.layers.Dropout(dropout)(tensor)
    if layers and pooling != "last":
        tensor = _pooled(tensor, mask)
    return close_network(inputs, tensor, meta, options, "lstm")


def _real_steps(tensor: Any, tokens: bool) -> Any:
    """Return 1 for each step that was there, 0 for those that were added, as (rows, steps, 1)."""
    keras = load_keras()
    if not tokens:
        return tensor[..., -1:]
    there = keras.ops.cast(keras.ops.not_equal(tensor, 0), keras.config.floatx())
    return keras.ops.expand_dims(there, -1)


def _pooled(tensor: Any, mask: Any) -> Any:
    """Return average and maximum of the outputs over the steps that were there."""
    keras = load_keras()
    layers = keras.layers
    if mask is None:
        average, largest = layers.GlobalAveragePooling1D()(tensor), tensor
    else:
        kept = layers.Multiply()([tensor, mask])
        share = keras.ops.mean(mask, axis=1)
        average = keras.ops.mean(kept, axis=1) / keras.ops.maximum(share, 1e-6)
        largest = layers.Add()([kept, mask - 1.0])  # no output is below -1
    return layers.Concatenate()([average, layers.GlobalMaxPooling1D()(largest)])


def _compact_space() -> dict[str, Any]:
    return {"model__units": [16, 32, 64, 128], "model__n_layers": [1, 2], **dropout_space()}


def _full_space() -> dict[str, Any]:
    return {
        "model__n_layers": [1, 2, 3],
        "model__units": [8, 16, 32, 64, 128],
        "model__bidirectional": [False, True],
        "model__pooling": list(_POOLINGS),
        "model__activation": ["tanh", "relu"],
        "model__recurrent_dropout": [0.0, 0.1, 0.2],
        **regularization_space(),
    }


def _fits(shape: Sequence[int]) -> bool:
    return len(shape) == 2


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    return load_keras().optimizers.Adam, {"learning_rate": 0.005}


LSTM = Architecture(
    "lstm",
    lstm,
    _compact_space,
    _full_space,
    per_layer={"model__units": "model__n_layers"},
    fits=_fits,
    recipe=Recipe(
        epochs=30, batch_size=rows_per_step, optimizer=_optimizer, learning_rate_schedule="cosine"
    ),
)
