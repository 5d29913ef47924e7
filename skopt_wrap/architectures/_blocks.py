"""What the named networks share: parameters checked, hidden blocks, the input and output layers."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._keras import load_keras
from ..exceptions import ModelError, ParameterError

# Values that the search spaces of several architectures share.
ACTIVATIONS = ("relu", "elu", "gelu", "silu", "tanh")
PENALTIES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)


def dropout_space() -> dict[str, Any]:
    """Return the part of every compact space that concerns dropout."""
    from scipy.stats import uniform

    return {"model__dropout": uniform(0.0, 0.5)}


def regularization_space() -> dict[str, Any]:
    """Return the part of every full space that concerns normalization, penalties and weights."""
    return {
        "model__batch_norm": [False, True],
        **dropout_space(),
        "model__l1": list(PENALTIES),
        "model__l2": list(PENALTIES),
        "model__kernel_initializer": ["glorot_uniform", "glorot_normal", "he_normal", "he_uniform"],
        "model__bias_initializer": ["zeros", "random_normal"],
    }


def widths(name: str, value: int | Sequence[int], n_layers: int) -> tuple[int, ...]:
    """Return one width per layer from an int (the same everywhere) or a sequence of ints.

    Raises
    ------
    ParameterError
        When a width is not a positive int.

    Examples
    --------
    >>> from skopt_wrap.architectures._blocks import widths
    >>> widths("units", 64, 2), widths("units", (64, 32, 16), 2)
    ((64, 64), (64, 32, 16))
    """
    if isinstance(n_layers, bool) or not isinstance(n_layers, numbers.Integral) or n_layers < 0:
        raise ParameterError(f"model__n_layers must be an int >= 0, got {n_layers!r}.")
    values = (value,) * int(n_layers) if isinstance(value, numbers.Integral) else tuple(value)
    for item in values:
        if isinstance(item, bool) or not isinstance(item, numbers.Integral) or item < 1:
            raise ParameterError(
                f"model__{name} must be an int >= 1 or a sequence of them, got {value!r}."
            )
    return tuple(int(item) for item in values)


def check_fraction(name: str, value: float) -> None:
    """Raise unless `value` is in [0, 1)."""
    if not isinstance(value, numbers.Real) or not 0 <= value < 1:
        raise ParameterError(f"model__{name} must be in [0, 1), got {value!r}.")


def check_length(
    meta: Mapping[str, Any], max_length: int | None, input_shape: Sequence[int] | None
) -> None:
    """Raise where a number of steps has no effect, or a new shape meets sequences.

    ``meta["sequence_length_"]`` is there when sequences were filled up to one length.
    """
    if max_length is not None and "sequence_length_" not in meta:
        raise ParameterError(
            f"model__max_length={max_length!r} is for sequences; X has shape "
            f"{tuple(meta['X_shape_'])}."
        )
    if input_shape is not None and "sequence_length_" in meta:
        raise ParameterError(
            f"model__input_shape={input_shape!r} cannot reshape sequences of unequal length."
        )


def check_penalty(name: str, value: float) -> None:
    """Raise unless `value` is a float >= 0."""
    if not isinstance(value, numbers.Real) or value < 0:
        raise ParameterError(f"model__{name} must be a float >= 0, got {value!r}.")


def layer_options(
    *, l1: float, l2: float, kernel_initializer: Any, bias_initializer: Any
) -> dict[str, Any]:
    """Return the keyword arguments that every weighted layer of a network takes."""
    keras = load_keras()
    check_penalty("l1", l1)
    check_penalty("l2", l2)
    regularizer = keras.regularizers.L1L2(l1=l1, l2=l2) if l1 or l2 else None
    return {
        "kernel_regularizer": regularizer,
        "kernel_initializer": kernel_initializer,
        "bias_initializer": bias_initializer,
    }


def row_shape(meta: Mapping[str, Any], input_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return the shape of one row as the network's first real layer takes it.

    Raises
    ------
    ParameterError
        When `input_shape` holds another number of values than a row has.
    """
    shape = tuple(meta["X_shape_"][1:])
    if input_shape is None:
        return shape
    wanted = tuple(int(n) for n in input_shape)
    if np.prod(wanted) != np.prod(shape):
        raise ParameterError(
            f"model__input_shape={wanted} holds {np.prod(wanted)} values a row, "
            f"but a row of X has {np.prod(shape)} (shape {shape})."
        )
    return wanted


def open_network(meta: Mapping[str, Any], input_shape: Sequence[int] | None) -> tuple[Any, Any]:
    """Return the input tensor for rows of X, and that tensor reshaped to `input_shape`."""
    keras = load_keras()
    shape, wanted = tuple(meta["X_shape_"][1:]), row_shape(meta, input_shape)
    inputs = keras.Input(shape, dtype=keras.config.floatx())
    tensor = inputs if wanted == shape else keras.layers.Reshape(wanted)(inputs)
    return inputs, tensor


def embed_codes(tensor: Any, meta: Mapping[str, Any], size: int = 8) -> Any:
    """Return the columns of a prepared table with `size` trained numbers for each code.

    A code that no training row has keeps the small numbers that it starts with.
    """
    layout = meta.get("table_")
    if layout is None or not layout.cardinalities:
        return tensor
    keras = load_keras()
    plain = layout.n_numbers + layout.n_other
    parts = [tensor[:, :plain]] if plain else []
    for place, n_codes in enumerate(layout.cardinalities, start=plain):
        codes = keras.ops.cast(tensor[:, place], "int32")
        parts.append(keras.layers.Embedding(n_codes, size)(codes))
    return keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]


def dense_block(
    tensor: Any,
    units: int,
    *,
    activation: str,
    batch_norm: bool,
    dropout: float,
    options: Mapping[str, Any],
) -> Any:
    """Return `tensor` after Dense, optional batch normalization, activation, optional dropout."""
    keras = load_keras()
    return finish_block(
        keras.layers.Dense(units, **options)(tensor),
        activation=activation,
        batch_norm=batch_norm,
        dropout=dropout,
    )


def finish_block(tensor: Any, *, activation: str, batch_norm: bool, dropout: float) -> Any:
    """Return `tensor` after optional batch normalization, activation and optional dropout."""
    keras = load_keras()
    check_fraction("dropout", dropout)
    if batch_norm:
        tensor = keras.layers.BatchNormalization()(tensor)
    tensor = keras.layers.Activation(activation)(tensor)
    return keras.layers.Dropout(dropout)(tensor) if dropout else tensor


def close_network(
    inputs: Any, tensor: Any, meta: Mapping[str, Any], options: Mapping[str, Any], name: str
) -> Any:
    """Return the model that ends in as many linear units as the target needs."""
    keras = load_keras()
    outputs = keras.layers.Dense(meta["n_outputs_expected_"], name="outputs", **options)(tensor)
    return keras.Model(inputs, outputs, name=name)


def refuse_rank(name: str, meta: Mapping[str, Any], shape: tuple[int, ...], takes: str) -> None:
    """Raise the error that says which ranks a network takes, and what X has."""
    raise ModelError(
        f"model={name!r} takes {takes}; X has shape {tuple(meta['X_shape_'])}"
        + (f", that is rows of shape {shape}." if shape != tuple(meta["X_shape_"][1:]) else ".")
        + " Reshape X, or give the shape of one row as model__input_shape."
    )
