"""RowCleaner: repeated, contradictory, outlying and mislabelled rows, while training only."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from imblearn.base import BaseSampler
from sklearn.utils import check_array, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.validation import validate_data

from .._sklearn import HasMethods, Interval, StrOptions, fit_context, safe_indexing, target_type
from ..exceptions import DataError, ParameterError, suggest
from ._row_report import RowReport
from ._rows._label_errors import cleanlab_errors, find_label_errors, out_of_fold
from ._rows._outlying import outlying_rows
from ._rows._repeats import conflicts, duplicates, row_groups
from ._tables._matrix import design_matrix
from ._tables._read import Source, open_table

CHECKS = ("duplicates", "conflicts", "labels", "outliers")


class RowCleaner(BaseSampler):
    """Remove or flag rows that teach a model the wrong thing.

    A sampler of imbalanced-learn: in an :class:`imblearn.pipeline.Pipeline`, or as ``sampler=`` of
    a search, it acts on training rows only. Rows that are scored are never touched.

    Checks:

    * *duplicates*: rows that repeat an earlier one, label included;
    * *conflicts*: rows that equal others in all but the label, and are in the minority;
    * *labels*: labels that rows held out contradict, found by cross-validation and the confident
      joint [1]_;
    * *outliers*: rows that an isolation forest [2]_ isolates far sooner than others.

    Parameters
    ----------
    checks : "all" or sequence of str, default="all"
        Names of the checks. For numbers as target, "duplicates" and "outliers" are possible.
    action : {"remove", "flag"}, default="remove"
        "flag" removes nothing; :attr:`flags_` and :attr:`report_` tell what was found.
    max_fraction : float, default=0.1
        Never more than this share of the rows is removed, in [0, 1): the most suspect ones go
        first. Repeated rows are removed all or none: where more than this share repeats others,
        the data are coarse, and repetition is no sign of an error.
    label_estimator : classifier or None, default=None
        What predicts the labels of rows held out; needs ``predict_proba``, and is given X as it is.
        None takes the mean of extremely randomized trees, a linear model and nearest neighbours, on
        X made into numbers.
    label_method : {"predicted", "confident_joint", "cleanlab"}, default="predicted"
        "predicted" suspects each label that differs from the class predicted for its row.
        "confident_joint" takes as many rows of each class as the confident joint counts: it finds
        fewer errors, and suspects fewer correct labels. "cleanlab" asks
        ``cleanlab.filter.find_label_issues``, which needs the extra ``quality``.
    cv : int, default=5
        Number of folds for `label_estimator`, at least 2.
    outlier_threshold : float, default=8.0
        How many robust standard deviations the score of an outlying row lies from the median.
    random_state : int, RandomState instance or None, default=None
        Seed of folds, trees and forests.
    n_jobs : int or None, default=None
        Folds that are fitted at a time.

    Attributes
    ----------
    flags_ : dict of str to ndarray of shape (n_samples,), bool
        For each check, which rows it suspects, whether or not they were removed.
    report_ : RowReport
        One entry a suspect row and check, with the evidence.
    sample_indices_ : ndarray of shape (n_samples_new,)
        Places of the rows that are returned.
    label_probabilities_ : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities; set by the check "labels".
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the columns of `label_probabilities_`; set where y has classes.
    sampling_strategy_ : dict
        Rows of each class that are removed.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of a frame, if all are str.

    Raises
    ------
    DataError
        For a target that a check cannot use: numbers, several labels a row, a single class.
    ParameterError
        For an unknown check, or ``label_method="cleanlab"`` without cleanlab.

    See Also
    --------
    DataCleaner : The same for columns.
    imblearn.under_sampling.TomekLinks : Removes rows at the border of two classes.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in
       dataset labels", Journal of Artificial Intelligence Research, 70, 2021.
    .. [2] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import RowCleaner
    >>> X, y = load_iris(return_X_y=True)
    >>> y[3] = 2  # a wrong label
    >>> cleaner = RowCleaner(random_state=0)
    >>> X_new, y_new = cleaner.fit_resample(X, y)
    >>> bool(cleaner.flags_["labels"][3]), bool(cleaner.flags_["duplicates"][142])
    (True, True)
    >>> 3 in cleaner.sample_indices_
    False
    """

    _sampling_type = "bypass"
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "checks": [StrOptions({"all"}), list, tuple],
        "action": [StrOptions({"remove", "flag"})],
        "max_fraction": [Interval(Real, 0, 1, closed="left")],
        "label_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "label_method": [StrOptions({"predicted", "confident_joint", "cleanlab"})],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "outlier_threshold": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        checks: str | Sequence[str] = "all",
        *,
        action: str = "remove",
        max_fraction: float = 0.1,
        label_estimator: Any = None,
        label_method: str = "predicted",
        cv: int = 5,
        outlier_threshold: float = 8.0,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.checks = checks
        self.action = action
        self.max_fraction = max_fraction
        self.label_estimator = label_estimator
        self.label_method = label_method
        self.cv = cv
        self.outlier_threshold = outlier_threshold
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, **params: Any) -> RowCleaner:
        """Check the rows. Use `fit_resample` to get those that stay.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, plain or one column a class; numbers for some of the checks.
        **params : array-like of shape (n_samples, ...)
            Aligned arrays; only their lengths are checked.

        Returns
        -------
        self : RowCleaner
            The sampler.
        """
        self._check_rows(X, y, params)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(self, X: Any, y: Any, **aligned: Any) -> Any:
        """Return the rows that stay.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Data; not changed.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Labels, plain or one column a class; numbers for some of the checks.
        **aligned : array-like of shape (n_samples, ...)
            Further arrays with one entry a row, such as ``sample_weight`` or ``groups``.

        Returns
        -------
        X_resampled : same container as X, of shape (n_samples_new, n_features)
            Data.
        y_resampled : same container as y, of shape (n_samples_new,) or (n_samples_new, n_classes)
            Labels.
        *aligned_resampled : same containers
            The further arrays, in the order given.
        """
        return self._fit_resample(X, y, **aligned)

    def _fit_resample(self, X: Any, y: Any, **aligned: Any) -> Any:
        """Do the work of `fit_resample`, imbalanced-learn's hook."""
        self._check_rows(X, y, aligned)
        rows = self.sample_indices_
        return tuple(
            None if array is None else _take(array, rows) for array in (X, y, *aligned.values())
        )

    def _check_rows(self, X: Any, y: Any, aligned: dict[str, Any]) -> None:
        """Run the checks and set the fitted attributes."""
        names = self._names()
        if y is None:
            raise DataError(
                "This RowCleaner estimator requires y to be passed, but the target y is None."
            )
        source = open_table(X)
        validate_data(self, X=X if source.array is None else source.array, skip_check_array=True)
        codes, classes = _read_target(y, names)
        check_consistent_length(np.empty(source.n), codes)
        for name, array in aligned.items():
            if array is not None and len(array) != source.n:
                raise DataError(
                    f"{name} has {len(array)} entries; X has {source.n} rows. Aligned arrays need "
                    f"one entry a row."
                )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found = self._run(names, X, source, codes, classes, seed)
        self.flags_ = {name: mask for name, (mask, _, _) in found.items()}
        removed, notes = self._choose(found, codes, classes is not None)
        self.sample_indices_ = np.flatnonzero(~removed)
        self.report_ = RowReport(
            tuple(
                (int(row), name, evidence(int(row)), bool(removed[row]))
                for name, (mask, _, evidence) in found.items()
                for row in np.flatnonzero(mask)
            ),
            source.n,
            tuple(notes),
        )
        if classes is None:
            self.sampling_strategy_ = {None: int(removed.sum())}
            for name in ("classes_", "label_probabilities_"):
                if hasattr(self, name):
                    delattr(self, name)
        else:
            self.classes_ = classes
            gone = np.bincount(codes[removed], minlength=len(classes)).tolist()
            self.sampling_strategy_ = dict(zip(classes.tolist(), gone, strict=True))

    def _names(self) -> list[str]:
        names = list(CHECKS) if isinstance(self.checks, str) else list(self.checks)
        for name in names:
            if name not in CHECKS:
                raise ParameterError(
                    f"checks holds {name!r}, which is unknown. {suggest(str(name), CHECKS)}"
                )
        return [name for name in CHECKS if name in names]

    def _run(
        self,
        names: list[str],
        X: Any,
        source: Source,
        codes: np.ndarray,
        classes: np.ndarray | None,
        seed: int,
    ) -> dict[str, tuple[np.ndarray, np.ndarray, Any]]:
        """Return, for each check, suspect rows, how suspect they are, and the evidence of a row."""
        found: dict[str, tuple[np.ndarray, np.ndarray, Any]] = {}
        if {"duplicates", "conflicts"} & set(names):
            groups = row_groups(source)
            equal = np.ones(source.n)
        if "duplicates" in names:
            found["duplicates"] = (
                duplicates(groups, codes),
                equal,
                lambda row: f"equal to row {groups[row]}",
            )
        if "conflicts" in names:
            found["conflicts"] = (
                conflicts(groups, codes),
                equal,
                lambda row: f"equal to row {groups[row]} in all but the label",
            )
        matrix = design_matrix(source) if {"labels", "outliers"} & set(names) else None
        if "labels" in names:
            assert classes is not None
            data = matrix if self.label_estimator is None else X
            chances = out_of_fold(
                self.label_estimator, data, codes, cv=self.cv, seed=seed, n_jobs=self.n_jobs
            )
            self.label_probabilities_ = chances
            mask, margin = find_label_errors(codes, chances)
            if self.label_method == "predicted":
                mask = chances.argmax(axis=1) != codes
            if self.label_method == "cleanlab":
                mask = cleanlab_errors(codes, chances)
            best = chances.argmax(axis=1)
            found["labels"] = (
                mask,
                margin,
                lambda row: (
                    f"label {classes[codes[row]]!s} has probability {chances[row, codes[row]]:.2f}"
                    f", {classes[best[row]]!s} has {chances[row, best[row]]:.2f}"
                ),
            )
        if "outliers" in names and matrix is not None:
            far, distance = outlying_rows(matrix, threshold=self.outlier_threshold, seed=seed)
            found["outliers"] = (
                far,
                distance,
                lambda row: f"{distance[row]:.1f} robust standard deviations from the usual row",
            )
        return found

    def _choose(
        self, found: dict[str, tuple[np.ndarray, np.ndarray, Any]], codes: np.ndarray, classed: bool
    ) -> tuple[np.ndarray, list[str]]:
        """Return which rows are removed, the most suspect first, and what limited it."""
        n = len(codes)
        removed, notes = np.zeros(n, dtype=bool), []
        left = int(self.max_fraction * n + 1e-9) if self.action == "remove" else 0
        remain = np.bincount(codes) if classed else np.array([n])
        for name, (mask, score, _) in found.items():
            rows = np.flatnonzero(mask & ~removed)
            whole = name in ("duplicates", "conflicts")
            if self.action == "flag" or not len(rows):
                continue
            if whole and len(rows) > left:
                notes.append(
                    f"{len(rows)} rows of {name} stay: removing them would exceed "
                    f"max_fraction={self.max_fraction:g}, so repetition is usual in these data."
                )
                continue
            if len(rows) > left:
                notes.append(
                    f"{len(rows) - left} suspect rows of {name} stay: max_fraction="
                    f"{self.max_fraction:g} is reached."
                )
            for row in rows[np.argsort(-score[rows], kind="stable")]:
                group = codes[row] if classed else 0
                if left and remain[group] > 1:  # no class disappears
                    removed[row] = True
                    remain[group] -= 1
                    left -= 1
        return removed, notes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.dataframe = True
        tags.target_tags.required = True
        tags.sampler_tags.sample_indices = True
        return tags


def _read_target(y: Any, names: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return codes of the labels with the classes; codes of numbers with None."""
    values = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    kind = target_type(values, input_name="y", raise_unknown=True)
    if kind in ("binary", "multiclass"):
        classes, codes = np.unique(column_or_1d(values), return_inverse=True)
        return codes, classes
    if kind == "multilabel-indicator" and (values.sum(axis=1) == 1).all():
        return values.argmax(axis=1), np.arange(values.shape[1])
    wrong = [name for name in ("conflicts", "labels") if name in names]
    if kind.startswith("continuous") and not wrong:
        flat = values.reshape(len(values), -1)
        return np.unique(flat, axis=0, return_inverse=True)[1].ravel(), None
    if kind.startswith("continuous"):
        raise DataError(
            f"Unknown label type: {kind}. The checks {wrong} need classes. For numbers as target, "
            f"pass checks=['duplicates', 'outliers']."
        )
    raise DataError(
        f"Multilabel and multioutput targets are not supported. Got y of type {kind!r}; pass one "
        f"label a row."
    )


def _take(array: Any, rows: np.ndarray) -> Any:
    """Return rows of any container, in the same container, with a fresh index."""
    if isinstance(array, list | tuple):
        return [array[row] for row in rows]
    taken = array[rows] if isinstance(array, np.ndarray) else safe_indexing(array, rows)
    if hasattr(taken, "reset_index"):
        taken = taken.reset_index(drop=True)
    return taken
