"""OpenCV where it is installed: loading it, what it takes, and its threads."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

#: Fewest numbers of a row for which a call of OpenCV pays.
NUMBERS_FOR_A_CALL = 2**10
#: Fewest numbers of an image for which a call of its own is faster than one for the whole batch.
NUMBERS_ONE_BY_ONE = 2**13


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


_lock = threading.Lock()
#: how many calls of ours run, and the number of threads to go back to after the last of them
_guard = {"calls": 0, "threads": 1}


@contextmanager
def one_thread(cv2: Any) -> Iterator[None]:
    """Keep OpenCV to one thread for a while, in any number of threads of ours.

    Its own threads slow small images down, and fight for the cores with those of a training.

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
    """Say whether images are faster changed one by one than all at once, where both is possible."""
    return math.prod(X.shape[1:]) >= NUMBERS_ONE_BY_ONE


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
