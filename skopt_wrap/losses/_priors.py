"""Probabilities corrected for class shares: those in use differ from those in training."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, indexable

from .._sklearn import HasMethods, StrOptions, fit_context, raise_for_params
from ..exceptions import DataError, ParameterError


def check_prior(name: str, prior: Any, n_classes: int) -> np.ndarray:
    """Return class shares as float64, or raise ParameterError."""
    try:
        shares = np.asarray(prior, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must hold one share a class, got {prior!r}.") from error
    if shares.shape != (n_classes,):
        raise ParameterError(
            f"{name} must hold one share for each of the {n_classes} classes, got {prior!r}."
        )
    if not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ParameterError(f"{name} must be positive and sum to 1, got {prior!r}.")
    return shares


def _check_probabilities(probabilities: Any) -> np.ndarray:
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise DataError(
            f"probabilities must have one row and one column a class, got shape {values.shape}."
        )
    if not np.isfinite(values).all() or (values < 0).any() or not values.sum(axis=1).all():
        raise DataError("probabilities must be finite, not negative, and not all zero in a row.")
    return values


def correct_prior(probabilities: Any, train_prior: Any, prior: Any) -> np.ndarray:
    r"""Return class probabilities as they would be under other class shares.

    .. math:: p'(k \mid x) \propto p(k \mid x) \, \pi'_k / \pi_k

    holds where the rows of a class look the same in training and use, and only the shares of the
    classes differ [1]_ [2]_: after resampling, class weights, or a change of prevalence.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        Probabilities of a classifier.
    train_prior : array-like of shape (n_classes,)
        Shares :math:`\pi` of the classes in the rows it learned from, positive, of sum 1.
    prior : array-like of shape (n_classes,)
        Shares :math:`\pi'` where it is used.

    Returns
    -------
    corrected : ndarray of shape (n_samples, n_classes), float64
        Rows sum to 1.

    Raises
    ------
    DataError
        If `probabilities` are none.
    ParameterError
        If the shares are not positive, do not sum to 1 or are of another number.

    See Also
    --------
    PriorCorrectedClassifier : The same as a classifier.
    estimate_prior : Learns the shares from rows without labels.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", IJCAI, 2001.
    .. [2] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
       priori probabilities: a simple procedure", Neural Computation, 2002.

    Examples
    --------
    >>> from skopt_wrap.losses import correct_prior
    >>> correct_prior([[0.5, 0.5]], [0.5, 0.5], [0.99, 0.01])
    array([[0.99, 0.01]])
    """
    values = _check_probabilities(probabilities)
    old = check_prior("train_prior", train_prior, values.shape[1])
    new = check_prior("prior", prior, values.shape[1])
    values = values * (new / old)
    return values / values.sum(axis=1, keepdims=True)


def estimate_prior(
    probabilities: Any, train_prior: Any, *, max_iter: int = 1000, tol: float = 1e-8
) -> np.ndarray:
    """Return the class shares of rows without labels, by expectation maximization.

    Corrects the probabilities for the shares, takes their means as new shares, and repeats [1]_.
    The probabilities must be calibrated, and only the shares may differ from training.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        Probabilities of a classifier for the new rows.
    train_prior : array-like of shape (n_classes,)
        Shares of the classes in the rows it learned from, positive, of sum 1.
    max_iter : int, default=1000
        Most iterations.
    tol : float, default=1e-8
        Stop when no share changes by more.

    Returns
    -------
    prior : ndarray of shape (n_classes,), float64
        Estimated shares, of sum 1; at least 1e-12 each.

    Raises
    ------
    DataError
        If `probabilities` are none.
    ParameterError
        If a parameter breaks its rule.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
       priori probabilities: a simple procedure", Neural Computation, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.losses import estimate_prior
    >>> sure = np.repeat([[0.98, 0.02], [0.02, 0.98]], [90, 10], axis=0)
    >>> estimate_prior(sure, [0.5, 0.5]).round(2)
    array([0.92, 0.08])
    """
    values = _check_probabilities(probabilities)
    values = values / values.sum(axis=1, keepdims=True)
    old = check_prior("train_prior", train_prior, values.shape[1])
    if isinstance(max_iter, bool) or not isinstance(max_iter, int | np.integer) or max_iter < 1:
        raise ParameterError(f"max_iter must be an int >= 1, got {max_iter!r}.")
    if not tol > 0:
        raise ParameterError(f"tol must be a number > 0, got {tol!r}.")
    prior = old
    for _ in range(max_iter):
        weighted = values * (prior / old)
        found = np.maximum((weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0), 1e-12)
        found /= found.sum()
        change = np.abs(found - prior).max()
        prior = found
        if change <= tol:
            break
    return prior


class PriorCorrectedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Probabilities of a classifier that learned from resampled or weighted rows, put right.

    A classifier that learned from balanced rows (SMOTE, undersampling, balanced class weights, the
    logit-adjusted loss) states the probabilities of a world in which all classes are equally
    frequent. This wrapper gives it the shares of the real one, by :func:`correct_prior`. The order
    of rows by probability does not change for two classes; calibration does, and with it every
    threshold.

    Parameters
    ----------
    estimator : object
        Classifier with `predict_proba`, for example an imbalanced-learn pipeline with a sampler.
        :class:`sklearn.frozen.FrozenEstimator` wraps one that is fitted already.
    resampled_prior : "balanced" or array-like of shape (n_classes,), default="balanced"
        Shares of the classes that the estimator learned from, in sorted order of the classes;
        "balanced" means equal ones.
    prior : "training" or array-like of shape (n_classes,), default="training"
        Shares where the classifier is used; "training" takes those of the `y` given to `fit`.

    Attributes
    ----------
    estimator_ : object
        Fitted estimator.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    resampled_prior_, prior_ : ndarray of shape (n_classes,), float64
        Shares from which and to which probabilities are moved.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of str
        Column names, if the estimator knows them.

    Raises
    ------
    ParameterError
        If shares are not positive, do not sum to 1 or are of another number than the classes.

    See Also
    --------
    skopt_wrap.scoring.ImbalanceAwareScorer.tune : Chooses the decision threshold instead.
    sklearn.calibration.CalibratedClassifierCV : Learns any monotone correction, from more rows.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
       priori probabilities: a simple procedure", Neural Computation, 2002.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skopt_wrap.losses import PriorCorrectedClassifier
    >>> X, y = make_classification(2000, weights=[0.95], class_sep=0.5, random_state=0)
    >>> model = make_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    >>> round(float(model.fit(X, y).predict_proba(X)[:, 1].mean()), 2), round(float(y.mean()), 2)
    (0.18, 0.06)
    >>> corrected = PriorCorrectedClassifier(model).fit(X, y)
    >>> round(float(corrected.predict_proba(X)[:, 1].mean()), 2)
    0.06
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "resampled_prior": [StrOptions({"balanced"}), "array-like"],
        "prior": [StrOptions({"training"}), "array-like"],
    }

    def __init__(
        self, estimator: Any, *, resampled_prior: Any = "balanced", prior: Any = "training"
    ) -> None:
        self.estimator = estimator
        self.resampled_prior = resampled_prior
        self.prior = prior

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> PriorCorrectedClassifier:
        """Fit the estimator and settle the shares.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels with their real shares.
        **params : dict
            Passed to the estimator's `fit` under metadata routing.

        Returns
        -------
        self : PriorCorrectedClassifier
            Fitted classifier.
        """
        raise_for_params(params, self, None)
        X, y = indexable(X, y)
        check_classification_targets(y)
        labels, counts = np.unique(column_or_1d(y), return_counts=True)
        for name, value, word in (
            ("resampled_prior", self.resampled_prior, "balanced"),
            ("prior", self.prior, "training"),
        ):
            if not isinstance(value, str) or value != word:
                # a frozen estimator may know classes that these rows lack
                known = getattr(self.estimator, "classes_", labels)
                check_prior(name, value, len(known))
        routed = process_routing(self, "fit", **params)
        estimator = clone(self.estimator).fit(X, y, **routed.estimator.fit)
        classes = estimator.classes_
        n_classes = len(classes)
        if isinstance(self.resampled_prior, str):
            self.resampled_prior_ = np.full(n_classes, 1 / n_classes)
        else:
            self.resampled_prior_ = check_prior("resampled_prior", self.resampled_prior, n_classes)
        if not isinstance(self.prior, str):
            self.prior_ = check_prior("prior", self.prior, n_classes)
        elif np.array_equal(labels, classes):
            self.prior_ = counts / counts.sum()
        else:
            raise DataError(
                f"prior='training' needs rows of every class {classes.tolist()}, got "
                f"{labels.tolist()}; give the shares."
            )
        self.estimator_, self.classes_ = estimator, classes
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(self, name, getattr(estimator, name))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities under `prior_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            One column per class, in the order of `classes_`.
        """
        check_is_fitted(self)
        stated = self.estimator_.predict_proba(X)
        return correct_prior(stated, self.resampled_prior_, self.prior_)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the class probabilities under `prior_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        return np.log(np.maximum(self.predict_proba(X), np.finfo("float64").tiny))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class under `prior_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels from `classes_`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata is passed on.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            To the estimator's `fit`.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        tags.classifier_tags.multi_class = getattr(inner.classifier_tags, "multi_class", True)
        return tags
