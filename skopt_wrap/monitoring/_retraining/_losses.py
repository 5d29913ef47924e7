"""Losses in [0, 1] of a model on rows, for duels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exceptions import DataError


def class_losses(model: Any, X: Any, y: np.ndarray, loss: str) -> np.ndarray:
    """Return the loss of each row of a classifier: 0 or 1, or half the Brier score.

    Raises
    ------
    DataError
        If a probability is NaN.
    """
    if loss == "zero_one":
        return (np.asarray(model.predict(X)) != y).astype(np.float64)
    proba = np.asarray(model.predict_proba(X), dtype=np.float64)
    if not np.isfinite(proba).all():
        raise DataError("predict_proba gives NaN. Look at whether the training diverged.")
    truth = np.asarray(model.classes_)[None, :] == np.asarray(y)[:, None]
    outside = ~truth.any(axis=1)  # a class that this model has not seen
    return (((proba - truth) ** 2).sum(axis=1) + outside) / 2


def number_losses(model: Any, X: Any, y: np.ndarray, loss: str, scale: float) -> np.ndarray:
    """Return the loss of each row of a regressor: its error, in units of `scale`, at most 1.

    Raises
    ------
    DataError
        If a prediction is NaN.
    """
    predicted = np.asarray(model.predict(X), dtype=np.float64).reshape(len(y))
    if not np.isfinite(predicted).all():
        raise DataError("predictions are NaN or infinite. Look at whether the training diverged.")
    errors = np.minimum(np.abs(predicted - y) / scale, 1.0)
    return errors if loss == "absolute" else errors**2


def error_scale(model: Any, X: Any, y: np.ndarray) -> float:
    """Return four times the median absolute error, or more if the errors are mostly zero."""
    errors = np.abs(np.asarray(model.predict(X), dtype=np.float64).reshape(len(y)) - y)
    for value in (4 * np.median(errors), errors.max(), np.std(y)):
        if np.isfinite(value) and value > 0:
            return float(value)
    return 1.0
