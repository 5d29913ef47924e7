"""Over-samplers of imbalanced-learn as the first step of ``transforms``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from ..exceptions import DataError, ParameterError
from ._columns import (
    as_matrix,
    column_name,
    get_column,
    is_category,
    is_frame,
    missing_columns,
    numeric_columns,
)
from ._containers import take


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
            cleaner.fit_resample(as_matrix(X, [])[0], codes)
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
        self, X: Any, codes: np.ndarray, wanted: dict[int, int], seed: int, *, sources: bool
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
        sources : bool
            Whether the sources of the new rows are asked for, which may have to be searched.

        Returns
        -------
        X_new : same container as X
            New rows.
        codes_new : ndarray of int
            Class of each new row.
        origins : ndarray of int or None
            Source of each new row; None if not asked for.
        """
        counts = np.bincount(codes)
        wanted = {code: number for code, number in wanted.items() if number}
        self._check_counts(counts, wanted)
        sampler = clone(self.sampler)
        strategy = {code: int(counts[code]) + number for code, number in wanted.items()}
        sampler.set_params(sampling_strategy=strategy)
        if "random_state" in sampler.get_params(deep=False):
            sampler.set_params(random_state=seed)
        if _copies_only(sampler):  # it needs no values, only the number of rows
            sampler.fit_resample(np.arange(len(codes))[:, None], codes)
            copied = np.asarray(sampler.sample_indices_)[len(codes) :]
            return take(X, copied), codes[copied], copied
        categorical = self._categorical(X)
        self._check_columns(X, categorical)
        if categorical and hasattr(sampler, "categorical_features"):
            sampler.set_params(categorical_features=categorical)
        matrix, decode = as_matrix(X, categorical)
        try:
            X_all, codes_all = sampler.fit_resample(matrix, codes)
        except ValueError as error:
            raise DataError(f"{type(sampler).__name__} could not make new rows: {error}") from error
        n = len(codes)
        new, codes_new = X_all[n:], np.asarray(codes_all)[n:]
        known = getattr(sampler, "sample_indices_", None)
        origins = None if known is None else np.asarray(known)[n:]
        if origins is None and sources:
            numeric = [j for j in range(X.shape[1]) if j not in categorical]
            origins = nearest_sources(matrix, new, numeric, codes, codes_new)
        return decode(new), codes_new, origins

    def _check_counts(self, counts: np.ndarray, wanted: dict[int, int]) -> None:
        """Raise :class:`DataError` for classes with too few rows for the neighbours asked for."""
        name = type(self.sampler).__name__
        neighbours = getattr(
            self.sampler, "k_neighbors", getattr(self.sampler, "n_neighbors", None)
        )
        for code in wanted:
            if isinstance(neighbours, int) and counts[code] <= neighbours:
                raise DataError(
                    f"{name} needs more than {neighbours} rows of each class that grows; one has "
                    f"{counts[code]}. Pass {name}(... a smaller number of neighbours) or use "
                    f"'gaussian_noise'."
                )

    def _categorical(self, X: Any) -> list[int]:
        """Return the positions of the columns whose values are categories to the over-sampler."""
        n_columns = X.shape[1]
        if type(self.sampler).__name__ == "SMOTEN":
            return list(range(n_columns))
        features = getattr(self.sampler, "categorical_features", None)
        if features is None:
            return []
        if self.find_categorical:
            numeric = set(numeric_columns(X))
            other = [j for j in range(n_columns) if j not in numeric]
            if not other or not numeric:
                instead = "smoten" if other else "smote"
                raise DataError(
                    f"'smotenc' needs columns with numbers and columns without; these are all of "
                    f"one sort. Use {instead!r}."
                )
            return other
        if isinstance(features, str):  # "auto"
            return [
                j for j in range(n_columns) if is_frame(X) and is_category(get_column(X, j).dtype)
            ]
        chosen = np.asarray(features)
        if chosen.dtype.kind == "b":
            return np.flatnonzero(chosen).tolist()
        if chosen.dtype.kind in "iu":
            return [int(j) % n_columns for j in chosen]
        names = list(X.columns) if is_frame(X) else []
        unknown = [name for name in features if name not in names]
        if unknown:
            raise DataError(
                f"{type(self.sampler).__name__}(categorical_features={features!r}) names columns "
                f"that X does not have: {unknown}."
            )
        return [names.index(name) for name in features]

    def _check_columns(self, X: Any, categorical: list[int]) -> None:
        """Raise :class:`DataError`, with the columns' names, for what cannot be interpolated."""
        name = type(self.sampler).__name__
        numeric = set(numeric_columns(X)) if not sparse.issparse(X) else set(range(X.shape[1]))
        other = [
            column_name(X, j)
            for j in range(X.shape[1])
            if j not in numeric and j not in categorical and not _is_bool(X, j)
        ]
        if other:
            raise DataError(
                f"{name} interpolates numbers; the columns {other} hold none. Use 'smotenc', which "
                f"takes such columns for categories."
            )
        names = {column_name(X, j) for j in categorical}
        missing = [column for column in missing_columns(X) if column not in names]
        if missing:
            raise DataError(
                f"{name} does not accept missing values (NaN), and the columns {missing} have "
                f"some. Put a SimpleImputer of sklearn.impute before the sampler, or use "
                f"'gaussian_noise', which copies missing values."
            )


def _copies_only(sampler: Any) -> bool:
    """Return whether an over-sampler makes plain copies, and says of which rows."""
    from imblearn.over_sampling import RandomOverSampler

    return isinstance(sampler, RandomOverSampler) and sampler.shrinkage is None


def _is_bool(X: Any, j: int) -> bool:
    """Return whether a column of a table is boolean by its dtype."""
    dtype = get_column(X, j).dtype if is_frame(X) else X.dtype
    return str(dtype).lower().startswith(("bool", "sparse[bool"))


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


def nearest_sources(
    X: Any, new: Any, numeric: list[int], codes: np.ndarray, codes_new: np.ndarray
) -> np.ndarray:
    """Return the position of the nearest original of the same class for each new row.

    Over-samplers that interpolate do not say which rows they used. Numeric columns are
    standardized; where there are none, the row that differs in the fewest columns is nearest.
    """
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    if not len(codes_new):  # BorderlineSMOTE may find no row to start from
        return np.empty(0, dtype=np.intp)
    metric = "euclidean" if numeric else "hamming"
    if numeric:
        if len(numeric) < X.shape[1]:
            X, new = X[:, numeric], new[:, numeric]
        scaler = StandardScaler(with_mean=False).fit(X)
        X, new = scaler.transform(X), scaler.transform(new)
    sources = np.empty(len(codes_new), dtype=np.intp)
    for code in np.unique(codes_new):
        rows, asked = np.flatnonzero(codes == code), np.flatnonzero(codes_new == code)
        search = NearestNeighbors(n_neighbors=1, metric=metric).fit(X[rows])
        sources[asked] = rows[search.kneighbors(new[asked], return_distance=False)[:, 0]]
    return sources
