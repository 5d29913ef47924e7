"""Read predicted labels, probabilities and decision values, in any usual shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import DataError
from ._targets import Target, _as_labels, encode, merge_classes, read_target

__all__ = ["check_fitted", "known_classes", "read_labels", "read_probabilities", "read_scores"]

_REMEDY = {
    "predict_proba": (
        "wrap it in sklearn.calibration.CalibratedClassifierCV, switch its probabilities on, or "
        "choose a metric of labels such as 'f1' or 'matthews_corrcoef'"
    ),
    "decision_function": (
        "wrap it in sklearn.calibration.CalibratedClassifierCV, or choose a metric of labels such "
        "as 'f1' or 'matthews_corrcoef'"
    ),
}


def check_fitted(estimator: Any) -> None:
    """Raise scikit-learn's NotFittedError for an estimator that was not fitted."""
    if hasattr(estimator, "fit") and hasattr(estimator, "__sklearn_tags__"):
        check_is_fitted(estimator)


def known_classes(estimator: Any) -> np.ndarray | None:
    """Return the estimator's `classes_`, or None (multilabel estimators hold a list)."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or isinstance(classes, list):
        return None
    classes = np.asarray(classes)
    return classes if classes.ndim == 1 else None


def _finite(values: np.ndarray, method: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise DataError(
            f"{method} returned NaN or infinity; the estimator cannot be scored (its training may "
            "have diverged)."
        )
    return values


def _check_rows(values: np.ndarray, target: Target, method: str) -> None:
    if values.shape[0] != target.n_samples:
        raise DataError(f"{method} returned {values.shape[0]} rows for {target.n_samples} in y.")


def _missing_method(estimator: Any, methods: tuple[str, ...], metric: str) -> DataError:
    wanted = " or ".join(methods)
    return DataError(
        f"metric {metric!r} needs {wanted}, which {type(estimator).__name__} does not have; "
        f"{_REMEDY[methods[0]]}."
    )


def read_labels(
    values: Any, y: Any, known: Any, pos_label: Any, read: Target | None = None
) -> tuple[Target, np.ndarray]:
    """Read predicted labels together with the target.

    Parameters
    ----------
    values : array-like of shape (n_samples,), (n_samples, 1) or (n_samples, n_labels)
        What `predict` returned.
    y : array-like
        True labels.
    known : array-like or None
        The estimator's classes.
    pos_label : object
        See :func:`read_target`.
    read : Target, default=None
        `y` as read before with the same arguments, to save reading it again.

    Returns
    -------
    target : Target
        The target; its classes include predicted ones.
    predicted : ndarray of int64
        Predictions as codes, in the shape of `target.codes`.
    """
    array = _as_labels(values, "predict's output")
    target = read_target(y, known, "auto") if read is None else read
    _check_rows(array, target, "predict")
    if target.kind == "multilabel":
        if array.shape != target.codes.shape or not np.isin(array, (0, 1)).all():
            raise DataError(
                f"predict must return a 0/1 array of shape {target.codes.shape} for this "
                f"multilabel target, got shape {array.shape}."
            )
        read_target(y, None, pos_label)  # refuses a pos_label
        return target, array.astype(np.int64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    if array.ndim != 1:
        raise DataError(
            f"predict must return one label a row, got shape {array.shape}; probabilities belong "
            "in predict_proba."
        )
    if array.dtype.kind == "f" and (array != np.floor(array)).any():
        unknown = ~np.isin(array, target.classes)
        if unknown.any():
            raise DataError(
                "predict must return class labels, got continuous values such as "
                f"{array[unknown][0]:g}; score a classifier, or set its threshold."
            )
    classes = merge_classes(target.classes, array)
    if read is None or len(classes) > target.n_classes:
        target = read_target(y, classes, pos_label)
    return target, encode(array, classes)


def _columns(values: np.ndarray, target: Target, known: Any, method: str) -> np.ndarray:
    """Place an estimator's columns at the positions of the target's classes."""
    own = target.classes if known is None else np.asarray(known)
    if values.shape[1] != len(own):
        raise DataError(
            f"{method} must return one column a class ({len(own)}), got shape {values.shape}."
        )
    if len(own) == target.n_classes:
        return values
    placed = np.zeros((values.shape[0], target.n_classes), dtype=values.dtype)
    placed[:, encode(np.asarray(own), target.classes)] = values
    return placed


def read_probabilities(estimator: Any, X: Any, target: Target, metric: str) -> np.ndarray:
    """Return `predict_proba` as an array with one column a class (or label).

    Parameters
    ----------
    estimator : object
        A fitted classifier.
    X : array-like
        Rows to predict.
    target : Target
        Target whose classes order the columns.
    metric : str
        Named in messages.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        Floating; rows of binary and multiclass targets sum to 1.
    """
    if not hasattr(estimator, "predict_proba"):
        raise _missing_method(estimator, ("predict_proba",), metric)
    return shape_probabilities(
        estimator.predict_proba(X),
        target,
        known_classes(estimator),
        getattr(estimator, "classes_", None),
    )


def shape_probabilities(
    values: Any, target: Target, known: Any = None, label_classes: Any = None
) -> np.ndarray:
    """Bring probabilities of any usual shape to one column a class (or label)."""
    if isinstance(values, list) and target.kind == "multilabel":
        values = _stack_labels(values, label_classes)
    values = np.asarray(values)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    _check_rows(values, target, "predict_proba")
    _finite(values, "predict_proba")
    if values.min() < -1e-6 or values.max() > 1 + 1e-6:
        raise DataError(
            "predict_proba must return values in [0, 1], got a minimum of "
            f"{values.min():g} and a maximum of {values.max():g}."
        )
    values = np.clip(values, 0.0, 1.0)
    if target.kind == "multilabel":
        if values.shape != target.codes.shape:
            raise DataError(
                f"predict_proba must return shape {target.codes.shape} for this multilabel target, "
                f"got {values.shape}."
            )
        return values
    if values.ndim == 1 or values.shape[1] == 1:
        values = values.reshape(-1, 1)
        single = known is not None and len(known) == 1
        if not single and target.n_classes <= 2:  # one sigmoid unit
            values = np.hstack([1 - values, values])
            if target.n_classes == 1:  # nothing names the second class
                raise DataError(
                    "y holds one class and the estimator has no classes_, so the column of "
                    "predict_proba cannot be assigned to a class."
                )
    values = _columns(values, target, known, "predict_proba")
    total = values.sum(axis=1, keepdims=True)
    if (np.abs(total - 1) > 1e-3).any():
        raise DataError(
            "the rows of predict_proba must sum to 1, got a sum of "
            f"{float(total[np.abs(total - 1).argmax(), 0]):g}."
        )
    return values / total


def _stack_labels(values: list[Any], label_classes: Any) -> np.ndarray:
    """Join scikit-learn's list of (n, 2) arrays, one a label, into (n, n_labels)."""
    columns = []
    for i, part in enumerate(values):
        array = np.asarray(part)
        if array.ndim == 1:
            columns.append(array)
        elif array.shape[1] == 1:  # a label that never changed in training
            only = 0 if label_classes is None else label_classes[i][0]
            columns.append(array[:, 0] if only else 1 - array[:, 0])
        else:
            columns.append(array[:, 1])
    return np.column_stack(columns)


def read_scores(estimator: Any, X: Any, target: Target, metric: str) -> np.ndarray:
    """Return ranking scores: (n_samples,) toward the positive class, or one column a class.

    `decision_function` is preferred for binary and multilabel targets, because probabilities can
    saturate and tie; multiclass targets use `predict_proba` first, whose columns are comparable.
    """
    methods = ("decision_function", "predict_proba")
    if target.kind == "multiclass":
        methods = methods[::-1]
    method = next((m for m in methods if hasattr(estimator, m)), None)
    if method is None:
        raise _missing_method(estimator, ("decision_function", "predict_proba"), metric)
    if method == "predict_proba":
        values = read_probabilities(estimator, X, target, metric)
        return values[:, target.pos_index] if target.kind == "binary" else values
    values = np.asarray(estimator.decision_function(X), dtype=np.float64)
    _check_rows(values, target, method)
    _finite(values, method)
    if target.kind == "multilabel":
        if values.shape != target.codes.shape:
            raise DataError(
                f"decision_function must return shape {target.codes.shape} for this multilabel "
                f"target, got {values.shape}."
            )
        return values
    known = known_classes(estimator)
    if target.kind == "binary":
        if values.ndim == 2 and values.shape[1] == 2:
            values = values[:, 1] - values[:, 0]
        if values.ndim == 2 and values.shape[1] != 1:
            raise DataError(
                "decision_function must return one value a row for two classes, got shape "
                f"{values.shape}."
            )
        upper = len(target.classes) - 1 if known is None else encode(known[-1:], target.classes)[0]
        return values.ravel() if target.pos_index == upper else -values.ravel()
    if values.ndim == 1 and known is not None and len(known) == 2:
        values = np.column_stack([-values, values])  # y holds a class that training did not
    return _columns(values, target, known, method)
