"""Load OpenCV where it is installed, and decide for which images it is used."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

#: Smallest number of elements of a sample for which a call of OpenCV pays.
ELEMENTS_FOR_A_CALL = 2**10
#: Smallest number of elements of an image for which one call for each image is faster than one for
#: the whole batch.
ELEMENTS_ONE_BY_ONE = 2**13


@functools.lru_cache(maxsize=1)
def load_opencv() -> Any:
    """Return the module ``cv2``; None where it is missing or older than 5.0.

    Older versions round coordinates to 1/32 of a pixel.
    """
    try:
        import cv2
    except ImportError:
        return None
    return cv2 if int(cv2.__version__.partition(".")[0]) >= 5 else None


_lock = threading.Lock()
#: Number of calls that run at this moment, and OpenCV's number of threads before the first.
_guard = {"calls": 0, "threads": 1}


@contextmanager
def one_thread(cv2: Any) -> Iterator[None]:
    """Let OpenCV use one thread while the context is open; several contexts may be open at once.

    With more threads, small images take longer, and the training of a network has fewer cores.

    Parameters
    ----------
    cv2 : module
        OpenCV.
    """
    with _lock:
        if _guard["calls"] == 0:
            _guard["threads"] = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _guard["calls"] += 1
    try:
        yield
    finally:
        with _lock:
            _guard["calls"] -= 1
            if _guard["calls"] == 0:
                cv2.setNumThreads(_guard["threads"])


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


def large_images(X: np.ndarray) -> bool:
    """Return whether images are so large that changing them one by one is faster."""
    return math.prod(X.shape[1:]) >= ELEMENTS_ONE_BY_ONE


def opencv_for_rows(X: np.ndarray) -> Any:
    """Return OpenCV if it is installed, takes these samples, and they are large enough, else None.

    Parameters
    ----------
    X : ndarray of shape (n, length, ...)
        Samples.

    Returns
    -------
    cv2 : module or None
        OpenCV.
    """
    long = len(X) > 0 and X[0].size >= ELEMENTS_FOR_A_CALL
    return load_opencv() if long and X.dtype in (np.uint8, np.float32) else None
