"""Find the layer that prepares a table in a network, and cut the network behind it."""

from __future__ import annotations

from typing import Any

from .._backend import load_keras


def table_layer(model: Any) -> Any:
    """Return the layer of `model` that prepares a table, or None."""
    for layer in getattr(model, "layers", ()):
        if is_table_layer(layer):
            return layer
    return None


def is_table_layer(layer: Any) -> bool:
    """Return whether a layer is the one that prepares a table."""
    return own_class_name(layer) == "PreparedTable"


def own_class_name(part: Any) -> str | None:
    """Return the name of the class of a layer, loss or optimizer of this package, or None."""
    kind = type(part)
    return kind.__name__ if kind.__module__.startswith("skopt_wrap.") else None


def split_behind_table(model: Any) -> tuple[Any, Any] | None:
    """Return a network cut behind the preparation of a table and the embeddings of its codes.

    Parameters
    ----------
    model : keras.Model
        Functional network with one input and one output, and a layer that prepares a table.

    Returns
    -------
    parts : (keras.Model, keras.Model) or None
        From the table to the values that all others are made of, and from there on; they share the
        layers of `model`. None where no single tensor lies between the two.
    """
    keras, layer = load_keras(), table_layer(model)
    operations = list(model.operations)
    embeddings = {op for op in operations if type(op).__name__ == "Embedding"}
    for operation in operations[operations.index(layer) :]:
        before = _makers(operation.output)
        if not embeddings <= before:
            continue
        # What does not go through the tensor would need the parts in front of it.
        behind = _makers(model.outputs[0], stop=operation)
        if behind & before == {operation}:
            front = keras.Model(model.inputs[0], operation.output)
            return front, keras.Model(operation.output, model.outputs[0])
    return None


def _makers(tensor: Any, stop: Any = None) -> set[Any]:
    """Return the operations by which a tensor is made, without those before `stop`."""
    found: set[Any] = set()
    waiting = [tensor]
    while waiting:
        operation = waiting.pop()._keras_history[0]
        if operation in found:
            continue
        found.add(operation)
        if operation is not stop:
            waiting += [t for node in operation._inbound_nodes for t in node.input_tensors]
    return found
