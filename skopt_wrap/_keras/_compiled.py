"""What a Keras model was compiled with: its arguments, its metrics, its learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ._backend import load_keras


def compile_arguments(model: Any) -> dict[str, Any]:
    """Return the arguments that ``model.compile`` was called with, not copied.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    """
    return dict(model._compile_config.config)


def metric_function(metric: Any) -> tuple[Callable[..., Any], Mapping[str, Any]]:
    """Return the function that a ``MeanMetricWrapper`` averages, and its keyword arguments."""
    return metric._fn, dict(metric._fn_kwargs)


def built_metrics(model: Any) -> list[tuple[Any, bool]] | None:
    """Return the metrics of `model`, each with whether it counts the sample weights.

    None when Keras has not created them yet, which it does at the first batch.
    """
    compiled = model._compile_metrics
    if not compiled.built:
        return None
    pairs = []
    for groups, weighted in (
        (compiled._flat_metrics, False),
        (compiled._flat_weighted_metrics, True),
    ):
        pairs += [(m, weighted) for group in groups if group is not None for m in group.metrics]
    return pairs


def learning_rate_schedule(optimizer: Any) -> Any:
    """Return the schedule or function that gives the learning rate, or None for a plain one."""
    rate = optimizer._learning_rate
    return None if isinstance(rate, load_keras().Variable) else rate
