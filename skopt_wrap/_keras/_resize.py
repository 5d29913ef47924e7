"""Rebuild a network with other widths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exceptions import ModelError
from ._custom_objects import CustomObjects
from ._graph import clone_graph

_UNITS = ("Dense", "LSTM", "GRU", "SimpleRNN")
_FILTERS = ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
_WIDTHS = {
    **dict.fromkeys(_UNITS, "units"),
    **dict.fromkeys((*_FILTERS, "SeparableConv1D", "SeparableConv2D"), "filters"),
    "Embedding": "output_dim",
}


def layer_width(layer: Any) -> int | None:
    """Return the number of units, filters or dimensions of a layer, None where it has none.

    A bidirectional layer has the width of each of its directions.
    """
    inner = getattr(layer, "forward_layer", layer)
    name = _WIDTHS.get(type(inner).__name__)
    return None if name is None else int(getattr(inner, name))


def output_layers(model: Any) -> set[str]:
    """Return the names of the layers whose width is that of the output of `model`."""
    found: set[str] = set()
    waiting, seen = list(model.outputs), set()
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if (id(operation), node) in seen:
            continue
        seen.add((id(operation), node))
        if layer_width(operation) is not None:
            found.add(operation.name)
        else:
            waiting += operation._inbound_nodes[node].input_tensors
    return found


def resized(model: Any, widths: Mapping[str, int]) -> Any:
    """Return a network like `model`, freshly initialized, whose layers have other widths.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network.
    widths : mapping of str to int
        Names of layers mapped to their new width.

    Returns
    -------
    network : keras.Model
        Not compiled. What layers without trainable weights have learned (``Normalization``) is
        copied.

    Raises
    ------
    ModelError
        When the layers no longer fit together.
    """
    objects = CustomObjects(model)

    def clone(layer: Any) -> Any:
        config = objects.config(layer)
        if layer.name in widths:
            inner = getattr(layer, "forward_layer", layer)
            place = config if inner is layer else config["layer"]["config"]
            place[_WIDTHS[type(inner).__name__]] = int(widths[layer.name])
            backward = config.get("backward_layer") if inner is not layer else None
            if backward is not None:
                backward["config"][_WIDTHS[type(inner).__name__]] = int(widths[layer.name])
        return objects.build(type(layer), config)

    try:
        network = clone_graph(model, clone)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"the network {model.name!r} cannot be built with other widths: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error
    for old, new in zip(model.layers, network.layers, strict=True):
        same = [w.shape for w in old.weights] == [w.shape for w in new.weights]
        if old.weights and same and not old.trainable_weights:
            new.set_weights(old.get_weights())
            if hasattr(new, "finalize_state"):
                new.finalize_state()
    return network


def next_operations(model: Any) -> dict[str, list[Any]]:
    """Return, for the name of every operation of `model`, the operations that take its output."""
    operations = _operations(model)
    known = {id(operation) for operation in operations}
    found: dict[str, list[Any]] = {operation.name: [] for operation in operations}
    for operation in operations:
        for node in operation._inbound_nodes:
            for parent in node.parent_nodes:
                if id(parent.operation) in known:
                    found[parent.operation.name].append(operation)
    return found


def applied_once(operation: Any) -> bool:
    """Whether a network applies `operation` at one place only."""
    return len(operation._inbound_nodes) == 1


def _operations(model: Any) -> list[Any]:
    graph = getattr(model, "_functional", None) or model  # of a Sequential network
    return list(graph.operations)
