"""Rows of a table for an architecture that prepares tables: validated, as numbers and codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array, validate_data

from ..._params import builder_parameters
from ...exceptions import DataError, ParameterError
from .._targets._arrays import check_range
from .._targets._kinds import check_kind, explained
from ._columns import is_frame, table_columns
from ._encoder import TableEncoder
from ._preparation import Preparation


def prepares_tables(estimator: Any) -> bool:
    """Return whether the network of an estimator begins with the preparation of a table.

    That is so for architectures that ask for it, unless ``model__normalize=False``.
    """
    builder = estimator._builder()
    if not getattr(builder, "tables", False):
        return False
    default = builder_parameters(builder)[0].get("normalize", True)
    return bool(estimator._routed("model").get("normalize", default))


def is_table(X: Any) -> bool:
    """Return whether `X` is a frame or an array of two dimensions, and not sparse."""
    if sp.issparse(X):
        return False
    if is_frame(X):
        return True
    if not hasattr(X, "shape"):
        try:
            X = np.asarray(X)
        except ValueError:  # rows of unequal length, which the validation refuses
            return False
    return len(X.shape) == 2


def check_declared(estimator: Any) -> None:
    """Raise for categories that are declared to a network that takes numbers only."""
    given = estimator.categorical_features
    if given is None or isinstance(given, str) or prepares_tables(estimator):
        return
    raise ParameterError(
        f"categorical_features={given!r} has no effect: model={estimator.model!r} takes numbers "
        "as they are. Take model='dense' without model__normalize=False, or encode the columns "
        "before the network, for instance with a OneHotEncoder in a ColumnTransformer."
    )


def check_table(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Return a table as one matrix of numbers and codes, NaN where a number is missing.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Learns its `table_encoder_` when `reset`.
    X : frame, array-like or sparse matrix of shape (n_samples, n_features)
        Rows.
    reset : bool
        Whether these are the rows of a first fit.
    """
    check_kind(X, "X")
    if sp.issparse(X):
        X = X.toarray()
    elif not hasattr(X, "shape"):
        array = np.asarray(X)
        X = np.asarray(X, dtype=object) if array.dtype.kind in "US" else array
    if X.shape[0] and len(X.shape) == 2 and X.shape[1]:
        matrix = _learned(estimator, X) if reset else _encoded(estimator, X)
    else:
        matrix = None  # too small, which the validation tells
    if matrix is None:
        matrix = _numbers(estimator, X, reset)
    else:
        matrix = check_array(matrix, ensure_all_finite="allow-nan", input_name="X")
    if matrix.dtype.kind == "f":
        check_range(matrix[np.isfinite(matrix)], "X", estimator._floatx)
    return matrix


def _learned(estimator: Any, X: Any) -> np.ndarray | None:
    """Learn which columns hold categories; return the matrix, or None where none does."""
    given = estimator.categorical_features
    columns = list(table_columns(X)) if is_frame(X) or _may_hold_text(X) else []
    estimator.table_encoder_ = TableEncoder(range(X.shape[1]))
    if isinstance(given, str):
        if all(column.kind == "number" for column in columns):
            return None
    elif given is None or not len(given):
        return None
    validate_data(estimator, X, reset=True, skip_check_array=True)
    encoder, matrix = TableEncoder.learn(X, given)
    if not encoder.categories:
        return None
    estimator.table_encoder_ = encoder
    return matrix


def _encoded(estimator: Any, X: Any) -> np.ndarray | None:
    """Return the matrix of later rows, or None where no column holds categories."""
    if not estimator.table_encoder_.categories:
        return None
    validate_data(estimator, X, reset=False, skip_check_array=True)
    matrix: np.ndarray = estimator.table_encoder_.encode(X)
    return matrix


def _may_hold_text(X: Any) -> bool:
    return getattr(X.dtype, "kind", "") in "OUS"


def _numbers(estimator: Any, X: Any, reset: bool) -> np.ndarray:
    """Return a table of numbers, with gaps."""
    try:
        checked: np.ndarray = validate_data(
            estimator, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan"
        )
    except ValueError as error:
        better = explained(error, X, "X")
        if better is None:
            raise
        raise better from error
    return checked


def learn_table(estimator: Any, fitting: Any) -> None:
    """Learn from the training rows of a first fit how its network prepares tables.

    Categories that none of these rows has become unknown ones.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Learns `table_`.
    fitting : Fitting
        Training rows, and rows for validation.
    """
    encoder = estimator.table_encoder_
    if encoder is None:
        return
    if encoder.categories:
        places = encoder.forget(fitting.X[fitting.weights > 0])
        fitting.X = encoder.moved(fitting.X, places)
        if fitting.validation is not None:
            X, y, weights = fitting.validation
            fitting.validation = (encoder.moved(X, places), y, weights)
    estimator.table_ = Preparation.learn(fitting.X, fitting.weights, encoder)


def check_dataset(estimator: Any) -> None:
    """Raise for batches from a dataset, where rows are encoded before they enter the network."""
    encoder = estimator.table_encoder_
    if encoder is not None and encoder.categories:
        labels = [encoder.labels[number] for number in encoder.categories]
        raise DataError(
            f"fit_dataset takes batches of numbers, but the columns {labels} held categories in "
            "the first fit. Give the rows to partial_fit, part by part."
        )
