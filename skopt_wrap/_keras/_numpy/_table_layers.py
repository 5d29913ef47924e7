"""The layers for tables of this package in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._tables._columns import Columns
from ._activations import Function, numpy_activation
from ._layers import Twin, codes_of, identity

Array = np.ndarray

_FAR = 1e6


def prepared_columns(center: Array, factor: Array, columns: Columns) -> Function:
    """Return the function that prepares the columns of a table, as ``prepare_columns`` does.

    Parameters
    ----------
    center, factor : ndarray of shape (n_numbers,)
        Of each column of numbers.
    columns : Columns
        What becomes of each column.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap._keras._tables._columns import Columns
    >>> from skopt_wrap._keras._numpy._table_layers import prepared_columns
    >>> columns = Columns(numbers=(0,), one_hot=((1, 2),), indicators=(0,))
    >>> prepare = prepared_columns(np.zeros(1), np.ones(1), columns)
    >>> prepare(np.array([[4.0, 2.0], [np.nan, 0.0]])).tolist()
    [[2.4, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers, indicators = list(columns.numbers), list(columns.indicators)
    sources, plus, minus = columns.equal()
    ones, minus_ones = np.asarray(plus), np.asarray(minus)
    codes = [column for column, _ in columns.codes]

    def call(x: Array) -> Array:
        parts = []
        if numbers:
            z = (_taken(x, numbers) - center) * factor
            z[np.isnan(z)] = 0.0
            np.minimum(np.maximum(z, -_FAR, out=z), _FAR, out=z)
            parts.append(z / np.sqrt(1.0 + np.square(z / 3.0)))
        if sources:
            known = _taken(x, sources)
            parts.append(np.equal(known, ones).astype(x.dtype) - np.equal(known, minus_ones))
        if indicators:
            parts.append(np.isnan(_taken(x, indicators)).astype(x.dtype))
        if codes:
            parts.append(_taken(x, codes))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    return call


def _taken(x: Array, columns: list[int]) -> Array:
    return x if columns == list(range(x.shape[1])) else x[:, columns]


def _prepared_table(layer: Any) -> Twin:
    def make(center: Array, factor: Array) -> Function:
        return prepared_columns(center, factor, layer.columns)

    return [layer.center, layer.factor], make


def _robust_scale(layer: Any) -> Twin:
    def make(center: Array, factor: Array) -> Function:
        def call(x: Array) -> Array:
            z = (x - center) * factor
            return z / np.sqrt(1.0 + np.square(z / 3.0))

        return call

    return [layer.center, layer.factor], make


def _table_embedding(layer: Any) -> Twin:
    n, waves = layer.n_numbers, bool(layer.n_numbers and layer.n_frequencies)
    variables = [layer.frequencies, layer.phases, layer.kernel, layer.bias] if waves else []
    n_codes = len(layer.cardinalities)

    def make(*values: Array) -> Function:
        tables = values[4:] if waves else values

        def call(x: Array) -> Array:
            parts = []
            n_plain = x.shape[1] - n_codes
            if waves:
                frequencies, phases, kernel, bias = values[:4]
                cosines = np.cos(2 * np.pi * x[:, :n, None] * frequencies + phases)
                found = np.matmul(cosines.transpose(1, 0, 2), kernel).transpose(1, 0, 2) + bias
                parts.append(found.reshape(len(x), -1))
            parts.append(x[:, :n_plain])
            for place, table in enumerate(tables, start=n_plain):
                parts.append(table[codes_of(x[:, place], len(table))])
            return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

        return call

    return [*variables, *layer.tables], make


def _feature_scale(layer: Any) -> Twin:
    return [layer.scale], lambda scale: lambda x: x * scale


def _tangent_dense(layer: Any) -> Twin:
    def make(kernel: Array, bias: Array) -> Function:
        kernel = kernel * layer.share
        return lambda x: x.dot(kernel) + bias

    return [layer.kernel, layer.bias], make


def _parametric_activation(layer: Any) -> Twin | None:
    activation = numpy_activation(layer.activation)
    if activation is None:
        return None

    def make(alpha: Array) -> Function:
        return lambda x: x + alpha * (activation(x) - x)

    return [layer.alpha], make


TABLE_LAYERS: dict[str, Callable[[Any], Twin | None]] = {
    "PreparedTable": _prepared_table,
    "RobustScale": _robust_scale,
    "TableEmbedding": _table_embedding,
    "FeatureScale": _feature_scale,
    "TangentDense": _tangent_dense,
    "ParametricActivation": _parametric_activation,
    "FadingDropout": identity,
}
