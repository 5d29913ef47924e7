"""A small network for series."""

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

# Lengths of settled filters.
_TRENDS, _PEAKS = (2, 4, 8, 16, 32, 64), (6, 12, 24, 48, 96)


def lite(
    meta: Mapping[str, Any],
    *,
    filters: int = 32,
    kernel_sizes: Sequence[int] = (40, 20, 10),
    settled_filters: bool = True,
    dropout: float = 0.0,
    input_shape: Sequence[int] | None = None,
    max_length: int | None = None,
) -> Any:
    """Build a network of about 10,000 weights for series (n, steps) or (n, steps, channels).

    LITE [1]_: convolutions of three lengths stand beside filters that are settled and answer to
    rises, falls and peaks; two dilated convolutions follow, each channel by itself and then mixed;
    then the average over the steps. ``members=5`` gives the ensemble of the article.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`.
    filters : int, default=32
        Filters of each convolution.
    kernel_sizes : sequence of int, default=(40, 20, 10)
        Steps that the filters of the first convolutions see. Later ones see half and a quarter of
        the first number. Filters longer than the series are cut to it.
    settled_filters : bool, default=True
        Whether filters for rises, falls and peaks stand beside them.
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
    .. [1] A. Ismail-Fawaz et al., "LITE: light inception with boosting techniques for time series
       classification", DSAA 2023.

    Examples
    --------
    >>> from skopt_wrap.architectures import lite
    >>> meta = {"X_shape_": (100, 150, 1), "n_outputs_expected_": 3}
    >>> lite(meta).output_shape
    (None, 3)
    """
    keras = load_keras()
    from ._filters import SettledFilters

    check_network(kernel_sizes=kernel_sizes, dropout=dropout, filters=filters)
    inputs, tensor, mask = open_series("lite", meta, input_shape, max_length)
    steps = int(tensor.shape[1])

    def convolve(tensor: Any, n: int, size: int, **options: Any) -> Any:
        layer = keras.layers.Conv1D(n, min(size, steps), padding="same", use_bias=False, **options)
        return layer(tensor)

    parts = [convolve(tensor, filters, size) for size in kernel_sizes]
    settled = SettledFilters([n for n in _TRENDS if n <= steps], [n for n in _PEAKS if n <= steps])
    if settled_filters and settled.n_filters:
        size = max(*settled.trends, *settled.peaks, 1)
        found = convolve(
            tensor,
            settled.n_filters,
            size,
            kernel_initializer=settled,
            trainable=False,
            name="settled_filters",
        )
        parts.append(keras.layers.Activation("relu")(found))
    tensor = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    tensor = normalized(masked(tensor, mask), mask)
    for number in (1, 2):
        size = max(1, min(kernel_sizes[0] // 2**number, steps))
        tensor = keras.layers.SeparableConv1D(
            filters, size, padding="same", dilation_rate=2**number, use_bias=False
        )(tensor)
        tensor = normalized(tensor, mask)
    tensor = average(tensor, mask)
    if dropout:
        tensor = keras.layers.Dropout(dropout)(tensor)
    options = layer_options(
        l1=0.0, l2=0.0, kernel_initializer="glorot_uniform", bias_initializer="zeros"
    )
    return close_network(inputs, tensor, meta, options, "lite")


def _compact_space() -> dict[str, Any]:
    from scipy.stats import uniform

    return {
        "model__filters": [16, 32, 64],
        "model__dropout": uniform(0.0, 0.5),
        **rates_space(),
    }


def _full_space() -> dict[str, Any]:
    return {
        **_compact_space(),
        "model__kernel_sizes": [(40, 20, 10), (20, 10, 5), (16, 8, 4), (64, 32, 16)],
        "model__settled_filters": [False, True],
        "batch_size": [16, 32, 64],
    }


LITE = Architecture(
    "lite", lite, _compact_space, _full_space, fits=fits_series, recipe=SERIES_RECIPE
)
