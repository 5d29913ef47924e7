"""``cross_validate``, ``cross_val_score`` and ``cross_val_predict`` with scikit-learn's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import model_selection
from sklearn.metrics import check_scoring
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import indexable

from .._sklearn import num_samples, parameter_constraints, validate_parameter_constraints
from ._deferred_fit import why_whole
from ._trained_folds import prepare_splits, template_of, train_folds

_COLUMNS = ("decision_function", "predict_log_proba", "predict_proba")


class CVResults(dict[str, Any]):
    """What `cross_validate` returns: scikit-learn's dict, which also knows how training went.

    Attributes
    ----------
    fit_path : list of str
        For each split ``"joint"`` when its network was trained with those of the other splits,
        ``"fused"`` or ``"fit: <reason>"`` when it was trained by itself.
    """

    fit_path: list[str]


def _check(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Check arguments as scikit-learn's function does."""
    validate_parameter_constraints(
        parameter_constraints(function),
        arguments,
        caller_name=function.__name__,
    )


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str = "2*n_jobs",
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: Any = np.nan,
) -> CVResults:
    """Evaluate metrics by cross-validation, training the networks of all folds together.

    It takes the place of :func:`sklearn.model_selection.cross_validate`: same arguments, same
    results, same errors and warnings. A KerasClassifier or KerasRegressor, or a pipeline of
    scikit-learn or imbalanced-learn that ends in one, is trained for all splits at once, which is
    many times faster where the data are small. Everything else is passed on to scikit-learn.

    Parameters
    ----------
    estimator : estimator
        Cloned for each split. Steps before the network are fitted on the training rows of each
        split alone.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Target.
    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter; with metadata routing give them in `params`.
    scoring : str, callable, list, tuple, dict or None, default=None
        One metric or several; None is the estimator's own score.
    cv : int, splitter, iterable or None, default=None
        Splits; None is five folds, stratified for classes.
    n_jobs : int or None, default=None
        Processes. Each trains its share of the folds together.
    verbose : int, default=0
        What scikit-learn prints; times of training are not in it.
    params : dict, default=None
        Metadata for ``fit``, the scorer and the splitter.
    pre_dispatch : int or str, default="2*n_jobs"
        Only for estimators that are passed on to scikit-learn.
    return_train_score : bool, default=False
        Whether to score the training rows as well.
    return_estimator : bool, default=False
        Whether to return the fitted estimators.
    return_indices : bool, default=False
        Whether to return the splits.
    error_score : "raise" or float, default=nan
        Score of a split whose training failed, with a FitFailedWarning.

    Returns
    -------
    results : CVResults
        A dict with ``test_<metric>``, ``fit_time``, ``score_time``, and on demand
        ``train_<metric>``, ``estimator`` and ``indices``, as scikit-learn returns it.
        ``results.fit_path`` says how each split was trained. ``fit_time`` is the time of
        preprocessing plus a split's share of the common training.

    Raises
    ------
    ValueError
        When training failed on every split.

    See Also
    --------
    cross_val_score : The scores alone, for one metric.
    sklearn.model_selection.cross_validate : The same, split by split.

    Notes
    -----
    With seeds (``random_state`` an integer) the scores are those of scikit-learn's function, up to
    the rounding of float32 sums. Without, they are as random here as there.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import cross_validate
    >>> X, y = load_iris(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), KerasClassifier(epochs=20, random_state=0))
    >>> results = cross_validate(net, X, y, cv=3)
    >>> sorted(results)
    ['fit_time', 'score_time', 'test_score']
    >>> bool(results["test_score"].mean() > 0.7)
    True
    >>> len(results.fit_path)
    3
    """
    theirs = model_selection.cross_validate
    given = {
        "groups": groups,
        "scoring": scoring,
        "n_jobs": n_jobs,
        "verbose": verbose,
        "params": params,
        "pre_dispatch": pre_dispatch,
        "return_train_score": return_train_score,
        "return_estimator": return_estimator,
        "return_indices": return_indices,
        "error_score": error_score,
    }
    _check(theirs, {"estimator": estimator, "X": X, "y": y, "cv": cv, **given})
    reason = why_whole(estimator)
    if reason is None:
        X, y = indexable(X, y)
        scorer = check_scoring(estimator, scoring, raise_exc=error_score == "raise")
        prepared = prepare_splits(estimator, X, y, cv, groups, params, scorer)
        if prepared is not None:
            frozen, fit_params = prepared
            folds = train_folds(estimator, X, y, frozen.splits, fit_params, n_jobs)
            given["n_jobs"] = 1
            results = CVResults(theirs(template_of(estimator, folds), X, y, cv=frozen, **given))
            results["fit_time"] = np.array([fold.fit_seconds for fold in folds])
            results.fit_path = [fold.path for fold in folds]
            return results
    results = CVResults(theirs(estimator, X, y, cv=cv, **given))
    results.fit_path = [f"fit: {reason}"] * len(results["fit_time"])
    return results


def cross_val_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str | None = "2*n_jobs",
    error_score: Any = np.nan,
) -> np.ndarray:
    """Evaluate a score by cross-validation, training the networks of all folds together.

    It takes the place of :func:`sklearn.model_selection.cross_val_score`; see
    :func:`cross_validate`.

    Parameters
    ----------
    estimator : estimator
        Cloned for each split.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Target.
    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter; with metadata routing give them in `params`.
    scoring : str, callable or None, default=None
        One metric; None is the estimator's own score.
    cv : int, splitter, iterable or None, default=None
        Splits; None is five folds, stratified for classes.
    n_jobs : int or None, default=None
        Processes. Each trains its share of the folds together.
    verbose : int, default=0
        What scikit-learn prints; times of training are not in it.
    params : dict, default=None
        Metadata for ``fit``, the scorer and the splitter.
    pre_dispatch : int, str or None, default="2*n_jobs"
        Only for estimators that are passed on to scikit-learn.
    error_score : "raise" or float, default=nan
        Score of a split whose training failed, with a FitFailedWarning.

    Returns
    -------
    scores : ndarray of shape (n_splits,)
        Score on the validation rows of each split.

    See Also
    --------
    cross_validate : Several metrics, times, and how training went.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap import KerasRegressor
    >>> from skopt_wrap.model_selection import cross_val_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), KerasRegressor(epochs=5, random_state=0))
    >>> cross_val_score(net, X, y, cv=3).shape
    (3,)
    """
    theirs = model_selection.cross_val_score
    given = {
        "groups": groups,
        "n_jobs": n_jobs,
        "verbose": verbose,
        "params": params,
        "pre_dispatch": pre_dispatch,
        "error_score": error_score,
    }
    if why_whole(estimator) is not None:
        return theirs(estimator, X, y, scoring=scoring, cv=cv, **given)
    _check(theirs, {"estimator": estimator, "X": X, "y": y, "scoring": scoring, "cv": cv, **given})
    if pre_dispatch is None:
        given["pre_dispatch"] = "all"
    scorer = {"score": check_scoring(estimator, scoring=scoring)}  # one metric, never several
    return cross_validate(estimator, X, y, scoring=scorer, cv=cv, **given)["test_score"]


def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: int | str | None = "2*n_jobs",
    method: str = "predict",
) -> Any:
    """Predict each row from the split that holds it out, training all networks together.

    It takes the place of :func:`sklearn.model_selection.cross_val_predict`; see
    :func:`cross_validate`.

    Parameters
    ----------
    estimator : estimator
        Cloned for each split.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Target.
    groups : array-like of shape (n_samples,), default=None
        Groups for the splitter; with metadata routing give them in `params`.
    cv : int, splitter, iterable or None, default=None
        Splits that hold every row out once; None is five folds, stratified for classes.
    n_jobs : int or None, default=None
        Processes. Each trains its share of the folds together.
    verbose : int, default=0
        What scikit-learn prints; times of training are not in it.
    params : dict, default=None
        Metadata for ``fit`` and the splitter.
    pre_dispatch : int, str or None, default="2*n_jobs"
        Only for estimators that are passed on to scikit-learn.
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}, \
            default="predict"
        What to call. Columns are those of the sorted labels.

    Returns
    -------
    predictions : ndarray
        What `method` returns, one row for each row of `X`.

    Raises
    ------
    ValueError
        When the splits do not hold out every row once.

    See Also
    --------
    cross_validate : Scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import cross_val_predict
    >>> X, y = load_iris(return_X_y=True)
    >>> net = KerasClassifier(epochs=3, random_state=0)
    >>> cross_val_predict(net, X, y, cv=3, method="predict_proba").shape
    (150, 3)
    """
    theirs = model_selection.cross_val_predict
    given = {
        "groups": groups,
        "n_jobs": n_jobs,
        "verbose": verbose,
        "params": params,
        "pre_dispatch": pre_dispatch,
        "method": method,
    }
    _check(theirs, {"estimator": estimator, "X": X, "y": y, "cv": cv, **given})
    if why_whole(estimator) is None:
        X, y = indexable(X, y)
        prepared = prepare_splits(estimator, X, y, cv, groups, params)
        if prepared is not None and _is_partition(prepared[0].splits, num_samples(X)):
            frozen, fit_params = prepared
            labels = _encoded(y) if method in _COLUMNS and y is not None else y
            folds = train_folds(estimator, X, labels, frozen.splits, fit_params, n_jobs)
            given["n_jobs"] = 1
            return theirs(template_of(estimator, folds), X, y, cv=frozen, **given)
    return theirs(estimator, X, y, cv=cv, **given)


def _is_partition(splits: Sequence[Any], n_rows: int) -> bool:
    held = np.sort(np.concatenate([np.asarray(test) for _, test in splits]))
    return np.array_equal(held, np.arange(n_rows))


def _encoded(y: Any) -> Any:
    """Return labels as numbers from 0, column by column, as scikit-learn fits them."""
    y = np.asarray(y)
    if y.ndim == 1:
        return LabelEncoder().fit_transform(y)
    if y.ndim != 2:
        return y
    columns = [LabelEncoder().fit_transform(y[:, column]) for column in range(y.shape[1])]
    return np.stack(columns, axis=1).astype(int)
