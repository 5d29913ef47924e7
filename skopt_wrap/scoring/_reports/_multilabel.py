"""The numbers of an imbalance report for a multilabel target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._metrics import _confusion as confusion
from .._metrics._evaluate import evaluate
from .._metrics._metric import Metric, Settings
from .._metrics._rankings import ranking
from .._resampling import percentiles
from .._targets import Target
from ._plan import Plan, ReportInput

__all__ = ["label_confusions", "multilabel_tables"]


def label_confusions(true: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the confusion matrix of each label, for one or many weightings of the rows.

    Parameters
    ----------
    true, predicted : ndarray of shape (n_samples, n_labels)
        0/1 indicators.
    weight : ndarray of shape (..., n_samples)
        Weights of the rows.

    Returns
    -------
    matrices : ndarray of shape (..., n_labels, 2, 2)
        True values in rows, 0 first.
    """
    hit, positive, called = weight @ (true * predicted), weight @ true, weight @ predicted
    total = weight.sum(axis=-1)[..., None]
    rows = [[total - positive - called + hit, called - hit], [positive - hit, hit]]
    return np.maximum(np.moveaxis(np.array(rows), (0, 1), (-2, -1)), 0.0)


def _macro(metric: Metric, settings: Settings, matrices: np.ndarray) -> np.ndarray:
    """Average a metric of counts over labels."""
    of_label = Settings("binary", 2, "binary", None, settings.zero_division, settings.beta)
    assert metric.from_confusion is not None  # the caller has looked
    return metric.from_confusion(matrices, of_label).mean(axis=-1)


def _resampled(
    plans: list[Plan],
    target: Target,
    outputs: dict[str, np.ndarray],
    own: np.ndarray,
    draws: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return each metric on every resample; `draws` holds how often each row was drawn."""
    true, weights = target.codes, draws * own
    found: dict[str, np.ndarray] = {}
    stack = label_confusions(true, outputs["labels"], weights)
    for metric, settings in plans:
        output = outputs[metric.needs]
        if metric.sample_values is not None:
            values = metric.sample_values(target, output)
            found[metric.name] = weights @ values / weights.sum(axis=1)
        elif metric.from_confusion is not None:
            found[metric.name] = _macro(metric, settings, stack)
        else:
            statistic = _row_statistic(metric, settings, target, output)
            found[metric.name] = np.array([statistic(counts, own) for counts in draws])
    return found


def _row_statistic(
    metric: Metric, settings: Settings, target: Target, output: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a function from row counts and weights to a metric that no matrix of counts gives."""
    true, from_ranking = target.codes, metric.from_ranking
    if from_ranking is not None:
        columns = [j for j in range(true.shape[1]) if 0 < true[:, j].sum() < len(true)]
        curves = [ranking(true[:, j], output[:, j]) for j in columns]
        if curves:
            return lambda counts, own: float(
                np.mean([from_ranking(*curve(counts * own), settings) for curve in curves])
            )
    return lambda counts, _: metric.compute_resampled(target, output, settings, counts)


def _baselines(
    metric: Metric, settings: Settings, target: Target, share: np.ndarray, own: np.ndarray
) -> tuple[float, float | None]:
    """Return a metric of each label's more frequent value, and of drawing by prevalence.

    The second is None for a metric that says nothing about drawn labels.
    """
    true, often = target.codes, (share > 0.5).astype(np.int64)
    constant = np.zeros(true.shape)
    if metric.needs == "scores":
        value = evaluate(metric, target, constant, settings)
        return value, value
    if metric.needs == "probabilities":
        return (
            evaluate(metric, target, constant + often, settings),
            evaluate(metric, target, constant + share, settings),
        )
    if metric.sample_values is not None:  # whole samples are right or wrong
        chance = np.where(true == 1, share, 1 - share).prod(axis=1)
        always = metric.sample_values(target, np.broadcast_to(often, true.shape))
        return float(own @ always / own.sum()), float(own @ chance / own.sum())
    if metric.from_confusion is None:
        return evaluate(metric, target, np.tile(often, (len(true), 1)), settings), None
    truth = np.stack([1 - share, share], axis=1)
    values = []
    for called in (often.astype(float), share):
        guess = np.stack([1 - called, called], axis=1)
        matrices = truth[:, :, None] * guess[:, None, :]
        values.append(float(_macro(metric, settings, matrices)))
    return values[0], values[1]


def _draw(given: ReportInput, own: np.ndarray) -> dict[str, np.ndarray]:
    """Return each metric on all resamples. Rows are drawn whole: labels overlap, strata cannot."""
    n, n_resamples, rng = (
        given.target.n_samples, given.resampling.n_resamples, given.resampling.rng
    )  # fmt: skip
    if not n_resamples:
        return {}
    chunk = max(1, 2**22 // n)  # keeps the table of draws small
    parts = []
    for start in range(0, n_resamples, chunk):
        size = min(chunk, n_resamples - start)
        counts = np.stack([np.bincount(rng.randint(0, n, n), minlength=n) for _ in range(size)])
        parts.append(_resampled(given.plans, given.target, given.outputs, own, counts))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _metrics_table(
    given: ReportInput, own: np.ndarray, share: np.ndarray
) -> dict[str, dict[str, Any]]:
    target, drawn = given.target, _draw(given, own)
    table: dict[str, dict[str, Any]] = {}
    for metric, settings in given.plans:
        low, high = None, None
        if drawn:
            low, high = percentiles(drawn[metric.name], given.resampling.confidence_level)
        majority, random = _baselines(metric, settings, target, share, own)
        table[metric.name] = {
            "title": metric.title_with_level(settings),
            "value": evaluate(metric, target, given.outputs[metric.needs], settings),
            "low": low,
            "high": high,
            "majority": majority,
            "random": random,
            "greater_is_better": metric.greater_is_better,
        }
    return table


def multilabel_tables(given: ReportInput) -> dict[str, Any]:
    """Return metrics, per-label table, confusion matrices, calibration (none) and summary."""
    target, weights = given.target, given.weights
    own = np.ones(target.n_samples) if weights is None else weights
    share = own @ target.codes / own.sum()
    metrics = _metrics_table(given, own, share)
    matrices = label_confusions(target.codes, given.outputs["labels"], own)
    table = {
        "class": target.classes.tolist(),
        "count": target.counts.tolist(),
        "prevalence": share.tolist(),
        "predicted": (matrices[:, :, 1].sum(axis=1) / own.sum()).tolist(),
        "precision": confusion.precision(matrices, "binary", 0.0).tolist(),
        "recall": confusion.recall(matrices, "binary", 0.0).tolist(),
        "f1": confusion.fbeta(matrices, 1.0, "binary", 0.0).tolist(),
    }
    worst = int(np.argmin(table["f1"]))
    accuracy, trivial = metrics["accuracy"]["value"], metrics["accuracy"]["majority"]
    gain = accuracy - trivial
    summary = (
        f"Accuracy of whole rows {accuracy:.3f} is {abs(gain):.3f} "
        f"{'above' if gain >= 0 else 'below'} giving every label its more frequent value "
        f"({trivial:.3f}). F1 averaged over labels is {metrics['f1']['value']:.3f}; lowest for "
        f"label {worst} ({table['f1'][worst]:.3f}, prevalence {share[worst]:.3f})."
    )
    return {
        "metrics": metrics,
        "per_class": table,
        "confusion": matrices if weights is not None else matrices.astype(np.int64),
        "prevalence": share.tolist(),
        "calibration": None,
        "summary": summary,
    }
