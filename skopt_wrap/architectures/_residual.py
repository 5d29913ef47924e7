"""Residual blocks of convolutions, for the convolutional network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .._keras import load_keras
from ._blocks import check_fraction

# Of the running averages of batch normalization: with Keras' .99 they lag behind where there are
# few steps.
_MOMENTUM = 0.9

# The side of images from which on the first convolution makes steps of two pixels, and the side
# from which on they are pooled before the first block.
_STRIDE_FROM, _POOL_FROM = 64, 16


def blocks_for(shape: Sequence[int]) -> int:
    """Return the number of blocks for images, 2 to 4.

    Examples
    --------
    >>> from skopt_wrap.architectures._residual import blocks_for
    >>> [blocks_for((side, side, 3)) for side in (8, 28, 32, 64, 96, 224)]
    [2, 2, 2, 3, 4, 4]
    """
    side = max(1, min(shape[:2]))
    return max(2, min(4, round(math.log2(side / 8))))


def residual_body(
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
    """Return what residual blocks make of images or sequences, averaged over all places.

    Parameters
    ----------
    tensor : tensor of shape (n_rows, steps, channels) or (n_rows, height, width, channels)
        Sequences or images.
    blocks : sequence of int
        Filters of each block, at least one.
    mask : tensor of shape (n_rows, steps, 1) or None
        1 in every step of a sequence, 0 in those that were added.
    kernel_size, pool_size : int
        Sides of kernels and of the pooling between blocks.
    activation : str
        Any Keras activation.
    batch_norm : bool
        Whether each convolution is normalized.
    dropout : float
        Fraction dropped after each block, in [0, 1).
    options : dict
        Penalties and initializers of convolutions.

    Returns
    -------
    values : tensor of shape (n_rows, blocks[-1])
        Averages.
    """
    keras = load_keras()
    check_fraction("dropout", dropout)
    images = len(tensor.shape) == 4
    convolution = keras.layers.Conv2D if images else keras.layers.Conv1D
    pooling = keras.layers.MaxPooling2D if images else keras.layers.MaxPooling1D
    average = keras.layers.GlobalAveragePooling2D if images else keras.layers.GlobalAveragePooling1D

    def convolve(tensor: Any, n_filters: int, size: int, strides: int = 1) -> Any:
        tensor = convolution(
            n_filters, size, strides=strides, padding="same", use_bias=not batch_norm, **options
        )(tensor)
        if not batch_norm:
            return tensor
        return keras.layers.BatchNormalization(momentum=_MOMENTUM)(tensor)

    def activated(tensor: Any) -> Any:
        tensor = keras.layers.Activation(activation)(tensor)
        return tensor if mask is None else keras.layers.Multiply()([tensor, mask])

    def pooled(tensor: Any) -> tuple[Any, Any]:
        if pool_size < 2 or min(tensor.shape[1:-1]) < pool_size:
            return tensor, mask
        pool = pooling(pool_size)
        return pool(tensor), None if mask is None else pooling(pool_size)(mask)

    side = min(tensor.shape[1:-1])
    tensor = activated(
        convolve(tensor, blocks[0], kernel_size, 2 if images and side >= _STRIDE_FROM else 1)
    )
    for number, n_filters in enumerate(blocks):
        if number or side >= _POOL_FROM:
            tensor, mask = pooled(tensor)
        # The first block has as many filters as the convolution before it.
        shortcut = convolve(tensor, n_filters, 1) if number else tensor
        tensor = activated(convolve(tensor, n_filters, kernel_size))
        tensor = convolve(tensor, n_filters, kernel_size)
        tensor = activated(keras.layers.Add()([tensor, shortcut]))
        if dropout:
            tensor = keras.layers.Dropout(dropout)(tensor)
    tensor = average()(tensor)
    if mask is None:
        return tensor
    return tensor / keras.ops.maximum(average()(mask), 1e-6)
