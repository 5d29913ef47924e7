"""Stratified bootstrap intervals, without calling a metric once a resample.

Resampling the rows of a class with replacement changes only how often each (true, predicted) pair
occurs, and those counts follow a multinomial distribution. So a metric of labels needs one
multinomial draw a class and resample, whatever the number of rows. Metrics of scores need the rows
themselves: they are sorted once, and each resample is a vector of row counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..exceptions import DataError, ParameterError
from ._adapters import Settings
from ._metrics._confusion import confusion_matrix_of
from ._metrics._evaluate import evaluate, ordered_codes
from ._metrics._registry import Metric
from ._parameters import check_scorer, check_target, make_settings
from ._responses import read_labels, shape_probabilities
from ._scorer import ImbalanceAwareScorer
from ._targets import Target, check_weights, read_target

__all__ = ["BootstrapInterval", "bootstrap_interval"]


@dataclass(frozen=True)
class BootstrapInterval:
    """A metric's value with its bootstrap interval.

    Parameters
    ----------
    value : float
        The metric on all rows, as published (losses are not negated).
    low, high : float
        Percentiles of the resampled values.
    confidence_level : float
        Probability that the interval aims to cover.
    n_resamples : int
        Number of resamples.
    """

    value: float
    low: float
    high: float
    confidence_level: float
    n_resamples: int


def check_resampling(n_resamples: Any, confidence_level: Any, least: int = 1) -> None:
    """Check the parameters of a bootstrap."""
    whole = isinstance(n_resamples, int | np.integer) and not isinstance(n_resamples, bool)
    if not whole or n_resamples < least:
        raise ParameterError(f"n_resamples must be an integer >= {least}, got {n_resamples!r}.")
    number = isinstance(confidence_level, int | float | np.floating)
    if not number or not 0 < confidence_level < 1:
        raise ParameterError(
            f"confidence_level must be a number in (0, 1), got {confidence_level!r}."
        )


def percentiles(values: np.ndarray, confidence_level: float) -> tuple[float, float]:
    """Return the central interval of resampled values."""
    tail = 50 * (1 - confidence_level)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def resample_counts(codes: np.ndarray, n_resamples: int, rng: Any) -> Iterator[np.ndarray]:
    """Yield how often each row is drawn when every class is resampled to its own size."""
    groups = [np.flatnonzero(codes == c) for c in np.unique(codes)]
    for _ in range(n_resamples):
        counts = np.empty(len(codes))
        for rows in groups:
            drawn = rng.randint(0, len(rows), len(rows))
            counts[rows] = np.bincount(drawn, minlength=len(rows))
        yield counts


def resample_confusions(
    true: np.ndarray,
    predicted: np.ndarray,
    n_classes: int,
    weight: np.ndarray | None,
    n_resamples: int,
    rng: Any,
) -> np.ndarray:
    """Return the confusion matrices of resamples, shape (n_resamples, n_classes, n_classes)."""
    if weight is None:
        matrix = confusion_matrix_of(true, predicted, n_classes)
        stack = np.zeros((n_resamples, n_classes, n_classes))
        for i, row in enumerate(matrix):
            total = int(row.sum())
            if total:
                stack[:, i] = rng.multinomial(total, row / row.sum(), size=n_resamples)
        return stack
    return np.stack(
        [
            confusion_matrix_of(true, predicted, n_classes, counts * weight)
            for counts in resample_counts(true, n_resamples, rng)
        ]
    )


def _ranking(y: np.ndarray, scores: np.ndarray) -> Callable[[np.ndarray], tuple]:
    """Sort once; then give cumulative positives and totals at each distinct score."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], y[order].astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def curve(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = weight[order]
        return np.cumsum(drawn * hits)[ends], np.cumsum(drawn)[ends]

    return curve


def _rank_value(name: str, curve: tuple[np.ndarray, np.ndarray], s: Settings) -> float:
    """Compute one ranking metric from cumulative positives and totals."""
    found, taken = curve
    level = 0.0 if s.level is None else s.level  # only metrics with a level use it
    if found[-1] == 0 or found[-1] == taken[-1]:  # every weight of a class is zero
        if name == "roc_auc":
            return 0.5
        if found[-1] == 0:
            return s.zero_division
    if name == "roc_auc":
        false = np.append(0.0, taken - found)
        area = np.trapezoid(np.append(0.0, found), false)
        return float(area / (found[-1] * false[-1]))
    if name in ("recall_at_k", "lift_at_k"):
        share = level / 100
        value = np.interp(share * taken[-1], np.append(0.0, taken), np.append(0.0, found))
        return float(value / found[-1] / (share if name == "lift_at_k" else 1.0))
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    if name == "average_precision":
        return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])
    if name == "precision_at_recall":
        return float(precision[found >= (level - 1e-12) * found[-1]].max())
    return float(np.append(found[precision >= level - 1e-12], 0.0).max() / found[-1])


def row_statistic(
    record: Metric, target: Target, output: np.ndarray, settings: Settings
) -> Callable[[np.ndarray], float]:
    """Return a function from row weights to the metric, with all that does not vary done once."""
    own = settings.sample_weight

    def weigh(counts: np.ndarray) -> np.ndarray:
        return counts if own is None else counts * own

    if record.needs == "scores" and target.kind == "binary" and settings.average == "binary":
        y = target.to_binary(target.codes)
        if 0 < y.sum() < len(y):
            curve = _ranking(y, output)
            return lambda counts: _rank_value(record.name, curve(weigh(counts)), settings)
    if record.needs == "scores" and target.kind == "multiclass" and settings.average == "macro":
        columns = [j for j in range(target.n_classes) if 0 < target.counts[j] < target.n_samples]
        curves = [_ranking(target.codes == j, output[:, j]) for j in columns]
        if curves:
            return lambda counts: float(
                np.mean([_rank_value(record.name, c(weigh(counts)), settings) for c in curves])
            )
    if record.name in ("brier_score", "log_loss") and target.kind != "multilabel":
        losses = _row_losses(record.name, target, output)
        return lambda counts: float(weigh(counts) @ losses / weigh(counts).sum())
    return lambda counts: evaluate(
        record, target, output, replace(settings, sample_weight=weigh(counts))
    )


def _row_losses(name: str, target: Target, output: np.ndarray) -> np.ndarray:
    rows = np.arange(target.n_samples)
    if name == "log_loss":
        floor = np.finfo(output.dtype).eps
        return -np.log(np.clip(output[rows, target.codes], floor, 1 - floor).astype(np.float64))
    truth = target.codes[:, None] == np.arange(target.n_classes)
    squares = ((output.astype(np.float64) - truth) ** 2).sum(axis=1)
    return squares / 2 if target.kind == "binary" else squares


def bootstrap_interval(
    y_true: Any,
    y_output: Any,
    metric: str | ImbalanceAwareScorer = "f1",
    *,
    sample_weight: Any = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: Any = None,
) -> BootstrapInterval:
    """Return a metric with its stratified bootstrap interval.

    Rows are resampled within each class, so every resample has the same class counts: the
    interval is that of the predictions given these counts, and never meets a resample without
    the rare class. Percentile interval [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, binary or multiclass.
    y_output : array-like of shape (n_samples,) or (n_samples, n_classes)
        What the metric judges: predicted labels; scores toward the positive class (one column a
        class when there are several); or probabilities, one column a class in sorted order.
    metric : str or ImbalanceAwareScorer, default="f1"
        Name of a metric, or a scorer that holds its parameters (without a threshold).
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    n_resamples : int, default=1000
        Number of resamples.
    confidence_level : float, default=0.95
        In (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the resampling.

    Returns
    -------
    interval : BootstrapInterval
        Value, bounds and settings; losses are not negated.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If the arrays do not fit together, or the target is multilabel.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall, 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.scoring import bootstrap_interval
    >>> y_true = np.repeat([0, 1], [900, 100])
    >>> y_pred = np.r_[np.zeros(880), np.ones(20), np.zeros(30), np.ones(70)].astype(int)
    >>> interval = bootstrap_interval(y_true, y_pred, "f1", random_state=0)
    >>> round(interval.value, 3), round(interval.low, 2), round(interval.high, 2)
    (0.737, 0.66, 0.8)
    """
    check_resampling(n_resamples, confidence_level)
    scorer = metric if isinstance(metric, ImbalanceAwareScorer) else ImbalanceAwareScorer(metric)
    checked = check_scorer(scorer)
    record = checked.record
    if scorer.threshold is not None:
        raise ParameterError(
            f"threshold must be None here, got {scorer.threshold!r}: give the predicted labels."
        )
    rng = check_random_state(random_state)
    target, output = _read_output(record, y_true, y_output, scorer.pos_label)
    check_target(scorer, checked, target)
    weights = check_weights(sample_weight, target.n_samples)
    settings = make_settings(scorer, checked, target, weights)
    value = evaluate(record, target, output, settings)
    if record.from_confusion is not None:
        true, predicted, n_classes = ordered_codes(target, output)
        stack = resample_confusions(true, predicted, n_classes, weights, n_resamples, rng)
        values = record.from_confusion(stack, settings)
    else:
        statistic = row_statistic(record, target, output, settings)
        drawn = resample_counts(target.codes, n_resamples, rng)
        values = np.array([statistic(counts) for counts in drawn])
    low, high = percentiles(values, confidence_level)
    return BootstrapInterval(value, low, high, float(confidence_level), int(n_resamples))


def _read_output(record, y_true, y_output, pos_label) -> tuple[Target, np.ndarray]:
    if record.needs == "labels":
        target, output = read_labels(y_output, y_true, None, pos_label)
    else:
        target = read_target(y_true, None, pos_label)
        if target.kind == "multilabel" or target.n_classes < 2:
            raise DataError("y_true must hold two or more classes, one in each row.")
        if record.needs == "probabilities":
            output = shape_probabilities(y_output, target)
        else:
            output = np.asarray(y_output, dtype=np.float64)
            wanted: tuple[int, ...] = (target.n_samples,)
            if target.kind == "multiclass":
                wanted += (target.n_classes,)
            if output.shape != wanted or not np.isfinite(output).all():
                raise DataError(f"y_output must be finite, of shape {wanted}, got {output.shape}.")
    if target.kind == "multilabel":
        raise DataError("bootstrap_interval needs a binary or multiclass target, got multilabel.")
    return target, output
