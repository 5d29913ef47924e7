"""Transforms of the colours and the sharpness of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from ..exceptions import DataError
from ._image import _LightTransform
from ._transform import register, spread

# Share of red, green and blue in luma (ITU-R BT.601).
LUMA = np.array([0.299, 0.587, 0.114])

# RGB to YIQ, in which hue is an angle in the plane of I and Q.
_YIQ = np.array([LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])


def _check_colour(owner: object, X: np.ndarray) -> None:
    if X.ndim != 4 or X.shape[3] != 3:
        raise DataError(
            f"{type(owner).__name__} needs images of shape (n, height, width, 3). Got {X.shape}."
        )


@register("saturation")
@dataclass(frozen=True)
class Saturation(_LightTransform):
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

    def _apply(self, X, rng):
        """Change the saturation of every image."""
        _check_colour(self, X)
        gain = 1 + rng.uniform(-self.magnitude, self.magnitude, size=X.shape[0])
        luma = (X @ LUMA.astype(X.dtype))[..., None]
        X -= luma
        X *= spread(gain.astype(X.dtype), 4)
        X += luma
        return self._clip(X)


@register("hue")
@dataclass(frozen=True)
class Hue(_LightTransform):
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

    def _apply(self, X, rng):
        """Turn the hue of every image."""
        _check_colour(self, X)
        turn = 2 * np.pi * rng.uniform(-self.magnitude, self.magnitude, size=X.shape[0])
        matrices = hue_matrices(turn).astype(X.dtype)
        n, height, width, _ = X.shape
        turned = X.reshape(n, height * width, 3) @ matrices.transpose(0, 2, 1)
        return self._clip(turned.reshape(X.shape))


def hue_matrices(angle: np.ndarray) -> np.ndarray:
    """Return the matrices (n, 3, 3) that turn RGB vectors by `angle` (radians) in hue."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 1, 2], turn[:, 2, 1] = -np.sin(angle), np.sin(angle)
    return np.linalg.inv(_YIQ) @ turn @ _YIQ


@register("blur")
@dataclass(frozen=True)
class Blur(_LightTransform):
    """Blur images with a Gaussian of random width.

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

    def _apply(self, X, rng):
        """Blur every image."""
        widths = rng.uniform(0, self.magnitude, size=X.shape[0])
        for image, width in zip(X, widths.tolist(), strict=True):
            sigma = (width, width) + (0,) * (X.ndim - 3)
            ndimage.gaussian_filter(image, sigma, mode="nearest", output=image)
        return self._clip(X)


__all__ = ["Blur", "Hue", "Saturation"]
