"""OpenCV where it is installed: faster warps, flips and tables, equal results within tolerance."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

#: Our names of what lies beyond the border, to OpenCV's.
BORDERS = {"nearest": "BORDER_REPLICATE", "reflect": "BORDER_REFLECT", "wrap": "BORDER_WRAP"}
#: Fewest pixels of an RGB image from which a fourth channel pays: OpenCV warps four channels twice
#: as fast as three.
PIXELS_FOR_FOUR = 48 * 48
#: Fewest numbers of a row for which a call of OpenCV pays.
NUMBERS_FOR_A_CALL = 2**10
#: Fewest numbers of an image for which adding a constant is faster than a weighted sum.
NUMBERS_FOR_A_SUM = 2**13


@functools.lru_cache(maxsize=1)
def load_opencv() -> Any:
    """Return the module, or None where it is missing or older than 5.0.

    Older ones round coordinates to 1/32 of a pixel.
    """
    try:
        import cv2
    except ImportError:
        return None
    return cv2 if int(cv2.__version__.partition(".")[0]) >= 5 else None


def opencv_for(X: np.ndarray) -> Any:
    """Return OpenCV if it is installed and takes these images, else None.

    Parameters
    ----------
    X : ndarray of shape (n, height, width) or (n, height, width, channels)
        Images.

    Returns
    -------
    cv2 : module or None
        OpenCV.
    """
    fits = X.dtype in (np.uint8, np.float32) and (X.ndim == 3 or X.shape[3] <= 4)
    return load_opencv() if fits and max(X.shape[1:3]) < 2**15 else None


def opencv_for_rows(X: np.ndarray) -> Any:
    """Return OpenCV if it is installed, takes these rows, and they are long enough, else None.

    Parameters
    ----------
    X : ndarray of shape (n, length, ...)
        Rows.

    Returns
    -------
    cv2 : module or None
        OpenCV.
    """
    long = len(X) > 0 and X[0].size >= NUMBERS_FOR_A_CALL
    return load_opencv() if long and X.dtype in (np.uint8, np.float32) else None


def warp_with_opencv(
    cv2: Any, X: np.ndarray, maps: np.ndarray, fill: str, fill_value: float
) -> np.ndarray:
    """Do what ``_warp.warp`` does.

    Parameters
    ----------
    cv2 : module
        OpenCV.
    X : ndarray of shape (n, height, width) or (n, height, width, channels)
        Images, uint8 or float32.
    maps : ndarray of shape (n, 3, 3)
        Maps from result to source in (row, column, 1), relative to the centre.
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
    linear = maps[:, :2, :2]
    shift = maps[:, :2, 2] + centre - linear @ centre
    # OpenCV's coordinates are (column, row).
    matrices = np.concatenate([linear, shift[:, :, None]], axis=2)[:, ::-1][:, :, [1, 0, 2]]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = getattr(cv2, BORDERS.get(fill, "BORDER_REPLICATE"))
    result = np.empty_like(X)
    moved = np.any(maps != np.eye(3), axis=(1, 2)).tolist()
    how = {"dsize": (width, height), "flags": flags, "borderMode": border}
    four = X.ndim == 4 and X.shape[3] == 3 and height * width >= PIXELS_FOR_FOUR
    before, after = np.empty((2, height, width, 4) if four else (2, 0), dtype=X.dtype)
    for image, matrix, target, changed in zip(X, matrices, result, moved, strict=True):
        if changed:
            if four:
                cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=before)
                cv2.warpAffine(before, matrix, dst=after, **how)
                cv2.cvtColor(after, cv2.COLOR_RGBA2RGB, dst=target)
            else:
                cv2.warpAffine(image, matrix, dst=target, **how)
            if fill == "constant":
                target[_outside(matrix, height, width)] = fill_value
        else:
            target[...] = image
    return result


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


def blend_with_opencv(
    cv2: Any, X: np.ndarray, partner: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Do what ``_mix.blend`` does, in place.

    Parameters
    ----------
    cv2 : module
        OpenCV.
    X : ndarray of shape (n, length, ...), C-contiguous
        Rows, uint8 or float32.
    partner : ndarray of int, of shape (n,)
        The row that each is mixed with, a permutation.
    share : ndarray of shape (n,)
        Shares, in [0, 1].

    Returns
    -------
    X : ndarray
        The same array.
    """
    rows = X.reshape(len(X), X.shape[1], -1)
    partners, shares = partner.tolist(), share.tolist()
    done = [False] * len(rows)
    for first in range(len(rows)):
        # Round the cycle that begins here; only its first row is still needed when changed.
        saved = None if done[first] or partners[first] == first else rows[first].copy()
        i = first
        while not done[i]:
            done[i], j = True, partners[i]
            if shares[i] < 1.0 and j != i:
                other = saved if j == first else rows[j]
                cv2.addWeighted(rows[i], shares[i], other, 1 - shares[i], 0.0, dst=rows[i])
            i = j
    return X


def linear_bytes(
    cv2: Any, X: np.ndarray, gain: np.ndarray, change: np.ndarray, low: float, high: float
) -> np.ndarray:
    """Turn each pixel x of uint8 images into ``gain * x + change``, rounded and clipped, in place.

    Parameters
    ----------
    cv2 : module
        OpenCV.
    X : ndarray of uint8, of shape (n, height, width) or (n, height, width, channels)
        Images.
    gain, change : ndarray of shape (n,)
        Numbers of each image.
    low, high : float
        Range to clip to.

    Returns
    -------
    X : ndarray
        The same array.
    """
    if low <= 0 and high >= 255:
        sums = X[0].size >= NUMBERS_FOR_A_SUM if len(X) else False
        for image, a, b in zip(X, gain.tolist(), change.tolist(), strict=True):
            if sums and a == 1.0:
                cv2.add(image, (b, b, b, b), dst=image)
            else:
                cv2.addWeighted(image, a, image, 0.0, b, dst=image)
        return X
    tables = gain[:, None] * np.arange(256.0) + change[:, None]
    tables = np.rint(np.clip(tables, max(low, 0), min(high, 255))).astype(np.uint8)
    for image, table in zip(X, tables, strict=True):
        cv2.LUT(image, table, dst=image)
    return X


def mean_pixels(cv2: Any, X: np.ndarray) -> np.ndarray:
    """Return the mean of each image; parameters as of :func:`linear_bytes`."""
    return np.array([sum(cv2.sumElems(image)) for image in X]) / max(1, X[0].size)
