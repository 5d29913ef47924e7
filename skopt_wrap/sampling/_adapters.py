"""Keras layers and albumentations transforms as steps of a policy, seeded like all others."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np

from ..exceptions import DataError

# Layers hold the state of their random numbers, which each call sets: one call at a time.
_KERAS_LOCK = threading.Lock()


def adapt(item: Any) -> Any:
    """Return a callable with a parameter ``rng`` for objects of other libraries, others as is.

    Parameters
    ----------
    item : object
        What the caller wrote in ``transforms``.

    Returns
    -------
    item : object
        A :class:`KerasStep`, an :class:`AlbumentationsStep`, or `item`.
    """
    for cls in type(item).__mro__:
        library = cls.__module__.partition(".")[0]
        if library == "keras" and cls.__name__ == "Layer":
            return KerasStep(item)
        if library in ("albumentations", "albumentationsx") and hasattr(item, "set_random_seed"):
            return AlbumentationsStep(item)
    return item


class KerasStep:
    """A Keras layer, called with ``training=True``.

    The layer's random numbers are set from the sampler's seed for each call and put back
    afterwards. Images without channels get an axis for them on the way.

    Parameters
    ----------
    layer : keras.layers.Layer
        Preprocessing layer that keeps the shape.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __repr__(self) -> str:
        return f"<Keras layer {type(self.layer).__name__}>"

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if X.dtype.kind == "O":
            raise DataError(f"{self!r} cannot change texts here; use it inside the network.")
        seed = int(rng.integers(2**31))
        grey = X.ndim == 3
        with _KERAS_LOCK:
            generators = _seed_generators(self.layer)
            states = [np.asarray(generator.state) for generator in generators]
            try:
                for place, generator in enumerate(generators):
                    generator.state.assign(np.array([seed, place], dtype=states[place].dtype))
                inputs = X.astype(np.float32)  # layers that add noise refuse bytes
                result = self.layer(inputs[..., None] if grey else inputs, training=True)
            finally:
                for generator, state in zip(generators, states, strict=True):
                    generator.state.assign(state)
        values = np.asarray(result)
        return values[..., 0] if grey and values.ndim == 4 else values


def _seed_generators(layer: Any) -> list[Any]:
    """Return the seed generators of a layer and of those inside it, each once."""
    found: dict[int, Any] = {}
    todo, seen = [layer], set()
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        for value in vars(part).values():
            for inner in value if isinstance(value, list | tuple) else (value,):
                if type(inner).__name__ == "SeedGenerator" and hasattr(inner, "state"):
                    found.setdefault(id(inner), inner)
                elif hasattr(inner, "get_config") and type(inner).__module__.startswith("keras."):
                    todo.append(inner)
    return list(found.values())


class AlbumentationsStep:
    """An albumentations transform or composition, called on each image.

    Parameters
    ----------
    transform : albumentations.BasicTransform or albumentations.BaseCompose
        Transform that keeps the shape; a copy of it is seeded and called.
    """

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __repr__(self) -> str:
        return f"<albumentations {type(self.transform).__name__}>"

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if X.dtype not in (np.uint8, np.float32):
            raise DataError(
                f"{self!r} takes uint8 or float32 images. Got {X.dtype}; use X.astype('float32')."
            )
        transform = copy.deepcopy(self.transform)
        transform.set_random_seed(int(rng.integers(2**31)))
        return np.stack([transform(image=image)["image"] for image in X])
