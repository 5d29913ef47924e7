"""Base classes of the transforms of images.

Batches have shape (n, height, width) or (n, height, width, channels).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, ClassVar, Self

import numpy as np

from ...exceptions import ParameterError
from .._batch import Movement
from .._transform import Transform
from ._kernels import Rows

#: What a transform draws for a batch: arrays with one entry for each image.
Drawn = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class ImageTransform(Transform):
    """Base class of the transforms of images.

    All random numbers are drawn first (`_draw`). Then one of two methods changes the images:
    `_batch` changes all of them at once with NumPy; `_each` changes one after the other, with
    OpenCV or by slicing. `_each` is used where `_engine` returns a module.
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    #: Whether `_each` may receive the same arrays as images and as results.
    in_place: ClassVar[bool] = False

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return arrays of length `n`; `shape` is the shape of one image."""
        return ()

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Return the changed batch; `X` may be overwritten."""
        raise NotImplementedError

    def _engine(self, X: np.ndarray) -> Any:
        """Return the module that `_each` uses for images like these; None for `_batch`."""
        return None

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Write the changed images to the results; images with one channel are 2-D."""
        raise NotImplementedError

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return whether OpenCV is used, which computes with uint8."""
        return self._engine(X) is not None

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change every image."""
        return self._change(X, self._draw(len(X), X.shape[1:], rng))

    def _apply_tracked(
        self, X: np.ndarray, rng: np.random.Generator, track: list[Movement]
    ) -> np.ndarray:
        """Return what `_apply_some` returns, and append to `track` how pixels were moved."""
        if not self.moves_pixels:
            return self._apply_some(X, rng)
        n, shape = len(X), X.shape[1:]
        rows = np.arange(n)
        if self.probability < 1.0:
            rows = np.flatnonzero(rng.random(n) < self.probability)
        if not rows.size:
            return X
        drawn = self._draw(len(rows), shape, rng)
        maps, fill = self._movement(len(rows), drawn, shape)
        track.append(Movement(rows, maps, fill))
        changed = self._change(X if len(rows) == n else X[rows], drawn)
        if len(rows) == n:
            return changed
        X[rows] = changed
        return X

    def _movement(self, n: int, drawn: Drawn, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """Return the maps of `n` images from result to source, and the fill mode."""
        raise NotImplementedError

    def _change(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Return the batch, changed by what was drawn."""
        engine = self._engine(X)
        if engine is None:
            return self._batch(X, drawn)
        changed = X if self.in_place else np.empty_like(X)
        results = _plain(changed)
        self._each(engine, results if self.in_place else _plain(X), results, drawn)
        return changed

    def _reads_rows(self, values: Any) -> bool:
        """Return whether images are changed one by one, and can be read in place."""
        return self._engine(values) is not None

    def _apply_rows(
        self, values: np.ndarray, chosen: np.ndarray, X: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Write changed copies of ``values[chosen]`` to `X`."""
        engine, values, copies = self._engine(values), _plain(values), _plain(X)
        results: Rows = copies
        if self.probability < 1.0:
            changed = rng.random(len(X)) < self.probability
            for i in np.flatnonzero(~changed).tolist():
                copies[i] = values[chosen[i]]
            chosen, results = chosen[changed], list(compress(copies, changed))
        images = [values[i] for i in chosen.tolist()]
        if images:
            drawn = self._draw(len(images), X.shape[1:], rng)
            self._each(engine, images, results, drawn)
        return X


def _plain(X: np.ndarray) -> np.ndarray:
    """Return the images; those with one channel without the axis of channels."""
    return X[..., 0] if X.ndim == 4 and X.shape[3] == 1 else X


@dataclass(frozen=True)
class LightTransform(ImageTransform):
    """Base class of the transforms that clip pixels to a range."""

    moves_pixels: ClassVar[bool | None] = False

    value_range: tuple[float, float] | None = field(default=None, kw_only=True)
    #: Whether the images of the user are uint8, even if they are float at this step.
    of_bytes: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        if self.value_range is not None:
            low, high = self.value_range
            if not low <= high:
                raise ParameterError(
                    f"{type(self).__name__}(value_range=...) must be (low, high) with low <= high. "
                    f"Got {self.value_range!r}."
                )

    def _bind(self, X: Any) -> Self:
        """Learn the range of the pixels, and whether they are uint8 at first."""
        limits = pixel_range(X) if self.value_range is None else self.value_range
        return replace(self, value_range=limits, of_bytes=X.dtype == np.uint8)

    def _within(self, value_range: tuple[float, float]) -> Self:
        """Return the transform for pixels of this range, unless it has a range of its own."""
        return self if self.value_range is not None else replace(self, value_range=value_range)

    @property
    def _range(self) -> tuple[float, float]:
        assert self.value_range is not None  # set by `_bind`
        return self.value_range

    @property
    def _span(self) -> float:
        low, high = self._range
        return high - low

    def _clip(self, X: np.ndarray) -> np.ndarray:
        """Clip pixels to the range, in place."""
        return np.clip(X, *self._range, out=X)

    def _clip_each(self, images: Rows) -> None:
        """Clip the pixels of each image to the range, in place."""
        low, high = self._range
        if len(images) and images[0].dtype == np.uint8:
            low, high = byte_range(low, high)
            if (low, high) == (0, 255):
                return
        for image in images:
            np.clip(image, low, high, out=image)


def pixel_range(X: np.ndarray) -> tuple[float, float]:
    """Return the range to which pixels are clipped.

    uint8 images: (0, 255). Others: (0, 1) if all pixels lie there, else the smallest and the
    largest pixel of the data.
    """
    if X.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(X.min()), float(X.max())
    return (0.0, 1.0) if X.dtype.kind == "f" and low >= 0 and high <= 1 else (low, high)


def byte_range(low: float, high: float) -> tuple[int, int]:
    """Return the smallest and the largest uint8 that clipping to (low, high) allows."""
    first, last = np.rint(np.clip((low, high), 0, 255)).astype(int).tolist()
    return first, last
