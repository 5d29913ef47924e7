"""Transforms that change the speed or the order of parts of time series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...exceptions import ParameterError
from .._transform import check_fraction, register
from ._series import SeriesTransform, read_at


@register("window_warp")
@dataclass(frozen=True)
class WindowWarp(SeriesTransform):
    """Stretch or squeeze one random window of each series, the rest the other way [1]_.

    Parameters
    ----------
    magnitude : float, default=0.5
        The window runs at a pace between ``1 / (1 + magnitude)`` and ``1 + magnitude``, uniform
        in the logarithm.
    window : float, default=0.2
        Length of the window, as a fraction of the series, in [0, 1].
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    References
    ----------
    .. [1] A. Le Guennec, S. Malinowski, R. Tavenard, "Data augmentation for time series
       classification using convolutional neural networks", AALTD workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import WindowWarp
    >>> new = WindowWarp(1.0)(np.arange(10.0)[None], rng=0)
    >>> float(new[0, 0]), float(new[0, -1]), bool((np.diff(new) > 0).all())
    (0.0, 9.0, True)
    """

    magnitude: float = 0.5
    window: float = 0.2

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_fraction(self, "window", 0.0, 1.0)

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Warp a window of every series."""
        n, steps = X.shape[:2]
        length = self.window * (steps - 1)
        start = rng.uniform(0, steps - 1 - length, size=n)
        reach = np.log1p(self.magnitude)
        pace = np.exp(rng.uniform(-reach, reach, size=n))
        # Where the window begins and ends in the source, and in the result.
        source = np.stack([np.zeros(n), start, start + length, np.full(n, steps - 1.0)], axis=1)
        durations = np.diff(source, axis=1)
        durations[:, 1] /= pace
        reached = np.zeros((n, 4))
        np.cumsum(durations, axis=1, out=reached[:, 1:])
        reached *= (steps - 1) / reached[:, -1:]
        positions = np.empty((n, steps))
        for i in range(n):
            positions[i] = np.interp(np.arange(steps), reached[i], source[i])
        return read_at(X, positions)


@register("permutation")
@dataclass(frozen=True)
class Permutation(SeriesTransform):
    """Cut each series into pieces and put them together in another order [1]_.

    Can change the label wherever the order of events matters.

    Parameters
    ----------
    n_segments : int, default=4
        Number of pieces, at least 2, at most the number of steps; their lengths are random.
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease
       monitoring using convolutional neural networks", ICMI, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Permutation
    >>> sorted(Permutation(3)(np.arange(8)[None], rng=0)[0].tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """

    needs_float: ClassVar[bool] = False
    n_segments: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        number = self.n_segments
        if isinstance(number, bool) or not isinstance(number, int) or number < 2:
            raise ParameterError(
                f"Permutation(n_segments=...) must be an integer >= 2. Got {number!r}."
            )

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Permute the pieces of every series."""
        n, steps = X.shape[:2]
        pieces = min(self.n_segments, steps)
        # Distinct random cuts. The number of cuts before a step says to which piece it belongs.
        cuts = rng.random((n, steps - 1)).argsort(axis=1)[:, : pieces - 1] + 1
        starts = np.zeros((n, steps), dtype=np.intp)
        np.put_along_axis(starts, cuts, 1, axis=1)
        piece = starts.cumsum(axis=1)
        order = rng.random((n, pieces)).argsort(axis=1)
        rank = np.take_along_axis(order, piece, axis=1)
        source = rank.argsort(axis=1, kind="stable")
        return X[np.arange(n)[:, None], source]


__all__ = ["Permutation", "WindowWarp"]
