"""Transforms of images: crops, light, noise and erasing.

Batches have shape (n, height, width) or (n, height, width, channels).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from ..exceptions import ParameterError
from ._opencv import linear_bytes, mean_pixels, opencv_for
from ._transform import Transform, check_option, register, spread

# Our names, which are Keras's, to those of numpy.pad.
PAD_MODES = {"constant": "constant", "nearest": "edge", "reflect": "symmetric", "wrap": "wrap"}


@dataclass(frozen=True)
class ImageTransform(Transform):
    """Base of the transforms that suit images only."""

    kinds: ClassVar[tuple[str, ...]] = ("image",)


@register("random_crop")
@dataclass(frozen=True)
class RandomCrop(ImageTransform):
    """Pad the images, then cut the original size out at a random place.

    Each image gets a place of its own; pixels are moved, never interpolated.

    Parameters
    ----------
    magnitude : float, default=0.125
        Padding on each side, as a fraction of height and width, in [0, 1].
    fill : {"constant", "nearest", "reflect", "wrap"}, default="constant"
        What the padding holds.
    fill_value : float, default=0.0
        Value of the padding for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import RandomCrop
    >>> RandomCrop(0.125)(np.ones((2, 8, 8)), rng=0).shape
    (2, 8, 8)
    """

    needs_float: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.125
    fill: str = "constant"
    fill_value: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        check_option(self, "fill", PAD_MODES)

    def _apply(self, X, rng):
        """Shift every image by whole pixels."""
        n, height, width = X.shape[:3]
        pad_h, pad_w = round(self.magnitude * height), round(self.magnitude * width)
        top = rng.integers(0, 2 * pad_h + 1, size=n).tolist()
        left = rng.integers(0, 2 * pad_w + 1, size=n).tolist()
        # Slices of one image each: faster than one gather for the batch.
        if self.fill == "constant":
            result = np.full_like(X, self.fill_value)
            for i, (row, column) in enumerate(zip(top, left, strict=True)):
                to_rows, from_rows = _overlap(row - pad_h, height)
                to_columns, from_columns = _overlap(column - pad_w, width)
                result[i, to_rows, to_columns] = X[i, from_rows, from_columns]
            return result
        pads = [(0, 0), (pad_h, pad_h), (pad_w, pad_w)] + [(0, 0)] * (X.ndim - 3)
        padded = np.pad(X, pads, mode=PAD_MODES[self.fill])
        result = np.empty_like(X)
        for i, (row, column) in enumerate(zip(top, left, strict=True)):
            result[i] = padded[i, row : row + height, column : column + width]
        return result


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Return where an axis shifted by `shift` finds its source: in the result, in the source."""
    first, last = max(0, shift), min(size, size + shift)
    return slice(first - shift, last - shift), slice(first, last)


@dataclass(frozen=True)
class _LightTransform(ImageTransform):
    """Base of the transforms that keep pixel values within a range."""

    value_range: tuple[float, float] | None = field(default=None, kw_only=True)

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

    def _bind(self, X):
        """Learn the range of the pixels."""
        if self.value_range is not None:
            return self
        return replace(self, value_range=pixel_range(X))

    def _takes_bytes(self, X):
        """OpenCV computes with bytes where a pixel's new value is linear in the old one."""
        return hasattr(self, "_linear") and opencv_for(X) is not None

    def _clip(self, X: np.ndarray) -> np.ndarray:
        low, high = self.value_range or pixel_range(X)
        return np.clip(X, low, high, out=X)

    def _span(self, X: np.ndarray) -> float:
        low, high = self.value_range or pixel_range(X)
        return high - low


def pixel_range(X: np.ndarray) -> tuple[float, float]:
    """Return the range that pixels must stay in.

    uint8 images: (0, 255). Others: (0, 1) if all pixels lie there, else the smallest and the
    largest pixel of the data.
    """
    if X.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(X.min()), float(X.max())
    return (0.0, 1.0) if X.dtype.kind == "f" and low >= 0 and high <= 1 else (low, high)


@dataclass(frozen=True)
class _LinearLight(_LightTransform):
    """Base of the transforms that multiply an image by one number and add another."""

    def _linear(self, X: np.ndarray, gain: np.ndarray, change: np.ndarray) -> np.ndarray:
        low, high = self.value_range or (0.0, 255.0)
        return linear_bytes(opencv_for(X), X, gain, change, low, high)


@register("brightness")
@dataclass(frozen=True)
class Brightness(_LinearLight):
    """Add one random constant to each image.

    ``x + d * (high - low)`` with d uniform in [-magnitude, magnitude], clipped to (low, high).

    Parameters
    ----------
    magnitude : float, default=0.1
        Largest change, as a fraction of the range of the pixels, in [0, 1].
    value_range : (float, float), default=None
        Range of the pixels. None: (0, 255) for uint8, (0, 1) where all values lie there, else the
        extremes of the data.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Brightness
    >>> images = np.full((3, 2, 2), 100, dtype=np.uint8)
    >>> Brightness(0.1)(images, rng=0)[:, 0, 0]
    array([107,  88,  77], dtype=uint8)
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _apply(self, X, rng):
        """Shift the light of every image."""
        change = rng.uniform(-self.magnitude, self.magnitude, size=X.shape[0]) * self._span(X)
        if X.dtype == np.uint8:
            return self._linear(X, np.ones(len(X)), change)
        X += spread(change.astype(X.dtype), X.ndim)
        return self._clip(X)


@register("contrast")
@dataclass(frozen=True)
class Contrast(_LinearLight):
    """Stretch or squeeze each image around its mean.

    ``mean + (1 + c) * (x - mean)`` with c uniform in [-magnitude, magnitude], clipped.

    Parameters
    ----------
    magnitude : float, default=0.1
        Largest relative change of contrast, in [0, 1].
    value_range : (float, float), default=None
        Range of the pixels; see :class:`Brightness`.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Contrast
    >>> image = np.array([[[0.4, 0.6]]])
    >>> Contrast(0.5)(image, rng=3).round(3)
    array([[[0.441, 0.559]]])
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _apply(self, X, rng):
        """Change the contrast of every image."""
        gain = 1 + rng.uniform(-self.magnitude, self.magnitude, size=X.shape[0])
        if X.dtype == np.uint8:
            mean = mean_pixels(opencv_for(X), X)
            return self._linear(X, gain, mean * (1 - gain))
        mean = X.mean(axis=tuple(range(1, X.ndim)), keepdims=True)
        X -= mean
        X *= spread(gain.astype(X.dtype), X.ndim)
        X += mean
        return self._clip(X)


@register("noise")
@dataclass(frozen=True)
class PixelNoise(_LightTransform):
    """Add independent Gaussian noise to every pixel.

    Parameters
    ----------
    magnitude : float, default=0.05
        Standard deviation, as a fraction of the range of the pixels, in [0, 1].
    value_range : (float, float), default=None
        Range of the pixels; see :class:`Brightness`.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import PixelNoise
    >>> PixelNoise(0.05)(np.full((1, 2, 2), 100, dtype=np.uint8), rng=0)
    array([[[114,  82],
            [ 95,  90]]], dtype=uint8)
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.05

    def _apply(self, X, rng):
        """Add noise to every image."""
        kind = X.dtype if X.dtype.itemsize in (4, 8) else np.float64
        noise = rng.standard_normal(X.shape, dtype=kind)
        noise *= self.magnitude * self._span(X)
        X += noise
        return self._clip(X)


@register("cutout")
@dataclass(frozen=True)
class Cutout(ImageTransform):
    """Erase one square at a random place of each image.

    The centre is uniform over the image; what reaches over the border is cut off [1]_.

    Parameters
    ----------
    magnitude : float, default=0.25
        Side of the square, as a fraction of height and width, in [0, 1].
    fill_value : float, default=0.0
        Value of the erased pixels.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    References
    ----------
    .. [1] T. DeVries, G. W. Taylor, "Improved regularization of convolutional neural networks
       with cutout", arXiv:1708.04552, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Cutout
    >>> Cutout(0.5)(np.ones((1, 4, 4), dtype=int), rng=1)
    array([[[1, 0, 0, 1],
            [1, 0, 0, 1],
            [1, 1, 1, 1],
            [1, 1, 1, 1]]])
    """

    needs_float: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.25
    fill_value: float = 0.0

    def _apply(self, X, rng):
        """Erase a square of every image."""
        n, height, width = X.shape[:3]
        sizes = np.tile(np.rint(np.multiply(self.magnitude, (height, width))), (n, 1))
        for i, box in enumerate(random_boxes(rng, sizes, height, width)):
            X[(i, *box)] = self.fill_value
        return X


def random_boxes(rng, sizes: np.ndarray, height: int, width: int) -> list[tuple[slice, slice]]:
    """Return a box per image with a uniform centre, cut off at the border.

    `sizes` has shape (n, 2): height and width of each box, in pixels.
    """
    spans = []
    for length, size in zip((height, width), sizes.astype(np.intp).T, strict=True):
        start = rng.integers(0, length, size=len(size)) - size // 2
        ends = np.clip(start, 0, length).tolist(), np.clip(start + size, 0, length).tolist()
        spans.append([slice(*pair) for pair in zip(*ends, strict=True)])
    return list(zip(*spans, strict=True))


__all__ = [
    "Brightness",
    "Contrast",
    "Cutout",
    "PixelNoise",
    "RandomCrop",
]
