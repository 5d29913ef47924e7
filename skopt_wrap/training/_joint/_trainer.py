"""Train several networks of equal architecture jointly, each as if it were alone."""

from __future__ import annotations

import contextlib
import functools
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from ..._keras import dtype_scope, load_tensorflow, plain_executor
from .._result import recorded
from .._train import VALIDATION_BATCH
from ._graph import GraphForm, JointGraph, joint_graph
from ._layout import joint_layout
from ._member import JointTrainingError, Member, Training
from ._parts import parts_of
from ._samples import SharedArrays, padded_to, place_samples, step_tables
from ._state import assign_state, load_arguments, load_state, no_logs, values_of

# Steps of one call into a graph, so that an interrupt is answered soon.
_STEPS = 512
# Reductions of a loss that give another value when a batch is divided.
_OF_THE_BATCH = ("sum", "mean_with_sample_weight")


def train_jointly(
    groups: Sequence[Sequence[Training]],
    *,
    pauses: Collection[int] = (),
    pause: Callable[[int], bool | None] | None = None,
    tick: Callable[[], None] | None = None,
    max_bytes: float | None = None,
) -> None:
    """Train networks in place; those of a group have the same :func:`joint_key`.

    Networks of unequal widths are trained together where that is faster than one after the other;
    see :func:`parts_of`.

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
    max_bytes : float, default=None
        Most memory of networks that are trained together, estimated; None for no limit.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import Training, TrainingData, joint_key, train_jointly
    >>> X = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    >>> data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    >>> trainings = []
    >>> for seed in range(2):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     trainings.append(Training(model, data, epochs=3, batch_size=4, seed=seed))
    >>> len({joint_key(training) for training in trainings})
    1
    >>> train_jointly([trainings])
    >>> [training.result.n_epochs for training in trainings]
    [3, 3]
    """
    parts = [part for group in groups for part in parts_of(group, max_bytes)]
    rows = SharedArrays()
    if pause is None:  # one part after the other, so that the memory of one is enough
        for part in parts:
            _train_to(_JointTraining(part, rows), _longest([part]), tick)
        return
    joint = [_JointTraining(part, rows) for part in parts]
    last, epoch = _longest(parts), 0
    for stop in sorted({min(epoch, last) for epoch in pauses} | {last}):
        for number in range(epoch, stop) if tick is not None else (epoch,):
            for training in joint:
                training.run(number, stop if tick is None else number + 1)
            if tick is not None:
                tick()
        epoch = stop
        if epoch in pauses:
            for training in joint:
                training.copy_back()
            if pause(epoch) is False:
                for training in joint:
                    training.abandon()
                return


def _longest(parts: Sequence[Sequence[Training]]) -> int:
    return max(training.settings.epochs for part in parts for training in part)


def _train_to(training: _JointTraining, last: int, tick: Callable[[], None] | None) -> None:
    """Train up to epoch `last`, and call `tick` after every epoch."""
    if tick is None:
        training.run(0, last)
        return
    for epoch in range(last):
        training.run(epoch, epoch + 1)
        tick()
        if not training.live:
            return


class _JointTraining:
    """Networks that are trained jointly; a few tensors hold the state of all."""

    def __init__(self, trainings: Sequence[Training], rows: SharedArrays) -> None:
        self._dtype = trainings[0].dtype
        self.live: list[Member] = []
        with self._guarded(trainings):
            self._start(trainings, rows)

    def _start(self, trainings: Sequence[Training], rows: SharedArrays) -> None:
        tf = load_tensorflow()
        self.live = [Member(training) for training in trainings]
        self._first, self._n_networks = self.live[0], len(trainings)
        self._layout = joint_layout([member.plan for member in self.live])
        self._drops = any(member.plan.draws for member in self.live)
        self._batch_size = trainings[0].settings.batch_size
        self._data = place_samples(self.live, rows)
        self._slots = self._graph([]).slots
        self.state = load_state(self.live, self._layout, self._slots)
        self._kind = self.state["weights"].dtype
        sizes = [int(np.prod(shape)) for shape in self._layout.shapes]
        shapes = [n for shape in self._layout.shapes for n in shape]
        self._fixed = {
            "sizes": tf.constant(sizes, tf.int32, [len(sizes)]),
            "shapes": tf.constant(shapes, tf.int32, [len(shapes)]),
        }
        self._given = load_arguments(self.live, self._layout)
        for training in trainings:
            training.n_joint = len(trainings)
        for member in list(self.live):
            member.model.stop_training = False
            if not member.call("on_train_begin"):
                self._drop([member])

    def _graph(self, who: Sequence[int]) -> JointGraph:
        """Return the graph for a step of the networks `who`."""
        plan, alike = self._first.plan, True
        if self._drops and len(who):
            seeds = self.state["seeds"].numpy()[list(who)]
            alike = bool((seeds == seeds[:1]).all())
        settled = self._n_networks if plan.convolves or not alike else None
        form = GraphForm(settled, self._drops, alike, self._layout.padded)
        return joint_graph(plan, self._first.model.optimizer, form)

    def _keep(self, who: list[int]) -> None:
        """Go on with some of the networks."""
        tf = load_tensorflow()
        self.live = [self.live[k] for k in who]
        self._layout = self._layout.keep(who)
        self._given = tf.nest.map_structure(lambda value: value[who], self._given)
        if who:
            self.state = tf.nest.map_structure(lambda t: tf.gather(t, who), self.state)

    def _drop(self, members: list[Member]) -> None:
        if members:
            self._keep([k for k, member in enumerate(self.live) if member not in members])

    def _copy_to(self, member: Member, state: dict[str, Any], *, everything: bool) -> None:
        place = self.live.index(member)
        assign_state(member, self._layout, place, state, self._slots if everything else None)

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
                training.error = JointTrainingError(f"{type(error).__name__}: {error}")
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
        if self.live[0].plan.follows:
            self._given = load_arguments(self.live, self._layout)
        logs = self._train_epoch(epoch)
        for name, values in self._evaluate(epoch).items():
            for member_logs, value in zip(logs, values, strict=True):
                if value is not None:
                    member_logs[name] = value
        for member in self.live:
            for callback in member.best:
                callback.take = functools.partial(self._take, member)
        copied = [member for member in self.live if member.copied]
        if copied:
            state = self._numpy()
            for member in copied:
                self._copy_to(member, state, everything=member.training.settings.user_callbacks)
        done, failed = [], []
        for member, found in zip(list(self.live), logs, strict=True):
            if not member.call("on_epoch_end", epoch, found):
                failed.append(member)
            elif (
                member.model.stop_training
                or epoch + 1 >= member.training.settings.epochs
                or self._is_lost(member, found)
            ):
                done.append((member, found))
        self._drop(failed)
        self.copy_back([member for member, _ in done])
        for member, found in done:
            self._finish(member, found)
        self._drop([member for member, _ in done])

    def _is_lost(self, member: Member, logs: dict[str, float]) -> bool:
        """Return whether loss and weights of a network are not finite."""
        if np.isfinite(logs["loss"]):
            return False
        weights = self.state["weights"][self.live.index(member)]
        return not np.isfinite(weights.numpy()).all()

    def _take(self, member: Member) -> Callable[[], list[np.ndarray]]:
        """Return a function that returns the weights of a network as they are now."""
        place, plan = self.live.index(member), member.plan
        state = (self.state["weights"], *self.state["stats"])
        places = (self._layout.weights[place], *self._layout.stats[place])
        rows = [part[place].numpy()[own] for part, own in zip(state, places, strict=True)]
        lefts = [(left, left.numpy()) for left in plan.lefts if left is not None]

        def weights() -> list[np.ndarray]:
            groups = [plan.weights, *([stat] for stat in plan.stats)]
            found = [
                (variable, value)
                for variables, row in zip(groups, rows, strict=True)
                for variable, value in values_of(row, variables)
            ]
            known = {id(variable): value for variable, value in [*found, *lefts]}
            every = member.model.weights
            return [known[id(v)] if id(v) in known else v.numpy() for v in every]

        return weights

    def _numpy(self) -> dict[str, Any]:
        return load_tensorflow().nest.map_structure(lambda t: t.numpy(), self.state)

    def _finish(self, member: Member, logs: dict[str, float]) -> None:
        if member.call("on_train_end", logs):
            model = member.model
            model.optimizer.finalize_variable_values(model.trainable_weights)
            recorded(member.training.result, member.history)
            member.check_finite()

    def abandon(self) -> None:
        """End with the state of this epoch; what restores better weights is not asked."""
        for member in self.live:
            weights = member.model.get_weights()
            self._finish(member, {})
            member.model.set_weights(weights)
        self.live = []

    def _train_epoch(self, epoch: int) -> list[dict[str, float]]:
        """Run one epoch; return loss and metrics of each network."""
        self.state["logs"] = no_logs(self.live)
        orders = [member.rows[:, next(member.orders)] for member in self.live]
        rates = [member.rates(epoch) for member in self.live]
        for who, table, steps in step_tables(orders, self._batch_size):
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
            if member.held_out.shape[1]
            and (epoch + 1) % member.training.settings.validation_freq == 0
        ]
        if not turn:
            return {}
        size = self._validation_rows()
        sums = no_logs(self.live).numpy()
        for who, table, _ in step_tables([self.live[k].held_out for k in turn], size):
            places = [turn[k] for k in who]
            graph = self._graph(places)
            padded, table = padded_to(places, table, graph.networks)
            parts = [self.state["weights"], self.state["stats"], no_logs(self.live)]
            if padded != list(range(len(self.live))):
                parts = tf.nest.map_structure(functools.partial(tf.gather, indices=padded), parts)
            arguments = (
                *parts,
                self._arguments(padded, np.zeros((len(padded), 1))),
                self._data,
                tf.constant(table),
            )
            with plain_executor():
                found = graph.test(*arguments).numpy()
            sums[places] += found[: len(places)]
        n_rows = [member.held_out.shape[1] for member in self.live]
        logs = self._logs(sums, n_rows, "val_")
        return {
            name: [found[name] if k in turn else None for k, found in enumerate(logs)]
            for name in logs[0]
        }

    def _validation_rows(self) -> int:
        """Return the rows of each network in one step of validation."""
        given, plan = self.live[0].training.settings.validation_batch_size, self.live[0].plan
        if given or not plan.convolves or plan.loss.reduction in _OF_THE_BATCH:
            return given or VALIDATION_BATCH
        # Together they take the memory that one takes by itself.
        return max(1, VALIDATION_BATCH // self._n_networks)

    def _arguments(self, who: list[int], rates: np.ndarray) -> dict[str, Any]:
        tf = load_tensorflow()
        given = tf.nest.map_structure(lambda value: tf.constant(value[who]), self._given)
        return {**given, **self._fixed, "rates": tf.constant(rates, self._kind)}

    def _run(self, who: list[int], table: np.ndarray, rates: np.ndarray) -> None:
        """Train the networks `who` on the steps of `table`."""
        tf, size = load_tensorflow(), len(who)
        graph = self._graph(who)
        padded, table = padded_to(who, table, graph.networks)
        everyone = padded == list(range(len(self.live)))
        state = self.state
        if not everyone:
            state = tf.nest.map_structure(lambda t: tf.gather(t, padded), state)
        rates = np.concatenate([rates, np.repeat(rates[:1], len(padded) - size, axis=0)])
        for start in range(0, table.shape[1], _STEPS):
            part = tf.constant(table[:, start : start + _STEPS])
            given = self._arguments(padded, rates[:, start : start + _STEPS])
            with plain_executor():
                state = graph.train(state, given, self._data, part)
        if not everyone:
            places = tf.constant([[k] for k in who])

            def put(old: Any, new: Any) -> Any:
                if not old.shape.num_elements():
                    return old
                return tf.tensor_scatter_nd_update(old, places, new[:size])

            state = tf.nest.map_structure(put, self.state, state)
        self.state = state
