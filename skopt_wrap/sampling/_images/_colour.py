"""Transforms of the brightness, the contrast and the colours of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...exceptions import DataError
from .._arrays import spread
from .._transform import register
from ._image import Drawn, LightTransform, byte_range
from ._kernels import Rows, add_to_bytes, stretch_bytes, turn_colours
from ._opencv import large_images, opencv_for

# Weights of red, green and blue in luma, the brightness of a colour (ITU-R BT.601).
LUMA = np.array([0.299, 0.587, 0.114])

# Matrix from RGB to YIQ. There, hue is the angle in the plane of I and Q.
_YIQ = np.array([LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])


@register("brightness")
@dataclass(frozen=True)
class Brightness(LightTransform):
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

    in_place: ClassVar[bool] = True
    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return True: an integer is added to uint8, the same as rounding the sum."""
        return True

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV for large uint8 images."""
        return opencv_for(X) if X.dtype == np.uint8 and large_images(X) else None

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return what is added to each image."""
        return (rng.uniform(-self.magnitude, self.magnitude, size=n) * self._span,)

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Change the brightness of every image."""
        (change,) = drawn
        if X.dtype != np.uint8:
            X += spread(change.astype(X.dtype), X.ndim)
            return self._clip(X)
        sums = X + spread(np.rint(change).astype(np.int16), X.ndim)
        np.clip(sums, *byte_range(*self._range), out=sums)
        np.copyto(X, sums, casting="unsafe")
        return X

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Change the brightness of every image."""
        (change,) = drawn
        add_to_bytes(engine, images, results, np.rint(change), *byte_range(*self._range))


@register("contrast")
@dataclass(frozen=True)
class Contrast(LightTransform):
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

    in_place: ClassVar[bool] = True
    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV for uint8 images."""
        return opencv_for(X) if X.dtype == np.uint8 else None

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return the factor of each image's distance to its mean."""
        return (1 + rng.uniform(-self.magnitude, self.magnitude, size=n),)

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Change the contrast of every image."""
        (gain,) = drawn
        mean = X.mean(axis=tuple(range(1, X.ndim)), keepdims=True)
        X -= mean
        X *= spread(gain.astype(X.dtype), X.ndim)
        X += mean
        return self._clip(X)

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Change the contrast of every image."""
        (gain,) = drawn
        stretch_bytes(engine, images, results, gain, *byte_range(*self._range))


@dataclass(frozen=True)
class _ColourTransform(LightTransform):
    """Base class of the transforms that multiply the colour of every pixel by a matrix."""

    in_place: ClassVar[bool] = True

    def _matrices(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return matrices of shape (n, 3, 3)."""
        raise NotImplementedError

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return a matrix for each image."""
        if len(shape) != 3 or shape[2] != 3:
            raise DataError(
                f"{type(self).__name__} needs images of shape (n, height, width, 3). Got "
                f"{('n', *shape)}."
            )
        return (self._matrices(n, rng),)

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV where it is installed."""
        return opencv_for(X)

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Change the colours of every image."""
        (matrices,) = drawn
        n, height, width, _ = X.shape
        pixels = X.reshape(n, height * width, 3)
        turned = pixels @ matrices.astype(X.dtype).transpose(0, 2, 1)
        return self._clip(turned.reshape(X.shape))

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Change the colours of every image."""
        (matrices,) = drawn
        turn_colours(engine, images, results, matrices)
        self._clip_each(results)


@register("saturation")
@dataclass(frozen=True)
class Saturation(_ColourTransform):
    """Strengthen or weaken the colours of RGB images.

    ``luma + (1 + c) * (x - luma)`` with c uniform in [-magnitude, magnitude], clipped.

    Parameters
    ----------
    magnitude : float, default=0.3
        Largest relative change of the saturation, in [0, 1].
    value_range : (float, float), default=None
        Range of the pixels; see :class:`Brightness`.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Saturation
    >>> grey = np.full((1, 2, 2, 3), 0.5)
    >>> bool(np.allclose(Saturation(0.5)(grey, rng=0), grey))
    True
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.3

    def _matrices(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the matrices that mix each colour with its luma."""
        gain = (1 + rng.uniform(-self.magnitude, self.magnitude, size=n))[:, None, None]
        return gain * np.eye(3) + (1 - gain) * LUMA


@register("hue")
@dataclass(frozen=True)
class Hue(_ColourTransform):
    """Turn the colours of RGB images round the colour circle.

    The circle is that of the YIQ space, so luma is kept; results are clipped.

    Parameters
    ----------
    magnitude : float, default=0.05
        Largest turn in each direction, as a fraction of the circle, in [0, 0.5].
    value_range : (float, float), default=None
        Range of the pixels; see :class:`Brightness`.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Hue
    >>> grey = np.full((1, 2, 2, 3), 0.5)
    >>> bool(np.allclose(Hue(0.5)(grey, rng=0), grey))
    True
    """

    max_magnitude: ClassVar[float] = 0.5
    magnitude: float = 0.05

    def _matrices(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the matrices that rotate each colour in the plane of I and Q."""
        return hue_matrices(2 * np.pi * rng.uniform(-self.magnitude, self.magnitude, size=n))


def hue_matrices(angle: np.ndarray) -> np.ndarray:
    """Return the matrices (n, 3, 3) that turn RGB vectors by `angle` (radians) in hue."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 1, 2], turn[:, 2, 1] = -np.sin(angle), np.sin(angle)
    return np.linalg.inv(_YIQ) @ turn @ _YIQ


__all__ = ["Brightness", "Contrast", "Hue", "Saturation"]
