"""Train several networks of equal architecture as one stack, each as if it were alone."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from ..._keras import dtype_scope, load_keras, load_tensorflow, plain_executor
from .._train import _VALIDATION_BATCH, recorded
from ._graph import StackGraph, stack_graph
from ._member import Member, StackError, Training
from ._plan import flat

# Steps of one call into a graph, so that an interrupt is answered soon.
_STEPS = 512
# Reductions of a loss that give another value when a batch is divided.
_OF_THE_BATCH = ("sum", "mean_with_sample_weight")


def train_stacks(
    groups: Sequence[Sequence[Training]],
    *,
    pauses: Collection[int] = (),
    pause: Callable[[int], bool | None] | None = None,
    tick: Callable[[], None] | None = None,
) -> None:
    """Train networks in place; those of a group have the same :func:`stack_key`.

    Parameters
    ----------
    groups : sequence of sequence of Training
        `result`, or `error` and `traceback`, and `seconds` are filled in.
    pauses : collection of int, default=()
        Epochs, counted from one, after which `pause` is called.
    pause : callable, default=None
        Called as ``pause(epoch)`` when every network holds its state after that epoch; when it
        returns False, training ends there.
    tick : callable, default=None
        Called after every epoch of all networks; what it raises ends training.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import Training, TrainingData, stack_key, train_stacks
    >>> X = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    >>> data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    >>> trainings = []
    >>> for seed in range(2):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     trainings.append(Training(model, data, epochs=3, batch_size=4, seed=seed))
    >>> len({stack_key(training) for training in trainings})
    1
    >>> train_stacks([trainings])
    >>> [training.result.n_epochs for training in trainings]
    [3, 3]
    """
    stacks = [_Stack(group) for group in groups]
    last = max(training.epochs for group in groups for training in group)
    stops = sorted({min(epoch, last) for epoch in pauses} | {last}) if pause else [last]
    epoch = 0
    for stop in stops if tick is None else range(1, last + 1):
        for stack in stacks:
            stack.run(epoch, stop)
        epoch = stop
        if tick is not None:
            tick()
        if pause is not None and epoch in pauses:
            for stack in stacks:
                stack.copy_back()
            if pause(epoch) is False:
                for stack in stacks:
                    stack.abandon()
                return


class _Stack:
    """Networks of equal architecture on their way, the state of all in a few tensors."""

    def __init__(self, trainings: Sequence[Training]) -> None:
        self._dtype = trainings[0].dtype
        self.live: list[Member] = []
        with self._guarded(trainings):
            self._start(trainings)

    def _start(self, trainings: Sequence[Training]) -> None:
        tf = load_tensorflow()
        self.live = [Member(training) for training in trainings]
        first = self.live[0]
        self.graph: StackGraph = stack_graph(first.plan, first.model.optimizer, len(trainings))
        self._batch_size = trainings[0].batch_size
        self._place_rows(trainings)
        self.state = self._load()
        sizes = [int(np.prod(shape)) for shape in first.plan.shapes]
        shapes = [n for shape in first.plan.shapes for n in shape]
        self._fixed = {
            "sizes": tf.constant(sizes, tf.int32, [len(sizes)]),
            "shapes": tf.constant(shapes, tf.int32, [len(shapes)]),
        }
        self._given = self._load_given()
        for member in list(self.live):
            member.model.stop_training = False
            if not member.call("on_train_begin"):
                self._drop([member])

    # -- rows ---------------------------------------------------------------------------------

    def _place_rows(self, trainings: Sequence[Training]) -> None:
        """Bring the rows of all networks together, once each, and number them."""
        tf = load_tensorflow()
        sources: dict[int, tuple[int, Any]] = {}
        n_rows = n_targets = 0
        targets, weights = [], []
        for member in self.live:
            for name, data in (("rows", member.training.data), ("held_out", None)):
                data = member.training.validation if name == "held_out" else data
                if data is None:
                    continue
                if id(data.x) not in sources:
                    sources[id(data.x)] = (n_rows, data.x)
                    n_rows += len(data.x)
                rows = np.arange(len(data)) if data.rows is None else data.rows
                own = np.arange(n_targets, n_targets + len(data))
                numbers = np.stack([rows + sources[id(data.x)][0], own]).astype(np.int32)
                setattr(member, name, numbers)
                n_targets += len(data)
                targets.append(data.y)
                weights.append(data.weights)
        arrays = [x for _, x in sources.values()]
        x = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        self._data = (
            tf.constant(x),
            tf.constant(np.concatenate(targets)),
            tf.constant(np.concatenate(weights)),
        )

    def _tables(
        self, orders: Sequence[np.ndarray], size: int
    ) -> list[tuple[list[int], Any, list[slice]]]:
        """Return steps that several networks take together.

        That is who, their rows (2, steps, who, rows), and which steps of their epoch it is.
        """
        whole = [order.shape[1] // size for order in orders]
        tables = []
        done = 0
        for limit in sorted(set(whole)):
            if limit > done:
                who = [k for k, n in enumerate(whole) if n >= limit]
                parts = [orders[k][:, done * size : limit * size].reshape(2, -1, size) for k in who]
                steps = [slice(done, limit)] * len(who)
                tables.append((who, np.stack(parts, axis=2), steps))
                done = limit
        left = [order.shape[1] - n * size for order, n in zip(orders, whole, strict=True)]
        for rest in sorted(set(left) - {0}):
            who = [k for k, n in enumerate(left) if n == rest]
            parts = [orders[k][:, None, -rest:] for k in who]
            steps = [slice(whole[k], whole[k] + 1) for k in who]
            tables.append((who, np.stack(parts, axis=2), steps))
        return tables

    # -- state --------------------------------------------------------------------------------

    def _load(self) -> dict[str, Any]:
        """Return the state of all networks as tensors."""
        tf, slots = load_tensorflow(), self.graph.slots
        dtype = str(self.live[0].plan.weights[0].dtype)

        def stacked(parts: list[Any], *shape: int) -> Any:
            return tf.constant(np.stack(parts).reshape(len(self.live), *shape))

        n_seeds = len(self.live[0].plan.seeds)
        optimizers = [member.model.optimizer for member in self.live]
        return {
            "weights": stacked([flat(m.plan.weights, dtype) for m in self.live], -1),
            "slots": [
                stacked([flat(getattr(optimizer, name), dtype) for optimizer in optimizers], -1)
                for name in slots
            ],
            "iterations": tf.constant([int(o._iterations) for o in optimizers], tf.int64),
            "stats": [
                stacked([m.plan.stats[i].numpy() for m in self.live], -1)
                for i in range(len(self.live[0].plan.stats))
            ],
            "seeds": stacked([flat(m.plan.seeds, "int64") for m in self.live], n_seeds, 2),
            "logs": self._no_logs(),
        }

    def _no_logs(self) -> Any:
        tf, keras = load_tensorflow(), load_keras()
        return tf.zeros((len(self.live), self.live[0].plan.n_logs), keras.config.floatx())

    def _load_given(self) -> dict[str, np.ndarray]:
        """Return what the graph is given for each network."""
        plans = [member.plan for member in self.live]
        dtype = str(plans[0].weights[0].dtype)
        rates = [[(r, 1 / (1 - r)) for r in plan.rates] for plan in plans]
        penalties = [[(l1, l2) for _, l1, l2 in plan.penalties] for plan in plans]
        decays = [member.model.optimizer.weight_decay or 0.0 for member in self.live]
        return {
            "decay": np.array(decays, "float32"),
            "dropout": np.array(rates, dtype).reshape(len(plans), -1, 2),
            "penalties": np.array(penalties, dtype).reshape(len(plans), -1, 2),
        }

    def _keep(self, who: list[int]) -> None:
        """Go on with some of the networks."""
        tf = load_tensorflow()
        self.live = [self.live[k] for k in who]
        self._given = {name: value[who] for name, value in self._given.items()}
        if who:
            self.state = tf.nest.map_structure(lambda t: tf.gather(t, who), self.state)

    def _drop(self, members: list[Member]) -> None:
        if members:
            self._keep([k for k, member in enumerate(self.live) if member not in members])

    def _copy_to(self, member: Member, state: dict[str, Any], *, everything: bool) -> None:
        """Assign the state of one network to its variables."""
        k, plan, optimizer = self.live.index(member), member.plan, member.model.optimizer
        groups = [(plan.weights, state["weights"][k])]
        groups += [
            ([variable], stat[k]) for variable, stat in zip(plan.stats, state["stats"], strict=True)
        ]
        if everything:
            names = zip(self.graph.slots, state["slots"], strict=True)
            groups += [(getattr(optimizer, name), slot[k]) for name, slot in names]
            groups += [([seed], state["seeds"][k, i]) for i, seed in enumerate(plan.seeds)]
            optimizer._iterations.assign(state["iterations"][k])
        for variables, vector in groups:
            start = 0
            for variable in variables:
                size = int(np.prod(variable.shape))
                variable.assign(vector[start : start + size].reshape(variable.shape))
                start += size

    def copy_back(self, members: Sequence[Member] | None = None) -> None:
        """Assign the state of the networks to their variables."""
        tf = load_tensorflow()
        if members is None:
            members = self.live
        if members:
            state = tf.nest.map_structure(lambda t: t.numpy(), self.state)
            for member in members:
                self._copy_to(member, state, everything=True)

    # -- training -----------------------------------------------------------------------------

    def run(self, first: int, stop: int) -> None:
        """Train from epoch `first` up to, not including, `stop`, both counted from zero."""
        with self._guarded([member.training for member in self.live]):
            for epoch in range(first, stop):
                if not self.live:
                    break
                self.epoch(epoch)

    @contextlib.contextmanager
    def _guarded(self, trainings: Sequence[Training]) -> Iterator[None]:
        """Measure the time of the block; note its error with each network that is left."""
        began = time.perf_counter()
        try:
            with dtype_scope(self._dtype):
                yield
        except Exception as error:
            left = [t for t in trainings if t.error is None and not t.result.n_epochs]
            for training in left:
                training.error = StackError(f"{type(error).__name__}: {error}")
                training.traceback = traceback.format_exc()
            self.live = []
        seconds = time.perf_counter() - began
        for training in trainings:
            training.seconds += seconds / len(trainings)

    def epoch(self, epoch: int) -> None:
        """Train one epoch, evaluate, call the callbacks, and end what is done."""
        for member in list(self.live):
            if not member.call("on_epoch_begin", epoch):
                self._drop([member])
        if not self.live:
            return
        logs = self._train_epoch(epoch)
        for name, values in self._evaluate(epoch).items():
            for member_logs, value in zip(logs, values, strict=True):
                if value is not None:
                    member_logs[name] = value
        watched = [member for member in self.live if member.watched]
        if watched:
            state = self._numpy()
            for member in watched:
                self._copy_to(member, state, everything=member.training.user_callbacks)
        done, failed = [], []
        for member, found in zip(list(self.live), logs, strict=True):
            if not member.call("on_epoch_end", epoch, found):
                failed.append(member)
            elif member.model.stop_training or epoch + 1 >= member.training.epochs:
                done.append((member, found))
        self._drop(failed)
        self.copy_back([member for member, _ in done])
        for member, found in done:
            self._finish(member, found)
        self._drop([member for member, _ in done])

    def _numpy(self) -> dict[str, Any]:
        return load_tensorflow().nest.map_structure(lambda t: t.numpy(), self.state)

    def _finish(self, member: Member, logs: dict[str, float]) -> None:
        if member.call("on_train_end", logs):
            model = member.model
            model.optimizer.finalize_variable_values(model.trainable_weights)
            recorded(member.training.result, member.history)

    def abandon(self) -> None:
        """End with the state of this epoch; what restores better weights is not asked."""
        for member in self.live:
            weights = member.model.get_weights()
            self._finish(member, {})
            member.model.set_weights(weights)
        self.live = []

    def _train_epoch(self, epoch: int) -> list[dict[str, float]]:
        """Run one epoch; return loss and metrics of each network."""
        self.state["logs"] = self._no_logs()
        orders = [member.rows[:, next(member.orders)] for member in self.live]
        rates = [member.rates(epoch) for member in self.live]
        for who, table, steps in self._tables(orders, self._batch_size):
            now = [rates[k][part] for k, part in zip(who, steps, strict=True)]
            self._run(who, table, np.stack(now))
        for member, of_steps in zip(self.live, rates, strict=True):
            member.set_rate(of_steps[-1])
        n_rows = [order.shape[1] for order in orders]
        return self._logs(self.state["logs"].numpy(), n_rows, "")

    def _logs(self, sums: np.ndarray, n_rows: list[int], prefix: str) -> list[dict[str, float]]:
        """Return the means of sums over rows."""
        plan = self.live[0].plan
        counts, totals, column = [], [], 0
        for weighted in (False, *plan.weighted):
            totals.append(sums[:, column])
            counts.append(sums[:, column + 1] if weighted else np.array(n_rows, sums.dtype))
            column += 1 + weighted
        total, count = np.stack(totals, 1), np.stack(counts, 1)
        means = np.divide(total, count, out=np.zeros_like(total), where=count != 0)
        names = [prefix + name for name in ("loss", *plan.names)]
        return [dict(zip(names, map(float, row), strict=True)) for row in means]

    def _evaluate(self, epoch: int) -> dict[str, list[float | None]]:
        """Return loss and metrics on validation rows, for the networks whose turn it is."""
        tf = load_tensorflow()
        turn = [
            k
            for k, member in enumerate(self.live)
            if member.held_out.shape[1] and (epoch + 1) % member.training.validation_freq == 0
        ]
        if not turn:
            return {}
        size = self._validation_rows()
        sums = self._no_logs().numpy()
        for who, table, _ in self._tables([self.live[k].held_out for k in turn], size):
            places = [turn[k] for k in who]
            padded, table = self._padded(places, table)
            arguments = (
                tf.gather(self.state["weights"], padded),
                [tf.gather(stat, padded) for stat in self.state["stats"]],
                tf.gather(self._no_logs(), padded),
                self._arguments(padded, np.zeros((len(padded), 1))),
                self._data,
                tf.constant(table),
            )
            with plain_executor():
                found = self.graph.test(*arguments).numpy()
            sums[places] += found[: len(places)]
        n_rows = [member.held_out.shape[1] for member in self.live]
        logs = self._logs(sums, n_rows, "val_")
        return {
            name: [found[name] if k in turn else None for k, found in enumerate(logs)]
            for name in logs[0]
        }

    def _validation_rows(self) -> int:
        """Return the rows of each network in one step of validation."""
        given, plan = self.live[0].training.validation_batch_size, self.live[0].plan
        if given or not plan.convolves or plan.loss.reduction in _OF_THE_BATCH:
            return given or _VALIDATION_BATCH
        # Together they take the memory that one takes by itself.
        return max(1, _VALIDATION_BATCH // (self.graph.networks or 1))

    def _padded(self, who: list[int], table: np.ndarray) -> tuple[list[int], np.ndarray]:
        """Repeat the first network until there are as many as the graph was traced for."""
        missing = (self.graph.networks or len(who)) - len(who)
        if missing <= 0:
            return who, table
        more = np.repeat(table[:, :, :1], missing, axis=2)
        return [*who, *[who[0]] * missing], np.concatenate([table, more], axis=2)

    def _arguments(self, who: list[int], rates: np.ndarray) -> dict[str, Any]:
        tf = load_tensorflow()
        given = {name: tf.constant(value[who]) for name, value in self._given.items()}
        return {**given, **self._fixed, "rates": tf.constant(rates, "float32")}

    def _run(self, who: list[int], table: np.ndarray, rates: np.ndarray) -> None:
        """Train the networks `who` on the steps of `table`."""
        tf, size = load_tensorflow(), len(who)
        padded, table = self._padded(who, table)
        everyone = padded == list(range(len(self.live)))
        state = self.state
        if not everyone:
            state = tf.nest.map_structure(lambda t: tf.gather(t, padded), state)
        rates = np.concatenate([rates, np.repeat(rates[:1], len(padded) - size, axis=0)])
        for start in range(0, table.shape[1], _STEPS):
            part = tf.constant(table[:, start : start + _STEPS])
            given = self._arguments(padded, rates[:, start : start + _STEPS])
            with plain_executor():
                state = self.graph.train(state, given, self._data, part)
        if not everyone:
            places = tf.constant([[k] for k in who])

            def put(old: Any, new: Any) -> Any:
                if not old.shape.num_elements():
                    return old
                return tf.tensor_scatter_nd_update(old, places, new[:size])

            state = tf.nest.map_structure(put, self.state, state)
        self.state = state
