"""Base classes of the transforms that move pixels, and the interpolation that they share.

Several such transforms in a row become one affine map per image, and pixels are interpolated once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .._transform import check_option
from ._image import Drawn, ImageTransform
from ._kernels import Rows, flip_with_opencv, warp_with_opencv
from ._opencv import large_images, opencv_for

#: Number of pixels that are interpolated at once; so many stay in the cache.
PIXELS_AT_ONCE = 2**13
# uint8 images: up to three channels are packed into one 64-bit integer, 21 bits for each, and
# interpolated together, with weights of 13 bits.
LANE, WEIGHT_BITS, MOST_LANES = 21, 13, 3
FILL_MODES = ("constant", "nearest", "reflect", "wrap")  # with Keras's meaning

#: Lines above and below, columns left and right of each pixel's source, the weights of the lower
#: line and of the right column, and which pixels lie outside (None: not needed).
Places = tuple[
    np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None
]


@dataclass(frozen=True)
class _Warp(ImageTransform):
    """Base class: moves the pixels of each image by one affine map."""

    moves_pixels: ClassVar[bool | None] = True

    fill: str = field(default="nearest", kw_only=True)
    fill_value: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_option(self, "fill", FILL_MODES)

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return whether uint8 is warped directly: up to 3 channels, or with OpenCV."""
        return X.ndim == 3 or X.shape[3] <= MOST_LANES or self._engine(X) is not None

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV, but not for two channels, where it rounds coordinates to 1/32."""
        return opencv_for(X) if X.shape[3:] != (2,) else None

    def _movement(self, n: int, drawn: Drawn, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """Return the maps that were drawn."""
        return drawn[0], self.fill

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Warp every image."""
        (maps,) = drawn
        return warp_with_numpy(X, maps, self.fill, self.fill_value)

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Warp every image."""
        (maps,) = drawn
        warp_with_opencv(engine, images, results, maps, self.fill, self.fill_value)


@dataclass(frozen=True)
class WarpTransform(_Warp):
    """Base class of the affine transforms; `_maps` returns the maps from result to source."""

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return `n` matrices of shape (3, 3), for coordinates (row, column, 1) from the centre."""
        raise NotImplementedError

    def _some_maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return the maps; the identity for images that the probability leaves unchanged."""
        maps = self._maps(n, height, width, rng)
        if self.probability < 1.0:
            maps[rng.random(n) >= self.probability] = np.eye(3)
        return maps

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return the maps."""
        return (self._maps(n, shape[0], shape[1], rng),)

    def _fuse(self, other: object) -> _WarpChain | None:
        """Return one transform that does both with one interpolation, or None."""
        return _WarpChain((self,), fill=self.fill, fill_value=self.fill_value)._fuse(other)


@dataclass(frozen=True)
class _WarpChain(_Warp):
    """Several affine transforms that are done with one interpolation."""

    members: tuple[WarpTransform | Flip, ...] = ()

    def _fuse(self, other: object) -> _WarpChain | None:
        if isinstance(other, WarpTransform):
            if (other.fill, other.fill_value) != (self.fill, self.fill_value):
                return None
        elif not isinstance(other, Flip):
            return None
        return _WarpChain((*self.members, other), fill=self.fill, fill_value=self.fill_value)

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        maps = self.members[0]._some_maps(n, shape[0], shape[1], rng)
        for member in self.members[1:]:
            # Result -> source: the last transform's map is applied first.
            maps = maps @ member._some_maps(n, shape[0], shape[1], rng)
        return (maps,)


def warp_with_numpy(
    X: np.ndarray,
    maps: np.ndarray,
    fill: str,
    fill_value: float,
    edges: np.ndarray | None = None,
) -> np.ndarray:
    """Resample each image through its affine map with bilinear interpolation.

    Parameters
    ----------
    X : ndarray of shape (n, height, width) or (n, height, width, channels)
        Images, float; also uint8 of up to three channels.
    maps : ndarray of shape (n, 3, 3)
        Maps from result to source in (row, column, 1), relative to the centre of the image.
    fill : {"constant", "nearest", "reflect", "wrap"}
        What lies beyond the border.
    fill_value : float
        Value beyond the border for ``fill="constant"``.
    edges : ndarray of int, of shape (n, 4), default=None
        First row, row after the last, first column and column after the last of the part of each
        image that is read; None for all of it. With it, `fill` must be "nearest".

    Returns
    -------
    warped : ndarray of the same shape and dtype
        The images.
    """
    result = X.copy()
    moved = np.flatnonzero(np.any(maps != np.eye(3), axis=(1, 2)))
    bytes_ = X.dtype == np.uint8
    interpolate, dtype = (_bilinear_bytes, np.float32) if bytes_ else (_bilinear, X.dtype)
    # A few images at a time, so that temporary arrays stay in the cache.
    step = max(1, (4 * PIXELS_AT_ONCE if bytes_ else PIXELS_AT_ONCE) // (X.shape[1] * X.shape[2]))
    for start in range(0, moved.size, step):
        rows = moved[start : start + step]
        images, part = X[rows], None if edges is None else edges[rows]
        places = _places(images.shape, maps[rows].astype(dtype), fill, part)
        result[rows] = interpolate(images, places, fill_value)
    return result


def _places(
    shape: tuple[int, ...], maps: np.ndarray, fill: str, edges: np.ndarray | None
) -> Places:
    """Return where the source of each pixel lies in the flattened batch; see `Places`."""
    n, height, width = shape[:3]
    dtype = maps.dtype
    row = np.arange(height, dtype=dtype) - dtype.type((height - 1) / 2)
    column = np.arange(width, dtype=dtype) - dtype.type((width - 1) / 2)
    places = []
    for axis, size in ((0, height), (1, width)):
        along = maps[:, axis, 1, None] * column + (maps[:, axis, 2, None] + (size - 1) / 2)
        where = (maps[:, axis, 0, None] * row)[:, :, None] + along[:, None, :]
        limits: tuple[Any, Any] = (0, size - 1)
        if edges is not None:
            first, end = edges[:, 2 * axis : 2 * axis + 2].astype(dtype).T[:, :, None, None]
            limits = (first, end - 1)
        places.append(_neighbours(where.astype(dtype, copy=False), size, fill, limits))
    (top, bottom, down, out_rows), (left, right, across, out_columns) = places
    first = (np.arange(n, dtype=top.dtype) * (height * width))[:, None, None]
    for line in (top, bottom):
        line *= width
        line += first
    outside = None
    if out_rows is not None and out_columns is not None:
        outside = out_rows | out_columns
    return top, bottom, left, right, down, across, outside


def _bilinear_bytes(X: np.ndarray, places: Places, fill_value: float) -> np.ndarray:
    """Do what :func:`_bilinear` does, for uint8 images.

    All channels of a pixel are read and weighted as one integer, and rounded once.
    """
    top, bottom, left, right, down, across, outside = places
    images = X[..., None] if X.ndim == 3 else X
    pixels = images[..., 0].astype(np.int64)
    for channel in range(1, images.shape[3]):
        pixels |= images[..., channel].astype(np.int64) << (LANE * channel)
    pixels = pixels.ravel()
    down *= 1 << WEIGHT_BITS
    both = np.rint(down * across)
    across *= 1 << WEIGHT_BITS
    across -= both
    down -= both
    weights = [weight.astype(np.int32) for weight in (both, down, across)]
    weights.append((1 << WEIGHT_BITS) - sum(weights))
    total: Any = 0
    corners = ((bottom, right), (bottom, left), (top, right), (top, left))
    for (line, place), weight in zip(corners, weights, strict=True):
        part = pixels.take(line + place, mode="clip")
        part *= weight
        total += part
    total += sum(1 << (LANE * channel + WEIGHT_BITS - 1) for channel in range(images.shape[3]))
    result = np.empty_like(images)
    for channel in range(images.shape[3]):
        total >>= LANE if channel else WEIGHT_BITS
        result[..., channel] = total  # keeps the lowest eight bits
    if outside is not None:
        result[outside] = np.uint8(min(max(round(fill_value), 0), 255))
    return result.reshape(X.shape)


def _bilinear(X: np.ndarray, places: Places, fill_value: float) -> np.ndarray:
    """Return the interpolated images; `places` are positions in the flattened batch."""
    top, bottom, left, right, down, across, outside = places
    pixels = X.reshape(-1, *X.shape[3:])
    if X.ndim == 4:
        across, down = across[..., None], down[..., None]
    upper = _between(pixels, top + left, top + right, across)
    lower = _between(pixels, bottom + left, bottom + right, across)
    lower -= upper
    lower *= down
    lower += upper
    if outside is not None:
        lower[outside] = fill_value
    return lower


def _between(
    pixels: np.ndarray, first: np.ndarray, second: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Return ``(1 - weight) * pixels[first] + weight * pixels[second]``."""
    start, end = pixels.take(first, axis=0), pixels.take(second, axis=0)
    end -= start
    end *= weight
    end += start
    return end


def _neighbours(
    where: np.ndarray, size: int, fill: str, limits: tuple[Any, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Return both neighbours of each coordinate, the weight of the second, and what is outside.

    A neighbour beyond the border is replaced by the pixel that the fill mode puts there.
    """
    outside = None
    if fill == "constant":
        slack = 1e-4  # rounding must not blank the border
        outside = (where < -slack) | (where > size - 1 + slack)
    if fill in ("constant", "nearest"):
        where = np.clip(where, *limits)
    floor = np.floor(where)
    weight = where - floor
    low = floor.astype(np.intp)
    high = low + 1
    if fill == "wrap":
        low, high = low % size, high % size
    elif fill == "reflect":
        low, high = low % (2 * size), high % (2 * size)
        low, high = np.minimum(low, 2 * size - 1 - low), np.minimum(high, 2 * size - 1 - high)
    else:
        np.minimum(high, size - 1, out=high)
    return low, high, weight, outside


@dataclass(frozen=True)
class Flip(ImageTransform):
    """Base class of the flips. An affine transform before or after a flip does both at once."""

    needs_float: ClassVar[bool] = False
    moves_pixels: ClassVar[bool | None] = True
    axis: ClassVar[int]
    probability: float = field(default=0.5, kw_only=True)

    def _some_maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return mirroring maps; the identity for images that stay unchanged."""
        maps = identities(n)
        flipped = rng.random(n) < self.probability
        maps[flipped, self.axis, self.axis] = -1.0
        return maps

    def _movement(self, n: int, drawn: Drawn, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """Return mirroring maps."""
        maps = identities(n)
        maps[:, self.axis, self.axis] = -1.0
        return maps, "nearest"

    def _fuse(self, other: object) -> _WarpChain | None:
        """Return one transform that does both, or None."""
        if not isinstance(other, WarpTransform):
            return None
        return _WarpChain((self, other), fill=other.fill, fill_value=other.fill_value)

    def _engine(self, X: np.ndarray) -> Any:
        """Return OpenCV for large images."""
        return opencv_for(X) if large_images(X) else None

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Mirror every image."""
        cv2 = opencv_for(X) if self.axis == 1 else None
        if cv2 is None:
            return np.ascontiguousarray(np.flip(X, 1 + self.axis))
        # All images below each other are one tall image.
        tall = X.reshape(-1, *X.shape[2:])
        return cv2.flip(tall, self.axis).reshape(X.shape)

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Mirror every image."""
        flip_with_opencv(engine, images, results, self.axis)


def identities(n: int) -> np.ndarray:
    """Return `n` identity matrices, of shape (n, 3, 3)."""
    return np.tile(np.eye(3), (n, 1, 1))
