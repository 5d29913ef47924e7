"""Rebuild a Sequential or Functional network with some of its layers replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._backend import load_keras
from ._custom_objects import CustomObjects, copy_operation
from ._layers import run_graph


def layer_calls(model: Any) -> Counter[str]:
    """Return how often each layer is called in the graph of `model`, by name.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional.
    """
    graph = getattr(model, "_functional", None) or model
    nodes = [node for nodes in graph._nodes_by_depth.values() for node in nodes]
    return Counter(node.operation.name for node in nodes)


def clone_graph(
    model: Any,
    clone: Callable[[Any], Any],
    call: Callable[..., Any] | None = None,
    row_shape: tuple[int, ...] | None = None,
) -> Any:
    """Return a network of the same graph, made of other layers, which is not compiled.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network. It is not changed.
    clone : callable
        ``clone(layer)`` returns what stands for a layer; called once for each.
    call : callable, default=None
        ``call(cloned, *args, **kwargs)`` returns the outputs of what stands for a layer; None
        calls it. Not for a Sequential network.
    row_shape : tuple of int, default=None
        Shape of a row of the only input, where it is another one.

    Returns
    -------
    network : keras.Model
        Sequential where `model` is.
    """
    keras = load_keras()
    made: dict[int, Any] = {}

    def replace(operation: Any) -> Any:
        if id(operation) not in made:
            is_layer = isinstance(operation, keras.Layer)
            made[id(operation)] = clone(operation) if is_layer else copy_operation(operation)
        return made[id(operation)]

    def start(tensor: Any) -> Any:
        return _start(tensor, row_shape)

    if isinstance(model, keras.Sequential):
        first = start(model.inputs[0])._keras_history[0]
        return keras.Sequential([first, *map(replace, model.layers)], name=model.name)
    inputs = keras.tree.map_structure(start, model.input)
    outputs = run_graph(model, inputs, replace, call)
    return keras.Model(inputs, outputs, name=model.name)


def clone_graph_behind(model: Any, tensor: Any, clone: Callable[[Any], Any]) -> Any:
    """Run other layers in the graph of `model` on a tensor that stands for its only input.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network with one input. It is not changed.
    tensor : KerasTensor
        Of the shape of the input.
    clone : callable
        ``clone(layer)`` returns what stands for a layer; called once for each.

    Returns
    -------
    outputs : KerasTensor
        In the structure of the outputs of `model`.
    """
    keras = load_keras()
    made: dict[int, Any] = {}

    def replace(operation: Any) -> Any:
        if id(operation) not in made:
            is_layer = isinstance(operation, keras.Layer)
            made[id(operation)] = clone(operation) if is_layer else copy_operation(operation)
        return made[id(operation)]

    return run_graph(model, [tensor], replace, None)


def _start(tensor: Any, row_shape: tuple[int, ...] | None) -> Any:
    """Return an input like another one."""
    shape = tensor.shape if row_shape is None else (tensor.shape[0], *row_shape)
    name = tensor._keras_history[0].name
    return load_keras().Input(batch_shape=shape, dtype=tensor.dtype, name=name)


def copy_layer(layer: Any, objects: CustomObjects, *, build: bool = True) -> Any:
    """Return a layer of the same configuration and state, or `layer` itself.

    Unless `build`, it is built where it is called first, for the shape of the rows there.

    A preprocessing layer keeps what it learned in tables that a configuration does not hold; it
    has nothing to train, so it is shared.
    """
    if hasattr(layer, "adapt"):
        return layer
    copy = objects.build(type(layer), objects.config(layer))
    if build and not copy.built and layer.built and hasattr(layer, "get_build_config"):
        copy.build_from_config(layer.get_build_config() or {})
    return copy


def copy_variables(source: Any, target: Any) -> None:
    """Assign the variables of one built layer to those of its copy."""
    if source is target:
        return
    for ours, theirs in zip(source.variables, target.variables, strict=True):
        theirs.assign(ours)


def rebuild(
    model: Any,
    replacements: Mapping[str, Sequence[Any]],
    *,
    functional: bool = False,
    row_shape: tuple[int, ...] | None = None,
) -> Any:
    """Return a copy of `model` in which chains of layers stand for some of its layers.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional. It is not changed.
    replacements : mapping of str to sequence of keras.Layer
        Name of a layer called once -> new layers, the first of which gets what it got.
    functional : bool, default=False
        Return a Functional model for a Sequential one too.
    row_shape : tuple of int, default=None
        Shape of a row of the only input, where it is another one.

    Returns
    -------
    model : keras.Model
        Not compiled. All other layers are copies with the same weights.
    """
    keras = load_keras()
    copies: dict[str, Any] = {}
    objects = CustomObjects(model)

    def clone(layer: Any) -> Any:
        if layer.name in replacements:
            return replacements[layer.name][0]
        copies[layer.name] = copy_layer(layer, objects, build=row_shape is None)
        return copies[layer.name]

    if isinstance(model, keras.Sequential):
        x = _start(model.inputs[0], row_shape)
        chain = [new for old in model.layers for new in replacements.get(old.name) or [clone(old)]]
        if functional:
            inputs = x
            for layer in chain:
                x = layer(x)
            rebuilt = keras.Model(inputs, x, name=model.name)
        else:
            rebuilt = keras.Sequential([x._keras_history[0], *chain], name=model.name)
    else:

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            found = [c for c in replacements.values() if c[0] is layer]
            output = layer(*args, **kwargs)
            for following in found[0][1:] if found else ():
                output = following(output)
            return output

        rebuilt = clone_graph(model, clone, call, row_shape)
    for layer in model.layers:
        if layer.name in copies:
            copy_variables(layer, copies[layer.name])
    rebuilt.trainable = model.trainable
    for layer in model.layers:
        if layer.name in copies and copies[layer.name] is not layer:
            copies[layer.name].trainable = layer.trainable
    return rebuilt
