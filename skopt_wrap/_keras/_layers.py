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


def use_one_scale_for_dense_kernels(converter: Any, value: bool) -> None:
    """Tell a converter of TensorFlow Lite to give a dense kernel one scale, not one a unit."""
    converter._experimental_disable_per_channel_quantization_for_dense_layers = value
