"""Transforms that add noise to images, or blur them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage
from scipy.special import ndtri

from .._transform import register
from ._image import Drawn, LightTransform, byte_range
from ._kernels import Rows, blur_with_opencv
from ._opencv import opencv_for

#: Number of pixels of uint8 that receive noise at once; so many stay in the cache.
ELEMENTS_AT_ONCE = 2**16
#: Where the Gaussian of a blur is cut off, in standard deviations.
TRUNCATE = 3.0


@register("noise")
@dataclass(frozen=True)
class PixelNoise(LightTransform):
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
    array([[[100, 113],
            [118, 104]]], dtype=uint8)
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.05

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return True: integers are added to uint8, the same as rounding the sum."""
        return True

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Add noise to every image."""
        sigma = self.magnitude * self._span
        if not self.of_bytes:
            kind = X.dtype if X.dtype.itemsize in (4, 8) else np.float64
            noise = rng.standard_normal(X.shape, dtype=kind)
            noise *= sigma
            X += noise
            return self._clip(X)
        table, (low, high), flat = noise_table(sigma), byte_range(*self._range), X.reshape(-1)
        for start in range(0, flat.size, ELEMENTS_AT_ONCE):
            part = flat[start : start + ELEMENTS_AT_ONCE]
            noise = draw_noise(table, part.size, rng)
            noisy = np.add(noise, part, out=noise if X.dtype == np.uint8 else part)
            np.clip(noisy, low, high, out=noisy)
            if noisy is not part:
                np.copyto(part, noisy, casting="unsafe")
        return flat.reshape(X.shape)


@functools.lru_cache(maxsize=8)
def noise_table(sigma: float) -> np.ndarray:
    """Return 2**16 quantiles of N(0, sigma^2) of equal probability, rounded to integers."""
    return np.rint(sigma * ndtri((np.arange(2**16) + 0.5) / 2**16)).astype(np.int16)


def draw_noise(table: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` random quantiles of the table; each takes 16 random bits.

    The largest is at 4.3 standard deviations.
    """
    bits = rng.bit_generator.random_raw(-(-n // 4)).view(np.uint16)[:n]
    return table.take(bits, mode="clip")


@register("blur")
@dataclass(frozen=True)
class Blur(LightTransform):
    """Blur images with a Gaussian of random width, cut off at three standard deviations.

    Parameters
    ----------
    magnitude : float, default=1.0
        Largest standard deviation of the Gaussian in pixels; uniform from 0.
    value_range : (float, float), default=None
        Range of the pixels; see :class:`Brightness`.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Blur
    >>> point = np.zeros((1, 9, 9))
    >>> point[0, 4, 4] = 1.0
    >>> blurred = Blur(1.0)(point, rng=0)
    >>> bool(blurred.max() < 1), round(float(blurred.sum()), 6)
    (True, 1.0)
    """

    magnitude: float = 1.0

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return the width of each Gaussian."""
        return (rng.uniform(0, self.magnitude, size=n),)

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV where it is installed."""
        return opencv_for(X)

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Blur every image."""
        (widths,) = drawn
        for image, width in zip(X, widths.tolist(), strict=True):
            sigma = (width, width) + (0,) * (X.ndim - 3)
            ndimage.gaussian_filter(image, sigma, mode="nearest", output=image, truncate=TRUNCATE)
        return self._clip(X)

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Blur every image."""
        (widths,) = drawn
        blur_with_opencv(engine, images, results, widths, TRUNCATE)
        self._clip_each(results)


__all__ = ["Blur", "PixelNoise"]
