"""imbalance_report: every metric beside trivial predictors, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.utils import check_random_state

from .._resampling import Resampling, check_resampling
from .._responses import check_fitted
from .._targets import as_scalar, check_weights
from ._decision import describe_decision, threshold_curves_of
from ._multilabel import multilabel_tables
from ._plan import ReportInput, plan_metrics, read_predictions
from ._report import ImbalanceReport
from ._single_label import single_label_tables

__all__ = ["imbalance_report"]


def imbalance_report(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    pos_label: Any = "auto",
    threshold: float | None = None,
    costs: Any = None,
    extra_metrics: Sequence[Any] = (),
    sample_weight: Any = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: Any = 0,
) -> ImbalanceReport:
    """Judge a fitted classifier by every metric at once, beside predictors that learned nothing.

    A value means little without the value of a trivial predictor: accuracy 0.92 is poor where 95 %
    of the rows are of one class. Each metric stands beside what always predicting the most
    frequent class gives and what predicting at random with the prevalence gives, with a stratified
    bootstrap interval. Use rows that were not trained on.

    Parameters
    ----------
    estimator : object
        Fitted classifier.
    X : array-like of shape (n_samples, ...)
        Rows to predict.
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        True labels: binary, multiclass or multilabel. Of several labels metrics are averages, and
        whole rows are resampled, since labels overlap.
    pos_label : object, default="auto"
        Positive class of a binary target; "auto" takes the class with fewer rows.
    threshold : float, default=None
        Predict the positive class (or each label) from this probability on, instead of using
        `predict`.
    costs : array-like of shape (n_classes, n_classes), default=None
        Adds the expected cost; ``costs[i][j]`` is the cost of predicting class j when i is true,
        classes in sorted order.
    extra_metrics : sequence of str, Metric, callable or ImbalanceAwareScorer, default=()
        Further metrics, beside the usual ones: other names (see :func:`list_metrics`), metrics of
        your own (see :func:`make_metric`), or scorers that hold parameters.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    n_resamples : int, default=1000
        Bootstrap resamples; 0 leaves the intervals out.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).
    random_state : int, RandomState instance or None, default=0
        Seed of the resampling.

    Returns
    -------
    report : ImbalanceReport
        Tables, plain summary, text and HTML.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If `y` holds one class, or the predictions cannot be scored.

    See Also
    --------
    ImbalanceAwareScorer : One of these metrics as a scorer.
    ThresholdDisplay : Metrics against the decision threshold.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skopt_wrap.scoring import imbalance_report
    >>> X, y = make_classification(2000, n_informative=5, weights=[0.9], random_state=0)
    >>> model = LogisticRegression().fit(X[:1000], y[:1000])
    >>> report = imbalance_report(model, X[1000:], y[1000:], n_resamples=200)
    >>> print(report.summary)
    Accuracy 0.944 is 0.045 above always predicting 0 (0.899). F1 of 1 is 0.627, 0.317 lower than
    accuracy; Cohen's kappa is 0.600.
    >>> report.metrics["average_precision"]["random"]
    0.101
    """
    check_resampling(n_resamples, confidence_level, least=0)
    resampling = Resampling(n_resamples, confidence_level, check_random_state(random_state))
    check_fitted(estimator)
    target, outputs = read_predictions(estimator, X, y, pos_label, threshold)
    weights = check_weights(sample_weight, target.n_samples)
    plans, skipped = plan_metrics(estimator, target, outputs, weights, costs, extra_metrics)
    make_tables = multilabel_tables if target.kind == "multilabel" else single_label_tables
    return ImbalanceReport(
        estimator_name=type(estimator).__name__,
        classes=[as_scalar(c) for c in target.classes],
        counts=target.counts.tolist(),
        pos_label=target.pos_label,
        threshold=None if threshold is None else float(threshold),
        skipped=skipped,
        confidence_level=float(confidence_level),
        n_resamples=int(n_resamples),
        n_rows=target.n_samples,
        decision=describe_decision(estimator, target, threshold),
        curves=threshold_curves_of(target, outputs.get("probabilities"), weights),
        **make_tables(ReportInput(target, outputs, weights, plans, resampling)),
    )
