"""The numbers of an imbalance report for a binary or multiclass target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._intervals import Interval, draw_confusions, interval_of, interval_of_labels
from .._metrics._calibration import calibration_table
from .._metrics._confusion import confusion_matrix_of
from .._metrics._custom import CustomMetric
from .._metrics._evaluate import evaluate, ordered_codes
from .._metrics._metric import Metric, Settings
from .._targets import Target, as_scalar
from ._plan import ReportInput

__all__ = ["baseline", "single_label_tables"]

# A metric of the user's own may know no weights: baselines repeat samples instead. So many.
_REPEATS = 10_000


def single_label_tables(given: ReportInput) -> dict[str, Any]:
    """Return metrics, per-class table, confusion matrix, calibration and summary."""
    target, weights = given.target, given.weights
    share = np.bincount(target.codes, weights=weights, minlength=target.n_classes)
    share = share / share.sum()
    metrics = _metrics_table(given, share)
    matrix = confusion_matrix_of(target.codes, given.outputs["labels"], target.n_classes, weights)
    return {
        "metrics": metrics,
        "per_class": _per_class(target, matrix, share),
        "confusion": matrix if weights is not None else matrix.astype(np.int64),
        "prevalence": share.tolist(),
        "calibration": _calibration(target, given.outputs.get("probabilities"), weights),
        "summary": _summarize(metrics, target, share),
    }


def _metrics_table(given: ReportInput, share: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return one row a metric: its value, its interval, and those of trivial predictors."""
    target, intervals = given.target, _intervals(given)
    table: dict[str, dict[str, Any]] = {}
    for metric, settings in given.plans:
        interval = intervals.get(metric.name)
        table[metric.name] = {
            "title": metric.title_with_level(settings),
            "value": evaluate(metric, target, given.outputs[metric.needs], settings),
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
            "majority": baseline(metric, target, settings, share, constant=True),
            "random": baseline(metric, target, settings, share, constant=False),
            "greater_is_better": metric.greater_is_better,
            "note": "" if interval is None else interval.note,
        }
    return table


def _intervals(given: ReportInput) -> dict[str, Interval]:
    """Return the interval of each metric; all metrics of labels share the same draws."""
    if not given.resampling.n_resamples:
        return {}
    target, outputs, resampling = given.target, given.outputs, given.resampling
    true, predicted, n_classes = ordered_codes(target, outputs["labels"])
    stack = draw_confusions(true, predicted, n_classes, given.weights, resampling)
    found = {}
    for metric, settings in given.plans:
        output = outputs[metric.needs]
        if metric.from_confusion is not None:
            value = evaluate(metric, target, output, settings)
            found[metric.name] = interval_of_labels(
                metric, value, stack, settings, resampling, target
            )
        else:
            found[metric.name] = interval_of(metric, target, output, settings, resampling)
    return found


def baseline(
    metric: Metric, target: Target, settings: Settings, share: np.ndarray, *, constant: bool
) -> float:
    """Return the value of always predicting one class, or of drawing from the prevalence.

    Each pair of a true and a predicted class becomes one row, weighted by its probability.
    """
    n_classes, top = target.n_classes, int(share.argmax())
    predicted_share = np.eye(n_classes)[top] if constant else share
    classes = np.arange(n_classes)
    output: np.ndarray
    weight: np.ndarray | None
    if metric.needs == "labels":
        true, output = np.repeat(classes, n_classes), np.tile(classes, n_classes)
        chance = np.outer(share, predicted_share).ravel()
        kept = chance > 0  # a class never predicted must not count as predicted
        true, output, chance = true[kept], output[kept], chance[kept]
    else:
        true, chance = classes[share > 0], share[share > 0]
        shape = (len(true),) if target.kind == "binary" else (len(true), n_classes)
        stated = np.tile(predicted_share, (len(true), 1))
        output = np.zeros(shape) if metric.needs == "scores" else stated
    weight = chance
    if isinstance(metric, CustomMetric):
        times = np.round(chance / chance.sum() * _REPEATS).astype(np.int64)
        true, output, weight = np.repeat(true, times), np.repeat(output, times, axis=0), None
    rows = replace(target, codes=true, counts=np.bincount(true, minlength=n_classes))
    return evaluate(metric, rows, output, replace(settings, sample_weight=weight))


def _per_class(target: Target, matrix: np.ndarray, share: np.ndarray) -> dict[str, list[Any]]:
    """Return precision, recall and F1 of every class."""
    hit, predicted, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)

    def ratio(a: np.ndarray, b: np.ndarray) -> list[float]:
        return np.divide(a, b, out=np.zeros(len(b)), where=b > 0).tolist()

    return {
        "class": [as_scalar(c) for c in target.classes],
        "count": target.counts.tolist(),
        "prevalence": share.tolist(),
        "predicted": (predicted / matrix.sum()).tolist(),
        "precision": ratio(hit, predicted),
        "recall": ratio(hit, true),
        "f1": ratio(2 * hit, predicted + true),
    }


def _calibration(target: Target, probabilities: Any, weights: Any) -> dict[str, list[Any]] | None:
    """Return the calibration of the positive class, or of the class predicted when several."""
    if probabilities is None:
        return None
    if target.kind == "binary":
        stated = probabilities[:, target.pos_index]
        return calibration_table(target.to_binary(target.codes), stated, weights)
    best = probabilities.argmax(axis=1)
    right = (best == target.codes).astype(np.int64)
    return calibration_table(right, probabilities.max(axis=1), weights)


def _summarize(metrics: dict[str, dict[str, Any]], target: Target, share: np.ndarray) -> str:
    """State what accuracy hides, in plain words."""
    accuracy, trivial = metrics["accuracy"]["value"], metrics["accuracy"]["majority"]
    f1, kappa = metrics["f1"]["value"], metrics["cohen_kappa"]["value"]
    top = as_scalar(target.classes[int(share.argmax())])
    gain = round(accuracy, 3) - round(trivial, 3)
    place = "equal to" if abs(gain) < 5e-4 else (
        f"{abs(gain):.3f} {'above' if gain > 0 else 'below'}")  # fmt: skip
    whose = f"F1 of {target.pos_label!r}" if target.kind == "binary" else "F1 averaged over classes"
    gap = accuracy - f1
    tail = f"{gap:.3f} lower than accuracy" if gap > 5e-4 else "not lower than accuracy"
    return (
        f"Accuracy {accuracy:.3f} is {place} always predicting {top!r} ({trivial:.3f}). "
        f"{whose} is {f1:.3f}, {tail}; Cohen's kappa is {kappa:.3f}."
    )
