"""Transforms of tables: Gaussian noise, and imbalanced-learn's over-samplers by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ..exceptions import DataError
from ._containers import as_imblearn_table, numeric_part
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

    def _bind(self, X):
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

    def _apply(self, X, rng):
        """Add noise to every row."""
        deviation = self.magnitude * self.scale
        if sparse.issparse(X):
            X.data += rng.standard_normal(X.nnz) * deviation[X.indices]
        else:
            X += rng.standard_normal(X.shape) * deviation
        return X

    def _apply_some(self, X, rng):
        """Add noise to each row with the probability."""
        if self.probability >= 1.0 or not sparse.issparse(X):
            return super()._apply_some(X, rng)
        row_changed = rng.random(X.shape[0]) < self.probability
        before = X.data.copy()
        X = self._apply(X, rng)
        unchanged = ~np.repeat(row_changed, np.diff(X.indptr))
        X.data[unchanged] = before[unchanged]
        return X


def column_scale(X) -> np.ndarray:
    """Return the standard deviation of each column, 0 where it has at most two distinct values."""
    if not sparse.issparse(X):
        values = X.astype(np.float64, copy=False)
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


@dataclass(frozen=True)
class Interpolation:
    """An over-sampler of imbalanced-learn as the first step of a policy.

    Parameters
    ----------
    sampler : imblearn.over_sampling.base.BaseOverSampler
        The over-sampler; its strategy and seed are set by the caller, on a clone.
    """

    sampler: Any

    def new_rows(self, X, codes: np.ndarray, wanted: dict[int, int], seed: int):
        """Return the new rows only, in X's container, with their class codes.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Table.
        codes : ndarray of shape (n_samples,)
            Class of each row, 0 to n_classes - 1.
        wanted : dict of int to int
            Number of new rows of each class.
        seed : int
            Seed.

        Returns
        -------
        X_new : same container as X
            New rows.
        codes_new : ndarray of int
            Their classes.
        inner : ndarray of int or None
            Source of each new row where the over-sampler tells it.
        """
        name = type(self.sampler).__name__
        counts = np.bincount(codes)
        neighbours = getattr(
            self.sampler, "k_neighbors", getattr(self.sampler, "n_neighbors", None)
        )
        wanted = {code: number for code, number in wanted.items() if number}
        for code in wanted:
            if isinstance(neighbours, int) and counts[code] <= neighbours:
                raise DataError(
                    f"{name} needs more than {neighbours} rows of each class that grows; one has "
                    f"{counts[code]}. Pass {name}(... a smaller number of neighbours) or use "
                    f"'gaussian_noise'."
                )
        sampler = clone(self.sampler)
        strategy = {code: int(counts[code]) + number for code, number in wanted.items()}
        sampler.set_params(sampling_strategy=strategy)
        if "random_state" in sampler.get_params(deep=False):
            sampler.set_params(random_state=seed)
        table, restore = as_imblearn_table(X)
        try:
            X_all, codes_all = sampler.fit_resample(table, codes)
        except ValueError as error:
            raise DataError(f"{name} could not make new rows: {error}") from error
        n = len(codes)
        new = X_all.iloc[n:] if hasattr(X_all, "iloc") else X_all[n:]
        new = restore(new)
        inner = getattr(sampler, "sample_indices_", None)
        return new, np.asarray(codes_all)[n:], None if inner is None else np.asarray(inner)[n:]


#: Over-samplers that can be named in ``transforms``.
OVER_SAMPLERS = {
    "smote": "SMOTE",
    "adasyn": "ADASYN",
    "borderline_smote": "BorderlineSMOTE",
    "svm_smote": "SVMSMOTE",
}


def named_over_sampler(name: str) -> Interpolation:
    """Return imbalanced-learn's over-sampler with its defaults."""
    from imblearn import over_sampling

    return Interpolation(getattr(over_sampling, OVER_SAMPLERS[name])())


def nearest_sources(X, new, codes: np.ndarray, codes_new: np.ndarray) -> np.ndarray:
    """Return for each new row the nearest original row of its class (standardized columns).

    Interpolating over-samplers do not say which rows a new one was made of.
    """
    from sklearn.neighbors import NearestNeighbors

    old, fresh, metric = _comparable(X, new)
    sources = np.empty(len(codes_new), dtype=np.intp)
    for code in np.unique(codes_new):
        rows, asked = np.flatnonzero(codes == code), np.flatnonzero(codes_new == code)
        search = NearestNeighbors(n_neighbors=1, metric=metric).fit(old[rows])
        sources[asked] = rows[search.kneighbors(fresh[asked], return_distance=False)[:, 0]]
    return sources


def _comparable(X, new):
    """Return both tables as matrices, and the metric to compare their rows with."""
    from sklearn.preprocessing import OrdinalEncoder, StandardScaler

    old, fresh = numeric_part(X), numeric_part(new)
    if old.shape[1]:
        scaler = StandardScaler(with_mean=False).fit(old)
        return scaler.transform(old), scaler.transform(fresh), "euclidean"
    encoder = OrdinalEncoder().fit(np.asarray(X, dtype=object))
    return (
        encoder.transform(np.asarray(X, dtype=object)),
        encoder.transform(np.asarray(new, dtype=object)),
        "hamming",
    )


__all__ = ["GaussianNoise"]
