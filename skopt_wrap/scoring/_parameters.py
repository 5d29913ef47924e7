"""The rules of ImbalanceAwareScorer's parameters, and what they mean for one target."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .._pipelines import last_step
from ..exceptions import DataError, ParameterError, SkoptWrapWarning, suggest
from ._metrics._costs import check_costs
from ._metrics._evaluate import evaluate
from ._metrics._metric import Metric, Settings
from ._metrics._registry import METRICS, check_kind, get_metric
from ._targets import Target

__all__ = [
    "CONSTRAINT_PENALTY",
    "Checked",
    "ScorerParameters",
    "applies",
    "check_scorer",
    "check_target",
    "check_tuned",
    "is_number",
    "make_settings",
]

AVERAGES = ("auto", "binary", "macro", "micro", "weighted", "samples", "multiclass")

# Finite, because scikit-learn interpolates scores between thresholds and averages them over folds.
CONSTRAINT_PENALTY = -1e6

_CONSTRAINT = re.compile(r"\s*([A-Za-z_0-9]+)\s*>=\s*([0-9.]+)\s*")


class ScorerParameters(Protocol):
    """The parameters of :class:`ImbalanceAwareScorer`, as these rules read them."""

    metric: Any
    average: str
    beta: float | None
    pos_label: Any
    threshold: Any
    costs: Any
    zero_division: float
    confidence: float | None


@dataclass(frozen=True)
class Constraint:
    """A lower bound for another metric of labels, such as "precision>=0.9"."""

    record: Metric
    floor: float

    def shortfall(
        self,
        scorer: ScorerParameters,
        target: Target,
        output: np.ndarray,
        weights: np.ndarray | None,
    ) -> float:
        """Return by how much the floor is missed; not positive when it is kept."""
        settings = make_settings(scorer, Checked(self.record, None), target, weights)
        return self.floor - evaluate(self.record, target, output, settings)


@dataclass(frozen=True)
class Checked:
    """The metric that a scorer stands for, with the number and the constraint in its parameters."""

    record: Metric
    level: float | None
    constraint: Constraint | None = None


def is_number(value: Any) -> bool:
    """Tell whether a value is a real number; booleans are not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def applies(record: Metric, param: str) -> bool:
    """Tell whether a constructor parameter means something for a metric."""
    if param == "average":
        return bool(record.averages)
    if param == "threshold":
        return record.needs == "labels"
    return param == "pos_label" or param in record.parameters


def check_scorer(scorer: ScorerParameters) -> Checked:
    """Check the parameters that can be checked without data."""
    record, level = get_metric(scorer.metric)
    average, beta = scorer.average, scorer.beta
    if average not in AVERAGES:
        raise ParameterError(f"average={average!r} is unknown. {suggest(str(average), AVERAGES)}")
    if average != "auto" and average not in record.averages:
        rule = f"one of {('auto', *record.averages)}" if record.averages else "'auto'"
        raise ParameterError(f"average must be {rule} for metric {record.name!r}, got {average!r}.")
    if "beta" in record.parameters:
        if beta is None or not is_number(beta) or not 0 < beta < np.inf:
            raise ParameterError(
                f"beta must be a positive number for metric 'fbeta', got {beta!r}."
            )
    elif beta is not None:
        raise ParameterError(
            f"beta applies to metric 'fbeta' only, got beta={beta!r} for {record.name!r}."
        )
    if ("costs" in record.parameters) != (scorer.costs is not None):
        raise ParameterError(
            "costs must be given for metric 'expected_cost' and for no other, got "
            f"metric={record.name!r} and costs={scorer.costs!r}."
        )
    if not is_number(scorer.zero_division) or scorer.zero_division not in (0, 1):
        raise ParameterError(f"zero_division must be 0.0 or 1.0, got {scorer.zero_division!r}.")
    constraint = _read_threshold(scorer.threshold, record)
    confidence = scorer.confidence
    if confidence is not None:
        if not is_number(confidence) or not 0 < confidence < 1:
            raise ParameterError(f"confidence must be a number in (0, 1), got {confidence!r}.")
        if constraint is None:
            raise ParameterError(
                f"confidence={confidence!r} is for a constraint such as "
                f"threshold='precision>=0.9', got threshold={scorer.threshold!r}."
            )
    return Checked(record, level, constraint)


def _read_threshold(threshold: Any, record: Metric) -> Constraint | None:
    """Check a threshold; return the constraint if it is one."""
    if threshold is None:
        return None
    if record.needs != "labels":
        raise ParameterError(
            f"threshold applies to metrics of labels, and {record.name!r} judges {record.needs}; "
            "leave it at None."
        )
    rule = "threshold must be None, a number in (0, 1), 'tuned' or a constraint 'metric>=number'"
    if isinstance(threshold, str):
        if threshold == "tuned":
            return None
        match = _CONSTRAINT.fullmatch(threshold)
        if match is None:
            raise ParameterError(f"{rule}, got {threshold!r}.")
        usable = [
            m.name
            for m in METRICS.values()
            if m.needs == "labels" and m.greater_is_better and "beta" not in m.parameters
        ]
        name = match[1]
        if name not in usable:
            raise ParameterError(f"threshold={threshold!r} is unknown. {suggest(name, usable)}")
        try:
            floor = float(match[2])
        except ValueError:
            floor = np.nan
        if not 0 < floor <= 1:
            raise ParameterError(
                f"the number of a threshold constraint must be in (0, 1], got {threshold!r}."
            )
        return Constraint(METRICS[name], floor)
    if not is_number(threshold) or not 0 < threshold < 1:
        raise ParameterError(f"{rule}, got {threshold!r}.")
    return None


def check_target(scorer: ScorerParameters, checked: Checked, target: Target) -> str | None:
    """Check what depends on the target; return the average."""
    check_kind(checked.record, target.kind)
    if checked.constraint is not None:
        legal: tuple[str, ...] = ("binary",)
    elif isinstance(scorer.threshold, str):  # "tuned"
        legal = ("binary", "multiclass")
    else:
        legal = ("binary", "multilabel")
    if scorer.threshold is not None and target.kind not in legal:
        raise ParameterError(
            f"threshold={scorer.threshold!r} needs a {' or '.join(legal)} target, got a "
            f"{target.kind} one."
        )
    if scorer.costs is not None:
        check_costs(scorer.costs, target.n_classes)
    return checked.record.resolve_average(target.kind, scorer.average)


def check_tuned(scorer: ScorerParameters, estimator: Any) -> None:
    """Raise DataError unless the estimator's threshold was tuned on its training rows."""
    from sklearn.model_selection import TunedThresholdClassifierCV

    last = last_step(getattr(estimator, "best_estimator_", estimator))
    if not isinstance(last, TunedThresholdClassifierCV):
        raise DataError(
            f"threshold={scorer.threshold!r} needs an estimator whose threshold was tuned on its "
            f"training rows, got {type(estimator).__name__}; a scorer never sees those rows. Wrap "
            "it before fitting: scorer.tune(estimator), which is scikit-learn's "
            "TunedThresholdClassifierCV."
        )
    kept = getattr(last, "constraint_kept_", last.best_score_ > CONSTRAINT_PENALTY / 1e3)
    if not kept:
        warnings.warn(
            f"no threshold kept the constraint {scorer.threshold!r} on the training rows; the one "
            "that missed it least is in use.",
            SkoptWrapWarning,
            stacklevel=3,
        )


def make_settings(
    scorer: ScorerParameters, checked: Checked, target: Target, weights: np.ndarray | None
) -> Settings:
    """Return what the metric's function needs besides the arrays."""
    record = checked.record
    own = record == get_metric(scorer.metric)[0]  # else it is the metric of the constraint
    costs = None
    if own and scorer.costs is not None:
        costs = check_costs(scorer.costs, target.n_classes)
        if target.pos_index == 0:  # metrics want the positive class last
            costs = costs[::-1, ::-1]
    return Settings(
        kind=target.kind,
        n_classes=target.n_classes,
        average=record.resolve_average(target.kind, scorer.average if own else "auto"),
        sample_weight=weights,
        zero_division=float(scorer.zero_division),
        beta=record.fixed_beta or float(scorer.beta or 1.0),
        costs=costs,
        level=checked.level,
    )
