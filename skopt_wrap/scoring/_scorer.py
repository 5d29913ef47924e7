"""ImbalanceAwareScorer: a scorer that knows the class balance."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object

from ..exceptions import DataError, ParameterError, suggest
from ._label_scorer import LabelScorerMixin
from ._metrics._evaluate import apply_threshold
from ._metrics._registry import get_metric
from ._parameters import (
    applies,
    check_scorer,
    check_target,
    check_tuned,
    is_number,
)
from ._responses import check_fitted, known_classes, read_labels, read_probabilities, read_scores
from ._targets import as_scalar, check_weights, read_target
from ._tuned_threshold import TunedThresholdClassifier

__all__ = ["ImbalanceAwareScorer"]


class ImbalanceAwareScorer(LabelScorerMixin, BaseEstimator):
    """Score a classifier with a metric that a rare class cannot hide from.

    For everything in scikit-learn that takes `scoring=`: searches, cross-validation, learning
    curves, permutation importance, threshold tuning. The rare class is the positive one
    unless you say otherwise, losses are negated so that greater is always better, and a fold that
    misses a class gives a warning and a defined value instead of NaN.

    Parameters
    ----------
    metric : str, Metric or callable, default="f1"
        Name of a metric, see :func:`list_metrics`; or one of your own, see :func:`make_metric`. A
        name may carry a number:
        ``"precision_at_recall=0.8"`` and ``"recall_at_precision=0.8"`` (default 0.9),
        ``"lift_at_k=5"`` and ``"recall_at_k=5"`` (per cent of rows, default 10).
    average : {"auto", "binary", "macro", "micro", "weighted", "samples", "multiclass"}, \
            default="auto"
        How per-class values become one. "auto" scores the positive class of a binary target and
        gives all classes or labels the same weight otherwise ("macro"), so that a rare class
        counts as much as a common one; for `geometric_mean` of several classes it is the
        geometric mean of their recalls ("multiclass"). Metrics that do not average accept only
        "auto".
    beta : float, default=None
        Weight of recall against precision, for ``metric="fbeta"`` only, where it is required.
    pos_label : object, default="auto"
        Positive class of a binary target. "auto" takes the class with fewer rows in the `y`
        scored (the greater label when they tie). With nearly balanced classes name it, because
        the rarer class may differ from fold to fold; :meth:`describe` says which was taken.
    threshold : float, "tuned", constraint or None, default=None
        For metrics of labels. None scores what `predict` returns. A number in (0, 1) predicts
        positive from this probability on, with `predict_proba`, for binary and multilabel targets.
        "tuned" and a constraint such as ``"precision>=0.9"`` (a metric of labels, ``>=``, a
        number in (0, 1]) say that the threshold is chosen on training rows: :meth:`tune` wraps
        an estimator accordingly, and the scorer refuses estimators that were not tuned.
    costs : array-like of shape (n_classes, n_classes), default=None
        For ``metric="expected_cost"`` only, where it is required: ``costs[i][j]`` is the cost of
        predicting class j when class i is true, classes in sorted order.
    zero_division : {0.0, 1.0}, default=0.0
        Value of a ratio with a zero denominator, such as the precision of a class that is never
        predicted.
    confidence : float, default=None
        For a constraint only: with which probability, in (0, 1), the true value shall keep it.
        None asks that the value measured on training rows keeps it.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule or does not apply to the metric; when called, if it does not
        suit the target.
    DataError
        When called, if `y`, the weights or the predictions cannot be scored.
    sklearn.exceptions.NotFittedError
        When called with an estimator that was not fitted.

    See Also
    --------
    imbalance_report : Every metric at once, beside trivial predictors.
    ThresholdDisplay : Metrics against the decision threshold.
    TunedThresholdClassifier : Chooses a threshold on training rows.

    Notes
    -----
    A scorer is handed a fitted estimator and the rows to score, never the training rows, so it
    cannot choose a threshold itself without looking at the rows it scores. The choice belongs to
    the estimator: :class:`TunedThresholdClassifier` predicts each training row by a clone that did
    not see it, chooses one threshold on all these predictions, and carries it to deployment.
    scikit-learn's `TunedThresholdClassifierCV` takes this scorer as `scoring` too. It averages over
    folds: there, a threshold that misses a constraint in a fold ranks below all that keep it.

    References
    ----------
    .. [1] T. Saito, M. Rehmsmeier, "The precision-recall plot is more informative than the ROC
       plot when evaluating binary classifiers on imbalanced datasets", PLoS ONE, 2015.
    .. [2] V. García, J. S. Sánchez, R. A. Mollineda, "On the effectiveness of preprocessing methods
       when dealing with different levels of class imbalance", Knowledge-Based Systems, 2012.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from skopt_wrap.scoring import ImbalanceAwareScorer
    >>> X, y = make_classification(2000, n_informative=5, weights=[0.9], random_state=0)
    >>> y = y == 0  # the rare class is now False
    >>> scorer = ImbalanceAwareScorer("f1")
    >>> scorer.describe(y)["pos_label"]
    False
    >>> cross_val_score(LogisticRegression(), X, y, scoring="accuracy", cv=3).round(2)
    array([0.95, 0.95, 0.94])
    >>> cross_val_score(LogisticRegression(), X, y, scoring=scorer, cv=3).round(2)
    array([0.71, 0.68, 0.59])
    """

    def __init__(
        self,
        metric: Any = "f1",
        *,
        average: str = "auto",
        beta: float | None = None,
        pos_label: Any = "auto",
        threshold: Any = None,
        costs: Any = None,
        zero_division: float = 0.0,
        confidence: float | None = None,
    ) -> None:
        self.metric = metric
        self.average = average
        self.beta = beta
        self.pos_label = pos_label
        self.threshold = threshold
        self.costs = costs
        self.zero_division = zero_division
        self.confidence = confidence
        # scikit-learn calls no hook of a scorer before it fits, and turns what a scorer raises into
        # NaN: a misspelt metric would win a search. So this constructor checks.
        check_scorer(self)

    def set_params(self, **params: Any) -> ImbalanceAwareScorer:
        """Set parameters; none is set when one breaks a rule.

        Parameters
        ----------
        **params : dict
            Parameters of the constructor.

        Returns
        -------
        self : ImbalanceAwareScorer
            This scorer.

        Raises
        ------
        ParameterError
            If a parameter breaks its rule, or they do not go together.
        """
        before = self.get_params(deep=False)
        try:
            super().set_params(**params)
            check_scorer(self)
        except ValueError:
            for name, value in before.items():
                setattr(self, name, value)
            raise
        return self

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score a fitted estimator; greater is better.

        Parameters
        ----------
        estimator : object
            Fitted classifier, or anything with the prediction method that the metric needs.
        X : array-like of shape (n_samples, ...)
            Rows to predict.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.

        Returns
        -------
        score : float
            The metric, negated for losses.
        """
        checked = check_scorer(self)
        record = checked.record
        check_fitted(estimator)
        if isinstance(self.threshold, str):
            check_tuned(self, estimator)
        known = known_classes(estimator)
        target = read_target(y, known, self.pos_label)
        check_target(self, checked, target)
        weights = check_weights(sample_weight, target.n_samples)
        if record.needs == "labels" and not is_number(self.threshold):
            if not hasattr(estimator, "predict"):
                name = type(estimator).__name__
                raise DataError(
                    f"metric {record.name!r} needs predict, which {name} does not have."
                )
            target, output = read_labels(
                estimator.predict(X), y, known, self.pos_label, read=target
            )
            check_target(self, checked, target)
        elif record.needs == "scores":
            output = read_scores(estimator, X, target, record.name)
        else:
            output = read_probabilities(estimator, X, target, record.name)
            if record.needs == "labels":
                output = apply_threshold(output, target, self.threshold)
        return self._score(checked, target, output, weights)

    def describe(self, y: Any, classes: Any = None) -> dict[str, Any]:
        """Say what this scorer does with a target, without scoring.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Target.
        classes : array-like, default=None
            Further known classes, such as an estimator's `classes_`.

        Returns
        -------
        description : dict
            Keys metric, level, target, classes, counts, prevalence, pos_label, average, needs,
            sign (-1 where a loss is negated) and threshold.
        """
        checked = check_scorer(self)
        record = checked.record
        target = read_target(y, classes, self.pos_label)
        average = check_target(self, checked, target)
        return {
            "metric": record.name,
            "level": checked.level,
            "target": target.kind,
            "classes": [as_scalar(c) for c in target.classes],
            "counts": target.counts.tolist(),
            "prevalence": (target.counts / target.n_samples).tolist(),
            "pos_label": target.pos_label,
            "average": average,
            "needs": record.needs,
            "sign": 1 if record.greater_is_better else -1,
            "threshold": self.threshold,
        }

    @classmethod
    def bundle(cls, *names: Any, **params: Any) -> dict[str, ImbalanceAwareScorer]:
        """Return several scorers as the dict that multi-metric search takes.

        Parameters
        ----------
        *names : str, Metric or callable
            Names of metrics, or metrics of your own (see :func:`make_metric`).
        **params : dict
            Constructor parameters; each goes to the metrics that it applies to.

        Returns
        -------
        scorers : dict of str to ImbalanceAwareScorer
            One scorer a metric, by its name, in the order given.

        Raises
        ------
        ParameterError
            If a name is unknown or repeated, or a parameter applies to none of the metrics.

        Examples
        --------
        >>> from skopt_wrap.scoring import ImbalanceAwareScorer
        >>> ImbalanceAwareScorer.bundle("f1", "average_precision", pos_label="yes")
        {'f1': ImbalanceAwareScorer(pos_label='yes'),
         'average_precision': ImbalanceAwareScorer(metric='average_precision', pos_label='yes')}
        """
        keys = [n if isinstance(n, str) else get_metric(n)[0].name for n in names]
        if not names or len(set(keys)) != len(keys):
            raise ParameterError(
                f"bundle needs at least one metric name, all different, got {list(names)}."
            )
        legal = [p for p in inspect.signature(cls).parameters if p != "metric"]
        for param in set(params) - set(legal):
            raise ParameterError(f"bundle got parameter {param!r}. {suggest(param, legal)}")
        scorers, used = {}, set()
        for key, metric in zip(keys, names, strict=True):
            record, _ = get_metric(metric)
            mine = {p: v for p, v in params.items() if applies(record, p)}
            used |= set(mine)
            scorers[key] = cls(metric, **mine)
            check_scorer(scorers[key])
        idle = sorted(set(params) - used)
        if idle:
            raise ParameterError(f"parameter {idle[0]!r} applies to none of {list(names)}.")
        return scorers

    def tune(self, estimator: Any, **params: Any) -> TunedThresholdClassifier:
        """Wrap an estimator so that its threshold is tuned for this metric on training rows.

        Parameters
        ----------
        estimator : object
            Classifier, not fitted. With three or more classes, one threshold a class is chosen, or
            costs decide (``metric="expected_cost"``).
        **params : dict
            Further parameters of :class:`TunedThresholdClassifier`, such as `cv`; and `confidence`
            of this scorer.

        Returns
        -------
        tuned : TunedThresholdClassifier
            Not fitted. Its `fit` predicts each row by a clone that did not see it and chooses the
            threshold on all these predictions; its `predict` applies it, so it is also what to
            deploy. It is one of scikit-learn's `TunedThresholdClassifierCV`.

        Raises
        ------
        ParameterError
            If the metric does not judge labels, or `threshold` is a number.

        Examples
        --------
        >>> from sklearn.datasets import make_classification
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skopt_wrap.scoring import ImbalanceAwareScorer
        >>> X, y = make_classification(2000, n_informative=5, weights=[0.9], random_state=0)
        >>> scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.7", pos_label=1)
        >>> model = scorer.tune(LogisticRegression(), cv=5).fit(X[:1000], y[:1000])
        >>> round(float(model.best_threshold_), 2)
        0.27
        >>> round(scorer(model, X[1000:], y[1000:]), 2)
        0.6
        """
        scorer = self
        if "confidence" in params:
            scorer = clone(self).set_params(confidence=params.pop("confidence"))
        _ = scorer._score_func  # refuses what cannot be tuned
        return TunedThresholdClassifier(estimator, scoring=scorer, **params)

    def set_score_request(self, *, sample_weight: bool | str | None = None) -> ImbalanceAwareScorer:
        """Say whether meta-estimators pass sample weights to this scorer.

        Takes effect with ``sklearn.set_config(enable_metadata_routing=True)``.

        Parameters
        ----------
        sample_weight : bool, str or None, default=None
            True passes them, False does not, None raises when they are given, and a str is the
            name under which they are given.

        Returns
        -------
        self : ImbalanceAwareScorer
            This scorer.
        """
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=sample_weight)
        self._metadata_request = request
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return which metadata this scorer asks for.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRequest
            The request of the method `score`.
        """
        if hasattr(self, "_metadata_request"):
            return get_routing_for_object(copy.deepcopy(self._metadata_request))
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=None)
        return request
