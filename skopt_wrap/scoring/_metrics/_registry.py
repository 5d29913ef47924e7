"""The table of metrics, and how names such as "lift_at_k=5" are read."""

from __future__ import annotations

from typing import Any

from ...exceptions import DataError, ParameterError, suggest
from ._custom import make_metric
from ._labels import LABEL_METRICS
from ._metric import ALL_TARGETS, Metric
from ._probabilities import PROBABILITY_METRICS
from ._rankings import RANKING_METRICS

__all__ = ["CONSTANTS", "METRICS", "check_kind", "get_metric", "list_metrics"]

# In the order in which reports print them.
METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*LABEL_METRICS, *RANKING_METRICS, *PROBABILITY_METRICS)
}

# ``scoring.F1`` stands for a new scorer each time it is imported or read, so that changing one
# (say by set_params) changes no other.
CONSTANTS = {metric.constant: metric.name for metric in METRICS.values() if metric.constant}


def get_metric(metric: Any) -> tuple[Metric, float | None]:
    """Return the metric that a name or an object stands for, and the level written in the name.

    Raises
    ------
    ParameterError
        If no metric has this name (the nearest is named), its level is out of range, or a function
        does not say what it needs.
    """
    if isinstance(metric, Metric):
        return metric, metric.level
    if callable(metric):
        return _from_function(metric), None
    if not isinstance(metric, str):
        raise ParameterError(
            f"metric must be a name, or a function with what it needs (see make_metric), got "
            f"{metric!r} of type {type(metric).__name__}."
        )
    base, written, text = metric.partition("=")
    base = base.strip()
    if base not in METRICS:
        raise ParameterError(f"metric={metric!r} is unknown. {suggest(base, METRICS)}")
    record = METRICS[base]
    if not written:
        return record, record.level
    if record.level is None:
        raise ParameterError(f"metric {base!r} takes no number after '=', got {metric!r}.")
    try:
        level = float(text)
    except ValueError:
        level = float("nan")
    if not 0 < level <= record.level_max:
        raise ParameterError(
            f"the number of metric {base!r} must be in (0, {record.level_max:g}], got {text!r}."
        )
    return record, level


def _from_function(function: Any) -> Metric:
    """Return the metric of a function that says what it needs in its attributes."""
    needs = getattr(function, "needs", None)
    if needs is None:
        raise ParameterError(
            f"metric={function!r} does not say which prediction it needs; wrap it: "
            "make_metric(function, needs='labels'), or 'probabilities' or 'scores'."
        )
    return make_metric(
        function,
        needs=needs,
        greater_is_better=getattr(function, "greater_is_better", True),
        name=getattr(function, "name", None),
        multilabel=getattr(function, "multilabel", False),
    )


def check_kind(metric: Metric, kind: str) -> None:
    """Raise DataError when a metric is not defined for this type of target."""
    if kind in metric.targets:
        return
    others = [m.name for m in METRICS.values() if m.needs == metric.needs and kind in m.targets]
    raise DataError(
        f"metric {metric.name!r} is defined for {' and '.join(metric.targets)} targets, got a "
        f"{kind} one; metrics for it: {', '.join(others)}."
    )


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
