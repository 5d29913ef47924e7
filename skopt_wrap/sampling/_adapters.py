"""Call Keras layers and albumentations transforms: seeded, and in the range that they expect."""

from __future__ import annotations

import copy
import random
import threading
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..exceptions import DataError
from ._arrays import as_float
from ._images._image import pixel_range

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


@dataclass(frozen=True)
class AdaptedStep:
    """Base class: calls an object of another library, in the range of values that it expects.

    Parameters
    ----------
    wrapped : object
        The object of the other library.
    limits : (float, float), default=None
        Smallest and largest value that a pixel can have. None: not known yet, see `bind`.
    """

    wrapped: Any
    limits: tuple[float, float] | None = None

    def bind(self, X: Any, value_range: tuple[float, float] | None) -> Self:
        """Return the step with the range of the pixels: as given, or learned from all images."""
        if not isinstance(X, np.ndarray) or X.ndim < 3 or X.dtype.kind not in "iuf":
            return self
        return replace(self, limits=value_range or pixel_range(X))

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a changed batch of the same shape."""
        raise NotImplementedError


def map_range(
    X: np.ndarray, source: tuple[float, float], target: tuple[float, float]
) -> np.ndarray:
    """Return `X` mapped linearly from one range of values to another, as float32 or float64.

    Values outside the range are mapped by the same line. A range of one value maps to the start
    of the other.

    Parameters
    ----------
    X : ndarray
        Values.
    source, target : (float, float)
        Low and high of both ranges.

    Returns
    -------
    mapped : ndarray of float
        A new array.

    Examples
    --------
    >>> import numpy as np
    >>> map_range(np.array([0.0, 0.5, 1.0]), (0, 1), (0, 255)).tolist()
    [0.0, 127.5, 255.0]
    """
    (low, high), (first, last) = source, target
    mapped = np.array(as_float(X))
    mapped -= low
    mapped *= (last - first) / (high - low) if high > low else 0.0
    mapped += first
    return mapped


@dataclass(frozen=True)
class KerasStep(AdaptedStep):
    """A Keras layer, called with ``training=True``.

    The layer's random numbers are set from the sampler's seed for each call, and set back
    afterwards. Images without channels get an axis for them on the way. If the layer has a
    ``value_range``, pixels are mapped to it before the call and back after it.
    """

    def __repr__(self) -> str:
        return f"<Keras layer {type(self.wrapped).__name__}>"

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the batch, changed by the layer; of a Sequential, by one layer after the other."""
        if X.dtype.kind == "O":
            raise DataError(f"{self!r} cannot change texts here; use it inside the network.")
        seed = int(rng.integers(2**31))
        grey = X.ndim == 3
        with _KERAS_LOCK:
            generators = _seed_generators(self.wrapped)
            states = [np.asarray(generator.state) for generator in generators]
            python_state = random.getstate()  # keras.layers.AugMix draws from it
            random.seed(seed)
            try:
                for place, generator in enumerate(generators):
                    generator.state.assign(np.array([seed, place], dtype=states[place].dtype))
                values = X[..., None] if grey else X
                for layer in _layers(self.wrapped):
                    values = self._call(layer, values)
            finally:
                random.setstate(python_state)
                for generator, state in zip(generators, states, strict=True):
                    generator.state.assign(state)
        return values[..., 0] if grey and values.ndim == 4 else values

    def _call(self, layer: Any, X: np.ndarray) -> np.ndarray:
        """Return what one layer makes of the batch, in the range of the batch."""
        expected = _value_range(layer)
        if expected is None or self.limits is None or expected == self.limits:
            # float32, because layers that add noise refuse uint8.
            return np.asarray(layer(X.astype(np.float32), training=True))
        mapped = map_range(X, self.limits, expected).astype(np.float32)
        if expected[1] - expected[0] >= 255:
            # Layers cut pixels off to whole numbers: 254.99998 has to become 255, not 254.
            whole = np.rint(mapped)
            mapped = np.where(np.abs(mapped - whole) < 1e-4, whole, mapped)
        return map_range(np.asarray(layer(mapped, training=True)), expected, self.limits)


def _layers(layer: Any) -> list[Any]:
    """Return the layers of a Sequential, each of which may expect a range of its own."""
    if type(layer).__name__ in ("Sequential", "Pipeline") and hasattr(layer, "layers"):
        return [part for inner in layer.layers for part in _layers(inner)]
    return [layer]


def _value_range(layer: Any) -> tuple[float, float] | None:
    """Return the range of values that a layer expects, if it has a parameter for it."""
    found = getattr(layer, "value_range", None)
    if found is None:
        return None
    low, high = found
    return float(low), float(high)


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


@dataclass(frozen=True)
class AlbumentationsStep(AdaptedStep):
    """An albumentations transform or composition, called on each image.

    The library expects uint8, or float32 in [0, 1]. Other images are mapped to [0, 1] and back.
    A copy of the transform is seeded and called.
    """

    def __repr__(self) -> str:
        return f"<albumentations {type(self.wrapped).__name__}>"

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the batch, changed image by image."""
        if X.dtype.kind not in "iuf" or X.ndim < 3:
            raise DataError(f"{self!r} takes images only. Got shape {X.shape}, {X.dtype}.")
        transform = copy.deepcopy(self.wrapped)
        transform.set_random_seed(int(rng.integers(2**31)))
        limits = self.limits or pixel_range(X)
        if X.dtype == np.uint8 and limits == (0.0, 255.0):
            return np.stack([transform(image=image)["image"] for image in X])
        images = map_range(X, limits, (0.0, 1.0)).astype(np.float32)
        changed = np.stack([transform(image=image)["image"] for image in images])
        return map_range(
            changed.astype(X.dtype if X.dtype == np.float64 else np.float32), (0.0, 1.0), limits
        )
