"""Change images one after the other with OpenCV; NumPy does the same, up to rounding, elsewhere.

Each function reads `images` and writes `results`, sequences of equally many arrays of shape
(height, width) or (height, width, channels), uint8 or float32. Further arrays have an entry for
each image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._opencv import one_thread

#: Several arrays: a sequence of them, or the first axis of one array.
Rows = Sequence[np.ndarray] | np.ndarray

#: Names of the fill modes in OpenCV.
BORDERS = {"nearest": "BORDER_REPLICATE", "reflect": "BORDER_REFLECT", "wrap": "BORDER_WRAP"}
#: Smallest number of pixels of an RGB image for which adding a fourth channel pays: OpenCV warps
#: four channels twice as fast as three.
PIXELS_FOR_FOUR = 48 * 48


def warp_with_opencv(
    cv2: Any, images: Rows, results: Rows, maps: np.ndarray, fill: str, fill_value: float
) -> None:
    """Do what ``_warp.warp_with_numpy`` does; images and results must be different arrays."""
    height, width = results[0].shape[:2]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    linear = maps[:, :2, :2]
    shift = maps[:, :2, 2] + centre - linear @ centre
    # OpenCV's coordinates are (column, row).
    matrices = np.concatenate([linear, shift[:, :, None]], axis=2)[:, ::-1][:, :, [1, 0, 2]]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = getattr(cv2, BORDERS.get(fill, "BORDER_REPLICATE"))
    moved = np.any(maps != np.eye(3), axis=(1, 2)).tolist()
    how = {"dsize": (width, height), "flags": flags, "borderMode": border}
    four = results[0].shape[2:] == (3,) and height * width >= PIXELS_FOR_FOUR
    before, after = np.empty((2, height, width, 4) if four else (2, 0), dtype=results[0].dtype)
    with one_thread(cv2):
        for image, matrix, result, changed in zip(images, matrices, results, moved, strict=True):
            if not changed:
                result[...] = image
                continue
            if four:
                cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=before)
                cv2.warpAffine(before, matrix, dst=after, **how)
                cv2.cvtColor(after, cv2.COLOR_RGBA2RGB, dst=result)
            else:
                cv2.warpAffine(image, matrix, dst=result, **how)
            if fill == "constant":
                result[_outside(matrix, height, width)] = fill_value


def _outside(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return which pixels of a result lie outside its source."""
    slack = 1e-4
    column = np.arange(width, dtype=np.float32)
    row = np.arange(height, dtype=np.float32)[:, None]
    outside = np.zeros((height, width), dtype=bool)
    for (a, b, c), size in zip(matrix.astype(np.float32), (width, height), strict=True):
        where = a * column + (b * row + c)
        outside |= (where < -slack) | (where > size - 1 + slack)
    return outside


def resize_with_opencv(cv2: Any, images: Rows, results: Rows, edges: np.ndarray) -> None:
    """Enlarge a box of each image, given by its edges, to the whole size."""
    height, width = results[0].shape[:2]
    with one_thread(cv2):
        for image, result, box in zip(images, results, edges.tolist(), strict=True):
            top, bottom, left, right = box
            cv2.resize(image[top:bottom, left:right], (width, height), dst=result)


def flip_with_opencv(cv2: Any, images: Rows, results: Rows, axis: int) -> None:
    """Mirror each image along an axis; images and results must be different arrays."""
    # OpenCV writes backwards, which is slow outside the cache: it writes to a small array first.
    turned = np.empty_like(results[0])
    for image, result in zip(images, results, strict=True):
        result[...] = cv2.flip(image, axis, dst=turned)


def blur_with_opencv(
    cv2: Any, images: Rows, results: Rows, widths: np.ndarray, truncate: float
) -> None:
    """Blur each image with a Gaussian of its own width, cut off at `truncate` times the width."""
    with one_thread(cv2):
        for image, result, width in zip(images, results, widths.tolist(), strict=True):
            radius = int(truncate * width + 0.5)
            if radius:
                size = (2 * radius + 1,) * 2
                cv2.GaussianBlur(image, size, width, dst=result, borderType=cv2.BORDER_REPLICATE)
            else:
                result[...] = image


def turn_colours(cv2: Any, images: Rows, results: Rows, matrices: np.ndarray) -> None:
    """Multiply the colour of each pixel by the image's matrix."""
    for image, result, matrix in zip(images, results, matrices, strict=True):
        cv2.transform(image, matrix, dst=result)


def add_to_bytes(
    cv2: Any, images: Rows, results: Rows, change: np.ndarray, low: int, high: int
) -> None:
    """Add an integer to each uint8 image, and clip."""
    whole, copied = (low, high) == (0, 255), images is results
    for image, result, number in zip(images, results, change.tolist(), strict=True):
        if not copied:
            result[...] = image  # faster than reading here and writing there
        # OpenCV is fast for integers that are not negative.
        operation = cv2.add if number >= 0 else cv2.subtract
        operation(result, (abs(number),) * 4, dst=result)
        if not whole:
            np.clip(result, low, high, out=result)


def stretch_bytes(
    cv2: Any, images: Rows, results: Rows, gain: np.ndarray, low: int, high: int
) -> None:
    """Multiply the distance of each pixel to the mean of its uint8 image, round and clip."""
    whole, levels = (low, high) == (0, 255), np.arange(256.0)
    for image, result, a in zip(images, results, gain.tolist(), strict=True):
        b = sum(cv2.sumElems(image)) / max(1, image.size) * (1 - a)
        if whole:
            cv2.addWeighted(image, a, image, 0.0, b, dst=result)
        else:
            table = np.rint(np.clip(a * levels + b, low, high)).astype(np.uint8)
            cv2.LUT(image, table, dst=result)


def blend_with_opencv(
    cv2: Any, images: Rows, partners: Rows, results: Rows, share: np.ndarray
) -> None:
    """Do what ``_mix.blend`` does with 2-D samples."""
    pairs = zip(images, partners, results, share.tolist(), strict=True)
    for image, partner, result, weight in pairs:
        if weight < 1.0:
            cv2.addWeighted(image, weight, partner, 1 - weight, 0.0, dst=result)
        else:
            result[...] = image
