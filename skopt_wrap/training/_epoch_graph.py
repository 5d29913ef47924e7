"""An epoch as one traced graph, kept for the next network of the same architecture.

A graph holds a network of its own, of the same configuration as the one to be trained. The state
of the network is copied into it before training, and back afterwards. Tracing costs 0.2-4 s, and
some memory that TensorFlow never gives back; so both are paid once per architecture.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._keras import (
    all_layers,
    clear_prediction_calls,
    compile_arguments,
    fixed_batch,
    forget_key,
    load_tensorflow,
    plain_executor,
    reset_states,
    shareable_key,
    traced,
)
from ._data import TrainingData, map_arrays
from ._joint._graph import clear_joint_graphs

MAX_GRAPHS = 16
_GRAPHS: OrderedDict[tuple[Any, ...], EpochGraph] = OrderedDict()
_LOCK = threading.Lock()

# Rows of a sparse matrix that are made dense at a time, in bytes.
_DENSE_BYTES = 2**26
# Steps of the first call into a graph; later calls are sized to last about half a second, so
# that an interrupt is answered soon.
_FIRST_STEPS = 32
_SECONDS_PER_CALL = 0.5


class EpochGraph:
    """One traced training pass and one traced evaluation pass over a compiled, built model.

    Parameters
    ----------
    model : keras.Model
        Compiled, with its optimizer built.
    plain : bool, default=False
        Whether operations run one after the other, which is faster for small ones; for networks
        made of Keras' own layers, whose operations are known to allow it.
    """

    def __init__(self, model: Any, *, plain: bool = False) -> None:
        from ._callback_classes import rate_variable

        tf = load_tensorflow()
        self.model = model
        self.lock = threading.Lock()
        self._steps = _FIRST_STEPS
        self._executor = plain_executor if plain else contextlib.nullcontext

        rate = rate_variable(model)

        def loop(step: Callable[[Any], Any], rate: Any = None) -> Any:
            if compile_arguments(model).get("jit_compile") is True:
                step = tf.function(step, autograph=False, jit_compile=True)

            @traced
            def run(x: Any, y: Any, weights: Any, table: Any, rates: Any) -> None:
                def body(i: Any) -> Any:
                    rows = table[i]
                    if rate is not None:
                        rate.assign(rates[i])
                    step(tf.nest.map_structure(lambda t: tf.gather(t, rows), (x, y, weights)))
                    return i + 1

                tf.while_loop(lambda i: i < tf.shape(table)[0], body, [0], parallel_iterations=1)

            return run

        self._rate = rate
        self._train, self._test = loop(model.train_step, rate), loop(model.test_step)

    def prepare(self, data: TrainingData) -> None:
        """Create the variables of loss and metrics, which a traced function must find there."""
        n_rows = fixed_batch(self.model) or 2
        prepare_metrics(self.model, *data.take(np.arange(min(n_rows, len(data)))))

    def train_epoch(
        self, data: Any, tables: list[np.ndarray], rates: np.ndarray | None = None
    ) -> dict[str, float]:
        """Train on the batches of `tables`; return loss and metrics over the epoch.

        `rates` are the learning rates of the steps; None keeps the optimizer's.
        """
        self.model.reset_metrics()
        reset_states(self.model)
        if rates is None:
            rate = 0.0 if self._rate is None else float(self._rate)
            rates = np.full(sum(map(len, tables)), rate)
        self._run(self._train, data, tables, rates)
        return self._logs()

    def evaluate(self, data: Any, tables: list[np.ndarray]) -> dict[str, float]:
        """Return loss and metrics on the batches of `tables`, names prefixed by ``val_``."""
        self.model.reset_metrics()
        self._run(self._test, data, tables, np.zeros(sum(map(len, tables))))
        return {f"val_{name}": value for name, value in self._logs().items()}

    def _logs(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def _run(self, function: Any, data: Any, tables: list[np.ndarray], rates: np.ndarray) -> None:
        tf = load_tensorflow()
        rates = rates.astype("float32" if self._rate is None else self._rate.dtype)
        done = 0
        for table in tables:
            start = 0
            while start < len(table):
                steps = self._steps
                if isinstance(data, TrainingData):
                    steps = min(steps, _dense_steps(data, table.shape[1]))
                part = table[start : start + steps]
                began = tf.timestamp()
                if isinstance(data, TrainingData):
                    x, y, weights = (tf.constant(a) for a in data.take(part.ravel()))
                    rows = np.arange(part.size, dtype=np.int32).reshape(part.shape)
                else:
                    (x, y, weights), rows = data, part
                now = rates[done : done + len(part)]
                arguments = (x, y, weights, tf.constant(rows), tf.constant(now))
                with self._executor():
                    function(*arguments)
                done += len(part)
                seconds = float(tf.timestamp() - began)
                if len(part) == self._steps:
                    wanted = int(self._steps * _SECONDS_PER_CALL / max(seconds, 1e-4))
                    self._steps = int(np.clip(wanted, _FIRST_STEPS, 64 * self._steps))
                start += len(part)


def _dense_steps(data: TrainingData, batch: int) -> int:
    """Return how many batches of a sparse matrix may be dense at a time."""
    row_bytes = int(np.prod(data.x.shape[1:])) * data.x.dtype.itemsize
    return max(1, _DENSE_BYTES // max(1, row_bytes * batch))


def as_tensors(data: TrainingData) -> Any:
    """Return `data` as tensors that batches are gathered from, or itself when it is sparse."""
    if data.sparse:
        return data
    tf = load_tensorflow()
    rows = data.rows
    x = data.x if rows is None else map_arrays(lambda a: a[rows], data.x)
    return tuple(map_arrays(tf.constant, part) for part in (x, data.y, data.weights))


@contextmanager
def graph_for(model: Any, data: TrainingData, *, share: bool) -> Iterator[EpochGraph]:
    """Lend the graph that trains `model`, with the state of `model` in it; copy it back after.

    Parameters
    ----------
    model : keras.Model
        Compiled, with its optimizer built.
    data : TrainingData
        Training data; its dtypes and shapes are part of what a graph is traced for.
    share : bool
        Whether another network may be trained in place of `model`. Callbacks of the user keep a
        reference to the model that they see, so they must see the real one.
    """
    forget_key(model)  # layers may have been frozen, or the model compiled anew, since
    graph = _shared_graph(model, data) if share else None
    if graph is None:
        graph = EpochGraph(model)
        graph.prepare(data)
        with kept_on_failure(model):
            yield graph
        return
    with graph.lock:
        copy_state(model, graph.model)
        graph.model.stop_training = False
        yield graph
        copy_state(graph.model, model)


def _branches(model: Any) -> bool:
    """Whether a step of `model` may hold branches inside branches.

    TensorFlow never returns from those when it runs operations one after the other (2.21).
    """
    if getattr(model.optimizer, "inner_optimizer", None) is not None:  # scales the loss
        return True
    names = [type(layer).__name__ for layer in all_layers(model)]
    return any(name.startswith(("Rand", "AugMix", "CutMix", "MixUp")) for name in names)


def _shared_graph(model: Any, data: TrainingData) -> EpochGraph | None:
    """Return the graph that networks like `model` share, or None when they can share none."""
    key = shareable_key(model)
    if key is None:
        return None
    kinds = [map_arrays(lambda a: (a.dtype.str, a.shape[1:]), part) for part in (data.x, data.y)]
    signature = (key, str(kinds))
    with _LOCK:
        graph = _GRAPHS.get(signature)
        if graph is None:
            own = untrained_copy(model)
            if own is None:
                return None
            graph = EpochGraph(own, plain=not _branches(own))
            graph.prepare(data)
            _GRAPHS[signature] = graph
            if len(_GRAPHS) > MAX_GRAPHS:
                _GRAPHS.popitem(last=False)
        _GRAPHS.move_to_end(signature)
    # An optimizer built before layers were frozen keeps the variables that it had for them.
    shapes = [[v.shape for v in m.optimizer.variables] for m in (model, graph.model)]
    return graph if shapes[0] == shapes[1] else None


@contextmanager
def kept_on_failure(model: Any) -> Iterator[None]:
    """Give `model` its state back when training raises, so that no half-trained one is left."""
    variables = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        raise


def prepare_metrics(model: Any, x: Any, y: Any, weights: Any) -> None:
    """Create the variables of loss and metrics, which a traced function must find there."""
    x = map_arrays(load_tensorflow().constant, x)
    outputs = model(x, training=False)
    model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights)
    model.compute_metrics(x, y, outputs, weights)
    model.reset_metrics()


def untrained_copy(model: Any) -> Any:
    """Return a compiled model of the same configuration, its optimizer built.

    None when its configuration does not hold all of `model` (adapted layers).
    """
    copy = type(model).from_config(model.get_config())
    copy.compile_from_config(model.get_compile_config())
    if not copy.optimizer.built:
        copy.optimizer.build(copy.trainable_variables)
    return copy if shareable_key(copy) == shareable_key(model) else None


def copy_state(source: Any, target: Any) -> None:
    """Assign all variables of `source` and its optimizer to those of `target`."""
    pairs = [(source.variables, target.variables)]
    pairs.append((source.optimizer.variables, target.optimizer.variables))
    for ours, theirs in pairs:
        for variable, other in zip(ours, theirs, strict=True):
            other.assign(variable)


def clear_graphs() -> None:
    """Forget every kept graph of training and prediction, and free the memory that they hold.

    Examples
    --------
    >>> from skopt_wrap.training import clear_graphs
    >>> clear_graphs()
    """
    with _LOCK:
        _GRAPHS.clear()
    clear_joint_graphs()
    clear_prediction_calls()
