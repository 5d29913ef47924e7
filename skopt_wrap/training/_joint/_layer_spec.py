"""A layer as plain data, from which joint training computes it for several networks at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._keras import load_keras


class NotJointlyTrainable(Exception):
    """A part of a network that is not computed for several networks at once.

    Examples
    --------
    >>> from skopt_wrap.training import NotJointlyTrainable
    >>> str(NotJointlyTrainable("layers of type LSTM are trained one network at a time"))
    'layers of type LSTM are trained one network at a time'
    """


@dataclass
class LayerSpec:
    """One layer: what it computes, and the variables that it computes it with.

    A rate of dropout is `rate`, or that times the variable `left` as it is before each epoch.
    """

    kind: str
    settings: tuple[Any, ...] = ()
    weights: tuple[Any, ...] = ()
    stats: tuple[Any, ...] = ()
    seed: Any = None
    rate: float = 0.0
    left: Any = None


def activated(layer: Any) -> list[LayerSpec]:
    """Return the activation of `layer` as a step of its own."""
    keras, function = load_keras(), layer.activation
    if function is None or function is keras.activations.linear:
        return []
    if not getattr(function, "__module__", "").startswith("keras."):
        raise NotJointlyTrainable(f"the activation of {layer.name} is not one of Keras")
    if not hasattr(function, "__qualname__"):
        raise NotJointlyTrainable(f"the activation of {layer.name} is an object")
    return [LayerSpec("Activation", (function,))]
