"""Geometric transforms of images: one affine map per image, one interpolation for a whole chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy import ndimage

from ._image import ImageTransform
from ._transform import check_option, register

# Our names, which are Keras's, to those of scipy.ndimage.
FILL_MODES = {
    "constant": "constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}


@dataclass(frozen=True)
class WarpTransform(ImageTransform):
    """Base of the affine transforms; ``maps`` gives the map from result to source coordinates."""

    fill: str = field(default="nearest", kw_only=True)
    fill_value: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        check_option(self, "fill", FILL_MODES)

    def maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` matrices of shape (3, 3) in centred (row, column, 1) coordinates."""
        raise NotImplementedError

    def some_maps(self, n, height, width, rng) -> np.ndarray:
        """Return the maps, the identity for rows that the probability leaves out."""
        maps = self.maps(n, height, width, rng)
        if self.probability < 1.0:
            maps[rng.random(n) >= self.probability] = np.eye(3)
        return maps

    def fuse(self, other) -> _WarpChain | None:
        """Return one transform that does both with a single interpolation, or None."""
        return _WarpChain((self,), fill=self.fill, fill_value=self.fill_value).fuse(other)

    def apply(self, X, rng):
        """Warp every image."""
        maps = self.maps(*X.shape[:3], rng)
        return warp(X, maps, self.fill, self.fill_value)


@dataclass(frozen=True)
class _WarpChain(ImageTransform):
    """Several affine transforms as one."""

    members: tuple[WarpTransform, ...] = ()
    fill: str = field(default="nearest", kw_only=True)
    fill_value: float = field(default=0.0, kw_only=True)

    def fuse(self, other) -> _WarpChain | None:
        same = (
            isinstance(other, WarpTransform)
            and other.fill == self.fill
            and other.fill_value == self.fill_value
        )
        if not same:
            return None
        return _WarpChain((*self.members, other), fill=self.fill, fill_value=self.fill_value)

    def apply(self, X, rng):
        maps = self.members[0].some_maps(*X.shape[:3], rng)
        for member in self.members[1:]:
            # Result -> source: the last transform's map is applied first.
            maps = maps @ member.some_maps(*X.shape[:3], rng)
        return warp(X, maps, self.fill, self.fill_value)


def warp(X: np.ndarray, maps: np.ndarray, fill: str, fill_value: float) -> np.ndarray:
    """Resample each image through its affine map with bilinear interpolation.

    Parameters
    ----------
    X : ndarray of shape (n, height, width) or (n, height, width, channels)
        Images, float.
    maps : ndarray of shape (n, 3, 3)
        Maps from result to source in (row, column, 1), relative to the centre of the image.
    fill : {"constant", "nearest", "reflect", "wrap"}
        What lies beyond the border.
    fill_value : float
        Value beyond the border for ``fill="constant"``.

    Returns
    -------
    warped : ndarray of the same shape and dtype
        The images.
    """
    height, width = X.shape[1:3]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    linear = np.ascontiguousarray(maps[:, :2, :2])
    offsets = maps[:, :2, 2] + centre - linear @ centre
    result = np.empty_like(X)
    mode = FILL_MODES[fill]
    moved = np.any(maps != np.eye(3), axis=(1, 2))
    result[~moved] = X[~moved]
    for i in np.flatnonzero(moved):
        layers = (
            [(X[i], result[i])]
            if X.ndim == 3
            else [(X[i, :, :, c], result[i, :, :, c]) for c in range(X.shape[3])]
        )
        for source, target in layers:
            ndimage.affine_transform(
                source,
                linear[i],
                offset=offsets[i],
                output=target,
                order=1,
                mode=mode,
                cval=fill_value,
                prefilter=False,
            )
    return result


def _identities(n: int) -> np.ndarray:
    return np.tile(np.eye(3), (n, 1, 1))


@register("rotation")
@dataclass(frozen=True)
class Rotation(WarpTransform):
    """Turn each image about its centre by a random angle.

    Large angles can change the label (6 and 9); the default is small.

    Parameters
    ----------
    magnitude : float, default=10.0
        Largest angle in degrees, in [0, 180]; angles are uniform in both directions.
    fill : {"constant", "nearest", "reflect", "wrap"}, default="nearest"
        What lies beyond the border: a constant, the nearest pixel, the mirrored or the
        repeated image.
    fill_value : float, default=0.0
        Value beyond the border for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Rotation
    >>> Rotation(10)(np.zeros((2, 8, 8, 3), dtype=np.uint8), rng=0).dtype
    dtype('uint8')
    """

    max_magnitude: ClassVar[float] = 180.0
    magnitude: float = 10.0

    def maps(self, n, height, width, rng):
        """Return rotation matrices."""
        angle = np.deg2rad(rng.uniform(-self.magnitude, self.magnitude, size=n))
        return rotation_maps(angle)


def rotation_maps(angle: np.ndarray) -> np.ndarray:
    """Return maps that turn the picture counter-clockwise by `angle` (radians)."""
    maps = _identities(len(angle))
    cos, sin = np.cos(angle), np.sin(angle)
    maps[:, 0, 0], maps[:, 0, 1] = cos, sin
    maps[:, 1, 0], maps[:, 1, 1] = -sin, cos
    return maps


@register("zoom")
@dataclass(frozen=True)
class Zoom(WarpTransform):
    """Enlarge or shrink each image about its centre.

    Parameters
    ----------
    magnitude : float, default=0.1
        The scale is uniform in [1 - magnitude, 1 + magnitude]; in [0, 0.9].
    fill : {"constant", "nearest", "reflect", "wrap"}, default="nearest"
        What lies beyond the border; see :class:`Rotation`.
    fill_value : float, default=0.0
        Value beyond the border for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Zoom
    >>> Zoom(0.2)(np.ones((2, 8, 8)), rng=0).shape
    (2, 8, 8)
    """

    max_magnitude: ClassVar[float] = 0.9
    magnitude: float = 0.1

    def maps(self, n, height, width, rng):
        """Return scaling matrices."""
        maps = _identities(n)
        scale = rng.uniform(1 - self.magnitude, 1 + self.magnitude, size=n)
        maps[:, 0, 0] = maps[:, 1, 1] = 1 / scale
        return maps


@register("translation")
@dataclass(frozen=True)
class Translation(WarpTransform):
    """Shift each image by a random, also fractional, number of pixels.

    Parameters
    ----------
    magnitude : float, default=0.1
        Largest shift in each direction, as a fraction of height and width, in [0, 1].
    fill : {"constant", "nearest", "reflect", "wrap"}, default="nearest"
        What lies beyond the border; see :class:`Rotation`.
    fill_value : float, default=0.0
        Value beyond the border for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    See Also
    --------
    RandomCrop : Shifts by whole pixels, without interpolation.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Translation
    >>> Translation(0.1)(np.ones((2, 8, 8)), rng=0).shape
    (2, 8, 8)
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def maps(self, n, height, width, rng):
        """Return shifting matrices."""
        maps = _identities(n)
        maps[:, :2, 2] = rng.uniform(-self.magnitude, self.magnitude, size=(n, 2)) * (height, width)
        return maps


@register("shear")
@dataclass(frozen=True)
class Shear(WarpTransform):
    """Slant each image along its rows.

    Parameters
    ----------
    magnitude : float, default=10.0
        Largest angle of the slant in degrees, in [0, 60]; uniform in both directions.
    fill : {"constant", "nearest", "reflect", "wrap"}, default="nearest"
        What lies beyond the border; see :class:`Rotation`.
    fill_value : float, default=0.0
        Value beyond the border for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Shear
    >>> Shear(10)(np.ones((2, 8, 8)), rng=0).shape
    (2, 8, 8)
    """

    max_magnitude: ClassVar[float] = 60.0
    magnitude: float = 10.0

    def maps(self, n, height, width, rng):
        """Return shearing matrices."""
        maps = _identities(n)
        maps[:, 1, 0] = np.tan(np.deg2rad(rng.uniform(-self.magnitude, self.magnitude, size=n)))
        return maps


__all__ = ["Rotation", "Shear", "Translation", "Zoom"]
