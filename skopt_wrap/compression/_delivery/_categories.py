"""Fitted scikit-learn encoders of categories as operations of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from .._litert._table import is_missing
from ._columns import CannotFoldError, Column
from ._numbers import Fold, Folded
from ._operations import Branches, Hits, Lookup, Product, Scale, Take


def _values(categories: Any, column: Column, unknown: str) -> np.ndarray:
    """Return the numbers by which the file knows the categories of a column."""
    plain = np.asarray(categories, dtype=object).tolist()
    raw = column.use()
    present = [value for value in plain if not is_missing(value)]
    if raw is not None and len(present) < len(plain):
        raw.missing = True
    if column.holds_texts or any(isinstance(value, str) for value in present):
        raw = column.codes()
        # the codes of integers among texts are those of the texts beside them
        raw.unknown = "error" if unknown == "error" else raw.unknown
        return np.array([raw.code(value) for value in plain], dtype=np.float64)
    try:
        numbers = np.array([np.nan if is_missing(v) else float(v) for v in plain])
    except (TypeError, ValueError) as error:
        raise CannotFoldError(f"its categories are neither numbers nor texts: {error}") from error
    single = numbers.astype(np.float32)
    if len(np.unique(single)) < len(single):
        raise CannotFoldError("its categories are numbers that float32 cannot tell apart")
    if unknown == "error" and column.plain and raw is not None:
        raw.known = [v for v in single.tolist() if v == v]
    return numbers


def _one_hot(step: Any, columns: list[Column]) -> Folded:
    owners: list[int] = []
    values: list[float] = []
    rows: list[np.ndarray] = []
    offsets: list[np.ndarray] = []
    rare_groups = getattr(step, "infrequent_categories_", None)
    for i, categories in enumerate(step.categories_):
        numbers = _values(categories, columns[i], step.handle_unknown)
        owners += [i] * len(numbers)
        values += numbers.tolist()
        rare = None if rare_groups is None else rare_groups[i]
        weights, offset = _outputs(step, i, categories, rare)
        rows.append(weights)
        offsets.append(offset)
    matrix = np.zeros((len(values), sum(w.shape[1] for w in rows)))
    top = left = 0
    for weights in rows:
        height, width = weights.shape
        matrix[top : top + height, left : left + width] = weights
        top, left = top + height, left + width
    offset = np.concatenate(offsets)
    operations: list[Any] = [Hits(tuple(owners), np.array(values)), *_linear(matrix, offset)]
    return operations, [Column() for _ in range(matrix.shape[1])]


def _outputs(step: Any, i: int, categories: Any, rare: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return what each category of a column adds to its outputs, and what is added always."""
    n = len(categories)
    weights, offset = np.eye(n), np.zeros(n)
    if rare is not None:
        keys = {_key(value) for value in np.asarray(rare, dtype=object).tolist()}
        plain = np.asarray(categories, dtype=object).tolist()
        seldom = np.array([_key(value) in keys for value in plain])
        frequent = np.flatnonzero(~seldom)
        weights = np.column_stack([np.eye(n)[:, frequent], seldom.astype(float)])
        offset = np.zeros(len(frequent) + 1)
        if step.handle_unknown in ("infrequent_if_exist", "warn"):
            # The last output is what is none of the frequent categories.
            weights[:, -1] = -(~seldom).astype(float)
            offset[-1] = 1.0
    dropped = None if step.drop_idx_ is None else step.drop_idx_[i]
    if dropped is not None:
        place = int(dropped)
        if rare is not None:
            seldom_places = np.flatnonzero(seldom)
            place = (
                len(frequent)
                if place in seldom_places
                else int(np.flatnonzero(frequent == place)[0])
            )
        weights, offset = np.delete(weights, place, axis=1), np.delete(offset, place)
    return weights, offset


def _key(value: Any) -> Any:
    """Return what equal categories share; a missing one is equal to itself."""
    return None if is_missing(value) else (type(value) is str, value)


def _linear(matrix: np.ndarray, offset: np.ndarray) -> list[Any]:
    """Return the operations of ``x @ matrix + offset``; a choice of columns where it is one."""
    chosen = matrix.argmax(axis=0)
    if not offset.any() and np.array_equal(matrix, np.eye(len(matrix))[:, chosen]):
        return [Take(tuple(int(i) for i in chosen))]
    return [Product(matrix), Scale(offset=offset)]


def _ordinal(step: Any, columns: list[Column]) -> Folded:
    if getattr(step, "infrequent_categories_", None) is not None and any(
        group is not None for group in step.infrequent_categories_
    ):
        raise CannotFoldError("it groups infrequent categories; group them before it is fitted")
    unknown = np.nan if step.unknown_value is None else float(step.unknown_value)
    values, numbers, missing = [], [], []
    for column, categories in zip(columns, step.categories_, strict=True):
        own = _values(categories, column, step.handle_unknown)
        known = ~np.isnan(own)
        values.append(own[known])
        numbers.append(np.arange(len(own), dtype=np.float64)[known])
        missing.append(unknown if known.all() else float(step.encoded_missing_value))
    lookup = Lookup(
        tuple(values), tuple(numbers), np.full(len(columns), unknown), np.array(missing)
    )
    return [lookup], [Column(column.raw) for column in columns]


def _target(step: Any, columns: list[Column]) -> Folded:
    if step.target_type_ == "multiclass":
        raise CannotFoldError("it encodes the shares of several classes")
    values, numbers, missing = [], [], []
    for column, categories, means in zip(columns, step.categories_, step.encodings_, strict=True):
        own, means = _values(categories, column, "code"), np.asarray(means, dtype=np.float64)
        known = ~np.isnan(own)
        values.append(own[known])
        numbers.append(means[known])
        missing.append(float(step.target_mean_) if known.all() else float(means[~known][0]))
    unknown = np.full(len(columns), float(step.target_mean_))
    for column in columns:
        if column.raw is not None:
            column.raw.missing = True
    lookup = Lookup(tuple(values), tuple(numbers), unknown, np.array(missing))
    return [lookup], [Column(column.raw) for column in columns]


@dataclass(frozen=True)
class NetworkCodes:
    """The codes that a network reads for the categories of a table, as its last step in front.

    Attributes
    ----------
    categories : dict of int to list
        For each column of categories, by its number, the categories of the codes 1, 2, 3. Missing
        and unknown values have the code 0.
    """

    categories: dict[int, list[Any]]

    def transform(self, X: Any) -> Any:
        """Return `X`: the network makes its codes itself."""
        return X


def _network_codes(step: Any, columns: list[Column]) -> Folded:
    chains: list[tuple[Any, ...]] = []
    after: list[Column] = []
    plain: list[int] = []  # columns of numbers beside each other
    for number, column in enumerate(columns):
        categories = step.categories.get(number)
        if categories is None:
            plain.append(number)
            after.append(column)
            continue
        chains += [(Take(tuple(plain)),)] if plain else []
        plain = []
        values = _values(categories, column, "code")
        codes = np.arange(1, len(values) + 1, dtype=np.float64)
        nothing = np.zeros(1)
        chains.append((Take((number,)), Lookup((values,), (codes,), nothing, nothing)))
        if column.raw is not None:
            column.raw.missing = True
        after.append(Column(column.raw))
    chains += [(Take(tuple(plain)),)] if plain else []
    return [Branches(tuple(chains))], after


CATEGORIES: dict[type, Fold] = {
    NetworkCodes: _network_codes,
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _ordinal,
    TargetEncoder: _target,
}
