"""Fitted scikit-learn transformers of numbers as operations of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from .._litert._table import is_missing
from ._columns import CannotFoldError, Column, numbers
from ._operations import (
    ELEMENTWISE,
    Above,
    Branches,
    Clip,
    Elementwise,
    Fill,
    Missing,
    Normalize,
    Product,
    Scale,
    Take,
    YeoJohnson,
)

Folded = tuple[list[Any], list[Column]]
Fold = Callable[[Any, list[Column]], Folded]


def _standard(step: Any, columns: list[Column]) -> Folded:
    factor = None if step.scale_ is None else 1 / step.scale_
    return [Scale(step.mean_ if step.with_mean else None, factor)], numbers(columns)


def _min_max(step: Any, columns: list[Column]) -> Folded:
    low, high = step.feature_range
    # sklearn's own form, x * scale_ + min_, loses digits where data are far from zero.
    operations: list[Any] = [Scale(step.data_min_, step.scale_, np.full(len(columns), float(low)))]
    if step.clip:
        operations.append(Clip(low, high))
    return operations, numbers(columns)


def _robust(step: Any, columns: list[Column]) -> Folded:
    center = step.center_ if step.with_centering else None
    return [Scale(center, 1 / step.scale_ if step.with_scaling else None)], numbers(columns)


def _max_abs(step: Any, columns: list[Column]) -> Folded:
    operations: list[Any] = [Scale(factor=1 / step.scale_)]
    if getattr(step, "clip", False):
        operations.append(Clip(-1.0, 1.0))
    return operations, numbers(columns)


def _normalizer(step: Any, columns: list[Column]) -> Folded:
    numbers(columns)
    return [Normalize(step.norm)], [Column() for _ in columns]


def _pca(step: Any, columns: list[Column]) -> Folded:
    numbers(columns)
    matrix = step.components_.T
    if step.whiten:
        # as sklearn: a component without variance is divided by the smallest number there is
        scale = np.sqrt(step.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        matrix = matrix / np.where(scale < smallest, smallest, scale)
    return [Scale(step.mean_), Product(matrix)], [Column() for _ in range(matrix.shape[1])]


def _svd(step: Any, columns: list[Column]) -> Folded:
    numbers(columns)
    return [Product(step.components_.T)], [Column() for _ in step.components_]


def _power(step: Any, columns: list[Column]) -> Folded:
    exponents = np.asarray(step.lambdas_, dtype=np.float64)
    operations: list[Any]
    if step.method == "yeo-johnson":
        operations = [YeoJohnson(exponents)]
    else:
        flat = np.abs(exponents) < 1e-12
        safe = np.where(flat, 1.0, exponents)
        powers = [
            (Take((i,)), Elementwise("log"))
            if flat[i]
            else (Take((i,)), Elementwise("log"), Scale(factor=safe[i : i + 1]), Elementwise("exp"),
                  Scale(safe[i : i + 1] * 0 + 1, 1 / safe[i : i + 1]))
            for i in range(len(columns))
        ]  # fmt: skip
        operations = [Branches(tuple(powers))]
    if step.standardize:
        operations.append(_standardization(step, exponents))
    return operations, numbers(columns)


def _standardization(step: Any, exponents: np.ndarray) -> Scale:
    """Return the scaling at the end of a PowerTransformer, from what it makes of two values."""
    first = 0.0 if step.method == "yeo-johnson" else 1.0  # becomes 0 before the scaling
    second, flat = 2.0 - (1.0 - first), np.abs(exponents) < 1e-12
    safe = np.where(flat, 1.0, exponents)
    power = np.where(flat, np.log(2.0), (2.0**safe - 1) / safe)
    rows = np.repeat([[first], [second]], len(exponents), axis=1)
    low, high = step.transform(_named(step, rows))
    factor = (np.asarray(high) - np.asarray(low)) / power
    return Scale(-np.asarray(low) / factor, factor)


def _named(step: Any, rows: np.ndarray) -> Any:
    """Return rows as a step takes them without a warning."""
    if not hasattr(step, "feature_names_in_"):
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=step.feature_names_in_)


def _binarizer(step: Any, columns: list[Column]) -> Folded:
    return [Above(float(step.threshold))], numbers(columns)


def elementwise(function: Any) -> list[Any]:
    """Return the operations of a NumPy function of one value.

    Raises
    ------
    CannotFoldError
        For any other function.
    """
    if function is None:
        return []
    name = getattr(function, "__name__", "")
    if name in ELEMENTWISE and function is getattr(np, name, None):
        return [Elementwise(name)]
    raise CannotFoldError(
        f"its function {name or type(function).__name__!r} is Python's; a file holds these "
        f"functions of NumPy only: {', '.join(sorted(ELEMENTWISE))}"
    )


def _function(step: Any, columns: list[Column]) -> Folded:
    if step.func is None:
        return [], columns
    if step.kw_args:
        raise CannotFoldError("its function has further arguments (kw_args)")
    operations = elementwise(step.func)
    return operations, numbers(columns)


def _imputer(step: Any, columns: list[Column]) -> Folded:
    none = is_missing(step.missing_values)
    kept, values, markers, after = [], [], [], []
    watched = [int(i) for i in step.indicator_.features_] if step.add_indicator else []
    for i, (value, column) in enumerate(zip(step.statistics_, columns, strict=True)):
        empty = is_missing(value)  # the column held no value, and the imputer leaves it out
        if empty and i not in watched:
            continue
        raw = column.use()
        text = isinstance(value, str) or column.holds_texts
        if raw is not None and none:
            raw.missing = True
        markers.append(_marker(step, column, text))
        if not empty:
            kept.append(i)
            values.append(column.codes().code(value) if text else float(value))
            after.append(column)
    places = sorted({*kept, *watched})
    marker = None if none else np.array(markers)
    fill: list[Any] = [
        Take(tuple(kept)),
        Fill(np.array(values), None if marker is None else marker[np.isin(places, kept)]),
    ]
    if not step.add_indicator:
        return fill, after
    seen = None if marker is None else marker[np.isin(places, watched)]
    marks = (Take(tuple(watched)), Missing(seen))
    return [Branches((tuple(fill), marks))], [*after, *(Column() for _ in watched)]


def _marker(step: Any, column: Column, text: bool) -> float:
    """Return the number that stands for a missing value in a column."""
    if text and not is_missing(step.missing_values):
        return column.codes().code(step.missing_values)
    return float("nan") if isinstance(step.missing_values, str) else _float(step.missing_values)


def _float(value: Any) -> float:
    return float("nan") if is_missing(value) else float(value)


NUMBERS: dict[type, Fold] = {
    Binarizer: _binarizer,
    FunctionTransformer: _function,
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    Normalizer: _normalizer,
    PCA: _pca,
    PowerTransformer: _power,
    RobustScaler: _robust,
    SimpleImputer: _imputer,
    StandardScaler: _standard,
    TruncatedSVD: _svd,
}


def _inverse_scale(center: Any, scale: Any) -> Scale:
    return Scale(factor=scale, offset=center)


def inverse(step: Any) -> list[Any]:
    """Return the operations that undo a fitted transformer of the target.

    Raises
    ------
    CannotFoldError
        When the file cannot hold them.
    """
    kind = type(step)
    if kind is StandardScaler:
        return [_inverse_scale(step.mean_ if step.with_mean else None, step.scale_)]
    if kind is RobustScaler:
        center = step.center_ if step.with_centering else None
        return [_inverse_scale(center, step.scale_ if step.with_scaling else None)]
    if kind is MaxAbsScaler:
        return [_inverse_scale(None, step.scale_)]
    if kind is MinMaxScaler:
        low, high = step.feature_range
        bounds: list[Any] = [Clip(low, high)] if step.clip else []
        return [*bounds, _inverse_scale(-step.min_ / step.scale_, 1 / step.scale_)]
    if kind is FunctionTransformer:
        if step.inv_kw_args:
            raise CannotFoldError("its inverse function has further arguments (inv_kw_args)")
        return elementwise(step.inverse_func)
    raise CannotFoldError(f"no operations of a file are known that undo a {kind.__name__}")
