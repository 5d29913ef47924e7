"""Label metrics of whole stacks of confusion matrices at once.

scikit-learn scores one set of predictions a call. Bootstrap intervals and curves against the
threshold need thousands of confusion matrices, so these functions take an array of shape
``(..., n_classes, n_classes)`` with the true class in rows, and return an array of shape ``(...)``.
Binary matrices hold the negative class first. The tests hold them equal to scikit-learn's and
imbalanced-learn's functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "confusion_matrix_of",
    "expected_cost",
    "fbeta",
    "geometric_mean",
    "index_balanced_accuracy",
    "kappa",
    "matthews",
    "precision",
    "recall",
]


def confusion_matrix_of(
    true: np.ndarray,
    predicted: np.ndarray,
    n_classes: int,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray:
    """Return the (weighted) confusion matrix of integer codes, true classes in rows."""
    flat = np.bincount(
        true * n_classes + predicted, weights=sample_weight, minlength=n_classes * n_classes
    )
    return flat.reshape(n_classes, n_classes).astype(np.float64)


def _divide(numerator: Any, denominator: Any, default: float) -> np.ndarray:
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, float), np.asarray(denominator, float)
    )
    out = np.full(denominator.shape, float(default))
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def _parts(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True positives, predicted and true totals of each class, shape (..., n_classes)."""
    return np.einsum("...ii->...i", matrix), matrix.sum(axis=-2), matrix.sum(axis=-1)


def _averaged(
    matrix: np.ndarray,
    average: str | None,
    zero_division: float,
    ratio: Callable[[Any, Any, Any, float], np.ndarray],
) -> np.ndarray:
    hit, predicted, true = _parts(matrix)
    if average == "binary":
        return ratio(hit[..., 1], predicted[..., 1], true[..., 1], zero_division)
    if average == "micro":
        return ratio(hit.sum(-1), predicted.sum(-1), true.sum(-1), zero_division)
    each = ratio(hit, predicted, true, zero_division)
    weight = true if average == "weighted" else ((predicted + true) > 0).astype(float)
    return _divide((each * weight).sum(-1), weight.sum(-1), zero_division)


def precision(
    matrix: np.ndarray, average: str | None = "binary", zero_division: float = 0.0
) -> np.ndarray:
    """Return the fraction of predicted positives that are positive."""
    return _averaged(
        matrix, average, zero_division, lambda hit, pred, _, zero: _divide(hit, pred, zero)
    )


def recall(
    matrix: np.ndarray, average: str | None = "binary", zero_division: float = 0.0
) -> np.ndarray:
    """Return the fraction of positives that are predicted positive."""
    return _averaged(
        matrix, average, zero_division, lambda hit, _, true, zero: _divide(hit, true, zero)
    )


def fbeta(
    matrix: np.ndarray,
    beta: float = 1.0,
    average: str | None = "binary",
    zero_division: float = 0.0,
) -> np.ndarray:
    """Return the weighted harmonic mean of precision and recall."""
    square = beta * beta
    return _averaged(
        matrix,
        average,
        zero_division,
        lambda hit, pred, true, zero: _divide((1 + square) * hit, square * true + pred, zero),
    )


def accuracy(matrix: np.ndarray) -> np.ndarray:
    """Return the fraction of rows on the diagonal."""
    hit, _, true = _parts(matrix)
    return _divide(hit.sum(-1), true.sum(-1), 0.0)


def balanced_accuracy(matrix: np.ndarray) -> np.ndarray:
    """Return the mean recall over the classes that have rows."""
    hit, _, true = _parts(matrix)
    present = true > 0
    return _divide(_divide(hit, true, 0.0).sum(-1), present.sum(-1), 0.0)


def kappa(matrix: np.ndarray, weights: str | None = None) -> np.ndarray:
    """Return Cohen's kappa, 0 where agreement by chance is certain."""
    n_classes = matrix.shape[-1]
    distance = np.abs(np.subtract.outer(np.arange(n_classes), np.arange(n_classes))).astype(float)
    if weights is None:
        distance = (distance > 0).astype(float)
    elif weights == "quadratic":
        distance = distance**2
    _, predicted, true = _parts(matrix)
    chance = true[..., :, None] * predicted[..., None, :]
    observed = (distance * matrix).sum((-2, -1))
    expected = (distance * chance).sum((-2, -1))
    total = true.sum(-1)
    disagreement = _divide(observed * total, expected, 1.0)
    return 1.0 - disagreement


def matthews(matrix: np.ndarray) -> np.ndarray:
    """Return the Matthews correlation coefficient, 0 where it is not defined."""
    hit, predicted, true = _parts(matrix)
    total = true.sum(-1)
    covariance = hit.sum(-1) * total - (predicted * true).sum(-1)
    spread = (total**2 - (predicted**2).sum(-1)) * (total**2 - (true**2).sum(-1))
    return _divide(covariance, np.sqrt(np.maximum(spread, 0.0)), 0.0)


def _sensitivity_specificity(
    matrix: np.ndarray, average: str | None
) -> tuple[np.ndarray, np.ndarray]:
    hit, predicted, true = _parts(matrix)
    total = true.sum(-1, keepdims=True)
    rest = np.maximum(total - predicted - true + hit, 0.0)  # rounding can fall below zero
    wrong = np.maximum(predicted - hit, 0.0)
    if average == "micro":
        hit, true, rest, wrong = (a.sum(-1, keepdims=True) for a in (hit, true, rest, wrong))
    sensitivity, specificity = _divide(hit, true, 0.0), _divide(rest, rest + wrong, 0.0)
    if average == "binary":
        return sensitivity[..., 1], specificity[..., 1]
    if average == "micro":
        return sensitivity[..., 0], specificity[..., 0]
    weight = true if average == "weighted" else ((predicted + true) > 0).astype(float)
    total = weight.sum(-1)
    return (
        _divide((sensitivity * weight).sum(-1), total, 0.0),
        _divide((specificity * weight).sum(-1), total, 0.0),
    )


def geometric_mean(matrix: np.ndarray, average: str | None = "binary") -> np.ndarray:
    """Return the root of sensitivity times specificity.

    ``average="multiclass"`` gives the geometric mean of the recalls of all classes with rows.
    """
    if average == "multiclass":
        hit, _, true = _parts(matrix)
        present = true > 0
        each = _divide(hit, true, 0.0)
        with np.errstate(divide="ignore"):
            logs = np.where(present, np.log(np.where(present, each, 1.0)), 0.0)
        return np.exp(_divide(logs.sum(-1), present.sum(-1), -np.inf))
    sensitivity, specificity = _sensitivity_specificity(matrix, average)
    return np.sqrt(sensitivity * specificity)


def index_balanced_accuracy(
    matrix: np.ndarray, average: str | None = "binary", alpha: float = 0.1
) -> np.ndarray:
    """Return the index of balanced accuracy of the squared geometric mean."""
    sensitivity, specificity = _sensitivity_specificity(matrix, average)
    return (1.0 + alpha * (sensitivity - specificity)) * sensitivity * specificity


def expected_cost(matrix: np.ndarray, costs: Any) -> np.ndarray:
    """Return the mean cost of a row; ``costs[i, j]`` is that of predicting j when i is true."""
    return _divide((matrix * costs).sum((-2, -1)), matrix.sum((-2, -1)), 0.0)
