"""Move a multiplication and an addition behind a network into the layers that make its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._backend import load_keras
from ._custom_objects import CustomObjects
from ._graph import clone_graph, copy_layer
from ._resize import applied_once, next_operations

Array = np.ndarray

_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D")
_IDENTITIES = frozenset(
    "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise "
    "AlphaDropout ActivityRegularization Identity".split()
)


class _Plan:
    """Which layers take the multiplication and the addition up, and which operations go."""

    def __init__(self, model: Any) -> None:
        self.keras = load_keras()
        self.follow = next_operations(model)
        self.changed: dict[int, tuple[Array, Array]] = {}
        self.dropped: set[int] = set()
        self.networks: dict[int, Any] = {}

    def fold(self, tensor: Any, scale: Array, shift: Array) -> bool:
        """Plan to make ``tensor * scale + shift``; return whether that is possible."""
        operation, node, _ = tensor._keras_history
        if not applied_once(operation) or len(self.follow[operation.name]) > 1:
            return False
        kind = type(operation).__name__
        if not type(operation).__module__.startswith("keras."):
            return False
        arguments = operation._inbound_nodes[node].arguments
        inputs = list(arguments.keras_tensors)
        if isinstance(operation, self.keras.Layer):
            return self._layer(operation, kind, inputs, scale, shift)
        return self._operation(operation, kind, arguments, inputs, scale, shift)

    def _layer(self, layer: Any, kind: str, inputs: list[Any], scale: Array, shift: Array) -> bool:
        if getattr(layer, "layers", None) and len(getattr(layer, "outputs", ())) == 1:
            self.networks[id(layer)] = fold_affine(layer, scale, shift)
            return self.networks[id(layer)] is not None
        activation = getattr(layer, "activation", None)
        linear = activation is None or activation is self.keras.activations.linear
        last = getattr(layer, "data_format", "channels_last") != "channels_first"
        if kind == "Dense" or (kind in _CONVOLUTIONS and last):
            self.changed[id(layer)] = scale, shift
            return linear and layer.kernel_constraint is None and layer.bias_constraint is None
        if kind in _IDENTITIES or (kind == "Activation" and linear):
            return self.fold(inputs[0], scale, shift)
        if kind in ("Flatten", "Reshape"):
            return self._reshaped(inputs[0], scale, shift)
        if kind == "Rescaling" and last:
            self.dropped.add(id(layer))
            factor, offset = np.asarray(layer.scale), np.asarray(layer.offset)
            return self.fold(inputs[0], scale * factor, scale * offset + shift)
        if kind == "Concatenate" and layer.axis in (-1, len(inputs[0].shape) - 1):
            return self._split(inputs, scale, shift)
        if kind in ("Add", "Subtract"):
            return self._sum(inputs, scale, shift)
        return False

    def _operation(
        self,
        operation: Any,
        kind: str,
        arguments: Any,
        inputs: list[Any],
        scale: Array,
        shift: Array,
    ) -> bool:
        if kind == "Concatenate" and operation.axis in (-1, len(inputs[0].shape) - 1):
            return self._split(inputs, scale, shift)
        if kind == "Reshape":
            return self._reshaped(inputs[0], scale, shift)
        if kind in ("Add", "Subtract") and len(inputs) == 2:
            return self._sum(inputs, scale, shift)
        parts = [*arguments.args, *arguments.kwargs.values()]
        if len(inputs) != 1 or len(parts) != 2 or inputs[0].shape[-1] != len(scale):
            return False
        first = parts[0] is inputs[0]
        constant = np.asarray(parts[1] if first else parts[0], dtype=np.float64)
        if constant.size not in (1, len(scale)) or max(constant.shape, default=1) != constant.size:
            return False
        constant = constant.ravel()
        self.dropped.add(id(operation))
        if kind == "Add":
            return self.fold(inputs[0], scale, scale * constant + shift)
        if kind == "Subtract" and first:
            return self.fold(inputs[0], scale, shift - scale * constant)
        if kind == "Subtract":
            return self.fold(inputs[0], -scale, scale * constant + shift)
        if kind == "Multiply":
            return self.fold(inputs[0], scale * constant, shift)
        if kind in ("Divide", "TrueDivide") and first and constant.all():
            return self.fold(inputs[0], scale / constant, shift)
        return False

    def _reshaped(self, tensor: Any, scale: Array, shift: Array) -> bool:
        """Go on in front of a layer that may give the units another axis."""
        width = tensor.shape[-1]
        if width == len(scale) == 1 or (width is not None and _uniform(scale, shift)):
            return self.fold(tensor, np.full(width, scale[0]), np.full(width, shift[0]))
        return False

    def _split(self, inputs: list[Any], scale: Array, shift: Array) -> bool:
        start = 0
        for tensor in inputs:
            stop = start + tensor.shape[-1]
            if not self.fold(tensor, scale[start:stop], shift[start:stop]):
                return False
            start = stop
        return True

    def _sum(self, inputs: list[Any], scale: Array, shift: Array) -> bool:
        """Go on in front of a sum or a difference, whose first part takes the addition up."""
        if any(tensor.shape != inputs[0].shape for tensor in inputs):
            return False
        return self.fold(inputs[0], scale, shift) and all(
            self.fold(tensor, scale, np.zeros_like(shift)) for tensor in inputs[1:]
        )


def _uniform(scale: Array, shift: Array) -> bool:
    return bool((scale == scale[0]).all() and (shift == shift[0]).all())


def fold_affine(model: Any, scale: Array, shift: Array) -> Any | None:
    """Return a network whose output is ``output * scale + shift`` of another one, or None.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network with one output. It is not changed.
    scale, shift : ndarray of shape (n_units,)
        On the last axis of the output.

    Returns
    -------
    network : keras.Model or None
        Functional, of the same layers with other weights. None when the last layers are not
        linear, so that the units cannot be moved into them.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap._keras import fold_affine
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> model.set_weights([np.array([[1.0], [2.0]])])
    >>> moved = fold_affine(model, np.array([10.0]), np.array([5.0]))
    >>> [weight.ravel().tolist() for weight in moved.get_weights()]
    [[10.0, 20.0], [5.0]]
    """
    keras = load_keras()
    graph = keras.Model(model.inputs[0], model.outputs[0])
    plan, objects = _Plan(graph), CustomObjects(model)
    scale, shift = (np.asarray(part, dtype=np.float64) for part in (scale, shift))
    if not plan.fold(graph.outputs[0], scale, shift):
        return None
    made: dict[int, Any] = {}

    def clone(layer: Any) -> Any:
        if id(layer) in plan.networks:
            return plan.networks[id(layer)]
        if id(layer) in plan.changed and not layer.use_bias:
            settings = {**objects.config(layer), "use_bias": True}
            made[id(layer)] = objects.build(type(layer), settings)
        else:
            made[id(layer)] = copy_layer(layer, objects)
        if id(layer) in plan.dropped:
            made[id(layer)] = keras.layers.Identity(name=layer.name)
        return made[id(layer)]

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation.name in dropped_names and not isinstance(operation, keras.Layer):
            return next(
                part for part in (*args, *kwargs.values()) if keras.utils.is_keras_tensor(part)
            )
        return operation(*args, **kwargs)

    dropped_names = {
        operation.name for operation in graph.operations if id(operation) in plan.dropped
    }
    network = clone_graph(graph, clone, call)
    for layer in graph.layers:
        if id(layer) not in made or made[id(layer)] is layer or id(layer) in plan.dropped:
            continue
        weights = layer.get_weights()
        if id(layer) in plan.changed:
            factor, offset = plan.changed[id(layer)]
            bias = weights[1] if layer.use_bias else np.zeros(len(factor))
            weights = [weights[0] * factor, bias * factor + offset]
        made[id(layer)].set_weights(weights)
        if weights and hasattr(made[id(layer)], "finalize_state"):
            made[id(layer)].finalize_state()
    return network
