"""What an imbalance report judges: the target, the predictions, and the metrics that apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...exceptions import DataError, ParameterError
from .. import _responses as responses
from .._metrics._evaluate import apply_threshold
from .._metrics._metric import Metric, Settings
from .._metrics._registry import METRICS, get_metric
from .._parameters import check_scorer, check_target, is_number, make_settings
from .._resampling import Resampling
from .._scorer import ImbalanceAwareScorer
from .._targets import Target, as_scalar, read_target

__all__ = ["NO_METHOD", "Plan", "ReportInput", "plan_metrics", "read_predictions"]

Plan = tuple[Metric, Settings]

# Why a metric is left out of the report.
NO_METHOD = "{estimator} has no {methods}"

_METHODS = {
    "probabilities": ("predict_proba",),
    "scores": ("predict_proba", "decision_function"),
}


@dataclass(frozen=True)
class ReportInput:
    """What is judged.

    Attributes
    ----------
    target : Target
        True labels.
    outputs : dict of str to ndarray
        Predictions: "labels" and, where the estimator has them, "probabilities" and "scores".
    weights : ndarray of shape (n_samples,) or None
        Weights of the samples.
    plans : list of (Metric, Settings)
        The metrics, with their parameters.
    resampling : Resampling
        Settings of the intervals.
    """

    target: Target
    outputs: dict[str, np.ndarray]
    weights: np.ndarray | None
    plans: list[Plan]
    resampling: Resampling


def read_predictions(
    estimator: Any, X: Any, y: Any, pos_label: Any, threshold: float | None
) -> tuple[Target, dict[str, np.ndarray]]:
    """Return the target, and each kind of prediction that the estimator makes.

    Raises
    ------
    DataError
        If `y` holds a single class, or the predictions cannot be read.
    ParameterError
        If `threshold` breaks its rule.
    """
    known = responses.known_classes(estimator)
    target = read_target(y, known, pos_label)
    _check_classes(target)
    outputs: dict[str, np.ndarray] = {}
    if threshold is None:
        if not hasattr(estimator, "predict"):
            raise DataError(f"the report needs predict, which {type(estimator).__name__} lacks.")
        target, outputs["labels"] = responses.read_labels(
            estimator.predict(X), y, known, pos_label, read=target
        )
    else:
        outputs["labels"] = _labels_at(threshold, estimator, X, target)
    readers = {"probabilities": responses.read_probabilities, "scores": responses.read_scores}
    for needs, read in readers.items():
        if any(hasattr(estimator, method) for method in _METHODS[needs]):
            outputs[needs] = read(estimator, X, target, "imbalance_report")
    return target, outputs


def _check_classes(target: Target) -> None:
    if target.kind != "multilabel" and (target.counts > 0).sum() < 2:
        raise DataError(
            f"imbalance_report needs rows of at least two classes, got {target.n_samples} rows of "
            f"{as_scalar(target.classes[target.counts.argmax()])!r}."
        )


def _labels_at(threshold: Any, estimator: Any, X: Any, target: Target) -> np.ndarray:
    if not is_number(threshold) or not 0 < threshold < 1:
        raise ParameterError(f"threshold must be None or a number in (0, 1), got {threshold!r}.")
    if target.kind == "multiclass":
        raise ParameterError(f"threshold needs two classes, got {target.n_classes}.")
    probabilities = responses.read_probabilities(estimator, X, target, "threshold")
    return apply_threshold(probabilities, target, threshold)


def plan_metrics(
    estimator: Any,
    target: Target,
    outputs: dict[str, np.ndarray],
    weights: np.ndarray | None,
    costs: Any,
    extra_metrics: Sequence[Any],
) -> tuple[list[Plan], dict[str, str]]:
    """Return the metrics that can be computed, and why others are left out.

    Raises
    ------
    ParameterError
        If an extra metric breaks a rule, or has the name of another metric of the report.
    """
    scorers = [
        ImbalanceAwareScorer(metric.name)
        for metric in METRICS.values()
        if metric.in_report and target.kind in metric.targets
    ]
    if costs is not None:
        scorers.append(ImbalanceAwareScorer("expected_cost", costs=costs))
    scorers += [_as_scorer(metric) for metric in extra_metrics]
    plans: list[Plan] = []
    skipped: dict[str, str] = {}
    for scorer in scorers:
        checked = check_scorer(scorer)
        metric = checked.record
        if metric.needs not in outputs:
            skipped[metric.name] = NO_METHOD.format(
                estimator=type(estimator).__name__, methods=" or ".join(_METHODS[metric.needs])
            )
            continue
        check_target(scorer, checked, target)
        if any(metric.name == other.name for other, _ in plans):
            raise ParameterError(
                f"extra_metrics holds {metric.name!r}, and the report has a metric of that name "
                "already; give it another name."
            )
        plans.append((metric, make_settings(scorer, checked, target, weights)))
    return plans, skipped


def _as_scorer(metric: Any) -> ImbalanceAwareScorer:
    scorer = metric if isinstance(metric, ImbalanceAwareScorer) else ImbalanceAwareScorer(metric)
    get_metric(scorer.metric)
    if scorer.threshold is not None:
        raise ParameterError(
            f"a scorer of extra_metrics must have threshold=None, got {scorer.threshold!r}; give "
            "the report's own parameter threshold."
        )
    return scorer
