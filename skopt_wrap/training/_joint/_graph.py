"""One traced pass over an epoch for several networks of equal architecture.

All trained weights of a network lie in one row of a matrix (networks, weights): a layer is one
operation for all networks, and an update of the optimizer is one pass over the matrix. The
number of networks, rows per step, widths, learning rates, rates of dropout and penalties are
arguments, so that one graph serves networks that differ in nothing else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..._keras import FunctionalOptimizer, load_keras, load_tensorflow, traced
from ._layer_spec import NotJointlyTrainable
from ._layers import compute
from ._member_layers import row_function
from ._noise import Noise
from ._plan import Plan

MAX_GRAPHS = 16
_GRAPHS: OrderedDict[tuple[Any, ...], JointGraph] = OrderedDict()
_LOCK = threading.Lock()


def joint_graph(plan: Plan, optimizer: Any, form: GraphForm) -> JointGraph:
    """Return the graph of `plan`, traced before or new."""
    key = (*plan.key, form)
    with _LOCK:
        graph = _GRAPHS.get(key)
        if graph is None:
            graph = _GRAPHS[key] = JointGraph(plan, optimizer, form)
            if len(_GRAPHS) > MAX_GRAPHS:
                _GRAPHS.popitem(last=False)
        _GRAPHS.move_to_end(key)
    return graph


def clear_joint_graphs() -> None:
    """Forget every kept graph of joint training."""
    with _LOCK:
        _GRAPHS.clear()


@dataclass(frozen=True)
class GraphForm:
    """What a traced graph is made for, beside a plan.

    Attributes
    ----------
    networks : int or None
        Number of networks, where the graph has operations of each one's own.
    drops : bool
        Whether dropout drops anything.
    alike : bool
        Whether all networks draw the same dropout, of which each takes what its width asks for.
    padded : bool
        Whether widths are unequal.
    """

    networks: int | None = None
    drops: bool = False
    alike: bool = False
    padded: bool = False


class JointGraph:
    """Training and evaluation of several networks, traced when they are first called.

    Parameters
    ----------
    plan : Plan
        Of one of the networks; nothing of the network itself is kept.
    optimizer : keras.optimizers.Optimizer
        Of that network; copied.
    form : GraphForm
        What else it is made for.
    """

    def __init__(self, plan: Plan, optimizer: Any, form: GraphForm) -> None:
        self.form, self.networks = form, form.networks
        self._dtype = str(plan.weights[0].dtype)
        self._steps = [step.key for step in plan.steps]
        self._output, self._last = plan.output, plan.last
        self._loss, self._schedule = plan.loss, plan.schedule
        self._metrics = [row_function(metric) for metric in plan.metrics]
        self._weighted = plan.weighted
        self._penalties = [(number, l1 > 0, l2 > 0) for number, l1, l2 in plan.penalties]
        self._grouped = plan.grouped
        self._ranks = [len(shape) for shape in plan.shapes]
        self._optimizer = FunctionalOptimizer(optimizer, self._dtype)
        self._clip = {
            n: getattr(optimizer, n) for n in ("clipnorm", "global_clipnorm", "clipvalue")
        }
        self._decays = optimizer.weight_decay is not None
        self.slots = self._optimizer.slots
        self.train, self.test = (
            traced(f, self._signature(plan, f)) for f in (self._train, self._test)
        )

    def _signature(self, plan: Plan, function: Any) -> list[Any]:
        """Return the kinds of arguments of a traced function; None is any size."""
        tf, n = load_tensorflow(), self.networks
        dtype, floatx = self._dtype, load_keras().config.floatx()

        def spec(kind: str, *shape: int | None) -> Any:
            return tf.TensorSpec(shape, kind)

        n_seeds = len(plan.seeds)
        weights, logs = spec(dtype, n, None), spec(floatx, n, plan.n_logs)
        stats = [spec(dtype, n, None)] * len(plan.stats)
        given = {
            "rates": spec(dtype, n, None),
            "decay": spec(dtype, n),
            "dropout": spec(dtype, n, n_seeds, 2),
            "penalties": spec(dtype, n, len(plan.penalties), 2),
            "groups": spec(dtype, n, len(self._ranks) if plan.grouped else 0, 2),
            "sizes": spec("int32", len(self._ranks)),
            "shapes": spec("int32", sum(self._ranks)),
            "mask": weights,
            "drawn": [spec("int32", n, None)] * n_seeds,
            "widths": spec("int32", n, n_seeds),
        }
        x, y, w = plan.row_specs
        data = tuple(spec(kind, None, *shape) for kind, shape in (x, y, w))
        table = spec("int32", 2, None, n, None)
        if function == self._test:
            return [weights, stats, logs, given, data, table]
        state = {
            "weights": weights,
            "slots": [weights] * len(self.slots),
            "iterations": spec("int64", n),
            "stats": stats,
            "seeds": spec("int64", n, n_seeds, 2),
            "logs": logs,
        }
        return [state, given, data, table]

    # -- traced -------------------------------------------------------------------------------

    def _train(self, state: dict[str, Any], given: dict[str, Any], data: Any, table: Any) -> Any:
        """Return the state after the steps of `table`, (2, steps, networks, rows)."""
        tf, steps = load_tensorflow(), tf_shape(table)[1]
        rates = self._rates(state["iterations"], given["rates"], steps)
        given, batch = self._settled(given, state["weights"]), _batches(data, table)

        def body(i: Any, state: dict[str, Any]) -> Any:
            return i + 1, self._step(state, given, rates[:, i], *batch(i))

        _, state = tf.while_loop(
            lambda i, _: i < steps,
            body,
            (0, state),
            shape_invariants=(
                tf.TensorShape([]),
                tf.nest.map_structure(lambda t: t.shape, state),
            ),
            parallel_iterations=1,
        )
        return state

    def _test(
        self, weights: Any, stats: Any, logs: Any, given: dict[str, Any], data: Any, table: Any
    ) -> Any:
        """Return loss and metrics summed over the steps of `table`."""
        tf, steps = load_tensorflow(), tf_shape(table)[1]
        given, batch = self._settled(given, weights), _batches(data, table)
        parts = self._unpacked(weights, given)

        def body(i: Any, logs: Any) -> Any:
            x, y, w = batch(i)
            outputs, _ = self._forward(parts, x, stats, None)
            measured = self._measured(outputs, y, w, tf.shape(x)[:2])
            return i + 1, logs + self._logged(measured, self._penalty(parts, given), outputs, y, w)

        return tf.while_loop(
            lambda i, _: i < steps,
            body,
            (0, logs),
            shape_invariants=(tf.TensorShape([]), logs.shape),
            parallel_iterations=1,
        )[1]

    def _rates(self, iterations: Any, rates: Any, steps: Any) -> Any:
        """Return the learning rates (networks, steps): those given, or a schedule's."""
        if self._schedule is None:
            return rates
        tf = load_tensorflow()
        numbers = iterations[:, None] + tf.cast(tf.range(steps), iterations.dtype)
        found = tf.map_fn(
            lambda n: tf.cast(self._schedule(n), rates.dtype),
            tf.reshape(numbers, [-1]),
            fn_output_signature=rates.dtype,
        )
        return tf.reshape(found, tf.shape(numbers))

    def _step(
        self, state: dict[str, Any], given: dict[str, Any], rate: Any, x: Any, y: Any, w: Any
    ) -> dict[str, Any]:
        tf = load_tensorflow()
        weights = state["weights"]
        noise = Noise(self.form, state["seeds"], given)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(weights)
            parts = self._unpacked(weights, given)
            outputs, stats = self._forward(parts, x, state["stats"], noise)
            measured = self._measured(outputs, y, w, tf.shape(x)[:2])
            penalty = self._penalty(parts, given)
        # The reduction of the loss enters as the gradient that each row starts with: one
        # operation in the place of the gradients of several.
        gradient = tape.gradient(measured.values, weights, output_gradients=measured.share)
        if penalty is not None:
            gradient += tape.gradient(penalty, weights)
        del tape
        if self.form.padded:
            gradient *= given["mask"]
        gradient = self._clipped(gradient, given)
        logs = self._logged(measured, penalty, outputs, y, w)
        rate = rate[:, None]
        if self._decays:
            cast = tf.cast(rate, weights.dtype)
            weights = weights - weights * tf.cast(given["decay"], weights.dtype)[:, None] * cast
        if self._grouped:
            rate = tf.cast(rate, weights.dtype) * given["groups"][0]
            weights = weights - weights * (given["groups"][1] * rate)
        weights, slots = self._optimizer.step(
            weights, gradient, state["slots"], rate, state["iterations"][:, None]
        )
        return {
            "weights": weights,
            "slots": slots,
            "iterations": state["iterations"] + 1,
            "stats": stats,
            "seeds": noise.seeds,
            "logs": state["logs"] + logs,
        }

    def _settled(self, given: dict[str, Any], weights: Any) -> dict[str, Any]:
        """Return `given` with what is the same in every step of a pass."""
        tf = load_tensorflow()
        networks = tf.shape(weights)[:1]
        shapes = tf.split(given["shapes"], self._ranks)
        groups = given["groups"]
        if self._grouped:  # of each variable: now of each weight
            groups = tf.unstack(tf.repeat(groups, given["sizes"], axis=1), axis=2)
        shapes = [tf.concat([networks, shape], 0) for shape in shapes]
        return {**given, "groups": groups, "shapes": shapes}

    def _unpacked(self, weights: Any, given: dict[str, Any]) -> list[Any]:
        """Return the weights of all layers, each with the axis of networks first."""
        tf = load_tensorflow()
        parts = tf.split(weights, given["sizes"], axis=1, num=len(self._ranks))
        return [
            tf.reshape(part, shape) if rank > 1 else part
            for part, shape, rank in zip(parts, given["shapes"], self._ranks, strict=True)
        ]

    def _forward(self, parts: list[Any], x: Any, stats: Any, noise: Any) -> tuple[Any, Any]:
        """Return outputs (networks * rows, units) and the statistics after the pass."""
        tf = load_tensorflow()
        stats, values = list(stats), [x]
        for kind, settings, inputs, weights, of, seed in self._steps:
            output, after = compute(
                kind,
                settings,
                [values[n] for n in inputs],
                [parts[n] for n in weights],
                [stats[n] for n in of],
                noise.of(seed) if noise is not None and seed is not None else noise,
            )
            for n, value in zip(of, after, strict=True):
                stats[n] = value
            values.append(output)
        outputs = values[self._output]
        outputs = tf.reshape(outputs, [-1, *_row(outputs)])
        return (outputs if self._last is None else self._last(outputs)), stats

    def _measured(self, outputs: Any, y: Any, w: Any, shape: Any) -> _Measured:
        """Return the loss of each row and of each network, without penalties."""
        keras, tf, loss = load_keras(), load_tensorflow(), self._loss
        values = loss.call(
            keras.ops.convert_to_tensor(y, loss.dtype),
            keras.ops.convert_to_tensor(outputs, loss.dtype),
        )
        if values.shape.rank != 1:
            raise NotJointlyTrainable("the loss does not give one value per row")
        weights = tf.cast(w, values.dtype)
        sums = tf.reduce_sum(tf.reshape(values * weights, shape), axis=1)
        count = tf.cast(shape[1], values.dtype)
        if loss.reduction == "mean_with_sample_weight":
            divisor = tf.reduce_sum(tf.reshape(weights, shape), axis=1)
            share = tf.math.divide_no_nan(tf.reshape(weights, shape), divisor[:, None])
            total = tf.math.divide_no_nan(sums, divisor) * count
            return _Measured(values, tf.reshape(share, [-1]), total, count, shape)
        if loss.reduction == "sum":
            return _Measured(values, weights, sums * count, count, shape)
        return _Measured(values, weights / count, sums, count, shape)

    def _logged(self, measured: _Measured, penalty: Any, outputs: Any, y: Any, w: Any) -> Any:
        """Return (networks, logs) what the batch adds to the sums of loss and metrics."""
        keras, tf = load_keras(), load_tensorflow()
        floatx, shape = keras.config.floatx(), measured.shape
        total = measured.total
        if penalty is not None:
            total = total + tf.cast(penalty, total.dtype) * measured.count
        logs = [total]
        for (function, options, dtype), weighted in zip(self._metrics, self._weighted, strict=True):
            values = tf.cast(function(y, outputs, **options), dtype)
            if values.shape.rank > 1:
                values = tf.reduce_mean(values, axis=list(range(1, values.shape.rank)))
            if weighted:
                weights = tf.cast(w, dtype)
                logs.append(tf.reduce_sum(tf.reshape(values * weights, shape), 1))
                logs.append(tf.reduce_sum(tf.reshape(weights, shape), 1))
            else:
                logs.append(tf.reduce_sum(tf.reshape(values, shape), 1))
        return tf.stack([tf.cast(value, floatx) for value in logs], 1)

    def _penalty(self, parts: list[Any], given: dict[str, Any]) -> Any:
        """Return the L1 and L2 penalties of each network, or None."""
        tf, found = load_tensorflow(), []
        for i, (number, l1, l2) in enumerate(self._penalties):
            part = parts[number]
            axes = list(range(1, part.shape.rank))
            factors = tf.cast(given["penalties"][:, i], part.dtype)
            if l1:
                found.append(factors[:, 0] * tf.reduce_sum(tf.abs(part), axes))
            if l2:
                found.append(factors[:, 1] * tf.reduce_sum(tf.square(part), axes))
        return tf.add_n(found) if found else None

    def _clipped(self, gradient: Any, given: dict[str, Any]) -> Any:
        """Return the gradient clipped as ``BaseOptimizer._clip_gradients`` does."""
        tf, clip = load_tensorflow(), self._clip
        if clip["clipnorm"]:
            parts = tf.split(gradient, given["sizes"], axis=1, num=len(self._ranks))
            return tf.concat([tf.clip_by_norm(p, clip["clipnorm"], axes=[1]) for p in parts], 1)
        if clip["global_clipnorm"]:
            norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=1, keepdims=True))
            limit = float(clip["global_clipnorm"])
            return gradient * (limit * tf.minimum(1.0 / norm, 1.0 / limit) + (norm - norm))
        if clip["clipvalue"]:
            return tf.clip_by_value(gradient, -clip["clipvalue"], clip["clipvalue"])
        return gradient


@dataclass
class _Measured:
    """The loss of a batch.

    `values` is the loss of each sample, `share` the factor with which it enters the loss of its
    network, `total` the loss of each network times `count`, the number of samples of each network.
    """

    values: Any
    share: Any
    total: Any
    count: Any
    shape: Any


def tf_shape(tensor: Any) -> Any:
    """Return the shape of a tensor as a tensor."""
    return load_tensorflow().shape(tensor)


def _batches(data: Any, table: Any) -> Callable[[Any], tuple[Any, Any, Any]]:
    """Return a function of the step's number.

    It returns rows (networks, rows, ...), their targets and weights (networks * rows, ...).
    """
    tf, (x, y, w) = load_tensorflow(), data
    rows, own = table[0], tf.reshape(table[1], [tf.shape(table)[1], -1])

    def batch(i: Any) -> tuple[Any, Any, Any]:
        mine = tf.gather(own, i)
        return tf.gather(x, tf.gather(rows, i)), tf.gather(y, mine), tf.gather(w, mine)

    return batch


def _row(outputs: Any) -> list[Any]:
    shape = load_tensorflow().shape(outputs)
    return [shape[2 + i] if n is None else n for i, n in enumerate(outputs.shape[2:])]
