"""Transforms of tables: Gaussian noise, MixUp, and the over-samplers of imbalanced-learn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ..exceptions import DataError, ParameterError
from ._containers import as_imblearn_table, numeric_columns, numeric_part
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
        if sparse.issparse(X):
            mixed = X.multiply(weight) + other.multiply(1 - weight)
            return sparse.csr_array(mixed) if isinstance(
                X, sparse.sparray
            ) else mixed.tocsr(), share
        return X * weight + other * (1 - weight), share


def column_scale(X: Any) -> np.ndarray:
    """Return the standard deviation of each column; 0 for columns of at most two values."""
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
        The over-sampler. Strategy and seed are set on a clone of it.
    cleaner : imblearn.under_sampling.base.BaseCleaningSampler, default=None
        What drops rows, originals among them, after over-sampling.
    find_categorical : bool, default=False
        Whether columns that are not numeric are passed to SMOTENC as the categorical ones.
    """

    sampler: Any
    cleaner: Any = None
    find_categorical: bool = False

    def kept_rows(self, X: Any, codes: np.ndarray) -> np.ndarray:
        """Return the positions of the rows that the cleaner keeps, in order.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Original rows and new ones.
        codes : ndarray of shape (n_samples,)
            Class of each.

        Returns
        -------
        rows : ndarray of int
            Positions.
        """
        cleaner = clone(self.cleaner)
        try:
            cleaner.fit_resample(as_imblearn_table(X)[0], codes)
        except ValueError as error:
            raise DataError(f"{type(cleaner).__name__} could not clean: {error}") from error
        rows = np.sort(cleaner.sample_indices_)
        lost = np.setdiff1d(codes, codes[rows])
        if lost.size:
            raise DataError(
                f"{type(cleaner).__name__} dropped every row of {lost.size} of the classes; use an "
                f"over-sampler without cleaning."
            )
        return rows

    def new_rows(
        self, X: Any, codes: np.ndarray, wanted: dict[int, int], seed: int
    ) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Return the new rows, without the originals, and their classes.

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
            Class of each new row.
        origins : ndarray of int or None
            Source of each new row; None where the over-sampler does not tell it.
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
        if self.find_categorical:
            numeric = set(numeric_columns(X))
            other = [j for j in range(X.shape[1]) if j not in numeric]
            if not other or not numeric:
                instead = "smoten" if other else "smote"
                raise DataError(
                    f"'smotenc' needs columns with numbers and columns without; these are all of "
                    f"one sort. Use {instead!r}."
                )
            sampler.set_params(categorical_features=other)
        table, restore = as_imblearn_table(X)
        try:
            X_all, codes_all = sampler.fit_resample(table, codes)
        except ValueError as error:
            raise DataError(f"{name} could not make new rows: {error}") from error
        n = len(codes)
        new = X_all.iloc[n:] if hasattr(X_all, "iloc") else X_all[n:]
        new = restore(new)
        origins = getattr(sampler, "sample_indices_", None)
        codes_new = np.asarray(codes_all)[n:]
        return new, codes_new, None if origins is None else np.asarray(origins)[n:]


#: Over-samplers that can be named in ``transforms``.
OVER_SAMPLERS = {
    "smote": "SMOTE",
    "adasyn": "ADASYN",
    "borderline_smote": "BorderlineSMOTE",
    "svm_smote": "SVMSMOTE",
    "smotenc": "SMOTENC",
    "smoten": "SMOTEN",
    "smote_enn": "SMOTEENN",
    "smote_tomek": "SMOTETomek",
}


def named_over_sampler(name: str) -> Interpolation:
    """Return imbalanced-learn's over-sampler with its defaults."""
    from imblearn import combine, over_sampling

    cls = OVER_SAMPLERS[name]
    if cls == "SMOTENC":
        return Interpolation(over_sampling.SMOTENC("auto"), find_categorical=True)
    home = combine if hasattr(combine, cls) else over_sampling
    return as_interpolation(getattr(home, cls)())


def as_interpolation(sampler: Any) -> Interpolation:
    """Return an over-sampler, or a combination of over-sampler and cleaner, as the first step.

    Raises
    ------
    ParameterError
        For samplers that only drop rows.
    """
    from imblearn.combine import SMOTEENN, SMOTETomek
    from imblearn.over_sampling import SMOTE
    from imblearn.over_sampling.base import BaseOverSampler
    from imblearn.under_sampling import EditedNearestNeighbours, TomekLinks

    if isinstance(sampler, SMOTEENN):
        cleaner = sampler.enn or EditedNearestNeighbours(sampling_strategy="all")
    elif isinstance(sampler, SMOTETomek):
        cleaner = sampler.tomek or TomekLinks(sampling_strategy="all")
    elif isinstance(sampler, BaseOverSampler):
        return Interpolation(sampler)
    else:
        raise ParameterError(
            f"{type(sampler).__name__} makes no new rows. Put it into the pipeline as a step of "
            f"its own."
        )
    return Interpolation(sampler.smote or SMOTE(), cleaner)


def nearest_sources(X: Any, new: Any, codes: np.ndarray, codes_new: np.ndarray) -> np.ndarray:
    """Return the position of the nearest original of the same class for each new row.

    Over-samplers that interpolate do not say which rows they used. Columns are standardized.
    """
    from sklearn.neighbors import NearestNeighbors

    old, fresh, metric = _comparable(X, new)
    sources = np.empty(len(codes_new), dtype=np.intp)
    for code in np.unique(codes_new):
        rows, asked = np.flatnonzero(codes == code), np.flatnonzero(codes_new == code)
        search = NearestNeighbors(n_neighbors=1, metric=metric).fit(old[rows])
        sources[asked] = rows[search.kneighbors(fresh[asked], return_distance=False)[:, 0]]
    return sources


def _comparable(X: Any, new: Any) -> tuple[Any, Any, str]:
    """Return both tables as matrices, and the metric that compares their rows."""
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


__all__ = ["GaussianNoise", "TabularMixUp"]
