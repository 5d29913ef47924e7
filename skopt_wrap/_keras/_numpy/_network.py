"""A network in NumPy, for rows that cost less than a call of TensorFlow.

A call of a compiled function costs several hundred microseconds, whatever it computes. For the
arithmetic of small networks NumPy needs a tenth of it. Values are computed in float64 and rounded
to the dtype of the network in the end, so that a row's outputs do not depend on the rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._backend import load_keras
from .._inspect import functional_class
from .._layers import run_graph
from ._convolutions import CONVOLUTIONS
from ._layers import LAYERS, Maker, Twin
from ._operations import numpy_operation
from ._table_layers import TABLE_LAYERS
from ._variables import VariableValues

_FLOATS = ("float32", "float64")


class NoTwinError(Exception):
    """Something of a network has no function in NumPy."""


@dataclass(frozen=True)
class _Value:
    """A value of the graph: the number of the step that makes it."""

    place: int


@dataclass(frozen=True)
class _Step:
    """One call of a layer: the variables that it reads, and where its inputs come from."""

    make: Maker
    variables: tuple[int, ...]
    args: tuple[Any, ...]
    place: int | None  # of the only argument, where it is one value of the graph


class NumpyNetwork:
    """What a network returns when it does not train, computed by NumPy.

    Its weights are those that the network has at the time of a call.

    Parameters
    ----------
    model : keras.Model
        Built Sequential or Functional network.

    Raises
    ------
    NoTwinError
        When a layer, or one of its settings, is not known here.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap._keras._numpy._network import NumpyNetwork
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "relu")])
    >>> network = NumpyNetwork(model)
    >>> model.set_weights([np.array([[1.0], [2.0]]), np.array([0.5])])
    >>> network(np.array([[1.0, 1.0]], "float32")).tolist()
    [[3.5]]
    """

    def __init__(self, model: Any) -> None:
        self._steps: list[_Step] = []
        self._variables: list[Any] = []
        self.n_inputs = len(model.inputs)
        self.takes_codes = False
        self.multiplications = 0  # for one row
        inputs = [_Value(place) for place in range(self.n_inputs)]
        self.outputs = run_graph(model, inputs, self._recorder, None)
        if isinstance(self.outputs, list) and len(self.outputs) == 1:
            self.outputs = self.outputs[0]  # as Keras does when it calls the network
        tree = load_keras().tree
        leaves = tree.flatten(self.outputs)
        if not all(isinstance(leaf, _Value) for leaf in leaves):
            raise NoTwinError("an output is no value of the graph")
        self._places = [leaf.place for leaf in leaves]
        dtypes = [str(tensor.dtype) for tensor in model.outputs]
        if len(dtypes) != len(leaves) or not set(dtypes) <= set(_FLOATS):
            raise NoTwinError("an output is not of a float dtype")
        self._dtypes = list(map(np.dtype, dtypes))
        try:
            self._values = VariableValues(self._variables)
        except (AttributeError, ValueError) as error:
            raise NoTwinError(str(error)) from error
        self._functions: list[Callable[..., np.ndarray]] = []

    def _recorder(self, operation: Any) -> Callable[..., Any]:
        keras = load_keras()
        if type(operation) in (keras.Sequential, functional_class()):

            def run(given: Any, **options: Any) -> Any:
                _refuse(operation, options)
                return run_graph(operation, _listed(given), self._recorder, None)

            return run

        def record(*args: Any, **options: Any) -> _Value:
            if isinstance(operation, keras.Layer):
                twin = _layer_twin(operation)
                _refuse(operation, options)
                args = tuple(_listed(args[0])) if len(args) == 1 else args
            else:
                args = tuple(_as_key(arg) for arg in args)
                function = numpy_operation(operation)
                twin = None if function is None or options else ([], lambda: function)
            if twin is None:
                raise NoTwinError(f"{type(operation).__name__} is not known")
            return self._add(operation, twin, args)

        return record

    def _add(self, operation: Any, twin: Twin, args: tuple[Any, ...]) -> _Value:
        if any(isinstance(arg, list | dict) for arg in args):
            raise NoTwinError(f"{type(operation).__name__} takes nested values")
        places = []
        for variable in twin[0]:
            known = [i for i, other in enumerate(self._variables) if other is variable]
            places.append(known[0] if known else len(self._variables))
            if not known:
                self._variables.append(variable)
        kind = type(operation).__name__
        self.takes_codes |= kind in ("Embedding", "TableEmbedding", "PreparedTable", "Cast")
        if kind.startswith(("Dense", "Conv", "TangentDense")):
            shape = twin[0][0].shape
            n_places = np.prod([n or 1 for n in operation.output.shape[1:-1]] or [1])
            self.multiplications += int(np.prod(shape) * n_places)
        only = args[0].place if len(args) == 1 and isinstance(args[0], _Value) else None
        self._steps.append(_Step(twin[1], tuple(places), args, only))
        return _Value(self.n_inputs + len(self._steps) - 1)

    def _current(self) -> list[Callable[..., np.ndarray]]:
        """Return the functions of the layers, with the weights that they have now."""
        if self._values.changed() or not self._functions:
            arrays = [array.astype("float64") for array in self._values.arrays]
            self._functions = [
                step.make(*(arrays[place] for place in step.variables)) for step in self._steps
            ]
        return self._functions

    def __call__(self, x: Any) -> Any:
        """Return the outputs, nested as those of the network.

        Parameters
        ----------
        x : ndarray, or list of ndarray, of shape (n_rows, ...)
            What each input takes, in its dtype.
        """
        inputs = [x] if isinstance(x, np.ndarray) else list(x)
        functions = self._current()
        with np.errstate(all="ignore"):
            found = self._block(functions, inputs)
        if isinstance(self.outputs, _Value):
            return found[0]
        return load_keras().tree.pack_sequence_as(self.outputs, found)

    def _block(self, functions: list[Any], inputs: list[np.ndarray]) -> list[np.ndarray]:
        values = [a.astype("float64") if a.dtype.kind == "f" else a for a in inputs]
        for function, step in zip(functions, self._steps, strict=True):
            if step.place is not None:
                values.append(function(values[step.place]))
            else:
                args = [values[a.place] if isinstance(a, _Value) else a for a in step.args]
                values.append(function(*args))
        return [
            values[place].astype(dtype)
            for place, dtype in zip(self._places, self._dtypes, strict=True)
        ]


def _as_key(argument: Any) -> Any:
    """Return a list of slices, as a network from a file holds them, as numpy takes it."""
    if isinstance(argument, list) and not any(isinstance(item, _Value) for item in argument):
        return tuple(argument)
    return argument


def _refuse(layer: Any, options: Mapping[str, Any]) -> None:
    """Raise for a call that says more than what Keras says by itself."""
    if any(option is not None and option is not False for option in options.values()):
        raise NoTwinError(f"{layer.name} is called with options")


def _listed(given: Any) -> list[Any]:
    if isinstance(given, Mapping):
        raise NoTwinError("a layer takes a dict")
    return list(given) if isinstance(given, list | tuple) else [given]


def _layer_twin(layer: Any) -> Twin | None:
    """Return what makes the function of a layer; None for a layer that is not known."""
    kind = type(layer)
    if "call" in vars(layer) or layer.compute_dtype not in _FLOATS:
        return None
    if kind.__module__.startswith("keras."):
        known = LAYERS.get(kind.__name__) or CONVOLUTIONS.get(kind.__name__)
    elif kind.__module__.startswith("skopt_wrap."):
        known = TABLE_LAYERS.get(kind.__name__)
    else:
        known = None
    return None if known is None else known(layer)
