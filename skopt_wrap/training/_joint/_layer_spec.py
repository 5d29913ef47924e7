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

    `rate` is that of a dropout, None for other kinds; it is multiplied by the variable `left`, as
    that is before each epoch, where there is one. `size` is known of two kinds: the units of which
    a dropout draws, and the positions that a flattening puts side by side. None of these is part
    of what is traced.
    """

    kind: str
    settings: tuple[Any, ...] = ()
    weights: tuple[Any, ...] = ()
    stats: tuple[Any, ...] = ()
    seed: Any = None
    rate: float | None = None
    size: int | None = None
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


def dropout_spec(kind: str, layer: Any) -> list[LayerSpec]:
    """Return dropout as a step; it has no seed where it drops nothing."""
    if layer.rate >= 1:
        raise NotJointlyTrainable(f"{layer.name} drops everything")
    seed = layer.seed_generator.state if layer.rate else None
    return [LayerSpec(kind, seed=seed, rate=float(layer.rate), size=layer.input.shape[-1])]
