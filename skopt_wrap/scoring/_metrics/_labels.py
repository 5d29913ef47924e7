"""Metrics of predicted labels: one object each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.exceptions import UndefinedMetricWarning

from .._targets import Target
from . import _confusion as confusion
from ._costs import expected_cost_score
from ._metric import SINGLE_LABEL, Metric, Settings

__all__ = ["LABEL_METRICS"]

Function = Callable[[Any, Any, Settings], float]

_AVERAGES = ("binary", "macro", "micro", "weighted", "samples")
_ZERO_DIVISION = frozenset({"zero_division"})


@contextmanager
def _undefined_is_known() -> Iterator[None]:
    """Silence scikit-learn's notice of an undefined value: the caller replaces and reports it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", message="A single label was found")
        warnings.filterwarnings("ignore", message="invalid value encountered")
        yield


def _ratio(function: Callable[..., float]) -> Function:
    """Return a metric of scikit-learn that divides counts, with the parameters it takes."""

    def ratio(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
        extra = {"beta": s.beta} if function is metrics.fbeta_score else {}
        return function(
            y,
            output,
            average=s.average,
            sample_weight=s.sample_weight,
            zero_division=s.zero_division,
            **extra,
        )

    return ratio


_fbeta = _ratio(metrics.fbeta_score)


def _accuracy(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Accuracy; of a multilabel target, that of whole samples."""
    return metrics.accuracy_score(y, output, sample_weight=s.sample_weight)


def _right(target: Target, output: np.ndarray) -> np.ndarray:
    """Return 1.0 for each sample whose labels are all predicted, else 0.0."""
    right = target.codes == output
    return (right.all(axis=1) if right.ndim == 2 else right).astype(np.float64)


def _balanced_accuracy(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Mean recall over the classes that have samples."""
    with _undefined_is_known():
        return metrics.balanced_accuracy_score(y, output, sample_weight=s.sample_weight)


def _matthews(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    with _undefined_is_known():
        return metrics.matthews_corrcoef(y, output, sample_weight=s.sample_weight)


def _kappa(weights: str | None) -> Function:
    """Return Cohen's kappa with these weights; distances follow the sorted order of classes."""

    def kappa(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
        labels = np.arange(max(s.n_classes, 2))
        with _undefined_is_known():
            value = metrics.cohen_kappa_score(
                y, output, labels=labels, weights=weights, sample_weight=s.sample_weight
            )
        return value if np.isfinite(value) else 0.0

    return kappa


# imbalanced-learn counts true negatives as "number of samples minus weighted rest". This is wrong
# for weights whose mean is not 1, and rounds below zero (a NaN) for others. So weighted values come
# from the confusion matrix; the tests hold both forms equal.


def _geometric_mean(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Geometric mean of sensitivity and specificity, or of the recalls of all classes."""
    from imblearn.metrics import geometric_mean_score

    if s.sample_weight is not None:
        matrix = confusion.confusion_matrix_of(y, output, s.n_classes, s.sample_weight)
        return float(confusion.geometric_mean(matrix, s.average))
    with _undefined_is_known():
        return geometric_mean_score(y, output, average=s.average)


def _index_balanced_accuracy(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    """Index of balanced accuracy of the geometric mean, squared, alpha 0.1."""
    from imblearn.metrics import geometric_mean_score, make_index_balanced_accuracy

    if s.sample_weight is not None:
        matrix = confusion.confusion_matrix_of(y, output, s.n_classes, s.sample_weight)
        return float(confusion.index_balanced_accuracy(matrix, s.average))
    function = make_index_balanced_accuracy(alpha=0.1, squared=True)(geometric_mean_score)
    with _undefined_is_known():
        return function(y, output, average=s.average)


def _expected_cost(y: np.ndarray, output: np.ndarray, s: Settings) -> float:
    return expected_cost_score(
        y, output, s.costs, labels=np.arange(s.n_classes), sample_weight=s.sample_weight
    )


def _stacked_fbeta(c: np.ndarray, s: Settings) -> np.ndarray:
    return confusion.fbeta(c, s.beta, s.average, s.zero_division)


def _f_score(name: str, title: str, beta: float | None, constant: str = "") -> Metric:
    return Metric(
        name,
        title,
        "labels",
        _fbeta,
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION if beta else _ZERO_DIVISION | {"beta"},
        fixed_beta=beta,
        from_confusion=_stacked_fbeta,
        constant=constant,
        in_report=beta is not None,
    )


def _kappa_metric(name: str, title: str, weights: str | None, constant: str = "") -> Metric:
    return Metric(
        name,
        title,
        "labels",
        _kappa(weights),
        targets=SINGLE_LABEL,
        from_confusion=lambda c, _: confusion.kappa(c, weights),
        constant=constant,
        in_report=weights is None,
    )


# In the order in which reports print them.
LABEL_METRICS = (
    Metric(
        "accuracy",
        "Accuracy",
        "labels",
        _accuracy,
        from_confusion=lambda c, _: confusion.accuracy(c),
        sample_values=_right,
        in_report=True,
    ),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "labels",
        _balanced_accuracy,
        targets=SINGLE_LABEL,
        from_confusion=lambda c, _: confusion.balanced_accuracy(c),
        constant="BALANCED_ACCURACY",
        in_report=True,
    ),
    Metric(
        "precision",
        "Precision",
        "labels",
        _ratio(metrics.precision_score),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        from_confusion=lambda c, s: confusion.precision(c, s.average, s.zero_division),
        constant="PRECISION",
        in_report=True,
    ),
    Metric(
        "recall",
        "Recall",
        "labels",
        _ratio(metrics.recall_score),
        averages=_AVERAGES,
        parameters=_ZERO_DIVISION,
        from_confusion=lambda c, s: confusion.recall(c, s.average, s.zero_division),
        constant="RECALL",
        in_report=True,
    ),
    _f_score("f1", "F1", 1.0, "F1"),
    _f_score("f2", "F2", 2.0, "F2"),
    _f_score("fbeta", "F-beta", None),
    Metric(
        "geometric_mean",
        "Geometric mean",
        "labels",
        _geometric_mean,
        targets=SINGLE_LABEL,
        averages=("binary", "macro", "micro", "weighted", "multiclass"),
        default_average={"multiclass": "multiclass"},
        from_confusion=lambda c, s: confusion.geometric_mean(c, s.average),
        constant="GEOMETRIC_MEAN",
        in_report=True,
    ),
    Metric(
        "index_balanced_accuracy",
        "Index of balanced accuracy",
        "labels",
        _index_balanced_accuracy,
        targets=SINGLE_LABEL,
        averages=("binary", "macro", "micro", "weighted"),
        from_confusion=lambda c, s: confusion.index_balanced_accuracy(c, s.average),
        in_report=True,
    ),
    _kappa_metric("cohen_kappa", "Cohen's kappa", None, "COHEN_KAPPA"),
    _kappa_metric("cohen_kappa_linear", "Cohen's kappa, linear", "linear"),
    _kappa_metric(
        "cohen_kappa_quadratic", "Cohen's kappa, quadratic", "quadratic", "QUADRATIC_KAPPA"
    ),
    Metric(
        "matthews_corrcoef",
        "Matthews correlation",
        "labels",
        _matthews,
        targets=SINGLE_LABEL,
        from_confusion=lambda c, _: confusion.matthews(c),
        constant="MATTHEWS_CORRCOEF",
        in_report=True,
    ),
    Metric(
        "expected_cost",
        "Expected cost",
        "labels",
        _expected_cost,
        greater_is_better=False,
        targets=SINGLE_LABEL,
        parameters=frozenset({"costs"}),
        from_confusion=lambda c, s: confusion.expected_cost(c, s.costs),
    ),
)
