"""Choose decision thresholds on pooled predictions: one of two classes, or one a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._metrics._evaluate import evaluate
from ._metrics._metric import Metric, Settings
from ._targets import Target
from ._thresholds import confusions_at

__all__ = ["Goal", "ThresholdChoice", "choose_class_thresholds", "choose_threshold"]

# A threshold is judged at no more places than this: enough to lose nothing, and fast.
MAX_THRESHOLDS = 2000
_N_DRAWS = 1000  # of the rates, for the lower bound of a constraint
_SEED = 0  # these draws are part of a rule, not of the user's randomness
_TOLERANCE = 1e-12
_SWEEPS = 5  # over the classes, until no threshold changes
_FACTORS = np.geomspace(0.05, 20, 41)  # steps of a class's threshold


@dataclass(frozen=True)
class Goal:
    """What a threshold is chosen for.

    Attributes
    ----------
    metric, settings : Metric, Settings
        What is made best.
    constraint, constraint_settings : Metric or None, Settings or None
        A metric that must reach `floor`.
    floor : float
        The lower bound for it.
    confidence : float or None
        None compares the value itself with `floor`; a number compares the lower bound that the
        true value exceeds with this probability.
    """

    metric: Metric
    settings: Settings
    constraint: Metric | None = None
    constraint_settings: Settings | None = None
    floor: float = 0.0
    confidence: float | None = None


@dataclass(frozen=True)
class ThresholdChoice:
    """The threshold chosen, and what it was chosen from."""

    threshold: float
    score: float
    kept: bool
    thresholds: np.ndarray
    scores: np.ndarray
    constraint_values: np.ndarray | None


def all_thresholds(responses: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a threshold between each two neighbouring responses, one below all and one above."""
    values = np.unique(responses)
    if len(values) > MAX_THRESHOLDS:  # keep those at which a positive sample is gained or lost
        kept = np.unique(responses[y == 1])
        values = np.unique(np.quantile(values, np.linspace(0, 1, MAX_THRESHOLDS // 2)))
        places = np.linspace(0, len(kept) - 1, min(len(kept), MAX_THRESHOLDS // 2)).astype(int)
        values = np.unique(np.concatenate([values, kept[places]]))
    between = (values[1:] + values[:-1]) / 2
    return np.concatenate([values[:1], between, [np.nextafter(values[-1], np.inf)]])


def choose_threshold(
    y: np.ndarray,
    responses: np.ndarray,
    target: Target,
    goal: Goal,
    thresholds: np.ndarray | None = None,
) -> ThresholdChoice:
    """Choose the threshold at which a metric of labels is best on pooled predictions.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the class whose responses are given, else 0.
    responses : ndarray of shape (n_samples,)
        Probabilities or decision values of that class; from the threshold on it is predicted.
    target : Target
        The same samples, with the class that is the positive one of the metric.
    goal : Goal
        The metric, and a constraint.
    thresholds : ndarray or None
        Candidates; None takes one between each two neighbouring responses.
    """
    places = all_thresholds(responses, y) if thresholds is None else np.sort(thresholds)
    stack = confusions_at(y, responses, places, goal.settings.sample_weight)
    axis_is_positive = bool(y[0]) == bool(target.to_binary(target.codes[:1])[0])
    if not axis_is_positive:
        stack = stack[:, ::-1, ::-1]
    sign = 1.0 if goal.metric.greater_is_better else -1.0
    scores = sign * _values(goal.metric, goal.settings, stack, target, responses, places, y)
    bounds = None
    possible = np.ones(len(places), dtype=bool)
    if goal.constraint is not None and goal.constraint_settings is not None:
        bounds = _bounds(goal, stack, goal.constraint_settings)
        possible = bounds >= goal.floor
    if possible.any():
        best = int(np.flatnonzero(possible)[np.argmax(scores[possible])])
    else:
        assert bounds is not None  # without a constraint everything is possible
        best = int(np.argmax(bounds))
    return ThresholdChoice(
        float(places[best]), float(scores[best]), bool(possible.any()), places, scores, bounds
    )


def _values(
    metric: Metric,
    settings: Settings,
    stack: np.ndarray,
    target: Target,
    responses: np.ndarray,
    places: np.ndarray,
    y: np.ndarray,
) -> np.ndarray:
    """Return a metric at each threshold."""
    if metric.from_confusion is not None:
        return metric.from_confusion(stack, settings)
    other = {1: target.codes[y == 1][0], 0: target.codes[y == 0][0]}
    return np.array(
        [
            evaluate(metric, target, np.where(responses >= place, other[1], other[0]), settings)
            for place in places
        ]
    )


def _bounds(goal: Goal, stack: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the constraint's metric at each threshold, or its lower bound."""
    metric = goal.constraint
    assert metric is not None and metric.from_confusion is not None  # built-in metrics of labels
    if goal.confidence is None:
        # half a sample more in each cell: one lucky sample alone keeps no constraint
        smoothed = metric.from_confusion(stack + 0.5, settings)
        return np.minimum(metric.from_confusion(stack, settings), smoothed + _TOLERANCE)
    rng = np.random.RandomState(_SEED)
    bounds = np.empty(len(stack))
    for i, matrix in enumerate(stack):
        drawn = np.empty((_N_DRAWS, 2, 2))
        for row in (0, 1):
            total = matrix[row].sum()
            rates = rng.beta(matrix[row, 1] + 0.5, matrix[row, 0] + 0.5, _N_DRAWS)
            drawn[:, row, 1], drawn[:, row, 0] = rates * total, (1 - rates) * total
        bounds[i] = np.quantile(metric.from_confusion(drawn, settings), 1 - goal.confidence)
    return bounds


def choose_class_thresholds(
    target: Target, probabilities: np.ndarray, goal: Goal
) -> tuple[np.ndarray, float]:
    """Choose one threshold a class: the class with the greatest probability / threshold wins.

    The thresholds start equal, and are changed one after another as long as the metric of the
    pooled predictions improves.

    Parameters
    ----------
    target : Target
        Three or more classes.
    probabilities : ndarray of shape (n_samples, n_classes)
        In the order of the classes.
    goal : Goal
        The metric.

    Returns
    -------
    thresholds : ndarray of shape (n_classes,)
        Positive, of mean 1 / n_classes.
    score : float
        The metric there; greater is better.
    """
    n_classes = target.n_classes
    sign = 1.0 if goal.metric.greater_is_better else -1.0

    def score(thresholds: np.ndarray) -> float:
        predicted = (probabilities / thresholds).argmax(axis=1)
        return sign * evaluate(goal.metric, target, predicted, goal.settings)

    thresholds = np.full(n_classes, 1 / n_classes)
    best = score(thresholds)
    for _ in range(_SWEEPS):
        before = best
        for c in range(n_classes):
            for factor in _FACTORS:
                changed = thresholds.copy()
                changed[c] *= factor
                found = score(changed)
                if found > best + 1e-12:
                    best, chosen = found, changed
                    thresholds = chosen
        if best <= before + 1e-12:
            break
    return thresholds / thresholds.mean() / n_classes, best
