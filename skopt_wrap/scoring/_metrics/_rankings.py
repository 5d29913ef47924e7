"""Metrics of scores: how well the samples are ranked. One object each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics

from . import _ranking_scores as functions
from ._metric import Metric, Settings

__all__ = ["RANKING_METRICS", "ranking"]

_AVERAGES = ("binary", "macro", "micro", "weighted")
_ZERO_DIVISION = frozenset({"zero_division"})
_TOLERANCE = 1e-12  # for levels that a floating-point sum just misses

OneVsRest = Callable[[np.ndarray, np.ndarray, Settings, Any], float]


def ranking(
    y: np.ndarray, scores: np.ndarray
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Sort the scores once; return a function from sample weights to cumulative weights.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    scores : ndarray of shape (n_samples,)
        Greater means more positive.

    Returns
    -------
    curve : callable
        ``curve(weight) -> (found, taken)``: the weight of the positive samples, and of all, from
        the highest score down to each distinct score. `weight` has shape (..., n_samples).
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], y[order].astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def curve(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = weight[..., order]
        found, taken = np.cumsum(drawn * hits, axis=-1), np.cumsum(drawn, axis=-1)
        return found[..., ends], taken[..., ends]

    return curve


def _one_vs_rest(
    function: OneVsRest, *, both_classes: bool, fallback: Callable[[Settings], float]
) -> Callable[[Any, Any, Settings], float]:
    """Average a metric of two classes over one-vs-rest columns; undefined ones are left out."""

    def one(y: np.ndarray, scores: np.ndarray, s: Settings, weight: Any) -> float | None:
        seen = y if weight is None else y[weight > 0]
        if not seen.any() or (both_classes and seen.all()):
            return None
        return function(y, scores, s, weight)

    def averaged(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
        weight = s.sample_weight
        if s.kind == "binary" and s.average == "binary":
            value = one(y, output, s, weight)
            return fallback(s) if value is None else value
        if s.kind == "binary":
            y, output = np.column_stack([1 - y, y]), np.column_stack([-output, output])
        elif s.kind == "multiclass":
            y = (y[:, None] == np.arange(s.n_classes)).astype(np.int64)
        if s.average == "micro":
            repeated = None if weight is None else np.repeat(weight, y.shape[1])
            value = one(y.ravel(), output.ravel(), s, repeated)
            return fallback(s) if value is None else value
        values = [one(y[:, j], output[:, j], s, weight) for j in range(y.shape[1])]
        support = y.sum(axis=0) if weight is None else weight @ y
        kept = [j for j, value in enumerate(values) if value is not None]
        if not kept:
            return fallback(s)
        share = support[kept] if s.average == "weighted" else None
        return float(np.average([values[j] for j in kept], weights=share))

    return averaged


def _with_level(
    function: Callable[..., float], keyword: str
) -> Callable[[Any, Any, Settings], float]:
    """Return the average of a function that takes the level as a keyword argument."""

    def two_classes(y: np.ndarray, scores: np.ndarray, s: Settings, weight: Any) -> float:
        return function(y, scores, sample_weight=weight, **{keyword: s.level})

    return _one_vs_rest(two_classes, both_classes=False, fallback=lambda s: s.zero_division)


def _level(s: Settings) -> float:
    return 0.0 if s.level is None else s.level


def _from_zero(values: np.ndarray) -> np.ndarray:
    """Return the values with a zero before them."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)


def _precision(found: np.ndarray, taken: np.ndarray) -> np.ndarray:
    return np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)


def _share(part: np.ndarray, found: np.ndarray, otherwise: float) -> np.ndarray:
    """Divide by the weight of all positive samples; return `otherwise` where there are none."""
    whole = found[..., -1]
    return np.divide(part, whole, out=np.full(whole.shape, otherwise), where=whole > 0)


def _average_precision(found: np.ndarray, taken: np.ndarray, s: Settings) -> np.ndarray:
    steps = np.diff(_from_zero(found), axis=-1)
    return _share((steps * _precision(found, taken)).sum(axis=-1), found, s.zero_division)


def _roc_auc(found: np.ndarray, taken: np.ndarray, _: Settings) -> np.ndarray:
    hits, alarms = _from_zero(found), _from_zero(taken - found)
    area = (np.diff(alarms, axis=-1) * (hits[..., 1:] + hits[..., :-1]) / 2).sum(axis=-1)
    whole = found[..., -1] * alarms[..., -1]
    return np.divide(area, whole, out=np.full(whole.shape, 0.5), where=whole > 0)


def _auc_variance(auc: float, n_positive: int, n_negative: int) -> float:
    """Return the variance of the area if `auc` were the true one (Newcombe's method 5)."""
    more = (n_positive + n_negative) / 2 - 1
    factor = 1 + more * (1 - auc) / (2 - auc) + more * auc / (1 + auc)
    return auc * (1 - auc) * factor / (n_positive * n_negative)


def _recall_at_k(found: np.ndarray, taken: np.ndarray, s: Settings) -> np.ndarray:
    hits, all_taken = _from_zero(found), _from_zero(taken)
    at = _level(s) / 100 * taken[..., -1:]
    after = np.argmax(all_taken >= at - _TOLERANCE * taken[..., -1:], axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    ends = [np.take_along_axis(a, i, -1) for a in (all_taken, hits) for i in (before, after)]
    width = np.where(ends[1] > ends[0], ends[1] - ends[0], 1.0)
    part = ends[2] + (ends[3] - ends[2]) * np.clip((at - ends[0]) / width, 0, 1)
    return _share(part[..., 0], found, s.zero_division)


def _lift_at_k(found: np.ndarray, taken: np.ndarray, s: Settings) -> np.ndarray:
    recall = _recall_at_k(found, taken, s)
    return np.where(found[..., -1] > 0, recall / (_level(s) / 100), recall)


def _precision_at_recall(found: np.ndarray, taken: np.ndarray, s: Settings) -> np.ndarray:
    enough = found >= (_level(s) - _TOLERANCE) * found[..., -1:]
    best = np.where(enough, _precision(found, taken), 0.0).max(axis=-1)
    return np.where(found[..., -1] > 0, best, s.zero_division)


def _recall_at_precision(found: np.ndarray, taken: np.ndarray, s: Settings) -> np.ndarray:
    precise = _precision(found, taken) >= _level(s) - _TOLERANCE
    return _share(np.where(precise, found, 0.0).max(axis=-1), found, s.zero_division)


RANKING_METRICS = (
    Metric(
        "average_precision",
        "Average precision",
        "scores",
        _one_vs_rest(
            lambda y, scores, _, w: metrics.average_precision_score(y, scores, sample_weight=w),
            both_classes=False,
            fallback=lambda s: s.zero_division,
        ),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        from_ranking=_average_precision,
        edge_weight=0.25,
        constant="AVERAGE_PRECISION",
        in_report=True,
    ),
    Metric(
        "roc_auc",
        "ROC AUC",
        "scores",
        _one_vs_rest(
            lambda y, scores, _, w: metrics.roc_auc_score(y, scores, sample_weight=w),
            both_classes=True,
            fallback=lambda _: 0.5,
        ),
        averages=_AVERAGES,
        from_ranking=_roc_auc,
        score_interval=_auc_variance,
        constant="ROC_AUC",
        in_report=True,
    ),
    Metric(
        "precision_at_recall",
        "Precision at recall",
        "scores",
        _with_level(functions.precision_at_recall_score, "recall"),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        level=0.9,
        from_ranking=_precision_at_recall,
    ),
    Metric(
        "recall_at_precision",
        "Recall at precision",
        "scores",
        _with_level(functions.recall_at_precision_score, "precision"),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        level=0.9,
        from_ranking=_recall_at_precision,
    ),
    Metric(
        "recall_at_k",
        "Recall at k %",
        "scores",
        _with_level(functions.recall_at_k_score, "k"),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        level=10.0,
        level_max=100.0,
        level_text="k = {:g}",
        from_ranking=_recall_at_k,
        in_report=True,
    ),
    Metric(
        "lift_at_k",
        "Lift at k %",
        "scores",
        _with_level(functions.lift_at_k_score, "k"),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        level=10.0,
        level_max=100.0,
        level_text="k = {:g}",
        from_ranking=_lift_at_k,
        in_report=True,
    ),
)
