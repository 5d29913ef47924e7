"""The parameter `inputs`: which columns of X go to which input of the network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import validate_data

from ..._sklearn import column_indices, num_samples, safe_indexing
from ...exceptions import DataError, ParameterError
from .._targets._arrays import check_range
from .._targets._kinds import check_container
from ._cells import column_array
from ._rows import InputRows


def check_inputs_parameter(estimator: Any) -> None:
    """Raise unless `inputs` maps names to columns, for a network that is not ours.

    Raises
    ------
    ParameterError
        For a named architecture, a value that is no dict, and a builder with a parameter `inputs`.
    """
    inputs = estimator.inputs
    if inputs is None:
        return
    builder = estimator._builder()
    if not isinstance(estimator.model, str) and builder is not None:
        parameter = inspect.signature(builder).parameters.get("inputs")
        if parameter is not None:
            raise ParameterError(
                "The builder declares a parameter 'inputs', and `inputs` is a parameter of the "
                "estimator too, which maps inputs of the network to columns of X. Write "
                "model__inputs=... for the parameter of the builder"
                + (
                    "."
                    if not isinstance(inputs, Mapping)
                    else ", or give the builder's parameter another name."
                )
            )
    if isinstance(estimator.model, str):
        raise ParameterError(
            f"inputs is for networks of your own, and model={estimator.model!r} has one input; "
            "leave inputs=None, or give a builder or a keras.Model."
        )
    if not isinstance(inputs, Mapping) or not inputs:
        raise ParameterError(
            "inputs must be a dict of input names and columns of X, such as "
            f"{{'numbers': slice(0, 8), 'text': 'review'}}, got {inputs!r}."
        )
    for name in inputs:
        if not isinstance(name, str):
            raise ParameterError(f"inputs must have names (str) as keys, got {name!r}.")


def select_inputs(estimator: Any, X: Any, *, reset: bool) -> InputRows:
    """Return the rows of every input that `inputs` names; learn the columns when `reset`.

    Raises
    ------
    DataError
        For an X with other columns than `inputs` names, and cells that cannot be used.
    """
    check_container(X)
    if sp.issparse(X):
        raise DataError("inputs picks columns of a frame or an array; X is sparse: X.toarray().")
    if not hasattr(X, "shape"):
        X = _as_table(X)
    if len(X.shape) < 2:
        raise DataError(
            f"Expected 2D array, got shape {X.shape} instead: inputs picks columns of X."
        )
    if num_samples(X) < 1:
        raise DataError("Found array with 0 sample(s): X has no rows; at least one is needed.")
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if reset:
        estimator.input_columns_ = {
            name: _columns(X, name, key) for name, key in estimator.inputs.items()
        }
    lengths: dict[str, int] = {}
    if not reset:
        shapes = estimator.input_shapes_.items()
        known = estimator.free_lengths_ or {}
        lengths = {name: shape[0] for name, shape in shapes if shape and not known.get(name)}
    parts = {
        name: _input_array(X, name, columns, lengths.get(name), estimator._floatx)
        for name, columns in estimator.input_columns_.items()
    }
    rows = InputRows(parts, X.shape[1])
    if reset:
        estimator.input_shapes_ = rows.row_shapes
    else:
        _check_shapes(estimator, rows)
    return rows


def check_batch_rows(estimator: Any, rows: InputRows, *, reset: bool) -> InputRows:
    """Return the rows of a batch given by the names of inputs; learn their shapes when `reset`.

    Raises
    ------
    DataError
        For other names or shapes than those of the first batch.
    """
    if reset:
        estimator.input_shapes_ = rows.row_shapes
        return rows
    known = getattr(estimator, "input_shapes_", {})
    if set(known) != set(rows.parts):
        raise DataError(
            f"A batch has the inputs {sorted(rows.parts)}, but {type(estimator).__name__} was "
            f"fitted on {sorted(known) or 'one array'}."
        )
    _check_shapes(estimator, rows)
    return rows


def _as_table(X: Any) -> np.ndarray:
    """Return lists of rows as an array of objects, whose cells may be of any kind."""
    rows = list(X)
    widths = {len(r) if hasattr(r, "__len__") and not isinstance(r, str) else 0 for r in rows}
    if len(widths) != 1 or 0 in widths:
        raise DataError(
            "inputs picks columns of X: give a frame, an array, or a list of rows with the same "
            f"number of cells, got rows of {sorted(widths)[:5]} cells."
        )
    table = np.empty((len(rows), widths.pop()), dtype=object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            table[i, j] = cell
    return table


def _columns(X: Any, name: str, key: Any) -> np.ndarray:
    """Return the positions of the columns that `key` picks."""
    picked = key(X) if callable(key) else key
    try:
        positions = np.atleast_1d(np.asarray(column_indices(X, picked), dtype=np.intp))
    except (ValueError, IndexError, KeyError, TypeError) as error:
        names = list(map(str, getattr(X, "columns", ())))
        has = f"its columns are {names[:20]}" if names else f"it has {X.shape[1]} columns, no names"
        raise DataError(f"inputs[{name!r}]={picked!r} is not in X ({error}); {has}.") from error
    if not len(positions):
        raise DataError(f"inputs[{name!r}]={picked!r} picks no column of X.")
    return positions


def _input_array(
    X: Any, name: str, columns: np.ndarray, length: int | None, floatx: str
) -> np.ndarray:
    title = f"inputs[{name!r}]"
    if isinstance(X, np.ndarray) and (X.ndim > 2 or X.dtype.kind in "biuf"):
        array = column_array(X[:, columns], title)
    else:
        arrays = [_one_column(X, int(column), title, length) for column in columns]
        array = _joined(arrays, title)
    if array.dtype != object:
        check_range(array, title, floatx)
    return array


def _one_column(X: Any, column: int, title: str, length: int | None) -> np.ndarray:
    names = list(getattr(X, "columns", ()))
    values = X[:, column] if isinstance(X, np.ndarray) else safe_indexing(X, column, axis=1)
    shown = f"{title}, column {names[column]!r}," if names else f"{title}, column {column},"
    array = column_array(values, shown, length)
    return array[:, None] if array.ndim == 1 else array


def _joined(arrays: list[np.ndarray], title: str) -> np.ndarray:
    """Return several columns side by side: cells of single values, or arrays of one shape."""
    if len(arrays) == 1:
        return arrays[0]
    if len({a.dtype == object for a in arrays}) > 1:
        raise DataError(
            f"{title} mixes columns of text and of numbers; give each kind an input of its own."
        )
    shapes = {a.shape[1:] for a in arrays}
    if shapes == {(1,)}:
        return np.concatenate(arrays, axis=1)
    if len(shapes) > 1:
        raise DataError(
            f"{title} joins columns whose cells have unlike shapes, {sorted(shapes)}; give each an "
            "input of its own."
        )
    return np.stack(arrays, axis=1)


def _check_shapes(estimator: Any, rows: InputRows) -> None:
    for name, shape in rows.row_shapes.items():
        known = estimator.input_shapes_[name]
        free = estimator._takes_any_length(name) and len(shape) == len(known)
        same = shape[1:] == known[1:] if free else shape == known
        if not same:
            raise DataError(
                f"inputs[{name!r}] has rows of shape {shape}, but {type(estimator).__name__} was "
                f"fitted on rows of shape {known}."
            )
