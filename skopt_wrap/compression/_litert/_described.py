"""Predictions of a file that says what it reads and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from ..._texts import TextEncoder, as_texts
from ...exceptions import ParameterError
from ._table import encode


def rows_of(description: Mapping[str, Any] | None, X: Any) -> np.ndarray:
    """Return rows as the file reads them.

    Raises
    ------
    ParameterError
        When the file says nothing of itself, or steps stay in front of it.
    """
    if description is None or "target_type" not in description:
        raise ParameterError(
            "the file does not say what it reads and answers: only files that "
            "CompressedModel.export wrote have predict. Call the model on the network's rows for "
            "its raw outputs."
        )
    kept = [step["class"] for step in description["preprocessing"] if not step["in_file"]]
    if kept:
        raise ParameterError(
            f"the file reads rows behind these steps, which are not in it: {kept}. Export it with "
            "preprocessing='fold', or transform the rows and call the model on them for its raw "
            "outputs."
        )
    if "text" in description:
        return TextEncoder.from_description(description["text"]).encode(as_texts(X))
    columns = description["input"].get("columns")
    return np.asarray(X) if columns is None else encode(X, columns)


def predict_proba(
    description: Mapping[str, Any] | None, X: Any, run: Callable[[np.ndarray], Any]
) -> np.ndarray:
    """Return class probabilities.

    Raises
    ------
    ParameterError
        For the file of a regressor too.
    """
    rows = rows_of(description, X)
    assert description is not None
    if description.get("classes") is None:
        raise ParameterError("the file is that of a regressor: it has no probabilities.")
    return _probabilities(description, run(rows))


def _probabilities(description: Mapping[str, Any], raw: Any) -> np.ndarray:
    if description["folded"]:
        return np.asarray(raw[0], dtype=np.float64)
    raw = np.asarray(raw, dtype=np.float64).reshape(len(raw), -1)
    logits = description["output_kind"] == "logits"
    if description["target_type"] == "multilabel-indicator":
        values = expit(raw) if logits else raw
    elif raw.shape[1] == 1:
        values = np.hstack([expit(-raw), expit(raw)] if logits else [1 - raw, raw])
    elif logits:
        values = softmax(raw, axis=1)
    else:
        total = raw.sum(axis=1, keepdims=True)
        values = raw / np.where(total > 0, total, 1)
    for factors in description["decision"]["priors"]:
        values = values * np.asarray(factors)
        values = values / values.sum(axis=1, keepdims=True)
    return np.asarray(values)


def predict(
    description: Mapping[str, Any] | None, X: Any, run: Callable[[np.ndarray], Any]
) -> np.ndarray:
    """Return labels or values.

    Raises
    ------
    ParameterError
        When transformers of the target stay behind the file too.
    """
    rows = rows_of(description, X)
    assert description is not None
    raw = run(rows)
    if description.get("classes") is None:
        kept = [step["class"] for step in description["target_transformers"] if not step["in_file"]]
        if kept:
            raise ParameterError(
                f"predictions are made by these transformers of the target, which are not in the "
                f"file: {kept}. Call the model on the rows for the values in front of them."
            )
        values = np.asarray(raw, dtype=np.float64).reshape(len(raw), -1)
        return values[:, 0] if description["one_dimensional"] else values
    classes = np.asarray(description["classes"], dtype=description["classes_dtype"])
    several = description["target_type"] == "multilabel-indicator"
    if description["folded"]:
        index = np.asarray(raw[1])
        return index.astype(classes.dtype) if several else classes[index]
    values = _probabilities(description, raw)
    if several:
        return (values > 0.5).astype(classes.dtype)
    return classes[_index(description["decision"], values)]


def _index(decision: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """Return the places of the predicted classes."""
    if decision["costs"] is not None:
        return np.asarray((values @ np.asarray(decision["costs"])).argmin(axis=1))
    if decision["ratios"] is not None:
        return np.asarray((values / np.asarray(decision["ratios"])).argmax(axis=1))
    if decision["threshold"] is not None:
        place = int(decision["positive"])
        return np.where(values[:, place] >= decision["threshold"], place, 1 - place)
    return np.asarray(values.argmax(axis=1))
