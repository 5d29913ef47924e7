"""The curves of ThresholdDisplay: metrics of labels at each decision threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...exceptions import ParameterError
from .._metrics._evaluate import apply_threshold, evaluate
from .._metrics._metric import Metric, Settings
from .._parameters import check_scorer, check_target, is_number, make_settings
from .._scorer import ImbalanceAwareScorer
from .._targets import Target, check_weights
from .._thresholds import candidate_thresholds, confusions_at

__all__ = ["ThresholdCurves", "threshold_curves"]


@dataclass(frozen=True)
class ThresholdCurves:
    """Values of metrics at thresholds, and which of the metrics are losses."""

    thresholds: np.ndarray
    scores: dict[str, np.ndarray]
    lower_is_better: tuple[str, ...]
    prevalence: float


def threshold_curves(
    target: Target,
    probabilities: np.ndarray,
    metrics: Any,
    sample_weight: Any,
    n_thresholds: Any,
) -> ThresholdCurves:
    """Compute metrics at each threshold.

    Parameters
    ----------
    target : Target
        Two classes.
    probabilities : ndarray of shape (n_samples, 2)
        In the order of the classes.
    metrics : str, Metric, callable, ImbalanceAwareScorer, or a sequence of them
        Metrics of labels.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.
    n_thresholds : int
        At most this many thresholds, at least 2.

    Raises
    ------
    ParameterError
        If a metric does not judge labels, or `n_thresholds` breaks its rule.
    """
    if not is_number(n_thresholds) or n_thresholds != int(n_thresholds) or n_thresholds < 2:
        raise ParameterError(f"n_thresholds must be an integer >= 2, got {n_thresholds!r}.")
    weights = check_weights(sample_weight, target.n_samples)
    plans = _plan(metrics, target, weights)
    stated = probabilities[:, target.pos_index].astype(np.float64)
    thresholds = candidate_thresholds(stated, int(n_thresholds))
    y = target.to_binary(target.codes)
    stack = confusions_at(y, stated, thresholds, weights)
    scores = {}
    for metric, settings in plans:
        if metric.from_confusion is not None:
            scores[metric.name] = metric.from_confusion(stack, settings)
        else:
            predicted = (apply_threshold(probabilities, target, t) for t in thresholds)
            scores[metric.name] = np.array(
                [evaluate(metric, target, labels, settings) for labels in predicted]
            )
    losses = tuple(metric.name for metric, _ in plans if not metric.greater_is_better)
    return ThresholdCurves(thresholds, scores, losses, float(np.average(y, weights=weights)))


def _plan(
    metrics: Any, target: Target, weights: np.ndarray | None
) -> list[tuple[Metric, Settings]]:
    """Return the metrics with their parameters, or raise ParameterError."""
    several = isinstance(metrics, Sequence | np.ndarray) and not isinstance(metrics, str)
    chosen = metrics if several else [metrics]
    if not len(chosen):
        raise ParameterError("metrics must name at least one metric, got none.")
    plans = []
    for one in chosen:
        scorer = one if isinstance(one, ImbalanceAwareScorer) else ImbalanceAwareScorer(one)
        checked = check_scorer(scorer)
        metric = checked.record
        if metric.needs != "labels":
            raise ParameterError(
                f"metric {metric.name!r} judges {metric.needs} and does not depend on the "
                "threshold; choose metrics of labels such as 'f1'."
            )
        check_target(scorer, checked, target)
        plans.append((metric, make_settings(scorer, checked, target, weights)))
    return plans
