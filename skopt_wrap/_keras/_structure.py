"""Inputs and outputs of a Keras model: their names, shapes and dtypes, and how they are nested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._inspect import is_subclassed


@dataclass(frozen=True)
class OutputForm:
    """How the outputs of a network are nested.

    Parameters
    ----------
    kind : {"one", "list", "dict"}
        One tensor, or several in a list (or tuple), or in a dict.
    names : tuple of str
        Names, in the order of the list or dict that the network was made with.
    units : tuple of int
        Units of each output.
    layer_names : tuple of str
        Names of the layers that make the outputs, which losses may be given by as well.
    shapes : tuple of tuples
        Shape of each output, None for what depends on the rows.

    Examples
    --------
    >>> from skopt_wrap._keras._structure import OutputForm
    >>> form = OutputForm("dict", ("price", "age"), (1, 1))
    >>> form.pack([10, 20]), form.unpack({"age": 20, "price": 10})
    ({'price': 10, 'age': 20}, [10, 20])
    """

    kind: str
    names: tuple[str, ...]
    units: tuple[int, ...]
    layer_names: tuple[str, ...] = ()
    shapes: tuple[tuple[int | None, ...], ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def pack(self, parts: list[Any]) -> Any:
        """Return one object per output, nested as the outputs are."""
        if self.kind == "one":
            return parts[0]
        return dict(zip(self.names, parts, strict=True)) if self.kind == "dict" else list(parts)

    def unpack(self, nested: Any) -> list[Any]:
        """Return what is nested as the outputs are as a list, in the order of `names`."""
        if self.kind == "one":
            return [nested]
        return [nested[name] for name in self.names] if self.kind == "dict" else list(nested)


def input_tensors(model: Any) -> dict[str, Any] | None:
    """Return the inputs of `model` by name, in its order; None where a call alone can tell.

    The name of an input in a dict is its key, that of another one is the name of its tensor.
    """
    if is_subclassed(model) or not getattr(model, "inputs", None):
        return None
    nested = getattr(model, "_inputs_struct", None)
    if isinstance(nested, Mapping):
        return {str(name): tensor for name, tensor in nested.items()}
    return {tensor.name: tensor for tensor in model.inputs}


def output_form(model: Any, rows: Any) -> OutputForm:
    """Return how the outputs of `model` are nested.

    Parameters
    ----------
    model : keras.Model
        Built network.
    rows : ndarray or dict of ndarray
        A few rows; a subclassed model tells its outputs only when it is called.
    """
    if is_subclassed(model):
        nested, layers = model(rows), ()
    elif not hasattr(model, "_outputs_struct"):  # Sequential
        nested, layers = model.outputs[0], ()
    else:
        nested = model._outputs_struct
        layers = tuple(t._keras_history.operation.name for t in _leaves(nested))
    leaves = _leaves(nested)
    if leaves is None:
        return OutputForm("other", (), ())
    units = tuple(int(t.shape[-1]) if len(t.shape) > 1 else 1 for t in leaves)
    shapes = tuple(tuple(t.shape) for t in leaves)
    if isinstance(nested, Mapping):
        return OutputForm("dict", tuple(map(str, nested)), units, layers, shapes)
    if isinstance(nested, list | tuple) and not (len(leaves) == 1 and not is_subclassed(model)):
        # Keras unpacks a list of one output when it calls a functional network.
        given = layers or tuple(f"output_{i + 1}" for i in range(len(leaves)))
        return OutputForm("list", given, units, layers, shapes)
    return OutputForm("one", ("output",), units, layers, shapes)


def output_tensors(model: Any) -> list[Any]:
    """Return the symbolic outputs of `model`, in the order of :func:`output_form`."""
    if is_subclassed(model):
        return []
    return _leaves(getattr(model, "_outputs_struct", model.outputs[0])) or []


def _leaves(nested: Any) -> Any:
    """Return the tensors of one tensor, or of a flat list or dict of them; None for others."""
    if isinstance(nested, Mapping):
        nested = list(nested.values())
    if not isinstance(nested, list | tuple):
        return [nested] if hasattr(nested, "shape") else None
    return list(nested) if nested and all(hasattr(item, "shape") for item in nested) else None


def fixed_batch(model: Any) -> int | None:
    """Return the number of samples that every batch of `model` must have; None for any."""
    inputs = None if is_subclassed(model) else getattr(model, "inputs", None)
    sizes = {tensor.shape[0] for tensor in inputs or ()} - {None}
    return int(sizes.pop()) if sizes else None


def reset_states(model: Any) -> bool:
    """Set the states of stateful recurrent layers to zero; return whether there are any."""
    found = False
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()
            found = True
    return found
