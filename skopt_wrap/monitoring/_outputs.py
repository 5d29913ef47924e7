"""What an estimator gives for rows: predictions, confidence, losses, embeddings."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._keras import load_keras, predict_raw
from ..exceptions import DataError, ParameterError
from ._columns import CATEGORY, NUMERIC, Column

PREDICTION, CONFIDENCE, LABEL, LOSS = "prediction", "confidence", "label", "loss"
_NETWORKS: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def check_fitted(estimator: Any) -> None:
    """Raise when a monitored estimator cannot predict yet.

    Raises
    ------
    ParameterError
        If the estimator has no `predict`, or was not fitted.
    """
    if not hasattr(estimator, "predict"):
        raise ParameterError(f"estimator must have predict, got {estimator!r}.")
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise ParameterError(
            "estimator must be fitted before the monitor is. clone() and searches forget what it "
            "learned; sklearn.frozen.FrozenEstimator(estimator) keeps it."
        ) from error


def predict(estimator: Any, X: Any) -> np.ndarray:
    """Return the predictions, checked.

    Raises
    ------
    DataError
        If some are NaN or infinite, or there is more than one output.
    """
    predicted = np.asarray(estimator.predict(X))
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if predicted.ndim != 1:
        raise DataError(
            f"the estimator predicts an array of shape {predicted.shape}; a monitor watches one "
            "output. Give it a monitor for each output, or none and watch the features."
        )
    if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
        bad = int((~np.isfinite(predicted)).sum())
        raise DataError(
            f"{bad} of {len(predicted)} predictions are NaN or infinite. Look at these rows, and "
            "at whether the estimator's training diverged."
        )
    return predicted


def confidence(estimator: Any, X: Any) -> np.ndarray | None:
    """Return the probability of the predicted class, or None without probabilities."""
    if not is_classifier(estimator) or not hasattr(estimator, "predict_proba"):
        return None
    top = np.asarray(estimator.predict_proba(X), dtype=np.float64).max(axis=1)
    if not np.isfinite(top).all():
        raise DataError("predict_proba gives NaN. Look at whether the training diverged.")
    return top


def losses(estimator: Any, y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the loss of each row: 1 for a wrong class, the absolute error of a number.

    Raises
    ------
    DataError
        If a label is none of the classes of the estimator.
    """
    if not is_classifier(estimator):
        return np.abs(np.asarray(y, dtype=np.float64) - predicted.astype(np.float64))
    classes = getattr(estimator, "classes_", None)
    if classes is not None:
        unknown = set(np.asarray(y).tolist()) - set(np.asarray(classes).tolist())
        if unknown:
            raise DataError(
                f"y holds labels that the estimator does not know: {sorted(map(str, unknown))[:5]}"
                f"; it knows {[str(c) for c in np.asarray(classes).tolist()][:10]}. Correct them, "
                "or train an estimator with the new classes."
            )
    return (np.asarray(y) != predicted).astype(np.float64)


def label_column(name: str, labels: np.ndarray, classes: bool) -> Column:
    """Return labels or predictions as a column: categories of a classifier, numbers otherwise."""
    if classes or labels.dtype.kind in "OUSb":
        texts = np.array([class_text(v) for v in labels.tolist()], dtype=object)
        return Column(name, CATEGORY, str(labels.dtype), texts)
    return Column(name, NUMERIC, str(labels.dtype), labels.astype(np.float64))


def class_text(label: Any) -> str:
    """Return a class as text; 1.0 is class 1, because missing labels turn integers to floats."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label)


def free_name(name: str, taken: list[str]) -> str:
    """Return the name, with underscores where a feature has it already."""
    while name in taken:
        name += "_"
    return name


class NetworkEmbedding:
    """Outputs of the last hidden layer of a Keras estimator, at the end of a pipeline or alone.

    Parameters
    ----------
    estimator : estimator
        Fitted; its last step has `model_`.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __call__(self, X: Any) -> np.ndarray:
        """Return one row of numbers for each row of X."""
        estimator = self.estimator
        while True:
            if type(estimator).__name__ == "FrozenEstimator":
                estimator = estimator.estimator
            elif hasattr(estimator, "best_estimator_"):
                estimator = estimator.best_estimator_
            elif hasattr(estimator, "steps"):
                X = estimator[:-1].transform(X)
                estimator = estimator.steps[-1][1]
            else:
                break
        if not hasattr(estimator, "model_"):
            raise ParameterError(
                f"embedding needs a network, but estimator is {type(estimator).__name__}. Give "
                "embedding=callable: it takes X and returns an array (n_rows, n_numbers)."
            )
        x = np.asarray(X)
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
        hidden = predict_raw(_hidden(estimator.model_), x)
        return hidden.reshape(len(hidden), -1)


def _hidden(model: Any) -> Any:
    """Return the network up to the input of its last layer with weights."""
    if model not in _NETWORKS:
        keras = load_keras()
        last = next(layer for layer in reversed(model.layers) if layer.weights)
        _NETWORKS[model] = keras.Model(model.inputs, last.input)
    return _NETWORKS[model]


def call_embedding(embedding: Callable[[Any], Any], X: Any, n_rows: int) -> np.ndarray:
    """Return the embedding of rows, checked.

    Raises
    ------
    DataError
        If it is no array (n_rows, n_numbers) of finite numbers.
    """
    found = np.asarray(embedding(X), dtype=np.float64)
    if found.ndim != 2 or len(found) != n_rows or not np.isfinite(found).all():
        raise DataError(
            f"embedding must return finite numbers of shape ({n_rows}, n_numbers), got shape "
            f"{found.shape}."
        )
    return found
