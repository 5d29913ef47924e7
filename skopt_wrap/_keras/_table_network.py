"""Put the layer that prepares a table in front of a network, and find it again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._backend import load_keras
from ._columns import Columns
from ._custom_objects import CustomObjects
from ._graph import clone_graph_behind, copy_layer, copy_variables


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


def table_layer(model: Any) -> Any:
    """Return the layer of `model` that prepares a table, or None."""
    for layer in getattr(model, "layers", ()):
        if is_table_layer(layer):
            return layer
    return None


def is_table_layer(layer: Any) -> bool:
    """Return whether a layer is the one that prepares a table."""
    kind = type(layer)
    return kind.__name__ == "PreparedTable" and kind.__module__.startswith("skopt_wrap._keras.")
