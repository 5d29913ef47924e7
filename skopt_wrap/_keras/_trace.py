"""A graph of layers for networks that have none, or one whose rows have no fixed shape."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ._backend import load_keras
from ._graph import rebuild
from ._inspect import functional_class
from ._predict import predict_raw

_ROWS = 8


def network_graph(model: Any, x: np.ndarray) -> tuple[Any, list[str]]:
    """Return a Sequential or Functional network that computes what `model` does.

    A subclassed model is called once on a symbolic row: the layers and operations of its `call`
    become a graph. A dimension of a row that the network leaves open, such as the number of time
    steps, is set to that of the rows.

    Parameters
    ----------
    model : keras.Model
        Built, with one input. It is not changed.
    x : ndarray of shape (n_rows, ...)
        Rows.

    Returns
    -------
    network : keras.Model
        `model` itself where it is such a network already. Else a copy, not compiled.
    notes : list of str
        What was done.

    Raises
    ------
    ValueError
        When `call` cannot be traced; the message says why.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap._keras import network_graph
    >>> model = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(3)])
    >>> network, notes = network_graph(model, np.zeros((1, 5, 2), "float32"))
    >>> network.input_shape
    (None, 5, 2)
    """
    keras = load_keras()
    notes = []
    if not isinstance(model, (keras.Sequential, functional_class())):
        model = _traced(model, x)
        notes.append("the graph of layers was made by one call of the subclassed model")
    inputs = model.inputs or []
    shape = tuple(inputs[0].shape[1:]) if len(inputs) == 1 else ()
    given = tuple(int(n) for n in x.shape[1:])
    fits = len(shape) == len(given) and all(
        a in (None, b) for a, b in zip(shape, given, strict=True)
    )
    if None in shape and fits:
        model = rebuild(model, {}, row_shape=given)
        notes.append(f"the shape {shape} of a row was fixed at {given}, that of the rows")
    return model, notes


def _traced(model: Any, x: np.ndarray) -> Any:
    """Return a Functional copy of a subclassed model."""
    keras = load_keras()
    start = keras.Input(x.shape[1:], dtype=str(x.dtype))
    parameters = inspect.signature(model.call).parameters
    training = {"training": None} if "training" in parameters else {}
    try:
        graph = keras.Model(start, model.call(start, **training), name=model.name)
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise ValueError(
            f"its call cannot be traced ({type(error).__name__}: {lines[0] if lines else ''})"
        ) from error
    own = {id(weight) for weight in model.weights} ^ {id(weight) for weight in graph.weights}
    if own:
        names = [weight.path for weight in model.weights if id(weight) in own]
        raise ValueError(f"its weights {names[:5]} belong to no layer of the graph")
    copy = rebuild(graph, {})
    found, expected = (np.asarray(predict_raw(net, x[:_ROWS])) for net in (copy, model))
    if not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
        raise ValueError(
            "the graph of its call computes something else: call depends on more than the row"
        )
    return copy
