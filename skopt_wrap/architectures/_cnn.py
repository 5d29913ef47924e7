"""The convolutional network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
from ._recipe import Recipe
from ._residual import blocks_for, residual_body
from ._series._shared import rows_per_step

# A last axis of more values than this may be the width of an image as well.
_CHANNELS = 4


def cnn(
    meta: Mapping[str, Any],
    *,
    residual: bool | str = "auto",
    filters: int | Sequence[int] = 32,
    kernel_size: int | str = "auto",
    n_layers: int | str = "auto",
    pool_size: int = 2,
    dense_units: int | str = "auto",
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

    A plain block is a convolution with "same" padding, optional batch normalization, the
    activation, max pooling (as long as every side still holds a whole pool) and optional dropout.
    A residual block [1]_ is two convolutions, to whose output its input is added; a convolution
    that is pooled stands in front of the first, and the average over all places behind the last.
    An optional dense layer and the output layer follow.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    residual : bool or "auto", default="auto"
        Whether blocks are residual; "auto" makes them so for images.
    filters : int or sequence of int, default=32
        Filters of the first block, doubled from block to block; or one number per block (then
        `n_layers` is not used).
    kernel_size : int or "auto", default="auto"
        Side of every kernel; "auto" takes 3 for images and 5 for sequences.
    n_layers : int or "auto", default="auto"
        Number of blocks; "auto" takes 3 for sequences and 2 for images; 3 and 4 in a residual
        network for images whose shorter side has 46 and 91 pixels or more.
    pool_size : int, default=2
        Side of the max pooling; 1 leaves it out.
    dense_units : int or "auto", default="auto"
        Width of the dense layer after the blocks; 0 leaves it out. "auto" takes 64, and 0 behind
        residual blocks.
    activation : str, default="relu"
        Any Keras activation.
    dropout : float, default=0.0
        Fraction dropped while training after each block and the dense layer, in [0, 1).
    batch_norm : bool or "auto", default="auto"
        Normalize each convolution before its activation; "auto" does so for sequences and in
        residual blocks.
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

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR
       2016.

    Examples
    --------
    >>> from skopt_wrap.architectures import cnn
    >>> meta = {"X_shape_": (1797, 64), "n_outputs_expected_": 10}
    >>> cnn(meta, filters=8, input_shape=(8, 8, 1)).output_shape
    (None, 10)
    >>> plain = cnn(meta, filters=8, input_shape=(8, 8, 1), residual=False)
    >>> [layer.name.rstrip("_0123456789") for layer in plain.layers][-3:]
    ['dense', 'activation', 'outputs']
    """
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
    sequences = len(shape) == 2
    residual = _chosen("residual", residual, not sequences)
    size = _chosen("kernel_size", kernel_size, 5 if sequences else 3)
    if residual and not sequences:
        depth = _chosen("n_layers", n_layers, blocks_for(shape))
    else:
        depth = _chosen("n_layers", n_layers, 3 if sequences else 2)
    normalized = _chosen("batch_norm", batch_norm, sequences or residual)
    dense_units = _chosen("dense_units", dense_units, 0 if residual else 64)
    if isinstance(dense_units, bool) or not isinstance(dense_units, int) or dense_units < 0:
        raise ParameterError(
            f"model__dense_units must be an int >= 0 or 'auto', got {dense_units!r}."
        )
    blocks = widths("filters", filters, depth)
    if isinstance(filters, int):
        blocks = tuple(filters * 2**i for i in range(depth))
    options = layer_options(
        l1=l1, l2=l2, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer
    )
    inputs, tensor = open_network(meta, input_shape)
    mask = inputs[..., -1:] if filled_up else None  # 1 in every step, 0 behind the end
    body = residual_body if residual and blocks else _plain_body
    tensor = body(
        tensor,
        blocks,
        mask,
        kernel_size=size,
        pool_size=pool_size,
        activation=activation,
        batch_norm=normalized,
        dropout=dropout,
        options=options,
    )
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


def _plain_body(
    tensor: Any,
    blocks: Sequence[int],
    mask: Any,
    *,
    kernel_size: int,
    pool_size: int,
    activation: str,
    batch_norm: bool,
    dropout: float,
    options: Mapping[str, Any],
) -> Any:
    """Return what plain blocks make of images or sequences, as one row of values each."""
    keras = load_keras()
    images = len(tensor.shape) == 4
    convolution = keras.layers.Conv2D if images else keras.layers.Conv1D
    pooling = keras.layers.MaxPooling2D if images else keras.layers.MaxPooling1D
    for n_filters in blocks:
        tensor = convolution(n_filters, kernel_size, padding="same", **options)(tensor)
        tensor = finish_block(tensor, activation=activation, batch_norm=batch_norm, dropout=0.0)
        if mask is not None:
            tensor = keras.layers.Multiply()([tensor, mask])
        if pool_size > 1 and min(tensor.shape[1:-1]) >= pool_size:
            tensor = pooling(pool_size)(tensor)
            mask = None if mask is None else pooling(pool_size)(mask)
        if dropout:
            tensor = keras.layers.Dropout(dropout)(tensor)
    return keras.layers.Flatten()(tensor)


def _chosen(name: str, value: Any, by_kind: Any) -> Any:
    """Return what the kind of data asks for in place of "auto"."""
    if isinstance(value, str) and value == "auto":
        return by_kind
    if isinstance(by_kind, bool) and not isinstance(value, bool | np.bool_):
        raise ParameterError(f"model__{name} must be a bool or 'auto', got {value!r}.")
    return value


def _compact_space() -> dict[str, Any]:
    return {"model__filters": [16, 32, 64], "model__n_layers": [1, 2, 3], **dropout_space()}


def _full_space() -> dict[str, Any]:
    return {
        "model__residual": [True, False],
        "model__n_layers": [1, 2, 3],
        "model__filters": [8, 16, 32, 64, 128],
        "model__kernel_size": [3, 5],
        "model__dense_units": [0, 32, 64, 128],
        "model__activation": list(ACTIVATIONS),
        **regularization_space(),
    }


def _fits(shape: Sequence[int]) -> bool:
    return len(shape) in (2, 3)


def _rows_per_step(n_rows: int) -> int:
    return min(32, rows_per_step(n_rows))


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    return load_keras().optimizers.Adam, {"learning_rate": 0.003}


CNN = Architecture(
    "cnn",
    cnn,
    _compact_space,
    _full_space,
    per_layer={"model__filters": "model__n_layers"},
    fits=_fits,
    recipe=Recipe(
        epochs=20, batch_size=_rows_per_step, optimizer=_optimizer, learning_rate_schedule="cosine"
    ),
)
