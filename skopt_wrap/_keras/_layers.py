"""The layers of a network, those inside other layers too, and how its graph is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._backend import load_keras


def all_layers(model: Any) -> list[Any]:
    """Return `model` itself and every layer in it, those inside wrappers and networks too."""
    return list(model._flatten_layers())


def is_called(layer: Any) -> bool:
    """Return whether `layer` has a place in the graph of a network."""
    return bool(layer._inbound_nodes)


def built_shape(layer: Any) -> tuple[int | None, ...] | None:
    """Return the shape of the first input that `layer` was built for, or None."""
    shapes = getattr(layer, "_build_shapes_dict", None) or {}
    return next(iter(shapes.values()), None)


def run_graph(
    model: Any,
    inputs: list[Any],
    replace: Callable[[Any], Any],
    call: Callable[..., Any] | None,
) -> Any:
    """Run the graph of a Sequential or Functional network with other operations and tensors.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network.
    inputs : list of object
        Stand for the inputs of the network.
    replace : callable
        ``replace(operation)`` returns what stands for a layer or operation.
    call : callable or None
        ``call(replaced, *args, **kwargs)`` returns its outputs; None calls what was replaced.

    Returns
    -------
    outputs : object
        In the structure of the outputs of the network.
    """
    graph = model._functional if isinstance(model, load_keras().Sequential) else model
    return graph._run_through_graph(inputs, operation_fn=replace, call_fn=call)


def mask_operations(model: Any) -> set[Any]:
    """Return the operations by which Keras 3 writes masks into the graph of `model`.

    A mask is made by comparing the input of a layer with a value, and is given to layers as their
    argument ``mask`` only, or to another such operation.
    """
    keras = load_keras()
    graph = getattr(model, "_functional", None) or model
    users: dict[int, list[tuple[Any, bool]]] = {}
    operations = [op for op in graph.operations if not isinstance(op, keras.Layer)]
    for operation in graph.operations:
        for node in operation._inbound_nodes:
            masks = [id(t) for t in keras.tree.flatten(node.arguments.kwargs.get("mask"))]
            for tensor in node.input_tensors:
                maker = tensor._keras_history[0]
                as_mask = id(tensor) in masks and id(tensor) not in [
                    id(t) for t in keras.tree.flatten(node.arguments.args)
                ]
                users.setdefault(id(maker), []).append((operation, as_mask))
    ends = {id(tensor._keras_history[0]) for tensor in model.outputs}
    found: set[Any] = set()
    changed = True
    while changed:
        changed = False
        for operation in operations:
            known = users.get(id(operation), [])
            if operation in found or id(operation) in ends or not known:
                continue
            if all(as_mask or user in found for user, as_mask in known):
                found.add(operation)
                changed = True
    return found


def use_one_scale_for_dense_kernels(converter: Any, value: bool) -> None:
    """Tell a converter of TensorFlow Lite to give a dense kernel one scale, not one a unit."""
    converter._experimental_disable_per_channel_quantization_for_dense_layers = value
