r"""Confidence intervals of metrics that hold with few samples of the rare class.

Percentiles of bootstrap resamples are too narrow with few positive samples: 5 of 5 found gives
recall 1, and so does every resample. So each kind of metric has an interval that was measured to
cover the true value about as often as it says (``benchmarks/interval_coverage.py``):

- Metrics of labels: the rates of each true class are drawn from their posterior distribution under
  the prior of Jeffreys, as [1]_ recommends for a single rate: :math:`k` found of :math:`n` give
  :math:`\mathrm{Beta}(k + 1/2, n - k + 1/2)`. The metric of the drawn rates is used. With :math:`c`
  classes the distribution is that of Dirichlet with :math:`1/c` more in each cell.
- ROC AUC of two classes: the score interval of [2]_, without resampling.
- Other ranking metrics of two classes: the samples are weighted at random (the Bayesian bootstrap
  of [3]_), together with four imagined samples with little weight: one of each class above all
  scores, one below. At each threshold this gives the posterior distribution named above.
- Means of one loss a sample (Brier score, log loss): Welch's t interval of the stratified mean, on
  the logarithmic scale, without resampling.
- Expected calibration error: a normal interval, corrected for the bias that the bootstrap sees.
- All others: percentiles of a bootstrap within each class.

References
----------
.. [1] L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion",
   Statistical Science, 2001.
.. [2] R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
   statistic. Part 2: asymptotic methods and evaluation", Statistics in Medicine, 2006.
.. [3] D. B. Rubin, "The Bayesian bootstrap", Annals of Statistics, 1981.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from ._metrics._confusion import confusion_matrix_of
from ._metrics._evaluate import evaluate, ordered_codes
from ._metrics._metric import Metric, Settings
from ._metrics._rankings import ranking
from ._resampling import Resampling, percentiles, resample_counts, resampled_metric
from ._targets import Target

__all__ = ["Interval", "draw_confusions", "interval_of", "interval_of_labels"]

# What an interval rests on.
POSTERIOR = "posterior of the rates"
SCORE = "score interval"
WEIGHTED_SAMPLES = "Bayesian bootstrap"
MEAN = "t interval of the logarithm"
BIAS_CORRECTED = "bootstrap, corrected for bias"
PERCENTILES = "bootstrap percentiles"

# Why an interval may cover the true value less or more often than it says.
FEW_SAMPLES = "a class has fewer than {least} samples"

# Fewest samples of a class for which the coverage was measured, and with which it is right.
_LEAST, _LEAST_FOR_PERCENTILES = 5, 100


@dataclass(frozen=True)
class Interval:
    """An interval, how it was made, and what is known against it (empty when nothing is)."""

    low: float
    high: float
    method: str
    note: str = ""


def draw_confusions(
    true: np.ndarray,
    predicted: np.ndarray,
    n_classes: int,
    weight: np.ndarray | None,
    resampling: Resampling,
) -> np.ndarray:
    """Draw confusion matrices from the posterior distribution of the rates of each true class.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_samples,)
        Positions of classes.
    n_classes : int
        Number of classes.
    weight : ndarray of shape (n_samples,) or None
        Weights of the samples. A class then counts as its effective number of samples.
    resampling : Resampling
        Number of draws, and generator.

    Returns
    -------
    matrices : ndarray of shape (n_resamples, n_classes, n_classes)
        True classes in rows; a class keeps its total.
    """
    matrix = confusion_matrix_of(true, predicted, n_classes, weight)
    totals = matrix.sum(axis=1)
    effective = totals
    if weight is not None:
        squares = np.bincount(true, weights=weight**2, minlength=n_classes)
        effective = np.divide(totals**2, squares, out=np.zeros(n_classes), where=squares > 0)
    stack = np.zeros((resampling.n_resamples, n_classes, n_classes))
    for i in np.flatnonzero(totals > 0):
        shape = matrix[i] / totals[i] * effective[i] + 1 / n_classes
        drawn = resampling.rng.gamma(shape, size=(resampling.n_resamples, n_classes))
        stack[:, i] = drawn / drawn.sum(axis=1, keepdims=True) * totals[i]
    return stack


def interval_of_labels(
    metric: Metric,
    value: float,
    stack: np.ndarray,
    settings: Settings,
    resampling: Resampling,
    target: Target,
) -> Interval:
    """Return the interval of a metric of labels from drawn confusion matrices."""
    assert metric.from_confusion is not None  # the caller has looked
    drawn = metric.from_confusion(stack, settings)
    low, high = percentiles(drawn, resampling.confidence_level)
    return _noted(_around(value, low, high, POSTERIOR), metric, target)


def _noted(interval: Interval, metric: Metric, target: Target) -> Interval:
    """Return the interval with what is known against it."""
    least = _LEAST_FOR_PERCENTILES if interval.method == PERCENTILES else _LEAST
    notes = []
    if target.counts[target.counts > 0].min() < least:
        notes.append(FEW_SAMPLES.format(least=least))
    if metric.interval_note:
        notes.append(metric.interval_note)
    return replace(interval, note="; ".join(notes))


def interval_of(
    metric: Metric, target: Target, output: np.ndarray, settings: Settings, resampling: Resampling
) -> Interval:
    """Return the interval of a metric, by the way that fits its kind.

    Parameters
    ----------
    metric : Metric
        Metric.
    target : Target
        Binary or multiclass.
    output : ndarray
        Prediction that the metric judges.
    settings : Settings
        Parameters and weights of the metric.
    resampling : Resampling
        Number of draws, level and generator.
    """
    value = evaluate(metric, target, output, settings)
    if metric.from_confusion is not None:
        true, predicted, n_classes = ordered_codes(target, output)
        stack = draw_confusions(true, predicted, n_classes, settings.sample_weight, resampling)
        return interval_of_labels(metric, value, stack, settings, resampling, target)
    if metric.from_ranking is not None and _is_two_class_ranking(target, settings):
        if metric.score_interval is not None and settings.sample_weight is None:
            positive = int(target.to_binary(target.codes).sum())
            found = _score_interval(
                metric.score_interval,
                value,
                (positive, target.n_samples - positive),
                resampling.confidence_level,
            )
        else:
            found = _weighted_samples(metric, value, target, output, settings, resampling)
    elif metric.needs == "probabilities" and metric.sample_values is not None:
        values = metric.sample_values(target, output)
        found = _mean_interval(value, values, target, settings, resampling.confidence_level)
    else:
        found = _bootstrap(metric, value, target, output, settings, resampling)
    return _noted(found, metric, target)


def _is_two_class_ranking(target: Target, settings: Settings) -> bool:
    both = target.kind == "binary" and bool((target.counts > 0).all())
    return both and settings.average == "binary"


def _around(value: float, low: float, high: float, method: str) -> Interval:
    """Return an interval that holds the value itself: discrete draws can miss it."""
    return Interval(min(low, value), max(high, value), method)


def _score_interval(
    variance: Callable[[float, int, int], float],
    value: float,
    counts: tuple[int, int],
    confidence_level: float,
) -> Interval:
    """Return all values that a test with their own variance would not refuse."""
    z = float(norm.ppf(0.5 + confidence_level / 2))

    def beyond(candidate: float) -> float:
        return abs(candidate - value) - z * np.sqrt(variance(candidate, *counts))

    tiny = 1e-9  # at 0 and 1 themselves the variance is zero
    inner = float(np.clip(value, tiny, 1 - tiny))
    low = 0.0 if value <= 0 or beyond(tiny) <= 0 else brentq(beyond, tiny, inner)
    high = 1.0 if value >= 1 or beyond(1 - tiny) <= 0 else brentq(beyond, inner, 1 - tiny)
    return Interval(float(low), float(high), SCORE)


def _weighted_samples(
    metric: Metric,
    value: float,
    target: Target,
    output: np.ndarray,
    settings: Settings,
    resampling: Resampling,
) -> Interval:
    """Weight all samples at random, with one of each class above and below all scores."""
    assert metric.from_ranking is not None  # the caller has looked
    y = target.to_binary(target.codes)
    edges = np.array([output.max() + 2, output.max() + 1, output.min() - 1, output.min() - 2])
    labels = np.concatenate([y, [0, 1, 1, 0]])
    curve = ranking(labels, np.concatenate([output, edges]))
    own = np.ones(len(y)) if settings.sample_weight is None else settings.sample_weight
    # an imagined sample weighs edge_weight times the mean sample of its class
    mean = [own[y == c].mean() for c in labels[-4:]]
    parts = []
    chunk = max(1, 2**20 // len(labels))  # keeps the table of weights small
    for start in range(0, resampling.n_resamples, chunk):
        size = min(chunk, resampling.n_resamples - start)
        drawn = resampling.rng.standard_exponential((size, len(y))) * own
        edge = resampling.rng.gamma(metric.edge_weight, size=(size, 4)) * mean
        weight = np.concatenate([drawn, edge], axis=1)
        for c in (0, 1):
            mine = weight[:, labels == c]
            total = own[y == c].sum()
            weight[:, labels == c] = mine * (total / mine.sum(axis=1, keepdims=True))
        parts.append(metric.from_ranking(*curve(weight), settings))
    low, high = percentiles(np.concatenate(parts), resampling.confidence_level)
    return _around(value, low, high, WEIGHTED_SAMPLES)


def _mean_interval(
    value: float,
    values: np.ndarray,
    target: Target,
    settings: Settings,
    confidence_level: float,
) -> Interval:
    """Return Welch's interval of a stratified mean of losses, on the logarithmic scale."""
    own = settings.sample_weight
    own = np.ones(target.n_samples) if own is None else own
    variances, degrees = [], []
    for c in np.flatnonzero(target.counts > 0):
        mine = target.codes == c
        weight, losses = own[mine], values[mine]
        if not weight.any():
            continue
        effective = weight.sum() ** 2 / (weight**2).sum()
        mean = np.average(losses, weights=weight)
        if effective > 1:
            spread = np.average((losses - mean) ** 2, weights=weight) * effective / (effective - 1)
        else:  # a single sample tells nothing of its spread
            spread = mean**2
        share = weight.sum() / own.sum()
        variances.append(share**2 * spread / effective)
        degrees.append(max(effective - 1, 1.0))
    total = float(np.sum(variances))
    if value <= 0 or total <= 0:
        # no loss at all: "rule of three", with as many samples as the interval has
        reach = -float(np.log((1 - confidence_level) / 2)) / target.n_samples
        return Interval(max(value - reach, 0.0), value + reach, MEAN)
    freedom = total**2 / np.sum(np.square(variances) / degrees)
    reach = float(student.ppf(0.5 + confidence_level / 2, freedom)) * np.sqrt(total) / value
    return Interval(float(value * np.exp(-reach)), float(value * np.exp(reach)), MEAN)


def _bootstrap(
    metric: Metric,
    value: float,
    target: Target,
    output: np.ndarray,
    settings: Settings,
    resampling: Resampling,
) -> Interval:
    """Return percentiles of a bootstrap within each class, or a bias-corrected interval."""
    statistic = resampled_metric(metric, target, output, settings)
    counts = resample_counts(target.codes, resampling.n_resamples, resampling.rng)
    drawn = np.array([statistic(drawn) for drawn in counts])
    if not metric.biased:
        return Interval(*percentiles(drawn, resampling.confidence_level), PERCENTILES)
    z = float(norm.ppf(0.5 + resampling.confidence_level / 2))
    centre = value - (drawn.mean() - value)
    spread = float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    low, high = max(centre - z * spread, 0.0), max(centre + z * spread, 0.0)
    return _around(value, float(low), float(high), BIAS_CORRECTED)
