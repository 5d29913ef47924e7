"""What networks for series share: their input, steps that were added, averages, and the recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from ..._keras import load_keras
from ...exceptions import ParameterError
from .._blocks import check_fraction, check_length, open_network, refuse_rank, row_shape
from .._recipe import Recipe


def open_series(
    name: str,
    meta: Mapping[str, Any],
    input_shape: Sequence[int] | None,
    max_length: int | None,
) -> tuple[Any, Any, Any]:
    """Return the input, the series of shape (steps, channels), and the mask of steps that are real.

    The mask is None unless sequences were filled up to one length.
    """
    check_length(meta, max_length, input_shape)
    shape = row_shape(meta, input_shape)
    if len(shape) not in (1, 2):
        refuse_rank(name, meta, shape, "series (n, steps) or (n, steps, channels)")
    wanted = (*shape, 1) if len(shape) == 1 else input_shape
    inputs, tensor = open_network(meta, wanted)
    mask = tensor[..., -1:] if "sequence_length_" in meta else None
    return inputs, tensor, mask


def masked(tensor: Any, mask: Any) -> Any:
    """Return `tensor` with zeros in the steps that were added."""
    return tensor if mask is None else load_keras().layers.Multiply()([tensor, mask])


def average(tensor: Any, mask: Any) -> Any:
    """Return the average over the real steps, for a tensor that :func:`masked` returned."""
    keras = load_keras()
    pooled = keras.layers.GlobalAveragePooling1D()(tensor)
    if mask is None:
        return pooled
    share = keras.layers.GlobalAveragePooling1D()(mask)
    return pooled / keras.ops.maximum(share, 1e-6)


def normalized(tensor: Any, mask: Any) -> Any:
    """Return `tensor` after batch normalization and ReLU, zeros in the steps that were added."""
    keras = load_keras()
    tensor = keras.layers.BatchNormalization()(tensor)
    return masked(keras.layers.Activation("relu")(tensor), mask)


def check_counts(**values: Any) -> None:
    """Raise unless every value is an int >= 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ParameterError(f"model__{name} must be an int >= 1, got {value!r}.")


def check_network(*, kernel_sizes: Sequence[int], dropout: float, **counts: int) -> None:
    """Raise unless sizes of kernels, the dropout and every count are legal."""
    check_counts(**counts)
    check_sizes("kernel_sizes", kernel_sizes)
    check_fraction("dropout", dropout)


def check_sizes(name: str, sizes: Sequence[int]) -> None:
    """Raise unless `sizes` is a sequence of ints >= 1, at least one."""
    if isinstance(sizes, str) or not isinstance(sizes, Sequence) or not sizes:
        raise ParameterError(f"model__{name} must be a sequence of ints >= 1, got {sizes!r}.")
    for size in sizes:
        check_counts(**{name: size})


def fits_series(shape: Sequence[int]) -> bool:
    """Whether samples of this shape are series with channels."""
    return len(shape) == 2


def rows_per_step(n_rows: int) -> int:
    """Return the batch size for a number of training series, so that few series make steps enough.

    Examples
    --------
    >>> from skopt_wrap.architectures._series._shared import rows_per_step
    >>> [rows_per_step(n) for n in (50, 400, 5000)]
    [8, 25, 64]
    """
    return max(8, min(64, n_rows // 16))


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    return load_keras().optimizers.Adam, {"learning_rate": 0.003}


SERIES_RECIPE = Recipe(
    epochs=60, batch_size=rows_per_step, optimizer=_optimizer, learning_rate_schedule="cosine"
)


def rates_space() -> dict[str, Any]:
    """Return the part of the spaces that concerns the optimizer."""
    from scipy.stats import loguniform

    return {"optimizer__learning_rate": loguniform(3e-4, 1e-2)}
