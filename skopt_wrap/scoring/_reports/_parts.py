"""Parts of an imbalance report: baselines, per-class table, calibration, summary."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._adapters import Settings
from .._metrics._evaluate import evaluate
from .._metrics._registry import Metric
from .._targets import Target, as_scalar

__all__ = ["baseline", "calibration", "per_class", "summarize"]


def baseline(
    record: Metric, target: Target, settings: Settings, share: np.ndarray, *, constant: bool
) -> float:
    """Return the value of always predicting one class, or of drawing from the prevalence.

    Each pair of a true and a predicted class becomes one row, weighted by its probability.
    """
    n_classes, top = target.n_classes, int(share.argmax())
    predicted_share = np.eye(n_classes)[top] if constant else share
    classes = np.arange(n_classes)
    output: np.ndarray
    if record.needs == "labels":
        true, output = np.repeat(classes, n_classes), np.tile(classes, n_classes)
        weight = np.outer(share, predicted_share).ravel()
        kept = weight > 0  # a class never predicted must not count as predicted
        true, output, weight = true[kept], output[kept], weight[kept]
    else:
        true, weight = classes[share > 0], share[share > 0]
        shape = (len(true),) if target.kind == "binary" else (len(true), n_classes)
        stated = np.tile(predicted_share, (len(true), 1))
        output = np.zeros(shape) if record.needs == "scores" else stated
    rows = replace(target, codes=true, counts=np.bincount(true, minlength=n_classes))
    return evaluate(record, rows, output, replace(settings, sample_weight=weight))


def per_class(target: Target, matrix: np.ndarray, share: np.ndarray) -> dict[str, list]:
    """Return precision, recall and F1 of every class."""
    hit, predicted, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)

    def ratio(a, b):
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


def calibration(target: Target, probabilities: Any, weights: Any) -> dict[str, list] | None:
    """Return stated probability beside observed frequency in ten bins, without empty bins."""
    if probabilities is None or target.kind != "binary":
        return None
    stated = probabilities[:, target.pos_index].astype(np.float64)
    weight = np.ones(len(stated)) if weights is None else weights
    bins = np.minimum((stated * 10).astype(np.int64), 9)
    total = np.bincount(bins, weights=weight, minlength=10)
    used = np.flatnonzero(total > 0)

    def mean(values):
        summed = np.bincount(bins, weights=weight * values, minlength=10)[used]
        return (summed / total[used]).tolist()

    return {
        "lower": (used / 10).tolist(),
        "upper": ((used + 1) / 10).tolist(),
        "count": np.bincount(bins, minlength=10)[used].tolist(),
        "predicted": mean(stated),
        "observed": mean(target.to_binary(target.codes)),
    }


def summarize(metrics: dict, target: Target, share: np.ndarray) -> str:
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
