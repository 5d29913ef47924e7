"""TunedThresholdClassifier: a classifier whose decision threshold is chosen on training rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import (
    StratifiedShuffleSplit,
    TunedThresholdClassifierCV,
    check_cv,
)
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._sklearn import (
    StrOptions,
    check_method_params,
    fit_context,
    raise_for_params,
    safe_indexing,
    target_type,
)
from ..exceptions import DataError, ParameterError
from ._metrics._costs import check_costs
from ._parameters import Checked, check_scorer, check_target, make_settings
from ._responses import read_probabilities
from ._targets import Target, read_target
from ._threshold_choice import Goal, choose_class_thresholds, choose_threshold

__all__ = ["TunedThresholdClassifier"]


class TunedThresholdClassifier(TunedThresholdClassifierCV):
    """A classifier whose decision threshold is chosen from pooled out-of-fold predictions.

    Made by :meth:`ImbalanceAwareScorer.tune`. scikit-learn's class scores each threshold in each
    fold and averages; a constraint such as "precision>=0.5" then holds in each fold or not at all,
    and with few positive samples a fold's precision is mostly chance. Here each row is predicted by
    a clone that did not see it, all predictions are put together, and one threshold is chosen on
    all of them.

    Parameters
    ----------
    estimator : object
        Classifier, not fitted (fitted for ``cv="prefit"``). With three or more classes it needs
        `predict_proba`.
    scoring : ImbalanceAwareScorer
        Metric of labels to make best. Its `threshold` may be a constraint, and its `confidence`
        says with which probability the constraint shall hold.
    response_method : {"auto", "decision_function", "predict_proba"}, default="auto"
        What the threshold applies to, for two classes; "auto" prefers `predict_proba`.
    thresholds : "all", int or array-like, default="all"
        Candidates for two classes: all that change a prediction, this many at equal distances, or
        these.
    cv : int, float, splitter, iterable or "prefit", default=None
        As in scikit-learn's class; None makes 5 stratified folds.
    refit : bool, default=True
        Whether the classifier is fitted on all rows in the end; False is for one split only.
    n_jobs : int, default=None
        Folds fitted in parallel.
    random_state : int, RandomState instance or None, default=None
        Seed of the split, where `cv` is a float.
    store_cv_results : bool, default=False
        Whether to keep `cv_results_`.

    Attributes
    ----------
    estimator_ : object
        Fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Labels.
    best_threshold_ : float, ndarray of shape (n_classes,) or None
        For two classes: the response from which `pos_label_` is predicted. For several: one
        threshold a class; the class with the greatest probability divided by its threshold is
        predicted. None where costs decide: the class with the lowest expected cost is predicted.
    pos_label_ : object
        Class to whose response `best_threshold_` applies; None for several classes.
    best_score_ : float
        The metric of the pooled predictions at this threshold; greater is better.
    constraint_kept_ : bool
        Whether some threshold keeps the constraint on the pooled predictions. If none does, the one
        that misses it least is taken, and the scorer warns.
    cv_results_ : dict of str to ndarray
        For two classes, if asked for: "thresholds", "scores", and "constraint" (the value or bound
        that is compared) where there is one.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Chooses by the mean score over folds.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skopt_wrap.scoring import ImbalanceAwareScorer
    >>> X, y = make_classification(2000, n_informative=5, weights=[0.9], random_state=0)
    >>> scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.7", pos_label=1)
    >>> tuned = scorer.tune(LogisticRegression()).fit(X, y)
    >>> tuned.constraint_kept_, bool(0 < tuned.best_threshold_ < 0.5)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TunedThresholdClassifierCV._parameter_constraints,
        "thresholds": [
            StrOptions({"all"}),
            *TunedThresholdClassifierCV._parameter_constraints["thresholds"],
        ],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        scoring: Any,
        response_method: str = "auto",
        thresholds: Any = "all",
        cv: Any = None,
        refit: bool = True,
        n_jobs: int | None = None,
        random_state: Any = None,
        store_cv_results: bool = False,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            response_method=response_method,
            thresholds=thresholds,
            cv=cv,
            refit=refit,
            n_jobs=n_jobs,
            random_state=random_state,
            store_cv_results=store_cv_results,
        )

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> TunedThresholdClassifier:
        """Fit the classifier, and choose the threshold on rows that its clones did not see.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Passed on by metadata routing: to the estimator's `fit`, the splitter, and the scorer
            (`sample_weight`).

        Returns
        -------
        self : TunedThresholdClassifier
            Fitted classifier.

        Raises
        ------
        DataError
            If `y` has one class, or the predictions are the same for all rows.
        ParameterError
            If a parameter breaks its rule, or the metric does not suit the target.
        """
        raise_for_params(params, self, None)
        X, y = indexable(X, y)
        y = y if hasattr(y, "__len__") else np.asarray(y)
        check_classification_targets(y)
        checked, target = self._check_goal(y)
        routed = process_routing(self, "fit", **params)
        weights = routed.scorer.score.get("sample_weight")
        weights = None if weights is None else np.asarray(weights, dtype=np.float64)
        splits = self._splits(X, y, routed)
        self._fit_final(X, y, splits, routed)
        rows, responses = self._predict_folds(X, y, splits, routed)
        self._choose(checked, target, rows, responses, weights)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def _check_goal(self, y: Any) -> tuple[Checked, Target]:
        """Check the scorer and the target before anything is fitted."""
        if not hasattr(self.scoring, "threshold"):
            raise ParameterError(
                f"scoring must be an ImbalanceAwareScorer, got {self.scoring!r}; scikit-learn's "
                "TunedThresholdClassifierCV takes other scorers."
            )
        _ = self.scoring._score_func  # refuses metrics that do not depend on the threshold
        checked = check_scorer(self.scoring)
        if (kind := target_type(y)) not in ("binary", "multiclass"):
            raise DataError(
                f"a threshold is tuned for two or more classes, one in each row; y is {kind}."
            )
        target = read_target(y, None, self.scoring.pos_label)
        if (target.counts > 0).sum() < 2:
            raise DataError(
                "a threshold is tuned for two or more classes, got rows of "
                f"{target.n_classes} class."
            )
        check_target(self.scoring, checked, target)
        return checked, target

    def _splits(self, X: Any, y: Any, routed: Any) -> list[tuple[Any, Any]]:
        """Return training and held-out rows of each fold; None to train on for "prefit"."""
        if isinstance(self.cv, str):  # "prefit", the only word that the constraints allow
            if self.refit:
                raise ParameterError("refit must be False for cv='prefit', got True.")
            check_is_fitted(self.estimator, "classes_")
            return [(None, np.arange(len(y)))]
        if isinstance(self.cv, float):
            cv: Any = StratifiedShuffleSplit(1, test_size=self.cv, random_state=self.random_state)
        else:
            cv = check_cv(self.cv, y=y, classifier=True)
        splits = list(cv.split(X, y, **routed.splitter.split))
        if not self.refit and len(splits) > 1:
            raise ParameterError(
                f"refit must be True for several folds, got False for {len(splits)}."
            )
        return splits

    def _fit_final(self, X: Any, y: Any, splits: list[tuple[Any, Any]], routed: Any) -> None:
        """Fit the classifier that predicts in the end."""
        if splits[0][0] is None:
            self.estimator_ = self.estimator
            return
        fit_params = routed.estimator.fit
        if self.refit:
            self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        else:
            self.estimator_ = _fit_rows(self.estimator, X, y, splits[0][0], fit_params)

    def _predict_folds(
        self, X: Any, y: Any, splits: list[tuple[Any, Any]], routed: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows held out, and the responses of classifiers that did not see them."""
        classes = np.unique(np.asarray(y))
        parts = Parallel(n_jobs=self.n_jobs)(
            delayed(_predict_rows)(
                self.estimator_ if train is None or not self.refit else self.estimator,
                X,
                y,
                train if self.refit else None,
                held,
                routed.estimator.fit,
                self._method(),
                classes,
            )
            for train, held in splits
        )
        rows = np.concatenate([np.asarray(held) for _, held in splits])
        return rows, np.concatenate(parts)

    def _method(self) -> str:
        if self.response_method != "auto":
            return self.response_method
        return "predict_proba" if hasattr(self.estimator, "predict_proba") else "decision_function"

    def _choose(
        self,
        checked: Checked,
        target: Target,
        rows: np.ndarray,
        responses: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        """Choose the threshold on the pooled predictions."""
        pooled = target.take(rows)
        own = None if weights is None else weights[rows]
        goal = self._goal(checked, pooled, own)
        self.constraint_kept_ = True
        self.best_threshold_: Any = None
        self.pos_label_: Any = None
        if pooled.kind == "multiclass":
            self._choose_for_several(goal, pooled, responses)
            return
        if np.isclose(responses.min(), responses.max()):
            raise DataError(
                "the estimator predicts the same for all rows held out, so there is no threshold "
                f"to choose: {responses.min():g}."
            )
        given = self.scoring._kwargs
        axis = pooled.pos_index if given else 1
        self.pos_label_ = pooled.classes[axis]
        toward = responses if axis == 1 else _opposite(responses, self._method())
        candidates = None
        if not isinstance(self.thresholds, str):
            candidates = (
                np.linspace(toward.min(), toward.max(), self.thresholds)
                if np.ndim(self.thresholds) == 0
                else np.asarray(self.thresholds, dtype=np.float64)
            )
        is_axis = (pooled.codes == axis).astype(np.int64)
        choice = choose_threshold(is_axis, toward, pooled, goal, candidates)
        self.best_threshold_, self.best_score_ = choice.threshold, choice.score
        self.constraint_kept_ = choice.kept
        if self.store_cv_results:
            self.cv_results_ = {"thresholds": choice.thresholds, "scores": choice.scores}
            if choice.constraint_values is not None:
                self.cv_results_["constraint"] = choice.constraint_values

    def _goal(self, checked: Checked, pooled: Target, weights: np.ndarray | None) -> Goal:
        settings = make_settings(self.scoring, checked, pooled, weights)
        constraint = checked.constraint
        if constraint is None:
            return Goal(checked.record, settings)
        other = Checked(constraint.record, None)
        return Goal(
            checked.record,
            settings,
            constraint.record,
            make_settings(self.scoring, other, pooled, weights),
            constraint.floor,
            self.scoring.confidence,
        )

    def _choose_for_several(self, goal: Goal, pooled: Target, responses: np.ndarray) -> None:
        if goal.settings.costs is None:
            self.best_threshold_, self.best_score_ = choose_class_thresholds(
                pooled, responses, goal
            )
            return
        self.costs_ = check_costs(self.scoring.costs, pooled.n_classes)
        predicted = (responses @ self.costs_).argmin(axis=1)
        self.best_score_ = -goal.metric.compute(pooled, predicted, goal.settings)

    def predict(self, X: Any) -> np.ndarray:
        """Return labels at the chosen threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels from `classes_`.
        """
        check_is_fitted(self, "estimator_")
        classes = np.asarray(self.classes_)
        responses = _responses(self.estimator_, X, self._method(), classes)
        if self.pos_label_ is not None:
            axis = int(np.flatnonzero(classes == self.pos_label_)[0])
            toward = responses if axis == 1 else _opposite(responses, self._method())
            chosen = toward >= self.best_threshold_
            return classes[np.where(chosen, axis, 1 - axis)]
        if self.best_threshold_ is None:
            return classes[(responses @ self.costs_).argmin(axis=1)]
        return classes[(responses / self.best_threshold_).argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = True
        return tags


def _opposite(responses: np.ndarray, method: str) -> np.ndarray:
    """Return the responses of the other one of two classes."""
    return 1.0 - responses if method == "predict_proba" else -responses


def _fit_rows(estimator: Any, X: Any, y: Any, rows: np.ndarray, fit_params: dict[str, Any]) -> Any:
    params = check_method_params(X, fit_params, indices=rows)
    return clone(estimator).fit(safe_indexing(X, rows), safe_indexing(y, rows), **params)


def _predict_rows(
    estimator: Any,
    X: Any,
    y: Any,
    train: np.ndarray | None,
    held: np.ndarray,
    fit_params: dict[str, Any],
    method: str,
    classes: np.ndarray,
) -> np.ndarray:
    """Fit on some rows (None: fitted already) and return the responses of others."""
    fitted = estimator if train is None else _fit_rows(estimator, X, y, train, fit_params)
    return _responses(fitted, safe_indexing(X, held), method, classes)


def _responses(fitted: Any, X: Any, method: str, classes: np.ndarray) -> np.ndarray:
    """Return one response a row toward the second of two classes, or one column a class."""
    if method == "predict_proba" or len(classes) > 2:
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        codes = np.zeros(n_rows, dtype=np.int64)
        target = Target(
            "binary" if len(classes) == 2 else "multiclass",
            classes,
            codes,
            np.bincount(codes, minlength=len(classes)),
            1 if len(classes) == 2 else None,
        )
        values = read_probabilities(fitted, X, target, "tune").astype(np.float64)
        return values[:, 1] if len(classes) == 2 else values
    values = np.asarray(fitted.decision_function(X), dtype=np.float64).ravel()
    return values if fitted.classes_[-1] == classes[-1] else -values
