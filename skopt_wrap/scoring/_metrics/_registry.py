"""The table of metrics: one frozen record each, and how names such as "lift_at_k=5" are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...exceptions import DataError, ParameterError, suggest
from .. import _adapters as adapters
from . import _confusion as confusion

__all__ = ["METRICS", "Metric", "get_metric", "list_metrics"]

ALL_TARGETS = ("binary", "multiclass", "multilabel")
SINGLE_LABEL = ("binary", "multiclass")
_COUNT = ("binary", "macro", "micro", "weighted", "samples")
_RANK = ("binary", "macro", "micro", "weighted")


@dataclass(frozen=True)
class Metric:
    """What the package knows of one metric.

    Attributes
    ----------
    name : str
        Name that callers write.
    title : str
        Name that tables print.
    needs : {"labels", "probabilities", "scores"}
        Which prediction it judges.
    function : callable
        ``function(y, output, settings) -> float``; see :mod:`._adapters`.
    greater_is_better : bool
        False for losses, which the scorer negates.
    targets : tuple of str
        Target types it is defined for.
    averages : tuple of str
        Legal values of `average` besides "auto"; empty when it does not average.
    default_average : dict
        What "auto" means for each target type, where it is not "binary" or "macro".
    parameters : frozenset of str
        Which of beta, costs, zero_division it uses.
    level : float or None
        Default of the number that its name may carry ("lift_at_k=5").
    level_max : float
        Greatest legal level; levels are greater than 0.
    fixed_beta : float or None
        Beta of an F score that has it in its name.
    from_confusion : callable or None
        ``from_confusion(matrices, settings)``, the same metric of stacked confusion matrices.
    """

    name: str
    title: str
    needs: str
    function: Callable[[Any, Any, Any], float]
    greater_is_better: bool = True
    targets: tuple[str, ...] = ALL_TARGETS
    averages: tuple[str, ...] = ()
    default_average: dict[str, str] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    level: float | None = None
    level_max: float = 1.0
    fixed_beta: float | None = None
    from_confusion: Callable[[np.ndarray, Any], np.ndarray] | None = None

    def check_target(self, kind: str) -> None:
        """Raise DataError when the metric is not defined for this type of target."""
        if kind not in self.targets:
            others = [m.name for m in METRICS.values() if m.needs == self.needs]
            others = [n for n in others if kind in METRICS[n].targets]
            raise DataError(
                f"metric {self.name!r} is defined for {' and '.join(self.targets)} targets, got a "
                f"{kind} one; metrics for it: {', '.join(others)}."
            )

    def resolve_average(self, kind: str, average: str) -> str | None:
        """Return the average for this type of target, or raise ParameterError."""
        if not self.averages:
            return None
        if average == "auto":
            return self.default_average.get(kind, "binary" if kind == "binary" else "macro")
        if average == "binary" and kind != "binary":
            raise ParameterError(f"average='binary' needs a binary target, got a {kind} one.")
        if average == "samples" and kind != "multilabel":
            raise ParameterError(f"average='samples' needs a multilabel target, got a {kind} one.")
        return average


def _table(*records: Metric) -> dict[str, Metric]:
    return {record.name: record for record in records}


def _f(beta: float | None) -> Callable[..., np.ndarray]:
    def of_stack(c: np.ndarray, s: Any) -> np.ndarray:
        used = s.beta if beta is None else beta
        return confusion.fbeta(c, used, s.average, s.zero_division)

    return of_stack


_ZERO = frozenset({"zero_division"})

METRICS: dict[str, Metric] = _table(
    Metric(
        "accuracy", "Accuracy", "labels", adapters.accuracy,
        from_confusion=lambda c, s: confusion.accuracy(c),
    ),
    Metric(
        "f1", "F1", "labels", adapters.fbeta, averages=_COUNT, parameters=_ZERO, fixed_beta=1.0,
        from_confusion=_f(1.0),
    ),
    Metric(
        "f2", "F2", "labels", adapters.fbeta, averages=_COUNT, parameters=_ZERO, fixed_beta=2.0,
        from_confusion=_f(2.0),
    ),
    Metric(
        "fbeta", "F-beta", "labels", adapters.fbeta, averages=_COUNT,
        parameters=_ZERO | {"beta"}, from_confusion=_f(None),
    ),
    Metric(
        "precision", "Precision", "labels", adapters.precision, averages=_COUNT, parameters=_ZERO,
        from_confusion=lambda c, s: confusion.precision(c, s.average, s.zero_division),
    ),
    Metric(
        "recall", "Recall", "labels", adapters.recall, averages=_COUNT, parameters=_ZERO,
        from_confusion=lambda c, s: confusion.recall(c, s.average, s.zero_division),
    ),
    Metric(
        "balanced_accuracy", "Balanced accuracy", "labels", adapters.balanced_accuracy,
        targets=SINGLE_LABEL, from_confusion=lambda c, s: confusion.balanced_accuracy(c),
    ),
    Metric(
        "geometric_mean", "Geometric mean", "labels", adapters.geometric_mean,
        targets=SINGLE_LABEL, averages=("binary", "macro", "micro", "weighted", "multiclass"),
        default_average={"multiclass": "multiclass"},
        from_confusion=lambda c, s: confusion.geometric_mean(c, s.average),
    ),
    Metric(
        "index_balanced_accuracy", "Index of balanced accuracy", "labels",
        adapters.index_balanced_accuracy, targets=SINGLE_LABEL,
        averages=("binary", "macro", "micro", "weighted"),
        from_confusion=lambda c, s: confusion.index_balanced_accuracy(c, s.average),
    ),
    Metric(
        "cohen_kappa", "Cohen's kappa", "labels", adapters.kappa(None), targets=SINGLE_LABEL,
        from_confusion=lambda c, s: confusion.kappa(c),
    ),
    Metric(
        "cohen_kappa_linear", "Cohen's kappa, linear", "labels", adapters.kappa("linear"),
        targets=SINGLE_LABEL, from_confusion=lambda c, s: confusion.kappa(c, "linear"),
    ),
    Metric(
        "cohen_kappa_quadratic", "Cohen's kappa, quadratic", "labels", adapters.kappa("quadratic"),
        targets=SINGLE_LABEL, from_confusion=lambda c, s: confusion.kappa(c, "quadratic"),
    ),
    Metric(
        "matthews_corrcoef", "Matthews correlation", "labels", adapters.matthews,
        targets=SINGLE_LABEL, from_confusion=lambda c, s: confusion.matthews(c),
    ),
    Metric(
        "expected_cost", "Expected cost", "labels", adapters.expected_cost,
        greater_is_better=False, targets=SINGLE_LABEL, parameters=frozenset({"costs"}),
        from_confusion=lambda c, s: confusion.expected_cost(c, s.costs),
    ),
    Metric(
        "average_precision", "Average precision", "scores", adapters.average_precision,
        averages=_RANK, parameters=_ZERO,
    ),
    Metric("roc_auc", "ROC AUC", "scores", adapters.roc_auc, averages=_RANK),
    Metric(
        "precision_at_recall", "Precision at recall", "scores", adapters.precision_at_recall,
        averages=_RANK, parameters=_ZERO, level=0.9,
    ),
    Metric(
        "recall_at_precision", "Recall at precision", "scores", adapters.recall_at_precision,
        averages=_RANK, parameters=_ZERO, level=0.9,
    ),
    Metric(
        "recall_at_k", "Recall at k %", "scores", adapters.recall_at_k,
        averages=_RANK, parameters=_ZERO, level=10.0, level_max=100.0,
    ),
    Metric(
        "lift_at_k", "Lift at k %", "scores", adapters.lift_at_k,
        averages=_RANK, parameters=_ZERO, level=10.0, level_max=100.0,
    ),
    Metric("brier_score", "Brier score", "probabilities", adapters.brier, greater_is_better=False),
    Metric("log_loss", "Log loss", "probabilities", adapters.cross_entropy,
           greater_is_better=False),
    Metric(
        "expected_calibration_error", "Expected calibration error", "probabilities",
        adapters.calibration_error, greater_is_better=False,
    ),
)  # fmt: skip


def get_metric(name: Any) -> tuple[Metric, float | None]:
    """Return the record that a name stands for, and the level written in it.

    Raises
    ------
    ParameterError
        If no metric has this name (the nearest is named), or its level is out of range.
    """
    if not isinstance(name, str):
        raise ParameterError(f"metric must be a name, got {name!r} of type {type(name).__name__}.")
    base, written, text = name.partition("=")
    base = base.strip()
    if base not in METRICS:
        raise ParameterError(f"metric={name!r} is unknown. {suggest(base, METRICS)}")
    record = METRICS[base]
    if not written:
        return record, record.level
    if record.level is None:
        raise ParameterError(f"metric {base!r} takes no number after '=', got {name!r}.")
    try:
        level = float(text)
    except ValueError:
        level = float("nan")
    if not 0 < level <= record.level_max:
        raise ParameterError(
            f"the number of metric {base!r} must be in (0, {record.level_max:g}], got {text!r}."
        )
    return record, level


def list_metrics(target: str | None = None) -> list[str]:
    """Return the names that `metric` accepts.

    Parameters
    ----------
    target : {"binary", "multiclass", "multilabel"}, default=None
        Only metrics that are defined for this type of target.

    Returns
    -------
    names : list of str
        Sorted.

    Raises
    ------
    ParameterError
        If `target` is no type of target.

    Examples
    --------
    >>> from skopt_wrap.scoring import list_metrics
    >>> "f1" in list_metrics("multilabel"), "cohen_kappa" in list_metrics("multilabel")
    (True, False)
    """
    if target is not None and target not in ALL_TARGETS:
        raise ParameterError(f"target={target!r} is unknown. {suggest(str(target), ALL_TARGETS)}")
    return sorted(m.name for m in METRICS.values() if target is None or target in m.targets)
