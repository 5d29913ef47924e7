"""Transforms that move the pixels of images: flips, rotation, zoom, shift, shear, resized crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._transform import check_fraction, register
from ._image import Drawn
from ._kernels import Rows, resize_with_opencv
from ._pixels import inner_boxes
from ._warp import Flip, WarpTransform, identities, warp_with_numpy


@register("horizontal_flip")
@dataclass(frozen=True)
class HorizontalFlip(Flip):
    """Mirror images left to right.

    Can change the label: digits, letters, traffic signs, left and right hands.

    Parameters
    ----------
    probability : float, default=0.5
        Probability, in [0, 1], that an image is mirrored.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import HorizontalFlip
    >>> HorizontalFlip(probability=1.0)(np.array([[[1, 2], [3, 4]]]))
    array([[[2, 1],
            [4, 3]]])
    """

    axis: ClassVar[int] = 1


@register("vertical_flip")
@dataclass(frozen=True)
class VerticalFlip(Flip):
    """Mirror images upside down.

    Can change the label of most photographs and of every written sign; made for images without
    an up and a down (microscopy, satellites).

    Parameters
    ----------
    probability : float, default=0.5
        Probability, in [0, 1], that an image is mirrored.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import VerticalFlip
    >>> VerticalFlip(probability=1.0)(np.array([[[1, 2], [3, 4]]]))
    array([[[3, 4],
            [1, 2]]])
    """

    axis: ClassVar[int] = 0


@register("rotation")
@dataclass(frozen=True)
class Rotation(WarpTransform):
    """Rotate each image about its centre by a random angle.

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

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return rotation matrices."""
        angle = np.deg2rad(rng.uniform(-self.magnitude, self.magnitude, size=n))
        return rotation_maps(angle)


def rotation_maps(angle: np.ndarray) -> np.ndarray:
    """Return maps that rotate the image counter-clockwise by `angle` (radians)."""
    maps = identities(len(angle))
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

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return scaling matrices."""
        maps = identities(n)
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

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return shifting matrices."""
        maps = identities(n)
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

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return shearing matrices."""
        maps = identities(n)
        maps[:, 1, 0] = np.tan(np.deg2rad(rng.uniform(-self.magnitude, self.magnitude, size=n)))
        return maps


@register("resized_crop")
@dataclass(frozen=True)
class ResizedCrop(WarpTransform):
    """Cut a random part out of each image and enlarge it to the whole size [1]_.

    The part has a random share of the area, a random ratio of its sides and a random place; it
    lies inside the image, and its sides are whole numbers of pixels.

    Parameters
    ----------
    magnitude : float, default=0.3
        Largest share of the area that is cut off, in [0, 0.95].
    ratio : float, default=4/3
        Largest factor by which the ratio of the part's sides differs from the image's, at least 1.
    fill : {"constant", "nearest", "reflect", "wrap"}, default="nearest"
        What lies beyond the border; it shows in chains with other transforms only.
    fill_value : float, default=0.0
        Value beyond the border for ``fill="constant"``.
    probability : float, default=1.0
        Probability, in [0, 1], that an image is changed.

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import ResizedCrop
    >>> ResizedCrop(0.5)(np.ones((2, 8, 8)), rng=0).shape
    (2, 8, 8)
    """

    max_magnitude: ClassVar[float] = 0.95
    magnitude: float = 0.3
    ratio: float = 4 / 3

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_fraction(self, "ratio", 1.0)

    def _edges(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return the edges of a part of each image: rows, then columns."""
        area = rng.uniform(1 - self.magnitude, 1, size=n)
        bend = np.exp(rng.uniform(-1, 1, size=n) * np.log(self.ratio) / 2)
        bend = np.clip(bend, np.sqrt(area), 1 / np.sqrt(area))  # no side longer than the image's
        if not self.magnitude:
            bend[:] = 1.0
        sides = np.stack([np.sqrt(area) * bend, np.sqrt(area) / bend], axis=1)
        sizes = np.maximum(np.rint(sides * (height, width)), 1)
        return inner_boxes(rng, sizes, height, width)

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return maps from the whole to a part."""
        return box_maps(self._edges(n, height, width, rng), height, width)

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return the edges of the parts."""
        return (self._edges(n, shape[0], shape[1], rng),)

    def _movement(self, n: int, drawn: Drawn, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """Return maps from the whole to a part."""
        return box_maps(drawn[0], shape[0], shape[1]), "nearest"

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Enlarge a part of every image."""
        (edges,) = drawn
        maps = box_maps(edges, *X.shape[1:3])
        return warp_with_numpy(X, maps, "nearest", 0.0, edges)

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Enlarge a part of every image."""
        (edges,) = drawn
        resize_with_opencv(engine, images, results, edges)


def box_maps(edges: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return maps that enlarge boxes, given by their edges, to the whole image."""
    maps = identities(len(edges))
    for axis, size in ((0, height), (1, width)):
        first, end = edges[:, 2 * axis : 2 * axis + 2].T
        maps[:, axis, axis] = (end - first) / size
        maps[:, axis, 2] = (first + end - size) / 2
    return maps


__all__ = [
    "HorizontalFlip",
    "ResizedCrop",
    "Rotation",
    "Shear",
    "Translation",
    "VerticalFlip",
    "Zoom",
]
