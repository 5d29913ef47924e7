"""The convolutional network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from .._keras import load_keras
from ..exceptions import InputWarning, ParameterError
from ._architecture import Architecture
from ._blocks import (
    ACTIVATIONS,
    check_length,
    close_network,
    dense_block,
    dropout_space,
    finish_block,
    layer_options,
    open_network,
    refuse_rank,
    regularization_space,
    row_shape,
    widths,
)

# A last axis of more values than this may be the width of an image as well.
_CHANNELS = 4


def cnn(
    meta: Mapping[str, Any],
    *,
    filters: int | Sequence[int] = 32,
    kernel_size: int | str = "auto",
    n_layers: int | str = "auto",
    pool_size: int = 2,
    dense_units: int = 64,
    activation: str = "relu",
    dropout: float = 0.0,
    batch_norm: bool | str = "auto",
    l1: float = 0.0,
    l2: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    bias_initializer: str = "zeros",
    input_shape: Sequence[int] | None = None,
    max_length: int | None = None,
) -> Any:
    """Build a convolutional network for images (n, h, w, c) or sequences (n, t, f).

    Each block is a convolution with "same" padding, optional batch normalization, the
    activation, max pooling (as long as every side still holds a whole pool) and optional
    dropout. A dense layer and the output layer follow.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    filters : int or sequence of int, default=32
        Filters of the first block, doubled from block to block; or one number per block (then
        `n_layers` is not used).
    kernel_size : int or "auto", default="auto"
        Side of every kernel; "auto" takes 3 for images and 5 for sequences.
    n_layers : int or "auto", default="auto"
        Number of blocks; "auto" takes 2 for images and 3 for sequences.
    pool_size : int, default=2
        Side of the max pooling; 1 leaves it out.
    dense_units : int, default=64
        Width of the dense layer after the blocks; 0 leaves it out.
    activation : str, default="relu"
        Any Keras activation.
    dropout : float, default=0.0
        Fraction dropped while training after each block and the dense layer, in [0, 1).
    batch_norm : bool or "auto", default="auto"
        Normalize each block before its activation; "auto" does so for sequences.
    l1, l2 : float, default=0.0
        Penalties on every kernel.
    kernel_initializer, bias_initializer : str or keras.Initializer
        Any Keras initializer.
    input_shape : sequence of int, default=None
        Reshape each row to this shape first, so that a pipeline of 2-D steps (a scaler) can feed
        images to the network. A grey image has one channel: ``(8, 8, 1)``.
    max_length : int, default=None
        Steps of every sequence. Sequences of unequal length are filled up to it, and every block
        gives zeros for the steps that were added; longer ones lose their end. None takes the
        longest sequence of the training data.

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

    Raises
    ------
    ModelError
        When rows are neither images nor sequences.
    ParameterError
        When a parameter breaks its rule.

    Warns
    -----
    InputWarning
        When 3-D data may be grey images as well as sequences, and `input_shape` does not say which.

    Examples
    --------
    >>> from skopt_wrap.architectures import cnn
    >>> meta = {"X_shape_": (1797, 64), "n_outputs_expected_": 10}
    >>> cnn(meta, filters=8, input_shape=(8, 8, 1)).output_shape
    (None, 10)
    """
    keras = load_keras()
    check_length(meta, max_length, input_shape)
    filled_up = "sequence_length_" in meta
    shape = row_shape(meta, input_shape)
    if len(shape) not in (2, 3):
        refuse_rank("cnn", meta, shape, "images (n, h, w, c) or sequences (n, t, f)")
    if input_shape is None and not filled_up and len(shape) == 2 and shape[1] > _CHANNELS:
        warnings.warn(
            f"X has samples of shape {shape}: they are taken as sequences of {shape[0]} steps with "
            f"{shape[1]} features. For grey images give model__input_shape={(*shape, 1)}; "
            f"model__input_shape={shape} says that they are sequences.",
            InputWarning,
            stacklevel=2,
        )
    if not isinstance(dense_units, int) or dense_units < 0:
        raise ParameterError(f"model__dense_units must be an int >= 0, got {dense_units!r}.")
    sequences = len(shape) == 2
    size = _chosen(kernel_size, 5 if sequences else 3)
    depth = _chosen(n_layers, 3 if sequences else 2)
    normalized = _chosen(batch_norm, sequences)
    blocks = widths("filters", filters, depth)
    if isinstance(filters, int):
        blocks = tuple(filters * 2**i for i in range(depth))
    options = layer_options(
        l1=l1, l2=l2, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer
    )
    convolution = keras.layers.Conv2D if len(shape) == 3 else keras.layers.Conv1D
    pooling = keras.layers.MaxPooling2D if len(shape) == 3 else keras.layers.MaxPooling1D
    inputs, tensor = open_network(meta, input_shape)
    mask = inputs[..., -1:] if filled_up else None  # 1 in every step, 0 behind the end
    for n_filters in blocks:
        tensor = convolution(n_filters, size, padding="same", **options)(tensor)
        tensor = finish_block(tensor, activation=activation, batch_norm=normalized, dropout=0.0)
        if mask is not None:
            tensor = keras.layers.Multiply()([tensor, mask])
        if pool_size > 1 and min(tensor.shape[1:-1]) >= pool_size:
            tensor = pooling(pool_size)(tensor)
            mask = None if mask is None else pooling(pool_size)(mask)
        if dropout:
            tensor = keras.layers.Dropout(dropout)(tensor)
    tensor = keras.layers.Flatten()(tensor)
    if dense_units:
        tensor = dense_block(
            tensor,
            dense_units,
            activation=activation,
            batch_norm=normalized,
            dropout=dropout,
            options=options,
        )
    return close_network(inputs, tensor, meta, options, "cnn")


def _chosen(value: Any, by_kind: Any) -> Any:
    """Return what the kind of data asks for in place of "auto"."""
    return by_kind if isinstance(value, str) and value == "auto" else value


def _compact_space() -> dict[str, Any]:
    return {"model__filters": [16, 32, 64], "model__n_layers": [1, 2, 3], **dropout_space()}


def _full_space() -> dict[str, Any]:
    return {
        "model__n_layers": [1, 2, 3],
        "model__filters": [8, 16, 32, 64, 128],
        "model__kernel_size": [3, 5],
        "model__dense_units": [0, 32, 64, 128],
        "model__activation": list(ACTIVATIONS),
        **regularization_space(),
    }


def _fits(shape: Sequence[int]) -> bool:
    return len(shape) in (2, 3)


CNN = Architecture(
    "cnn",
    cnn,
    _compact_space,
    _full_space,
    per_layer={"model__filters": "model__n_layers"},
    fits=_fits,
)
