"""What every transform of images is: it draws first, then changes a batch or image by image.

Batches have shape (n, height, width) or (n, height, width, channels).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, ClassVar, Self

import numpy as np

from ...exceptions import ParameterError
from .._transform import Transform
from ._kernels import Rows

#: What a transform draws for a batch: arrays with one entry for each image.
Drawn = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class ImageTransform(Transform):
    """Base of the transforms that suit images only.

    All that is random is drawn first (`_draw`). Then `_batch` changes the batch, or, where
    `_engine` says so, `_each` one image after the other: with OpenCV, or where slices of one image
    are faster than a gather for the batch.
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    #: whether `_each` may write to the images that it reads.
    in_place: ClassVar[bool] = False

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return arrays of length `n`; `shape` is that of one image."""
        return ()

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Return the changed batch; `X` may be written to."""
        raise NotImplementedError

    def _engine(self, X: np.ndarray) -> Any:
        """Return the module that `_each` works with if it takes images like these, else None."""
        return None

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Write the changed images to the results; images of one channel have two dimensions."""
        raise NotImplementedError

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """OpenCV computes with bytes."""
        return self._engine(X) is not None

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change every image."""
        drawn = self._draw(len(X), X.shape[1:], rng)
        engine = self._engine(X)
        if engine is None:
            return self._batch(X, drawn)
        changed = X if self.in_place else np.empty_like(X)
        results = _plain(changed)
        self._each(engine, results if self.in_place else _plain(X), results, drawn)
        return changed

    def _reads_rows(self, values: Any) -> bool:
        """Images are read where they are if they are changed one by one."""
        return self._engine(values) is not None

    def _apply_rows(
        self, values: np.ndarray, chosen: np.ndarray, X: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Change every image on its way from `values` to `X`."""
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
    """Return the images without the axis of a single channel."""
    return X[..., 0] if X.ndim == 4 and X.shape[3] == 1 else X


@dataclass(frozen=True)
class LightTransform(ImageTransform):
    """Base of the transforms that keep pixel values within a range."""

    value_range: tuple[float, float] | None = field(default=None, kw_only=True)
    of_bytes: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.value_range is not None:
            low, high = self.value_range
            if not low <= high:
                raise ParameterError(
                    f"{type(self).__name__}(value_range=...) must be (low, high) with low <= high. "
                    f"Got {self.value_range!r}."
                )

    def _bind(self, X: Any) -> Self:
        """Learn the range of the pixels, and whether they are bytes, whatever they become."""
        limits = pixel_range(X) if self.value_range is None else self.value_range
        return replace(self, value_range=limits, of_bytes=X.dtype == np.uint8)

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
    """Return the range that pixels must stay in.

    uint8 images: (0, 255). Others: (0, 1) if all pixels lie there, else the smallest and the
    largest pixel of the data.
    """
    if X.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(X.min()), float(X.max())
    return (0.0, 1.0) if X.dtype.kind == "f" and low >= 0 and high <= 1 else (low, high)


def byte_range(low: float, high: float) -> tuple[int, int]:
    """Return the bytes that clipping to (low, high) and rounding can give."""
    first, last = np.rint(np.clip((low, high), 0, 255)).astype(int).tolist()
    return first, last
