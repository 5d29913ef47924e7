"""Metrics of probabilities: how far they are from what happened. One object each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics

from .._targets import Target
from ._calibration import expected_calibration_error
from ._metric import Metric, Settings

__all__ = ["PROBABILITY_METRICS"]

Function = Callable[[Any, Any, Settings], float]


def _mean_over_labels(function: Function) -> Function:
    """Apply a metric of probabilities to each label of a multilabel target, and average."""

    def averaged(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
        if s.kind != "multilabel":
            return function(y, output, s)
        values = [
            function(y[:, j], np.column_stack([1 - output[:, j], output[:, j]]), s)
            for j in range(y.shape[1])
        ]
        return float(np.mean(values))

    return averaged


def _two_classes(s: Settings) -> bool:
    return s.kind != "multiclass"


@_mean_over_labels
def _brier(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Brier score; for several classes the sum over the classes, as scikit-learn's."""
    output = output.astype(np.float64)
    if _two_classes(s):
        return metrics.brier_score_loss(
            y, np.clip(output[:, 1], 0, 1), sample_weight=s.sample_weight, pos_label=1
        )
    # scikit-learn's own checks refuse rows whose sum is off 1 by float32's rounding
    output = output / output.sum(axis=1, keepdims=True)
    return metrics.brier_score_loss(
        y, output, sample_weight=s.sample_weight, labels=np.arange(s.n_classes)
    )


@_mean_over_labels
def _log_loss(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Log loss; scikit-learn clips probabilities at the rounding of their own precision."""
    labels = np.arange(2 if _two_classes(s) else s.n_classes)
    return metrics.log_loss(y, output, sample_weight=s.sample_weight, labels=labels)


@_mean_over_labels
def _calibration_error(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Calibration error of the positive class, or of the class predicted when there are several."""
    output = np.clip(output.astype(np.float64), 0, 1)
    return expected_calibration_error(
        y, output[:, 1] if _two_classes(s) else output, sample_weight=s.sample_weight
    )


def _squared_errors(target: Target, output: np.ndarray) -> np.ndarray:
    stated = output.astype(np.float64)
    if target.kind == "multilabel":
        return ((stated - target.codes) ** 2).mean(axis=1)
    truth = target.codes[:, None] == np.arange(target.n_classes)
    squares = ((stated - truth) ** 2).sum(axis=1)
    return squares / 2 if target.kind == "binary" else squares


def _log_losses(target: Target, output: np.ndarray) -> np.ndarray:
    floor = np.finfo(output.dtype).eps
    if target.kind == "multilabel":
        stated = output.astype(np.float64)
        given = np.where(target.codes == 1, stated, 1 - stated)
        return -np.log(np.clip(given, floor, 1 - floor)).mean(axis=1)
    given = output[np.arange(target.n_samples), target.codes]
    return -np.log(np.clip(given, floor, 1 - floor).astype(np.float64))


PROBABILITY_METRICS = (
    Metric(
        "brier_score",
        "Brier score",
        "probabilities",
        _brier,
        greater_is_better=False,
        sample_values=_squared_errors,
        constant="BRIER_SCORE",
        in_report=True,
    ),
    Metric(
        "log_loss",
        "Log loss",
        "probabilities",
        _log_loss,
        greater_is_better=False,
        sample_values=_log_losses,
        constant="LOG_LOSS",
        in_report=True,
    ),
    Metric(
        "expected_calibration_error",
        "Expected calibration error",
        "probabilities",
        _calibration_error,
        greater_is_better=False,
        biased=True,
        constant="EXPECTED_CALIBRATION_ERROR",
        in_report=True,
    ),
)
