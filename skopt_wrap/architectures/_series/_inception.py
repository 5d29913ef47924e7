"""A deep convolutional network for series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._keras import load_keras
from .._architecture import Architecture
from .._blocks import close_network, layer_options
from ._shared import (
    SERIES_RECIPE,
    average,
    check_network,
    fits_series,
    masked,
    normalized,
    open_series,
    rates_space,
)

_RESIDUAL_EVERY = 3


def inceptiontime(
    meta: Mapping[str, Any],
    *,
    filters: int = 32,
    n_blocks: int = 6,
    kernel_sizes: Sequence[int] = (40, 20, 10),
    bottleneck: int = 32,
    dropout: float = 0.0,
    input_shape: Sequence[int] | None = None,
    max_length: int | None = None,
) -> Any:
    """Build a deep convolutional network for series (n, steps) or (n, steps, channels).

    InceptionTime [1]_: each block reduces the channels, convolves them with kernels of three
    lengths, and puts the result beside a pooled branch; every third block has a shortcut around it
    and the two before it; then the average over the steps. ``members=5`` gives the ensemble of the
    article.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    filters : int, default=32
        Filters of each branch of a block.
    n_blocks : int, default=6
        Number of blocks.
    kernel_sizes : sequence of int, default=(40, 20, 10)
        Steps that the filters of a block see. Filters longer than the series are cut to it.
    bottleneck : int, default=32
        Channels that enter the convolutions of a block, unless it has one channel only.
    dropout : float, default=0.0
        Fraction of the averages dropped while training, in [0, 1).
    input_shape : sequence of int, default=None
        Reshape each row to this shape first, such as ``(100, 3)`` for 100 steps of 3 channels.
    max_length : int, default=None
        Steps of every series. Series of unequal length are filled up to it, and the steps that
        were added count nowhere; longer ones lose their end. None takes the longest series of the
        training data.

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units.

    Raises
    ------
    ModelError
        When rows are no series.
    ParameterError
        When a parameter breaks its rule.

    References
    ----------
    .. [1] H. Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series classification",
       Data Mining and Knowledge Discovery 34, 2020.

    Examples
    --------
    >>> from skopt_wrap.architectures import inceptiontime
    >>> meta = {"X_shape_": (100, 150, 1), "n_outputs_expected_": 3}
    >>> inceptiontime(meta, n_blocks=3, filters=8).output_shape
    (None, 3)
    """
    keras = load_keras()
    check_network(
        kernel_sizes=kernel_sizes,
        dropout=dropout,
        filters=filters,
        n_blocks=n_blocks,
        bottleneck=bottleneck,
    )
    inputs, tensor, mask = open_series("inceptiontime", meta, input_shape, max_length)
    steps = int(tensor.shape[1])

    def convolve(tensor: Any, n: int, size: int) -> Any:
        layer = keras.layers.Conv1D(n, min(size, steps), padding="same", use_bias=False)
        return layer(tensor)

    before = tensor
    for number in range(1, n_blocks + 1):
        reduced = tensor if tensor.shape[-1] == 1 else convolve(tensor, bottleneck, 1)
        pooled = keras.layers.MaxPooling1D(3, strides=1, padding="same")(tensor)
        parts = [convolve(reduced, filters, size) for size in kernel_sizes]
        tensor = keras.layers.Concatenate()([*parts, convolve(pooled, filters, 1)])
        tensor = normalized(tensor, mask)
        if number % _RESIDUAL_EVERY == 0:
            shortcut = convolve(before, int(tensor.shape[-1]), 1)
            shortcut = keras.layers.BatchNormalization()(shortcut)
            tensor = keras.layers.Add()([tensor, shortcut])
            tensor = before = masked(keras.layers.Activation("relu")(tensor), mask)
    tensor = average(tensor, mask)
    if dropout:
        tensor = keras.layers.Dropout(dropout)(tensor)
    options = layer_options(
        l1=0.0, l2=0.0, kernel_initializer="glorot_uniform", bias_initializer="zeros"
    )
    return close_network(inputs, tensor, meta, options, "inceptiontime")


def _compact_space() -> dict[str, Any]:
    from scipy.stats import uniform

    return {
        "model__filters": [16, 32, 64],
        "model__n_blocks": [3, 6],
        "model__dropout": uniform(0.0, 0.5),
        **rates_space(),
    }


def _full_space() -> dict[str, Any]:
    return {
        **_compact_space(),
        "model__kernel_sizes": [(40, 20, 10), (20, 10, 5), (16, 8, 4), (64, 32, 16)],
        "model__bottleneck": [16, 32, 64],
        "batch_size": [16, 32, 64],
    }


INCEPTIONTIME = Architecture(
    "inceptiontime",
    inceptiontime,
    _compact_space,
    _full_space,
    fits=fits_series,
    recipe=SERIES_RECIPE,
)
