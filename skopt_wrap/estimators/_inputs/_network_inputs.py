"""The inputs of a network, compared with the rows that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._keras import all_layers, input_tensors, load_keras
from ...exceptions import ModelError
from ._rows import TEXT, InputRows, is_text


def nested_rows(network: Any, rows: Any) -> Any:
    """Return rows as `network` is called with them: one array where it has one input.

    Raises
    ------
    ModelError
        When the names of `inputs` are not those of the network, or it takes other shapes.
    """
    tensors = input_tensors(network)
    if isinstance(rows, Mapping):
        if tensors is None:
            return rows
        if len(tensors) == 1 and len(rows) == 1:
            (rows,) = rows.values()
        else:
            _check_names(network, set(tensors), set(rows))
            for name, tensor in tensors.items():
                _check_shape(network, tensor.shape[1:], rows[name].shape[1:], name)
            return rows
    elif tensors is not None and len(tensors) > 1:
        example = ", ".join(f"{name!r}: ..." for name in tensors)
        raise ModelError(
            f"The network {network.name!r} has several inputs, {list(tensors)}. Say which columns "
            f"of X each one takes: inputs={{{example}}}, with names, positions, slices or lists of "
            "columns."
        )
    if tensors:
        (tensor,) = tensors.values()
        _check_shape(network, tensor.shape[1:], rows.shape[1:], None)
    return rows


def _check_names(network: Any, wanted: set[str], given: set[str]) -> None:
    missing, extra = sorted(wanted - given), sorted(given - wanted)
    if missing or extra:
        raise ModelError(
            f"The network {network.name!r} has the inputs {sorted(wanted)}, but inputs names "
            f"{sorted(given)}"
            + (f"; missing: {missing}" if missing else "")
            + (f"; not in the network: {extra}" if extra else "")
            + "."
        )


def _check_shape(network: Any, wanted: Any, given: tuple[int, ...], name: str | None) -> None:
    """Raise unless a built network takes rows of this shape."""
    wanted = tuple(wanted)
    # Keras adds and removes a last axis of length one by itself.
    short = [shape[:-1] if shape[-1:] == (1,) else shape for shape in (wanted, given)]
    pairs = (given, wanted) if len(given) == len(wanted) else short
    if len(pairs[0]) == len(pairs[1]) and all(
        None in pair or pair[0] == pair[1] for pair in zip(*pairs, strict=True)
    ):
        return
    if name is not None:
        raise ModelError(
            f"The input {name!r} of the network {network.name!r} takes rows of shape {wanted}, but "
            f"inputs[{name!r}] gives rows of shape {given}. Pick other columns, or reshape."
        )
    raise ModelError(
        f"The network {network.name!r} takes rows of shape {wanted}, but X has rows of shape "
        f'{given}. Reshape X, or let the builder take `meta` and begin with meta["X_shape_"].'
    )


def input_dtypes(network: Any, X: Any, floatx: str) -> Any:
    """Return the dtype of rows that enter `network`; a dict for several inputs by name.

    Parameters
    ----------
    network : keras.Model
        Built.
    X : ndarray, csr_matrix, csr_array or InputRows
        Validated rows.
    floatx : str
        Dtype of numbers for a network that does not tell.
    """
    tensors = input_tensors(network)
    if isinstance(X, InputRows):
        if tensors is None:
            return {name: TEXT if is_text(a) else floatx for name, a in X.parts.items()}
        if len(tensors) > 1:
            return {name: str(tensor.dtype) for name, tensor in tensors.items()}
    if tensors and len(tensors) == 1:
        (tensor,) = tensors.values()
        return str(tensor.dtype)
    return TEXT if is_text(X) else floatx


def free_lengths(network: Any, X: Any) -> dict[str, bool]:
    """Return, for each input, whether the first axis of a row may have any length.

    The only input of a network has the name of the only entry of `inputs`, or "".
    """
    tensors = input_tensors(network)
    if tensors is None:
        return {}
    axes = {name: len(t.shape) > 1 and t.shape[1] is None for name, t in tensors.items()}
    if len(axes) > 1:
        return axes
    name = next(iter(X.parts)) if isinstance(X, InputRows) else ""
    return {name: next(iter(axes.values()))}


def knows_padding(network: Any) -> bool:
    """Return whether a layer of `network` masks steps, or the user wrote its layers."""
    keras = load_keras()
    if input_tensors(network) is None:
        return True
    for layer in all_layers(network):
        masks = isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False)
        if masks or not type(layer).__module__.startswith("keras."):
            return True
    return False
