"""imbalance_report: every metric beside trivial predictors, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..._tables import as_frame
from ...exceptions import DataError, ParameterError, suggest
from .._bootstrap import (
    check_resampling,
    percentiles,
    resample_confusions,
    resample_counts,
    row_statistic,
)
from .._metrics._confusion import confusion_matrix_of
from .._metrics._evaluate import apply_threshold, evaluate, ordered_codes
from .._metrics._registry import METRICS, Metric
from .._parameters import check_scorer, check_target, is_number, make_settings
from .._responses import check_fitted, known_classes, read_labels, read_probabilities, read_scores
from .._scorer import ImbalanceAwareScorer
from .._targets import Target, as_scalar, check_weights, read_target
from ._multilabel import multilabel_tables
from ._parts import baseline, calibration, per_class, summarize
from ._rendering import render_html, render_text

__all__ = ["ImbalanceReport", "imbalance_report"]

_DEFAULT_METRICS = (
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "f2", "geometric_mean",
    "index_balanced_accuracy", "cohen_kappa", "matthews_corrcoef", "average_precision", "roc_auc",
    "recall_at_k", "lift_at_k", "brier_score", "log_loss", "expected_calibration_error",
)  # fmt: skip


@dataclass(frozen=True)
class ImbalanceReport:
    """What a classifier achieves on rows whose classes are not equally frequent.

    Made by :func:`imbalance_report`. Prints as text, shows as HTML in notebooks.

    Parameters
    ----------
    estimator_name : str
        Class of the estimator.
    classes : list
        Classes in sorted order; label numbers for a multilabel target.
    counts : list of int
        Rows of each class.
    prevalence : list of float
        Share of each class, weighted when weights were given.
    pos_label : object
        Positive class taken; None for more than two classes, and for a multilabel target.
    threshold : float or None
        Threshold applied to the probability of the positive class; None where `predict` was used.
    metrics : dict of str to dict
        For each metric: title, value, low, high (None without resampling), majority (value of
        always predicting the most frequent class), random (value of a prediction drawn from the
        prevalence, independent of the rows; ranking metrics see a constant score and probability
        metrics the prevalence itself) and greater_is_better. Losses are not negated.
    per_class : dict of str to list
        Columns class, count, prevalence, predicted, precision, recall, f1.
    confusion : ndarray of shape (n_classes, n_classes) or (n_labels, 2, 2)
        Confusion matrix, true classes in rows, in the order of `classes`; for a multilabel target
        one a label.
    calibration : dict of str to list, or None
        Columns lower, upper, count, predicted, observed of ten bins of the probability of the
        positive class; None without probabilities or with more than two classes.
    summary : str
        The gap between accuracy and F1 in plain words.
    skipped : dict of str to str
        Metrics left out, with the reason.
    confidence_level : float
        Level of the intervals.
    n_resamples : int
        Resamples behind the intervals.
    n_rows : int
        Rows that were scored.
    """

    estimator_name: str
    classes: list
    counts: list[int]
    prevalence: list[float]
    pos_label: Any
    threshold: float | None
    metrics: dict[str, dict[str, Any]]
    per_class: dict[str, list]
    confusion: np.ndarray
    calibration: dict[str, list] | None
    summary: str
    skipped: dict[str, str]
    confidence_level: float
    n_resamples: int
    n_rows: int

    def to_dict(self, table: str = "metrics") -> dict[str, list]:
        """Return a table as a dict of columns, ready for ``pandas.DataFrame``.

        Parameters
        ----------
        table : {"metrics", "classes", "confusion", "calibration"}, default="metrics"
            Which table.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length; empty for "calibration" when there is none.

        Raises
        ------
        ParameterError
            If there is no table of this name.
        """
        tables = ("metrics", "classes", "confusion", "calibration")
        if table not in tables:
            raise ParameterError(f"table={table!r} is unknown. {suggest(str(table), tables)}")
        if table == "classes":
            return {name: list(column) for name, column in self.per_class.items()}
        if table == "calibration":
            return {name: list(column) for name, column in (self.calibration or {}).items()}
        if table == "confusion" and self.confusion.ndim == 3:
            names = ("true negative", "false positive", "false negative", "true positive")
            cells = self.confusion.reshape(-1, 4).T.tolist()
            return {"label": list(self.classes), **dict(zip(names, cells, strict=True))}
        if table == "confusion":
            columns = {f"predicted {c}": self.confusion[:, j].tolist()
                       for j, c in enumerate(self.classes)}  # fmt: skip
            return {"true": list(self.classes), **columns}
        keys = ("value", "low", "high", "majority", "random", "greater_is_better")
        rows = self.metrics.values()
        return {"metric": list(self.metrics), **{k: [row[k] for row in rows] for k in keys}}

    def to_frame(self, table: str = "metrics") -> Any:
        """Return a table as a pandas DataFrame; see :meth:`to_dict`.

        Parameters
        ----------
        table : {"metrics", "classes", "confusion", "calibration"}, default="metrics"
            Which table.

        Returns
        -------
        frame : pandas.DataFrame
            The table.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return as_frame(self.to_dict(table))

    def __str__(self) -> str:
        return render_text(self)

    def _repr_html_(self) -> str:
        return render_html(self)


def imbalance_report(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    pos_label: Any = "auto",
    threshold: float | None = None,
    costs: Any = None,
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
    rng = check_random_state(random_state)
    check_fitted(estimator)
    known = known_classes(estimator)
    target = _read_report_target(y, known, pos_label)
    outputs: dict[str, np.ndarray] = {}
    skipped: dict[str, str] = {}
    if threshold is None:
        if not hasattr(estimator, "predict"):
            raise DataError(f"the report needs predict, which {type(estimator).__name__} lacks.")
        target, outputs["labels"] = read_labels(
            estimator.predict(X), y, known, pos_label, read=target
        )
    else:
        if not is_number(threshold) or not 0 < threshold < 1:
            raise ParameterError(
                f"threshold must be None or a number in (0, 1), got {threshold!r}."
            )
        if target.kind == "multiclass":
            raise ParameterError(f"threshold needs two classes, got {target.n_classes}.")
        probabilities = read_probabilities(estimator, X, target, "threshold")
        outputs["labels"] = apply_threshold(probabilities, target, threshold)
    for needs, read in (("probabilities", read_probabilities), ("scores", read_scores)):
        methods = ("predict_proba",) if needs == "probabilities" else (
            "predict_proba", "decision_function")  # fmt: skip
        if any(hasattr(estimator, m) for m in methods):
            outputs[needs] = read(estimator, X, target, "imbalance_report")
        else:
            reason = f"{type(estimator).__name__} has no {' or '.join(methods)}"
            skipped |= {n: reason for n in _DEFAULT_METRICS if METRICS[n].needs == needs}
    weights = check_weights(sample_weight, target.n_samples)
    names = [n for n in _DEFAULT_METRICS if n not in skipped and target.kind in METRICS[n].targets]
    names += ["expected_cost"] if costs is not None else []
    plans = [
        _plan(ImbalanceAwareScorer(n, costs=costs if n == "expected_cost" else None), target,
              weights)
        for n in names
    ]  # fmt: skip
    if target.kind == "multilabel":
        titles = {r.name: r.title + _level_text(r, s) for r, s in plans}
        tables = multilabel_tables(
            plans, titles, target, outputs, weights, n_resamples, confidence_level, rng
        )
        return ImbalanceReport(
            estimator_name=type(estimator).__name__,
            classes=target.classes.tolist(),
            counts=target.counts.tolist(),
            pos_label=None,
            threshold=None if threshold is None else float(threshold),
            calibration=None,
            skipped=skipped,
            confidence_level=float(confidence_level),
            n_resamples=int(n_resamples),
            n_rows=target.n_samples,
            **tables,
        )
    draws = _resample(plans, target, outputs, weights, n_resamples, rng)
    share = np.bincount(target.codes, weights=weights, minlength=target.n_classes)
    share = share / share.sum()
    metrics = {}
    for record, settings in plans:
        low, high = (
            percentiles(draws[record.name], confidence_level) if n_resamples else (None, None)
        )
        metrics[record.name] = {
            "title": record.title + _level_text(record, settings),
            "value": evaluate(record, target, outputs[record.needs], settings),
            "low": low,
            "high": high,
            "majority": baseline(record, target, settings, share, constant=True),
            "random": baseline(record, target, settings, share, constant=False),
            "greater_is_better": record.greater_is_better,
        }
    matrix = confusion_matrix_of(target.codes, outputs["labels"], target.n_classes, weights)
    return ImbalanceReport(
        estimator_name=type(estimator).__name__,
        classes=[as_scalar(c) for c in target.classes],
        counts=target.counts.tolist(),
        prevalence=share.tolist(),
        pos_label=target.pos_label,
        threshold=None if threshold is None else float(threshold),
        metrics=metrics,
        per_class=per_class(target, matrix, share),
        confusion=matrix if weights is not None else matrix.astype(np.int64),
        calibration=calibration(target, outputs.get("probabilities"), weights),
        summary=summarize(metrics, target, share),
        skipped=skipped,
        confidence_level=float(confidence_level),
        n_resamples=int(n_resamples),
        n_rows=target.n_samples,
    )


def _read_report_target(y: Any, known: Any, pos_label: Any) -> Target:
    target = read_target(y, known, pos_label)
    if target.kind != "multilabel" and (target.counts > 0).sum() < 2:
        raise DataError(
            f"imbalance_report needs rows of at least two classes, got {target.n_samples} rows of "
            f"{as_scalar(target.classes[target.counts.argmax()])!r}."
        )
    return target


def _plan(scorer: ImbalanceAwareScorer, target: Target, weights: Any) -> tuple[Metric, Any]:
    checked = check_scorer(scorer)
    record = checked.record
    check_target(scorer, checked, target)
    return record, make_settings(scorer, checked, target, weights)


def _level_text(record: Metric, settings: Any) -> str:
    return f" (k = {settings.level:g})" if record.name.endswith("_at_k") else ""


def _resample(plans, target, outputs, weights, n_resamples, rng) -> dict[str, np.ndarray]:
    """Draw once for all metrics of labels, and once for all others."""
    if not n_resamples:
        return {}
    true, predicted, n_classes = ordered_codes(target, outputs["labels"])
    stack = resample_confusions(true, predicted, n_classes, weights, n_resamples, rng)
    draws = {r.name: r.from_confusion(stack, s) for r, s in plans if r.from_confusion}
    statistics = {
        r.name: row_statistic(r, target, outputs[r.needs], s)
        for r, s in plans
        if not r.from_confusion
    }
    if statistics:
        values = [
            [statistic(counts) for statistic in statistics.values()]
            for counts in resample_counts(target.codes, n_resamples, rng)
        ]
        draws |= dict(zip(statistics, np.array(values).T, strict=True))
    return draws
