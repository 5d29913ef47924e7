"""The layers at the beginning of a network that prepare the columns of a row."""

from __future__ import annotations

from typing import Any

from ._backend import load_keras
from ._resize import applied_once, next_operations

# Layers that treat each column in its own way, and layers that may stand between them.
_OF_COLUMNS = ("Normalization",)
_BETWEEN = ("Rescaling", "Dropout", "GaussianNoise", "Identity", "Flatten", "Reshape")


def split_columns(model: Any) -> tuple[Any, Any] | None:
    """Return the layers that prepare columns, and all others, as two networks.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network with one input and one output. It is not changed.

    Returns
    -------
    networks : tuple of (keras.Model, keras.Model) or None
        They share the layers of `model`. None where it does not begin with such a layer, or has no
        others.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap._keras import split_columns
    >>> scaled = keras.layers.Normalization(mean=[0.0, 9.0], variance=[1.0, 4.0])
    >>> model = keras.Sequential([keras.Input((2,)), scaled, keras.layers.Dense(3)])
    >>> front, rest = split_columns(model)
    >>> front.output_shape, rest.input_shape
    ((None, 2), (None, 2))
    """
    keras = load_keras()
    follow, tensor, end = next_operations(model), model.inputs[0], None
    while True:
        following = follow[tensor._keras_history[0].name]
        if len(following) != 1 or not applied_once(following[0]):
            break
        layer = following[0]
        kind = type(layer).__name__
        if not isinstance(layer, keras.Layer) or kind not in (*_OF_COLUMNS, *_BETWEEN):
            break
        tensor = layer.output
        if tensor is model.outputs[0]:
            return None
        end = tensor if kind in _OF_COLUMNS else end
    if end is None:
        return None
    front = keras.Model(model.inputs[0], end, name="front")
    return front, keras.Model(end, model.outputs[0], name="rest")
