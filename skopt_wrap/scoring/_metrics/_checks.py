"""Checks of the arrays that the functions of this folder take."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exceptions import DataError
from .._targets import check_weights

__all__ = ["binary_arrays"]


def binary_arrays(
    y_true: Any, y_score: Any, sample_weight: Any, name: str = "y_score"
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return labels 0 and 1, scores and weights as arrays of one length, or raise DataError."""
    y_true = np.asarray(y_true)
    y_score = np.asarray(y_score, dtype=np.float64)
    if y_true.ndim != 1 or y_true.size == 0 or not np.isin(y_true, (0, 1)).all():
        raise DataError(
            "y_true must be a non-empty 1-D array of 0 (negative) and 1 (positive), got shape "
            f"{y_true.shape}."
        )
    if y_score.shape != y_true.shape:
        raise DataError(f"{name} must have y_true's shape {y_true.shape}, got {y_score.shape}.")
    if not np.isfinite(y_score).all():
        raise DataError(f"{name} must be finite, got NaN or infinity.")
    return y_true.astype(np.int64), y_score, check_weights(sample_weight, len(y_true))
