"""Operations of ``keras.ops`` in a tf_keras network, such as ``x + y``. In the conversion process.

An operation that has an equal layer in Keras 2 becomes that layer, which TFMOT knows. Any other one
becomes a layer that calls the operation itself, on the tensors of the same TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf_keras

_MERGING = {
    "Add": "Add",
    "Subtract": "Subtract",
    "Multiply": "Multiply",
    "Maximum": "Maximum",
    "Minimum": "Minimum",
}
_ACTIVATIONS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Elu": "elu",
    "Selu": "selu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Exp": "exponential",
}


# The class of the tensors that a network of tf_keras is built of.
_SYMBOLIC = type(tf_keras.Input((1,)))
# Operations and their arguments, by a text that a configuration can hold.
_CALLS: dict[str, tuple[Any, Any]] = {}


class KerasOperation(tf_keras.layers.Layer):
    """A layer of Keras 2 that calls an operation of Keras 3.

    Parameters
    ----------
    key : str
        Of `_CALLS`: the operation, which has no state, and its positional and keyword arguments,
        with a :class:`Place` for each tensor.
    """

    def __init__(self, key: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.key = key

    def call(self, inputs: Any) -> Any:
        """Return the outputs of the operation for a tensor or a list of tensors."""
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        operation, template = _CALLS[self.key]
        args, kwargs = _mapped(
            template, lambda part: given[part.index] if isinstance(part, Place) else part
        )
        return operation.call(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the settings; a copy stays in this process."""
        return {**super().get_config(), "key": self.key}


class Place:
    """Stands for the tensor of a number among the arguments of an operation."""

    def __init__(self, index: int) -> None:
        self.index = index


def apply_operation(
    operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Return a tf_keras layer that stands for an operation, and its outputs.

    Parameters
    ----------
    operation : keras.Operation
        From the graph of a Keras 3 network.
    args, kwargs : tuple, dict
        What it is called with; tensors are those of tf_keras.
    """
    tensors: list[Any] = []

    def placed(part: Any) -> Any:
        if not isinstance(part, _SYMBOLIC):
            return part
        tensors.append(part)
        return Place(len(tensors) - 1)

    template = _mapped((args, kwargs), placed)
    layer = _equal_layer(operation, args, kwargs, tensors)
    if layer is None:
        key = f"{operation.name}_{len(_CALLS)}"
        _CALLS[key] = operation, template
        layer = KerasOperation(key)
    return layer, layer(tensors[0] if len(tensors) == 1 else tensors)


def _equal_layer(
    operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Any]
) -> Any:
    """Return an unbuilt layer of Keras 2 that computes the same, or None."""
    kind = type(operation).__name__
    if not type(operation).__module__.startswith("keras."):
        return None
    alone = list(args) == tensors and not kwargs
    shapes = {tuple(tensor.shape) for tensor in tensors}
    floating = all(tensor.dtype.is_floating for tensor in tensors)
    if kind in _MERGING and alone and len(tensors) == 2 and len(shapes) == 1 and floating:
        return getattr(tf_keras.layers, _MERGING[kind])()
    if kind in _ACTIVATIONS and alone and len(tensors) == 1 and floating:
        return tf_keras.layers.Activation(_ACTIVATIONS[kind])
    if kind == "Concatenate" and len(tensors) > 1 and operation.axis != 0 and floating:
        return tf_keras.layers.Concatenate(axis=operation.axis)
    if kind == "Reshape" and len(tensors) == 1 and len(operation.newshape) > 1:
        first, *rest = operation.newshape
        known = [size for size in tensors[0].shape[1:] if size is not None]
        whole = len(known) == len(tensors[0].shape) - 1
        if first == -1 and -1 not in rest and whole and _product(rest) == _product(known):
            return tf_keras.layers.Reshape(rest)
    return None


def _mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists and dicts with every other part changed."""
    if isinstance(structure, dict):
        return {key: _mapped(value, change) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(_mapped(part, change) for part in structure)
    return change(structure)


def _product(sizes: list[int]) -> int:
    result = 1
    for size in sizes:
        result *= int(size)
    return result
