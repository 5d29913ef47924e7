"""The numbers of an imbalance report for a multilabel target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._adapters import Settings
from .._bootstrap import _rank_value, _ranking, percentiles
from .._metrics import _confusion as confusion
from .._metrics._evaluate import evaluate
from .._metrics._registry import Metric
from .._targets import Target

__all__ = ["multilabel_tables"]

Plans = list[tuple[Metric, Settings]]


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


def _macro(record: Metric, settings: Settings, matrices: np.ndarray) -> np.ndarray:
    """Average a metric of counts over labels."""
    of_label = Settings("binary", 2, "binary", None, settings.zero_division, settings.beta)
    assert record.from_confusion is not None  # every metric of labels has it
    return record.from_confusion(matrices, of_label).mean(axis=-1)


def _resampled(
    plans: Plans, target: Target, outputs: dict[str, np.ndarray], own: np.ndarray, draws: np.ndarray
) -> dict[str, np.ndarray]:
    """Return each metric on every resample; `draws` holds how often each row was drawn."""
    true, weights = target.codes, draws * own
    found: dict[str, np.ndarray] = {}
    stack = label_confusions(true, outputs["labels"], weights)
    for record, settings in plans:
        if record.name == "accuracy":
            right = (true == outputs["labels"]).all(axis=1)
            found[record.name] = weights @ right / weights.sum(axis=1)
        elif record.needs == "labels":
            found[record.name] = _macro(record, settings, stack)
        else:
            statistic = _row_statistic(record, settings, target, outputs[record.needs])
            found[record.name] = np.array([statistic(weight) for weight in weights])
    return found


def _row_statistic(
    record: Metric, settings: Settings, target: Target, output: np.ndarray
) -> Callable[[np.ndarray], float]:
    """Return a function from row weights to a metric of scores or probabilities."""
    true = target.codes
    if record.needs == "scores":
        columns = [j for j in range(true.shape[1]) if 0 < true[:, j].sum() < len(true)]
        curves = [_ranking(true[:, j], output[:, j]) for j in columns]
        if curves:
            return lambda w: float(
                np.mean([_rank_value(record.name, c(w), settings) for c in curves])
            )
    stated = output.astype(np.float64)
    if record.name == "brier_score":
        losses = ((stated - true) ** 2).mean(axis=1)
        return lambda w: float(w @ losses / w.sum())
    if record.name == "log_loss":
        floor = np.finfo(output.dtype).eps
        chance = np.clip(np.where(true == 1, stated, 1 - stated), floor, 1 - floor)
        losses = -np.log(chance).mean(axis=1)
        return lambda w: float(w @ losses / w.sum())

    def general(w: np.ndarray) -> float:
        values = {**settings.__dict__, "sample_weight": w}
        return evaluate(record, target, output, Settings(**values))

    return general


def _baselines(
    record: Metric, settings: Settings, target: Target, share: np.ndarray, own: np.ndarray
) -> tuple[float, float]:
    """Return a metric of each label's more frequent value, and of drawing by prevalence."""
    true, often = target.codes, (share > 0.5).astype(np.int64)
    if record.needs == "labels":
        if record.name == "accuracy":
            chance = np.where(true == 1, share, 1 - share).prod(axis=1)
            always = (true == often).all(axis=1)
            return tuple(float(own @ v / own.sum()) for v in (always, chance))  # type: ignore
        truth = np.stack([1 - share, share], axis=1)
        values = []
        for called in (often.astype(float), share):
            guess = np.stack([1 - called, called], axis=1)
            matrices = truth[:, :, None] * guess[:, None, :]
            values.append(float(_macro(record, settings, matrices)))
        return values[0], values[1]
    constant = np.zeros(true.shape)
    if record.needs == "scores":
        value = evaluate(record, target, constant, settings)
        return value, value
    return (
        evaluate(record, target, constant + often, settings),
        evaluate(record, target, constant + share, settings),
    )


def multilabel_tables(
    plans: Plans,
    titles: dict[str, str],
    target: Target,
    outputs: dict[str, np.ndarray],
    weights: np.ndarray | None,
    n_resamples: int,
    confidence_level: float,
    rng: Any,
) -> dict[str, Any]:
    """Return metrics, per-label table, confusion matrices, calibration and summary.

    Resamples draw whole rows, without strata, since labels overlap.
    """
    true, n = target.codes, target.n_samples
    own = np.ones(n) if weights is None else weights
    share = own @ true / own.sum()
    draws: dict[str, np.ndarray] = {}
    if n_resamples:
        chunk = max(1, 2**22 // n)  # keeps the table of draws small
        parts = []
        for start in range(0, n_resamples, chunk):
            size = min(chunk, n_resamples - start)
            counts = np.stack([np.bincount(rng.randint(0, n, n), minlength=n) for _ in range(size)])
            parts.append(_resampled(plans, target, outputs, own, counts))
        draws = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    metrics: dict[str, dict[str, Any]] = {}
    for record, settings in plans:
        low, high = (
            percentiles(draws[record.name], confidence_level) if n_resamples else (None, None)
        )
        majority, random = _baselines(record, settings, target, share, own)
        metrics[record.name] = {
            "title": titles[record.name],
            "value": evaluate(record, target, outputs[record.needs], settings),
            "low": low,
            "high": high,
            "majority": majority,
            "random": random,
            "greater_is_better": record.greater_is_better,
        }
    matrices = label_confusions(true, outputs["labels"], own)
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
        "summary": summary,
    }
