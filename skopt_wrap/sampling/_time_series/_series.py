"""Transforms of the values and the speed of time series.

Batches have shape (n, time) or (n, time, features).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.interpolate import CubicSpline

from ...exceptions import ParameterError
from .._transform import Transform, check_option, register


@dataclass(frozen=True)
class SeriesTransform(Transform):
    """Base class of the transforms of time series."""

    kinds: ClassVar[tuple[str, ...]] = ("series",)


def read_at(X: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return each series at fractional time steps, by linear interpolation.

    Parameters
    ----------
    X : ndarray of shape (n, time) or (n, time, features)
        Series.
    positions : ndarray of shape (n, steps)
        Time steps, in [0, time - 1].

    Returns
    -------
    values : ndarray of shape (n, steps) or (n, steps, features)
        Interpolated values.
    """
    before = np.clip(positions.astype(np.intp), 0, max(X.shape[1] - 2, 0))
    after = np.minimum(before + 1, X.shape[1] - 1)
    weight = (positions - before).astype(X.dtype)
    rows = np.arange(X.shape[0])[:, None]
    if X.ndim == 3:
        weight = weight[:, :, None]
    return X[rows, before] * (1 - weight) + X[rows, after] * weight


def time_means(X: np.ndarray) -> np.ndarray:
    """Return the mean over time of each series and feature; the time axis has length 1.

    It is computed as a matrix product with ones, because NumPy's own mean over an axis that is not
    the last takes 20 times as long.
    """
    ones = np.ones((1, X.shape[1]), dtype=X.dtype)
    sums = X @ ones.T if X.ndim == 2 else ones @ X
    return sums / X.dtype.type(X.shape[1])


@register("jitter")
@dataclass(frozen=True)
class Jitter(SeriesTransform):
    """Add Gaussian noise to every step.

    Parameters
    ----------
    magnitude : float, default=0.05
        Standard deviation of the noise, as a fraction of the standard deviation over time of the
        same series and feature.
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Jitter
    >>> Jitter(0.1)(np.array([[0.0, 1.0, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0]]), rng=0).round(2)
    array([[0.01, 0.99, 0.03, 1.01],
           [5.  , 5.  , 5.  , 5.  ]])
    """

    magnitude: float = 0.05

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Add noise to every series."""
        deviations = X - time_means(X)
        np.square(deviations, out=deviations)
        noise = rng.standard_normal(X.shape, dtype=X.dtype)
        noise *= self.magnitude * np.sqrt(time_means(deviations))
        X += noise
        return X


@register("scaling")
@dataclass(frozen=True)
class Scaling(SeriesTransform):
    """Multiply each series and feature by one random factor.

    Parameters
    ----------
    magnitude : float, default=0.1
        Standard deviation of the factor, whose distribution is log-normal with median 1.
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import Scaling
    >>> new = Scaling(0.1)(np.array([[1.0, 2.0, 4.0]]), rng=0)
    >>> (new / new[0, 0]).tolist()
    [[1.0, 2.0, 4.0]]
    """

    magnitude: float = 0.1

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Scale every series."""
        shape = (X.shape[0], 1, *X.shape[2:])
        X *= np.exp(self.magnitude * rng.standard_normal(shape)).astype(X.dtype)
        return X


@register("magnitude_warp")
@dataclass(frozen=True)
class MagnitudeWarp(SeriesTransform):
    """Multiply each series by a smooth random curve around 1.

    The curve is the exponential of a cubic spline through random knots [1]_.

    Parameters
    ----------
    magnitude : float, default=0.1
        Standard deviation of the logarithm of the curve at its knots.
    n_knots : int, default=4
        Number of knots of the spline, at least 2.
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease
       monitoring using convolutional neural networks", ICMI, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import MagnitudeWarp
    >>> MagnitudeWarp(0.2)(np.ones((2, 50)), rng=0).shape
    (2, 50)
    """

    magnitude: float = 0.1
    n_knots: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        _check_knots(self)

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Multiply every series by its curve."""
        curve = random_curves(X.shape[0], X.shape[1], self.n_knots, self.magnitude, rng)
        X *= np.exp(curve).astype(X.dtype).reshape(curve.shape + (1,) * (X.ndim - 2))
        return X


@register("time_warp")
@dataclass(frozen=True)
class TimeWarp(SeriesTransform):
    """Run through each series at a smoothly changing speed, from its first to its last step.

    The logarithm of the speed is a cubic spline through random knots, so time never runs
    backwards [1]_.

    Parameters
    ----------
    magnitude : float, default=0.2
        Standard deviation of the logarithm of the speed at the knots.
    n_knots : int, default=4
        Number of knots of the spline, at least 2.
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease
       monitoring using convolutional neural networks", ICMI, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import TimeWarp
    >>> new = TimeWarp(0.3)(np.arange(10.0)[None], rng=0)
    >>> float(new[0, 0]), float(new[0, -1]), bool((np.diff(new) > 0).all())
    (0.0, 9.0, True)
    """

    magnitude: float = 0.2
    n_knots: int = 4

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        _check_knots(self)

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Warp the time of every series."""
        n, steps = X.shape[:2]
        speed = np.exp(random_curves(n, steps, self.n_knots, self.magnitude, rng))
        way = np.zeros((n, steps))
        np.cumsum((speed[:, 1:] + speed[:, :-1]) / 2, axis=1, out=way[:, 1:])
        way *= (steps - 1) / way[:, -1:]
        return read_at(X, np.minimum(way, steps - 1))


def _check_knots(owner: Any) -> None:
    """Raise :class:`ParameterError` unless ``owner.n_knots`` is an integer of at least 2."""
    if isinstance(owner.n_knots, bool) or not isinstance(owner.n_knots, int) or owner.n_knots < 2:
        raise ParameterError(
            f"{type(owner).__name__}(n_knots=...) must be an integer >= 2. Got {owner.n_knots!r}."
        )


def random_curves(
    n: int, steps: int, n_knots: int, sigma: float, rng: np.random.Generator
) -> np.ndarray:
    """Return `n` random curves: cubic splines through knots from N(0, sigma^2), at all steps."""
    knots = rng.normal(0.0, sigma, size=(n, n_knots))
    return CubicSpline(np.linspace(0, steps - 1, n_knots), knots, axis=1)(np.arange(steps))


@register("window_slice")
@dataclass(frozen=True)
class WindowSlice(SeriesTransform):
    """Cut a random window out of each series and stretch it to the full length [1]_.

    Parameters
    ----------
    magnitude : float, default=0.1
        Fraction of the length that is cut off, in [0, 0.9].
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    References
    ----------
    .. [1] A. Le Guennec, S. Malinowski, R. Tavenard, "Data augmentation for time series
       classification using convolutional neural networks", AALTD workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import WindowSlice
    >>> WindowSlice(0.5)(np.array([[0.0, 1.0, 2.0, 3.0, 4.0]]), rng=1).round(2)
    array([[1.02, 1.52, 2.02, 2.52, 3.02]])
    """

    max_magnitude: ClassVar[float] = 0.9
    magnitude: float = 0.1

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Cut a window of every series."""
        n, steps = X.shape[:2]
        cut = self.magnitude * (steps - 1)
        start = rng.uniform(0.0, cut, size=(n, 1))
        return read_at(X, start + np.linspace(0.0, steps - 1 - cut, steps))


@register("series_flip")
@dataclass(frozen=True)
class SeriesFlip(SeriesTransform):
    """Turn each series round, in time or in value.

    Can change the label wherever rise and fall, or before and after, matter.

    Parameters
    ----------
    axis : {"time", "value"}, default="time"
        "time" reads the series backwards; "value" mirrors it about its mean over time.
    probability : float, default=0.5
        Probability, in [0, 1], that a series is turned.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import SeriesFlip
    >>> SeriesFlip(probability=1.0)(np.array([[1, 2, 6]]))
    array([[6, 2, 1]])
    >>> SeriesFlip("value", probability=1.0)(np.array([[1, 2, 6]]))
    array([[5, 4, 0]])
    """

    axis: str = "time"
    probability: float = field(default=0.5, kw_only=True)

    @property
    def needs_float(self) -> bool:  # type: ignore[override]
        """Whether it computes. Reading backwards moves values only."""
        return self.axis == "value"

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_option(self, "axis", ("time", "value"))

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Turn every series."""
        if self.axis == "time":
            # Faster than a copy of X[:, ::-1], which NumPy makes feature by feature.
            return X.take(np.arange(X.shape[1] - 1, -1, -1), axis=1)
        return 2 * time_means(X) - X


@register("time_masking")
@dataclass(frozen=True)
class TimeMasking(SeriesTransform):
    """Replace one random window of each series by its mean over time.

    Parameters
    ----------
    magnitude : float, default=0.1
        Length of the window, as a fraction of the series, in [0, 1].
    probability : float, default=1.0
        Probability, in [0, 1], that a series is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import TimeMasking
    >>> TimeMasking(0.5)(np.array([[0.0, 2.0, 4.0, 6.0]]), rng=0)
    array([[0., 2., 3., 3.]])
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Mask a window of every series."""
        n, steps = X.shape[:2]
        size = round(self.magnitude * steps)
        starts = rng.integers(0, steps - size + 1, size=n).tolist()
        for series, start, mean in zip(X, starts, time_means(X), strict=True):
            series[start : start + size] = mean
        return X


__all__ = [
    "Jitter",
    "MagnitudeWarp",
    "Scaling",
    "SeriesFlip",
    "TimeMasking",
    "TimeWarp",
    "WindowSlice",
]
