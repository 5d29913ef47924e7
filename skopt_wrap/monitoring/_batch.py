"""Read rows into what is watched of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d, validate_data

from .._sklearn import num_samples
from ..exceptions import DataError, ParameterError, suggest
from ._columns import CATEGORY, NUMERIC, Column, array_columns, frame_columns, is_frame
from ._outputs import (
    CONFIDENCE,
    LABEL,
    LOSS,
    PREDICTION,
    NetworkEmbedding,
    call_embedding,
    confidence,
    free_name,
    label_column,
    losses,
    predict,
)
from ._statistics._sketch import Sketch

N_COMPONENTS = 16


@dataclass
class Batch:
    """Watched values of some rows.

    Parameters
    ----------
    X : object
        Rows as they came.
    columns : list of Column
        Columns of X, or the embedding.
    outputs : list of Column
        Prediction and confidence; empty without an estimator.
    predicted, top : ndarray of shape (n_rows,) or None
        Predictions, and their probabilities.
    """

    X: Any
    n_rows: int
    columns: list[Column]
    outputs: list[Column]
    predicted: np.ndarray | None = None
    top: np.ndarray | None = None


def needs_embedding(embedding: Any, X: Any) -> bool:
    """Tell whether rows are watched through an embedding: never a table, unless it is asked for."""
    if embedding is None or is_frame(X):
        return callable(embedding) or embedding == "network"
    if embedding != "auto":
        return True
    if hasattr(X, "toarray") or np.ndim(X) == 2:
        return False
    return np.ndim(X) > 2 or (np.ndim(X) == 1 and len(X) > 0 and isinstance(X[0], str))


def choose_embedding(embedding: Any, estimator: Any, X: Any) -> Any:
    """Return the callable that embeds rows, or None.

    Raises
    ------
    ParameterError
        If rows that are no table have neither a network nor a callable to embed them.
    """
    if not needs_embedding(embedding, X):
        return None
    if callable(embedding):
        return embedding
    if estimator is None:
        raise ParameterError(
            f"embedding={embedding!r} needs a network: give the estimator, or embedding=callable, "
            "which takes X and returns an array (n_rows, n_numbers)."
        )
    return NetworkEmbedding(estimator)


@dataclass
class Projection:
    """Principal components of an embedding.

    Parameters
    ----------
    mean : ndarray of shape (n_numbers,)
        Subtracted first.
    components : ndarray of shape (n_numbers, n_components)
        Directions.
    """

    mean: np.ndarray
    components: np.ndarray

    @classmethod
    def fit(cls, embedded: np.ndarray) -> Projection:
        """Return the directions of largest variance, at most 16."""
        mean = embedded.mean(axis=0)
        _, _, directions = np.linalg.svd(embedded - mean, full_matrices=False)
        return cls(mean, directions[:N_COMPONENTS].T.copy())

    def columns(self, embedded: np.ndarray) -> list[Column]:
        """Return the components as columns."""
        values = np.ascontiguousarray(((embedded - self.mean) @ self.components).T)
        return [Column(f"embedding {i + 1}", NUMERIC, "float64", v) for i, v in enumerate(values)]


def table_columns(estimator: Any, X: Any, *, reset: bool) -> list[Column]:
    """Return the columns of a table, checked against those of `fit`.

    Raises
    ------
    DataError
        If columns are missing, new or in another order, or there are no rows.
    """
    fewest = 2 if reset else 1
    if is_frame(X):
        if not reset:
            _check_names(estimator, [str(name) for name in X.columns])
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if num_samples(X) < fewest:
            raise DataError(f"X has {num_samples(X)} sample(s); at least {fewest} are needed.")
        columns = frame_columns(X)
        infinite = [c.name for c in columns if c.kind == NUMERIC and np.isinf(c.values).any()]
        if infinite:
            raise DataError(f"the columns {infinite} hold infinity. Replace it by a number or NaN.")
        return columns
    array = X if hasattr(X, "toarray") else np.asarray(X)
    objects = getattr(array, "dtype", np.dtype(float)).kind in "OUS"
    array = validate_data(
        estimator,
        array,
        reset=reset,
        dtype=None if objects else "numeric",
        ensure_all_finite=not objects and "allow-nan",
        ensure_min_samples=fewest,
    )
    names = [f"x{j}" for j in range(array.shape[1])]
    return array_columns(array, [str(n) for n in getattr(estimator, "feature_names_in_", names)])


def _check_names(estimator: Any, names: list[str]) -> None:
    known = getattr(estimator, "feature_names_in_", None)
    if known is None or list(known) == names:
        return
    missing = [str(name) for name in known if name not in names]
    new = [name for name in names if name not in set(known)]
    if missing or new:
        raise DataError(
            f"the columns of X are not those of the reference: missing {missing}, new {new}. "
            "Give the same columns; fit again when they changed for good."
        )
    raise DataError(
        f"the columns of X are those of the reference in another order. Give "
        f"X[{[str(name) for name in known][:10]}{', ...' if len(known) > 10 else ''}]."
    )


def watched_columns(features: Any, columns: list[Column]) -> list[int]:
    """Return the numbers of the columns to watch.

    Raises
    ------
    ParameterError
        If a name or number is no column, or there is none.
    """
    if isinstance(features, str):
        if features == "all":
            return list(range(len(columns)))
        features = [features]
    names = [column.name for column in columns]
    chosen = []
    for feature in features:
        if isinstance(feature, str):
            if feature not in names:
                raise ParameterError(
                    f"features names {feature!r}, which X lacks. {suggest(feature, names)}"
                )
            chosen.append(names.index(feature))
        elif isinstance(feature, bool) or not -len(names) <= int(feature) < len(names):
            raise ParameterError(f"features names column {feature!r}; X has {len(names)} columns.")
        else:
            chosen.append(int(feature) % len(names))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ParameterError(f"features must name one column or more, each once, got {features!r}.")
    return chosen


def as_reference_kind(column: Column, sketch: Sketch) -> Column:
    """Return a column of a batch as the kind of its reference.

    Raises
    ------
    DataError
        If numbers became text or the other way round.
    """
    if column.kind == sketch.kind:
        return column
    if column.kind == NUMERIC and np.isnan(column.values).all():
        nothing = np.full(len(column.values), None, dtype=object)
        return Column(column.name, CATEGORY, column.dtype, nothing)
    raise DataError(
        f"column {column.name!r} was {sketch.kind} ({sketch.dtype}) in the reference and is "
        f"{column.kind} ({column.dtype}) now. Convert it; fit again when it changed for good."
    )


def read_batch(X: Any, columns: list[Column], estimator: Any, taken: Sequence[str]) -> Batch:
    """Return the batch with what the estimator predicts for it."""
    n_rows = num_samples(X)
    if estimator is None:
        return Batch(X, n_rows, columns, [])
    predicted, top = predict(estimator, X), confidence(estimator, X)
    name = free_name(PREDICTION, list(taken))
    outputs = [label_column(name, predicted, is_classifier(estimator))]
    if top is not None:
        outputs.append(Column(free_name(CONFIDENCE, list(taken)), NUMERIC, "float64", top))
    return Batch(X, n_rows, columns, outputs, predicted, top)


def embedded_columns(
    embedding: Any, projection: Projection | None, X: Any, fixes: np.ndarray | None
) -> tuple[list[Column], Projection]:
    """Return the columns of an embedding, and its projection, fitted on some rows if new."""
    embedded = call_embedding(embedding, X, num_samples(X))
    if projection is None:
        projection = Projection.fit(embedded if fixes is None else embedded[fixes])
    elif embedded.shape[1] != len(projection.mean):
        raise DataError(
            f"embedding returned {embedded.shape[1]} numbers a row, {len(projection.mean)} before."
        )
    return projection.columns(embedded), projection


def read_labels(y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of rows that have one, and which rows these are.

    Raises
    ------
    DataError
        If there are fewer or more labels than rows, or infinite ones.
    """
    labels = column_or_1d(y, warn=False)
    if len(labels) != n_rows:
        raise DataError(f"y has {len(labels)} labels, but X has {n_rows} rows.")
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise DataError("y holds infinity. Correct it, or write NaN for a label that is missing.")
    if labels.dtype.kind == "f":
        has_label = ~np.isnan(labels)
    else:
        has_label = np.array([v is not None and v == v for v in labels.tolist()], dtype=bool)
    present = labels[has_label]
    return np.array(present.tolist()) if present.dtype == object else present, has_label


def outcome_columns(
    estimator: Any, labels: np.ndarray, predicted: np.ndarray | None, taken: Sequence[str],
    classes: bool | None = None,
) -> tuple[list[Column], bool]:  # fmt: skip
    """Return label and loss as columns, and whether labels are classes."""
    if classes is None:
        classes = is_classifier(estimator) if estimator is not None else _are_classes(labels)
    columns = [label_column(free_name(LABEL, list(taken)), labels, classes)]
    if predicted is not None:
        loss = losses(estimator, labels, predicted)
        columns.append(Column(free_name(LOSS, list(taken)), NUMERIC, "float64", loss))
    return columns, classes


def _are_classes(labels: np.ndarray) -> bool:
    if labels.dtype.kind in "OUSb":
        return True
    return labels.dtype.kind in "iu" and "continuous" not in type_of_target(labels)
