"""Stratified resampling: each class keeps its number of samples.

A resample is a vector of counts: how often each sample was drawn. What does not depend on the draw
(sorting the scores, the loss of each sample) is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import ParameterError
from ._metrics._metric import Metric, Settings
from ._metrics._rankings import ranking
from ._targets import Target

__all__ = [
    "Resampling",
    "check_resampling",
    "percentiles",
    "resample_counts",
    "resampled_metric",
]


@dataclass(frozen=True)
class Resampling:
    """How many times something is drawn, the level of the intervals, and the generator."""

    n_resamples: int
    confidence_level: float
    rng: Any


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


def resampled_metric(
    metric: Metric, target: Target, output: np.ndarray, settings: Settings
) -> Callable[[np.ndarray], float]:
    """Return a function from how often each row is drawn to the metric.

    What does not depend on the draw (sorting, the loss of each row) is done once.
    """
    own = settings.sample_weight

    def weigh(counts: np.ndarray) -> np.ndarray:
        return counts if own is None else counts * own

    two_classes = target.kind == "binary" and settings.average == "binary"
    from_ranking = metric.from_ranking
    if from_ranking is not None and two_classes:
        y = target.to_binary(target.codes)
        if 0 < y.sum() < len(y):
            curve = ranking(y, output)
            return lambda counts: float(from_ranking(*curve(weigh(counts)), settings))
    if metric.sample_values is not None:
        values = metric.sample_values(target, output)
        return lambda counts: float(weigh(counts) @ values / weigh(counts).sum())
    return lambda counts: metric.compute_resampled(target, output, settings, counts)
