"""Transforms of tables: Gaussian noise, MixUp, and what keeps integers in their range."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ..exceptions import DataError
from ._columns import is_integer, numeric_columns, observed_integers
from ._mix import Mix
from ._transform import Transform, register


@register("gaussian_noise")
@dataclass(frozen=True)
class GaussianNoise(Transform):
    """Add Gaussian noise to each numeric column, in proportion to its spread.

    This is the smoothed bootstrap of ROSE [1]_. Columns with at most two distinct values (flags,
    one-hot codes), boolean and non-numeric columns are left alone; integer columns stay integer.
    In sparse matrices only stored values change, so they stay sparse.

    Parameters
    ----------
    magnitude : float, default=0.1
        Standard deviation of the noise, as a fraction of the column's.
    scale : ndarray of shape (n_features,), default=None
        Standard deviation of each column, 0 for columns to leave alone. None: measured on the
        data given to ``fit_resample`` (on the batch, if called directly).
    probability : float, default=1.0
        Probability, in [0, 1], that a row is changed.

    References
    ----------
    .. [1] G. Menardi, N. Torelli, "Training and assessing classification rules with imbalanced
       data", Data Mining and Knowledge Discovery, 28, 92-122, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import GaussianNoise
    >>> X = np.array([[0.0, 10.0], [1.0, 20.0], [0.0, 30.0]])
    >>> GaussianNoise(0.1)(X, rng=0).round(2)  # the first column is a flag
    array([[ 0.  ,  9.89],
           [ 1.  , 20.09],
           [ 0.  , 30.3 ]])
    """

    kinds: ClassVar[tuple[str, ...]] = ("tabular",)
    magnitude: float = 0.1
    scale: Any = field(default=None, compare=False)

    def _bind(self, X: Any) -> Self:
        """Learn the spread of the columns."""
        if self.scale is None:
            return replace(self, scale=column_scale(X))
        scale = np.asarray(self.scale, dtype=float)
        if scale.shape != (X.shape[1],):
            raise DataError(
                f"GaussianNoise(scale=...) has shape {scale.shape}; X has {X.shape[1]} numeric "
                f"columns."
            )
        return replace(self, scale=scale)

    def _apply(self, X: Any, rng: np.random.Generator) -> Any:
        """Add noise to every row."""
        deviation = self.magnitude * self.scale
        if sparse.issparse(X):
            X.data += rng.standard_normal(X.nnz) * deviation[X.indices]
        else:
            X += rng.standard_normal(X.shape) * deviation
        return X

    def _apply_some(self, X: Any, rng: np.random.Generator) -> Any:
        """Add noise to each row with the probability."""
        if self.probability >= 1.0 or not sparse.issparse(X):
            return super()._apply_some(X, rng)
        row_changed = rng.random(X.shape[0]) < self.probability
        before = X.data.copy()
        X = self._apply(X, rng)
        unchanged = ~np.repeat(row_changed, np.diff(X.indptr))
        X.data[unchanged] = before[unchanged]
        return X


@register("tabular_mixup")
@dataclass(frozen=True)
class TabularMixUp(Mix):
    """Blend the numeric columns of each row with those of another row, and their labels alike [1]_.

    ``w * x_i + (1 - w) * x_j`` as in :class:`MixUp`. Columns with at most two distinct values
    (flags, one-hot codes), boolean and non-numeric columns keep the row's own value; integer
    columns stay integer.

    Parameters
    ----------
    magnitude : float, default=0.2
        Both parameters of the Beta distribution; 0 mixes nothing.
    soft_labels : bool, default=False
        Allow class labels to become class probabilities; see :class:`MixUp`.
    same_class : bool, default=False
        Mix rows of one class only, which leaves hard labels as they are.
    probability : float, default=1.0
        Probability, in [0, 1], that a row is mixed.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk
       minimization", ICLR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.sampling import TabularMixUp
    >>> X = np.array([[0.0, 10.0], [1.0, 20.0], [0.0, 30.0]])
    >>> TabularMixUp(1.0)(X, rng=0)[:, 0]  # a flag
    array([0., 1., 0.])
    """

    kinds: ClassVar[tuple[str, ...]] = ("tabular",)
    columns: Any = field(default=None, kw_only=True, repr=False, compare=False)

    def _bind(self, X: Any) -> Self:
        """Learn which columns are mixed."""
        return replace(self, columns=column_scale(X) > 0)

    def _blend(
        self,
        X: Any,
        share: np.ndarray,
        values: Any,
        chosen: np.ndarray,
        others: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Any, np.ndarray]:
        """Mix the columns that have more than two values."""
        X, other = values[chosen], values[others]
        weight = np.where(self.columns, share[:, None], 1.0)
        if not sparse.issparse(X):
            missing = np.isnan(other)
            if missing.any():
                other = np.where(missing, X, other)  # a missing value is not mixed in
        if sparse.issparse(X):
            mixed = X.multiply(weight) + other.multiply(1 - weight)
            return sparse.csr_array(mixed) if isinstance(
                X, sparse.sparray
            ) else mixed.tocsr(), share
        return X * weight + other * (1 - weight), share


def column_scale(X: Any) -> np.ndarray:
    """Return the standard deviation of each column; 0 for columns of at most two values.

    Missing values (NaN) are left out.
    """
    if not sparse.issparse(X):
        values = X.astype(np.float64, copy=False)
        missing = np.isnan(values)
        if missing.any():
            return _scale_of_present(values, missing)
        low, high = values.min(axis=0), values.max(axis=0)
        flag = ((values == low) | (values == high)).all(axis=0)
        return np.where(flag, 0.0, values.std(axis=0))
    X = X.tocsr().astype(np.float64)
    low, high = min_max_axis(X, axis=0)
    between = (X.data != low[X.indices]) & (X.data != high[X.indices])
    has_zero = np.bincount(X.indices, minlength=X.shape[1]) < X.shape[0]
    flag = np.bincount(X.indices[between], minlength=X.shape[1]) == 0
    flag &= ~(has_zero & (low < 0) & (high > 0))
    return np.where(flag, 0.0, np.sqrt(mean_variance_axis(X, axis=0)[1]))


def _scale_of_present(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return what `column_scale` returns for a matrix with missing values."""
    scale = np.zeros(values.shape[1])
    for j in np.flatnonzero(~missing.all(axis=0)):
        present = values[~missing[:, j], j]
        if not ((present == present.min()) | (present == present.max())).all():
            scale[j] = present.std()
    return scale


@dataclass(frozen=True)
class IntegerGrid(Transform):
    """Keep integer columns of a table within the values observed: their range and their steps.

    New values are moved to the nearest value ``low + k * step`` within ``[low, high]``, where
    `step` is the greatest common divisor of the differences between the observed values.

    Parameters
    ----------
    columns : ndarray of int
        Positions of the integer columns among the numeric ones.
    low, high, step : ndarray of float
        Smallest and largest value of each of them, and the step.
    """

    kinds: ClassVar[tuple[str, ...]] = ("tabular",)
    columns: Any = field(default=(), compare=False)
    low: Any = field(default=(), compare=False)
    high: Any = field(default=(), compare=False)
    step: Any = field(default=(), compare=False)

    def _apply(self, X: Any, rng: np.random.Generator) -> Any:
        """Return the batch with its integer columns on the grid."""
        if sparse.issparse(X):
            low, high, step = (part[X.indices] for part in (self.low, self.high, self.step))
            X.data[:] = np.clip(np.rint(X.data / step) * step, low, high)
            return X
        steps = np.rint((X[:, self.columns] - self.low) / self.step)
        X[:, self.columns] = np.clip(self.low + steps * self.step, self.low, self.high)
        return X


def integer_grid(X: Any) -> IntegerGrid | None:
    """Return what keeps the integer columns of a table in their range; None if it has none."""
    if sparse.issparse(X):
        return _sparse_grid(X) if X.dtype.kind in "iu" and X.nnz else None
    found = []
    for place, j in enumerate(numeric_columns(X)):
        values = observed_integers(X, j) if is_integer(X, j) else np.empty(0)
        if len(values):
            low, high = int(values.min()), int(values.max())
            # Differences of very distant 64-bit integers would overflow.
            exact = values.dtype.kind in "iu" and high - low < 2**62
            step = int(np.gcd.reduce(values - values.min())) if exact else 1
            found.append((place, low, high, max(1, step)))
    if not found:
        return None
    places, *limits = np.array(found, dtype=np.float64).T
    return IntegerGrid(places.astype(np.intp), *limits)


def _sparse_grid(X: Any) -> IntegerGrid:
    """Return the grid of a sparse matrix of integers, whose columns all hold zeros or may."""
    columns = X.tocsc()
    sizes = np.diff(columns.indptr)
    filled = np.flatnonzero(sizes)
    starts = columns.indptr[:-1][filled]
    low, high = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    step = np.ones(X.shape[1])
    values = np.abs(columns.data.astype(np.int64))
    low[filled] = np.minimum.reduceat(columns.data, starts)
    high[filled] = np.maximum.reduceat(columns.data, starts)
    step[filled] = np.maximum(np.gcd.reduceat(values, starts), 1)
    some_zero = sizes < X.shape[0]
    low, high = (
        np.where(some_zero, f(part, 0), part) for f, part in ((np.minimum, low), (np.maximum, high))
    )
    return IntegerGrid(np.arange(X.shape[1]), low, high, step)


__all__ = ["GaussianNoise", "TabularMixUp"]
