"""Transforms of images that move or erase whole pixels: crop, cutout and random erasing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .._transform import check_fraction, check_option, register
from ._image import Drawn, ImageTransform, LightTransform, byte_range
from ._kernels import Rows

# Names of the fill modes in numpy.pad. Ours are those of Keras.
PAD_MODES = {"constant": "constant", "nearest": "edge", "reflect": "symmetric", "wrap": "wrap"}


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
    moves_pixels: ClassVar[bool | None] = True
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.125
    fill: str = "constant"
    fill_value: float = 0.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_option(self, "fill", PAD_MODES)

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return how far each image moves down and to the right."""
        return tuple(pad - rng.integers(0, 2 * pad + 1, size=n) for pad in self._padding(shape[:2]))

    def _movement(self, n: int, drawn: Drawn, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """Return shifting maps."""
        maps = np.tile(np.eye(3), (n, 1, 1))
        maps[:, :2, 2] = -np.stack(drawn, axis=1)
        return maps, self.fill

    def _padding(self, sizes: tuple[int, ...]) -> list[int]:
        return [round(self.magnitude * size) for size in sizes]

    def _engine(self, X: np.ndarray) -> Any:
        """Return a module where slicing each image is faster than indexing the batch."""
        return np if self.fill == "constant" else None

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Copy the part that stays inside, and fill the margins."""
        down, right = drawn
        places = [
            np.stack([np.clip(shift, 0, size), np.clip(size + shift, 0, size), shift], axis=1)
            for shift, size in zip((down, right), results[0].shape, strict=False)
        ]
        for image, result, (top, bottom, row), (left, right_, column) in zip(
            images, results, *(place.tolist() for place in places), strict=True
        ):
            inside = image[top - row : bottom - row, left - column : right_ - column]
            result[top:bottom, left:right_] = inside
            if row:
                result[slice(0, top) if row > 0 else slice(bottom, None)] = self.fill_value
            if column:
                side = slice(0, left) if column > 0 else slice(right_, None)
                result[top:bottom, side] = self.fill_value

    def _batch(self, X: np.ndarray, drawn: Drawn) -> np.ndarray:
        """Cut the images out of a padded batch."""
        down, right = drawn
        height, width = X.shape[1:3]
        pad_h, pad_w = self._padding((height, width))
        pads = [(0, 0), (pad_h, pad_h), (pad_w, pad_w)] + [(0, 0)] * (X.ndim - 3)
        mode: Any = PAD_MODES[self.fill]
        padded = np.pad(X, pads, mode=mode)
        result = np.empty_like(X)
        starts = zip((pad_h - down).tolist(), (pad_w - right).tolist(), strict=True)
        for i, (row, column) in enumerate(starts):
            result[i] = padded[i, row : row + height, column : column + width]
        return result


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
    in_place: ClassVar[bool] = True
    moves_pixels: ClassVar[bool | None] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.25
    fill_value: float = 0.0

    def _draw(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Drawn:
        """Return the edges of a square for each image."""
        sizes = np.tile(np.rint(np.multiply(self.magnitude, shape[:2])), (n, 1))
        return (random_boxes(rng, sizes, *shape[:2]),)

    def _engine(self, X: np.ndarray) -> Any:
        """Return a module always: each image is changed by slicing."""
        return np

    def _each(self, engine: Any, images: Rows, results: Rows, drawn: Drawn) -> None:
        """Erase a square of every image."""
        (edges,) = drawn
        if images is not results:
            for image, result in zip(images, results, strict=True):
                result[...] = image
        for result, (top, bottom, left, right) in zip(results, edges.tolist(), strict=True):
            result[top:bottom, left:right] = self.fill_value


@register("random_erasing")
@dataclass(frozen=True)
class RandomErasing(LightTransform):
    """Erase one rectangle of random size and shape, inside each image [1]_.

    Its share of the area is uniform, the logarithm of the ratio of its sides too.

    Parameters
    ----------
    magnitude : float, default=0.33
        Largest share of the area that is erased, in [0, 1]; the smallest is 0.02, or this if it is
        less.
    ratio : float, default=10/3
        Largest ratio of the longer to the shorter side, at least 1.
    fill_value : float or None, default=None
        Value of the erased pixels; None for a random value for each pixel and channel.
    value_range : (float, float), default=None
        Range of the random values; see :class:`Brightness`.
    probability : float, default=0.5
        Probability, in [0, 1], that an image is changed.

    See Also
    --------
    Cutout : Erases a square of one size, which may reach over the border.

    References
    ----------
    .. [1] Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, "Random erasing data augmentation", AAAI,
       2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import RandomErasing
    >>> RandomErasing(0.5, fill_value=0, probability=1.0)(np.ones((1, 4, 6), dtype=int), rng=2)
    array([[[1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 0, 0],
            [1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 1]]])
    """

    needs_float: ClassVar[bool] = False
    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.33
    ratio: float = 10 / 3
    fill_value: float | None = None
    probability: float = field(default=0.5, kw_only=True)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_fraction(self, "ratio", 1.0)

    def _takes_bytes(self, X: np.ndarray) -> bool:
        """Return True: pixels are replaced, not computed."""
        return True

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Erase a rectangle of every image."""
        n, height, width = X.shape[:3]
        area = rng.uniform(min(0.02, self.magnitude), self.magnitude, size=n) * height * width
        bend = np.exp(rng.uniform(-1, 1, size=n) * np.log(self.ratio) / 2)
        sides = np.stack([np.sqrt(area) * bend, np.sqrt(area) / bend], axis=1)
        sizes = np.minimum(np.rint(sides), (height, width))
        edges = inner_boxes(rng, sizes, height, width)
        for image, (top, bottom, left, right) in zip(X, edges.tolist(), strict=True):
            part = image[top:bottom, left:right]
            part[...] = self._pixels(part, rng) if self.fill_value is None else self.fill_value
        return X

    def _pixels(self, part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low, high = self._range
        if self.of_bytes:
            first, last = byte_range(low, high)
            if (first, last) == (0, 255):  # each draw of 64 bits gives eight of them
                bits = rng.bit_generator.random_raw(-(-part.size // 8))
                return bits.view(np.uint8)[: part.size].reshape(part.shape)
            return rng.integers(first, last + 1, size=part.shape, dtype=np.uint8)
        if part.dtype.kind in "iu":
            return rng.integers(round(low), round(high) + 1, size=part.shape, dtype=part.dtype)
        return rng.uniform(low, high, size=part.shape)


def random_boxes(
    rng: np.random.Generator, sizes: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Return a box per image with a uniform centre, cut off at the border.

    `sizes` has shape (n, 2): height and width of each box, in pixels. The result has shape (n, 4):
    first row, row after the last, first column, column after the last.
    """
    sizes = sizes.astype(np.intp)
    edges = np.empty((len(sizes), 4), dtype=np.intp)
    for axis, length in enumerate((height, width)):
        start = rng.integers(0, length, size=len(sizes)) - sizes[:, axis] // 2
        np.maximum(start, 0, out=edges[:, 2 * axis])
        np.minimum(start + sizes[:, axis], length, out=edges[:, 2 * axis + 1])
    return edges


def inner_boxes(rng: np.random.Generator, sizes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a box per image at a uniform place inside it; as :func:`random_boxes` otherwise."""
    sizes = sizes.astype(np.intp)
    edges = np.empty((len(sizes), 4), dtype=np.intp)
    for axis, length in enumerate((height, width)):
        edges[:, 2 * axis] = rng.integers(0, length - sizes[:, axis] + 1)
        edges[:, 2 * axis + 1] = edges[:, 2 * axis] + sizes[:, axis]
    return edges


__all__ = ["Cutout", "RandomCrop", "RandomErasing"]
