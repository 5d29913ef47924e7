"""Put the layer that prepares a table in front of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._keras import (
    Columns,
    CustomObjects,
    clone_graph_behind,
    copy_layer,
    copy_variables,
    load_keras,
)


def prepare_inside(
    model: Any, columns: Columns, center: np.ndarray, factor: np.ndarray, n_features: int
) -> Any:
    """Return a network that prepares a table and gives the columns to copies of other layers.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network for the prepared columns, not compiled. It is not
        changed.
    columns : Columns
        What becomes of each column of the table.
    center, factor : ndarray of shape (n_numbers,)
        Of each column of numbers.
    n_features : int
        Columns of the table.

    Returns
    -------
    network : keras.Model
        Functional, with the weights of `model`, for rows of shape (n_features,).

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap._keras import Columns
    >>> from skopt_wrap.architectures import prepare_inside
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> columns = Columns(numbers=(0,), indicators=(0,))
    >>> prepare_inside(model, columns, np.zeros(1), np.ones(1), 1).input_shape
    (None, 1)
    """
    keras = load_keras()
    from ._table_layer import PreparedTable

    objects, copies = CustomObjects(model), {}

    def clone(layer: Any) -> Any:
        copies[layer] = copy_layer(layer, objects)
        return copies[layer]

    dtype = model.inputs[0].dtype
    inputs = keras.Input((n_features,), dtype=dtype, name="table")
    first = PreparedTable(columns, name="prepared_table", dtype=dtype)
    outputs = clone_graph_behind(model, first(inputs), clone)
    first.center.assign(center)
    first.factor.assign(factor)
    network = keras.Model(inputs, outputs, name=model.name)
    for layer, copy in copies.items():
        copy_variables(layer, copy)
        copy.trainable = layer.trainable
    return network
