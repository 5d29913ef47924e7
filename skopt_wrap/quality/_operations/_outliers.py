"""Numbers far outside of the bulk of their column."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from ..._sklearn import Interval, StrOptions
from .._tables._column import Column
from ._base import ChangeLog, Operation, Step, count

_GRID = np.linspace(0, 1, 401)
_SAMPLE = 50_000  # values that fix the quartiles to a few thousandths of their distance
_ISOLATED = 0.8  # anomaly score of a forest, in [0, 1]; tails of a normal distribution reach 0.79
_MAD_TO_STD = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class _Fence(Step):
    low: float = -np.inf
    high: float = np.inf
    action: str = "clip"

    def apply(self, column: Column, log: ChangeLog) -> Column:
        values = column.values
        with np.errstate(invalid="ignore"):
            outside = (values < self.low) | (values > self.high)
        if self.action == "flag":
            flag = Column(f"{column.name}_outlier", "number", outside.astype(np.float64))
            return column.with_extra(flag)
        if not outside.any():
            return column
        if self.action == "missing":
            return column.without(outside)
        low, high = self.low, self.high
        if values.dtype.kind in "iu":
            limits = np.iinfo(values.dtype)
            low = max(np.ceil(low), limits.min) if np.isfinite(low) else limits.min
            high = min(np.floor(high), limits.max) if np.isfinite(high) else limits.max
        return column.changed(np.clip(values, values.dtype.type(low), values.dtype.type(high)))


class Outliers(Operation):
    """Numbers far outside of the bulk of their column are clipped, flagged or set missing.

    Columns are left alone where more than `max_fraction` of the values lie outside (a heavy tail
    is no dirt), and where half of the values are equal or there are less than 10 different ones.

    Parameters
    ----------
    method : {"iqr", "mad", "isolation_forest"}, default="iqr"
        How the bounds are found. "iqr": the quartiles, widened by `factor` times their distance,
        and further on the long side of a skewed column (as in the adjusted boxplot [1]_). "mad":
        the median, plus and minus `factor` standard deviations as estimated from the median
        absolute deviation.
        "isolation_forest": the least and the greatest value that
        :class:`sklearn.ensemble.IsolationForest` gives an anomaly score of at most 0.8.
    action : {"clip", "missing", "flag"}, default="clip"
        "clip" puts the bound in the place of a value outside, "missing" removes the value, "flag"
        leaves it and adds a column ``<name>_outlier`` of 1.0 and 0.0.
    factor : float or None, default=None
        How far the bounds lie outside, above 0. None takes 3.0 for "iqr" (Tukey's "far out") and
        5.0 for "mad".
    max_fraction : float, default=0.05
        Greatest share of values outside, in (0, 0.5].
    random_state : int, RandomState instance or None, default=0
        Seed of the isolation forest.

    References
    ----------
    .. [1] M. Hubert, E. Vandervieren, "An adjusted boxplot for skewed distributions",
       Computational Statistics & Data Analysis, 52(12), 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner, Outliers
    >>> X = np.append(np.linspace(0, 10, 99), 1000.0).reshape(-1, 1)
    >>> float(DataCleaner([Outliers()]).fit_transform(X).max()) < 50
    True
    """

    name: ClassVar[str] = "outliers"
    kinds: ClassVar[tuple[str, ...]] = ("number",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "method": [StrOptions({"iqr", "mad", "isolation_forest"})],
        "action": [StrOptions({"clip", "missing", "flag"})],
        "factor": [Interval(Real, 0, None, closed="neither"), None],
        "max_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        method: str = "iqr",
        action: str = "clip",
        factor: float | None = None,
        max_fraction: float = 0.05,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.action = action
        self.factor = factor
        self.max_fraction = max_fraction
        self.random_state = random_state

    def learn_column(self, column: Column) -> Step | None:
        """Look at one column; see :class:`Operation`."""
        values = column.values
        values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        if len(values) < 10 or len(np.unique(values[:1000])) < 10:
            return None
        bounds = self._bounds(values)
        if bounds is None:
            return None
        low, high = bounds
        n = int(np.count_nonzero((values < low) | (values > high)))
        if n > self.max_fraction * len(values):
            found = f"{n / len(values):.1%} of the values lie far outside: a heavy tail"
            return Step(self.name, "number", found, "", n)
        done = {"clip": "clipped", "missing": "set missing", "flag": "flagged"}[self.action]
        found = f"{count(n, 'value')} outside [{low:.4g}, {high:.4g}]" if n else ""
        if self.action == "flag" and not n:
            return None
        return _Fence(
            self.name, "number", found, done if n else "", n, low=low, high=high, action=self.action
        )

    def _bounds(self, values: np.ndarray) -> tuple[float, float] | None:
        if self.method == "iqr":
            return iqr_bounds(values, 3.0 if self.factor is None else self.factor)
        if self.method == "mad":
            return mad_bounds(values, 5.0 if self.factor is None else self.factor)
        from sklearn.ensemble import IsolationForest

        forest = IsolationForest(random_state=self.random_state)
        grid = values if len(values) <= 10_000 else np.quantile(values, np.linspace(0, 1, 10_001))
        column = grid.astype(np.float64).reshape(-1, 1)
        scores = -forest.fit(column).score_samples(column)
        # The forest's own limit, 0.5, marks a tenth of harmless data.
        inliers = grid[scores <= _ISOLATED]
        return (float(inliers.min()), float(inliers.max())) if len(inliers) else None


def iqr_bounds(values: np.ndarray, factor: float) -> tuple[float, float] | None:
    """Return fences around the quartiles; None where the quartiles are equal.

    As in the adjusted boxplot, a fence lies further away on the long side of skewed values. It is
    never nearer than in the usual boxplot, since few values tell little about skewness.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite numbers.
    factor : float
        1.5 for the usual boxplot, 3.0 for "far out".

    Returns
    -------
    low, high : float
        The fences.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._operations._outliers import iqr_bounds
    >>> [round(v, 6) for v in iqr_bounds(np.arange(101.0), 1.5)]  # 25 - 1.5 * 50, 75 + 1.5 * 50
    [-50.0, 150.0]
    """
    if len(values) > _SAMPLE:
        values = values[np.random.default_rng(0).integers(0, len(values), _SAMPLE)]
    grid = np.quantile(values, _GRID)
    first, third = grid[100], grid[300]
    width = third - first
    if width <= 0 or not np.isfinite(width):
        return None
    skew = medcouple(grid)
    left, right = (-4.0, 3.0) if skew >= 0 else (-3.0, 4.0)
    return (
        float(first - factor * max(1.0, np.exp(left * skew)) * width),
        float(third + factor * max(1.0, np.exp(right * skew)) * width),
    )


def medcouple(values: np.ndarray) -> float:
    """Return the medcouple, a robust measure of skewness in [-1, 1].

    The median, over pairs of a value above and one below the median, of how much further the
    upper one lies from the median; quadratic in the number of values.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        A few hundred values, or quantiles.

    Returns
    -------
    skewness : float
        0 for symmetric values.

    References
    ----------
    .. [1] G. Brys, M. Hubert, A. Struyf, "A robust measure of skewness", Journal of Computational
       and Graphical Statistics, 13(4), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._operations._outliers import medcouple
    >>> medcouple(np.array([1.0, 2.0, 3.0])), medcouple(np.array([1.0, 2.0, 3.0, 10.0, 30.0])) > 0
    (0.0, True)
    """
    centred = np.sort(values.astype(np.float64)) - np.median(values)
    above, below = centred[centred > 0], centred[centred < 0]
    if not len(above) or not len(below):
        return 0.0
    pairs = (above[:, None] + below) / (above[:, None] - below)
    return float(np.median(pairs))


def mad_bounds(values: np.ndarray, factor: float) -> tuple[float, float] | None:
    """Return the median plus and minus some robust standard deviations; None where these are 0.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Finite numbers.
    factor : float
        Number of standard deviations.

    Returns
    -------
    low, high : float
        The bounds.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._operations._outliers import mad_bounds
    >>> [round(v, 4) for v in mad_bounds(np.array([1.0, 2.0, 3.0]), 2.0)]
    [-0.9652, 4.9652]
    """
    middle = float(np.median(values))
    spread = float(np.median(np.abs(values - middle))) * _MAD_TO_STD
    return None if spread == 0 else (middle - factor * spread, middle + factor * spread)
