"""From a target and a prediction to a number: thresholds, missing classes, undefined values."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...exceptions import DataError, SkoptWrapWarning
from .._targets import Target, as_scalar
from ._metric import Metric, Settings

__all__ = ["apply_threshold", "evaluate", "ordered_codes", "warn_missing"]


def apply_threshold(probabilities: np.ndarray, target: Target, threshold: float) -> np.ndarray:
    """Return label codes: positive from `threshold` on."""
    if target.kind == "multilabel":
        return (probabilities >= threshold).astype(np.int64)
    positive = probabilities[:, target.pos_index] >= threshold
    return positive.astype(np.int64) if target.pos_index == 1 else 1 - positive.astype(np.int64)


def evaluate(metric: Metric, target: Target, output: np.ndarray, settings: Settings) -> float:
    """Compute a metric of a target and a prediction, as it is published (losses not negated).

    Raises
    ------
    DataError
        If the result is NaN or infinite.
    """
    value = metric.compute(target, output, settings)
    if not np.isfinite(value):
        raise DataError(
            f"metric {metric.name!r} is not defined for these rows and predictions, got {value}."
        )
    return value


def warn_missing(metric: Metric, target: Target, missing: list[Any], value: float) -> None:
    """Tell that classes have no row, and what the metric was taken to be."""
    if target.kind == "multilabel":
        what = f"labels {missing} are the same in every row of y"
    elif missing:
        what = f"y holds no row of {', '.join(map(repr, missing))}"
    else:
        what = f"y holds the single class {as_scalar(target.classes[0])!r}"
    pos = f" (positive class {target.pos_label!r})" if target.kind == "binary" else ""
    warnings.warn(
        f"{what}; {metric.name}{pos} is taken as {value:g}. Stratify the folds or use fewer.",
        SkoptWrapWarning,
        stacklevel=4,
    )


def ordered_codes(target: Target, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return true and predicted codes with the positive class last, and the number of classes."""
    if target.kind == "binary":
        return target.to_binary(target.codes), target.to_binary(labels), 2
    return target.codes, labels, target.n_classes
