"""Measure the latency of a function of rows."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

BATCH_ROWS = 256
_SECONDS = 0.05  # for each of the two measurements
_MIN_CALLS = 5
_MAX_CALLS = 1000


def measure_latency(
    function: Callable[[np.ndarray], Any], x: np.ndarray, seconds: float | None = None
) -> tuple[float, float, float]:
    """Return the median and the 99th percentile for one row, and the median for 256 rows.

    Parameters
    ----------
    function : callable
        Takes an array of rows.
    x : ndarray of shape (n_rows, ...)
        Rows to run; repeated when there are fewer than 256.
    seconds : float, default=None
        Time to spend on each of the two measurements, after two calls that are not counted; None
        is 0.05.

    Returns
    -------
    p50, p99, batch : float
        Seconds.
    """
    seconds = _SECONDS if seconds is None else seconds
    one = x[:1]
    single = _times(function, one, seconds)
    batch = _times(function, np.resize(x, (BATCH_ROWS, *x.shape[1:])), seconds)
    return float(np.median(single)), float(np.percentile(single, 99)), float(np.median(batch))


def _times(function: Callable[[np.ndarray], Any], x: np.ndarray, seconds: float) -> list[float]:
    for _ in range(2):
        function(x)
    times: list[float] = []
    stop = perf_counter() + seconds
    while len(times) < _MIN_CALLS or (perf_counter() < stop and len(times) < _MAX_CALLS):
        start = perf_counter()
        function(x)
        times.append(perf_counter() - start)
    return times
