"""What the plots share: they read a target of two classes, its probabilities and threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._sklearn import tuned_positive_label
from ...exceptions import DataError
from .. import _responses as responses
from .._folds import pool_folds
from .._targets import Target, read_target
from .._tuned_threshold import TunedThresholdClassifier

__all__ = [
    "plain_labels",
    "pool_two_classes",
    "read_two_classes",
    "stated_probabilities",
    "tuned_threshold",
]


def plain_labels(y: Any) -> np.ndarray:
    """Return labels as scikit-learn compares them with a positive class."""
    values = np.asarray(y)
    return values.astype(str) if values.dtype.kind == "O" else values


def read_two_classes(y: Any, known: Any, pos_label: Any, display: str) -> Target:
    """Return the target; parameters as of :func:`read_target`, and who asks for it.

    Raises
    ------
    DataError
        If not both of two classes have rows.
    """
    target = read_target(y, known, pos_label)
    if target.kind != "binary" or (target.counts > 0).sum() != 2:
        raise DataError(
            f"{display} needs rows of two classes, got a {target.kind} target with counts "
            f"{target.counts.tolist()}."
        )
    return target


def stated_probabilities(target: Target, probabilities: Any) -> np.ndarray:
    """Return probabilities of shape (n, 2); those of shape (n,) are of the positive class."""
    values = np.asarray(probabilities)
    if values.ndim == 1 and target.pos_index == 0:
        values = 1.0 - values  # columns follow the sorted classes
    return responses.shape_probabilities(values, target)


def pool_two_classes(
    cv_results: Any, X: Any, y: Any, pos_label: Any, display: str
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return the labels held out, the probabilities of their positive class, and that class.

    Raises
    ------
    DataError
        As :func:`pool_folds` and :func:`read_two_classes`.
    """
    rows, target, stated = pool_folds(cv_results, X, y, pos_label, display)
    held = np.asarray(y)[rows]
    read_two_classes(held, None, pos_label, display)
    return held, stated[:, target.pos_index], target.pos_label


def tuned_threshold(estimator: Any, target: Target) -> float | None:
    """Return the probability from which a tuned estimator takes the positive class, or None."""
    from sklearn.model_selection import TunedThresholdClassifierCV

    tuned = isinstance(estimator, TunedThresholdClassifierCV)
    if not tuned or estimator.response_method == "decision_function":
        return None
    if isinstance(estimator, TunedThresholdClassifier):
        pos_label = estimator.pos_label_
    else:
        pos_label = tuned_positive_label(estimator)
    upper = target.classes[-1] if pos_label is None else pos_label
    threshold = float(estimator.best_threshold_)
    # thresholds of the other class's probability, or of a decision function, are not this axis
    return threshold if upper == target.pos_label and 0 <= threshold <= 1 else None
