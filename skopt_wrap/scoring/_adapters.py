"""One call for every metric: scikit-learn's, imbalanced-learn's and our functions alike.

An adapter is ``f(y, output, settings) -> float``. For a binary target `y` holds 1 for the positive
class; for a multiclass one, class numbers; for a multilabel one, the 0/1 indicator. `output` holds
labels in the same form, or scores (1-D when binary), or probabilities (one column a class, the
positive class last when binary). Where a metric is not defined, the adapter returns a fixed value,
never NaN: 0.5 for ROC AUC, `zero_division` for ratios, 0 for chance-corrected agreement.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sklearn import metrics
from sklearn.exceptions import UndefinedMetricWarning

from ._metrics import _functions as functions
from ._metrics._confusion import confusion_matrix_of
from ._metrics._confusion import geometric_mean as stacked_geometric_mean
from ._metrics._confusion import index_balanced_accuracy as stacked_index_balanced_accuracy

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """What an adapter may need besides the arrays; `costs` has the positive class last."""

    kind: str
    n_classes: int
    average: str | None = None
    sample_weight: np.ndarray | None = None
    zero_division: float = 0.0
    beta: float = 1.0
    costs: np.ndarray | None = None
    level: float | None = None


@contextmanager
def _undefined_is_known() -> Iterator[None]:
    """Silence scikit-learn's notice of an undefined value: the caller replaces and reports it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", message="A single label was found")
        warnings.filterwarnings("ignore", message="invalid value encountered")
        yield


def _count_metric(function: Callable) -> Callable:
    def adapter(y, output, s: Settings) -> float:
        extra = {"beta": s.beta} if function is metrics.fbeta_score else {}
        return function(
            y, output, average=s.average, sample_weight=s.sample_weight,
            zero_division=s.zero_division, **extra,
        )  # fmt: skip

    return adapter


fbeta = _count_metric(metrics.fbeta_score)
precision = _count_metric(metrics.precision_score)
recall = _count_metric(metrics.recall_score)


def accuracy(y, output, s: Settings) -> float:
    """Accuracy; for a multilabel target, of whole rows."""
    return metrics.accuracy_score(y, output, sample_weight=s.sample_weight)


def balanced_accuracy(y, output, s: Settings) -> float:
    """Mean recall over the classes that have rows."""
    with _undefined_is_known():
        return metrics.balanced_accuracy_score(y, output, sample_weight=s.sample_weight)


def matthews(y, output, s: Settings) -> float:
    """Matthews correlation."""
    with _undefined_is_known():
        return metrics.matthews_corrcoef(y, output, sample_weight=s.sample_weight)


def kappa(weights: str | None) -> Callable:
    """Cohen's kappa with these weights; distances follow the sorted order of the classes."""

    def adapter(y, output, s: Settings) -> float:
        labels = np.arange(max(s.n_classes, 2))
        with _undefined_is_known():
            value = metrics.cohen_kappa_score(
                y, output, labels=labels, weights=weights, sample_weight=s.sample_weight
            )
        return value if np.isfinite(value) else 0.0

    return adapter


# imbalanced-learn counts true negatives as "number of rows minus weighted rest", which is wrong for
# weights of a mean other than 1, and rounds below zero (a NaN) for others. So weighted values come
# from the confusion matrix; the tests hold both forms equal.


def geometric_mean(y, output, s: Settings) -> float:
    """Geometric mean of sensitivity and specificity, or of the recalls of all classes."""
    from imblearn.metrics import geometric_mean_score

    if s.sample_weight is not None:
        matrix = confusion_matrix_of(y, output, s.n_classes, s.sample_weight)
        return float(stacked_geometric_mean(matrix, s.average))
    with _undefined_is_known():
        return geometric_mean_score(y, output, average=s.average)


def index_balanced_accuracy(y, output, s: Settings) -> float:
    """Index of balanced accuracy of the geometric mean, squared, alpha 0.1."""
    from imblearn.metrics import geometric_mean_score, make_index_balanced_accuracy

    if s.sample_weight is not None:
        matrix = confusion_matrix_of(y, output, s.n_classes, s.sample_weight)
        return float(stacked_index_balanced_accuracy(matrix, s.average))
    function = make_index_balanced_accuracy(alpha=0.1, squared=True)(geometric_mean_score)
    with _undefined_is_known():
        return function(y, output, average=s.average)


def expected_cost(y, output, s: Settings) -> float:
    """Mean cost of a row."""
    return functions.expected_cost_score(
        y, output, s.costs, labels=np.arange(s.n_classes), sample_weight=s.sample_weight
    )


def _ranked(function: Callable, *, both_classes: bool, fallback: Callable) -> Callable:
    """Average a binary ranking metric over one-vs-rest columns, leaving undefined ones out."""

    def one(y, scores, s: Settings, weight) -> float | None:
        seen = y if weight is None else y[weight > 0]
        if not seen.any() or (both_classes and seen.all()):
            return None
        return function(y, scores, s, weight)

    def adapter(y, output, s: Settings) -> float:
        weight = s.sample_weight
        if s.kind == "binary" and s.average == "binary":
            value = one(y, output, s, weight)
            return fallback(s) if value is None else value
        if s.kind == "binary":
            y, output = np.column_stack([1 - y, y]), np.column_stack([-output, output])
        elif s.kind == "multiclass":
            y = (y[:, None] == np.arange(s.n_classes)).astype(np.int64)
        if s.average == "micro":
            repeated = None if weight is None else np.repeat(weight, y.shape[1])
            value = one(y.ravel(), output.ravel(), s, repeated)
            return fallback(s) if value is None else value
        values = [one(y[:, j], output[:, j], s, weight) for j in range(y.shape[1])]
        support = y.sum(axis=0) if weight is None else weight @ y
        kept = [j for j, value in enumerate(values) if value is not None]
        if not kept:
            return fallback(s)
        share = support[kept] if s.average == "weighted" else None
        return float(np.average([values[j] for j in kept], weights=share))

    return adapter


def _level_metric(function: Callable, keyword: str) -> Callable:
    def binary(y, scores, s: Settings, weight) -> float:
        return function(y, scores, sample_weight=weight, **{keyword: s.level})

    return _ranked(binary, both_classes=False, fallback=lambda s: s.zero_division)


average_precision = _ranked(
    lambda y, scores, s, w: metrics.average_precision_score(y, scores, sample_weight=w),
    both_classes=False,
    fallback=lambda s: s.zero_division,
)
roc_auc = _ranked(
    lambda y, scores, s, w: metrics.roc_auc_score(y, scores, sample_weight=w),
    both_classes=True,
    fallback=lambda s: 0.5,
)
precision_at_recall = _level_metric(functions.precision_at_recall_score, "recall")
recall_at_precision = _level_metric(functions.recall_at_precision_score, "precision")
recall_at_k = _level_metric(functions.recall_at_k_score, "k")
lift_at_k = _level_metric(functions.lift_at_k_score, "k")


def _mean_over_labels(function: Callable) -> Callable:
    """Apply a probability metric to each label of a multilabel target and average."""

    def adapter(y, output, s: Settings) -> float:
        if s.kind != "multilabel":
            return function(y, output, s)
        return float(
            np.mean(
                [
                    function(y[:, j], np.column_stack([1 - output[:, j], output[:, j]]), s)
                    for j in range(y.shape[1])
                ]
            )
        )

    return adapter


def _is_two_class(s: Settings) -> bool:
    return s.kind != "multiclass"


@_mean_over_labels
def brier(y, output, s: Settings) -> float:
    """Brier score; for several classes the sum over the classes, as scikit-learn's."""
    output = output.astype(np.float64)
    if _is_two_class(s):
        return metrics.brier_score_loss(
            y, np.clip(output[:, 1], 0, 1), sample_weight=s.sample_weight, pos_label=1
        )
    # scikit-learn's own checks refuse rows that are off 1 by float32's rounding
    output = output / output.sum(axis=1, keepdims=True)
    return metrics.brier_score_loss(
        y, output, sample_weight=s.sample_weight, labels=np.arange(s.n_classes)
    )


@_mean_over_labels
def cross_entropy(y, output, s: Settings) -> float:
    """Log loss; probabilities are clipped at the rounding of their own precision."""
    labels = np.arange(2 if _is_two_class(s) else s.n_classes)
    return metrics.log_loss(y, output, sample_weight=s.sample_weight, labels=labels)


@_mean_over_labels
def calibration_error(y, output, s: Settings) -> float:
    """Calibration error of the positive class, or of the class predicted when there are several."""
    output = np.clip(output.astype(np.float64), 0, 1)
    return functions.expected_calibration_error(
        y, output[:, 1] if _is_two_class(s) else output, sample_weight=s.sample_weight
    )
