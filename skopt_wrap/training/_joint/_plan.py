"""Whether networks can be trained jointly, and what is computed then."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._keras import (
    built_metrics,
    compile_arguments,
    graph_nodes,
    learning_rate_schedule,
    load_keras,
    loss_classes,
    metric_function,
    object_state,
    why_not_functional,
)
from .._data import TrainingData
from ._layer_spec import LayerSpec, NotJointlyTrainable
from ._layers import describe
from ._member_layers import loss_of_one, metric_of_one
from ._table_network_layers import is_grouped

_SETTLED = ("call", "__call__")
# Values of a sample from which convolutions gain no time from joint training, but take more memory.
_LARGE_ROW = 2**12


@dataclass
class Step:
    """One step of the forward pass: where its inputs and variables are found."""

    kind: str
    settings: tuple[Any, ...]
    inputs: tuple[int, ...]
    weights: tuple[int, ...]
    stats: tuple[int, ...]
    seed: int | None
    size: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.kind, self.settings, self.inputs, self.weights, self.stats, self.seed)


def count_values(shapes: Iterable[Sequence[int]]) -> int:
    """Return how many values arrays of these shapes have."""
    return sum(math.prod(shape) for shape in shapes)


@dataclass
class Plan:
    """What is computed when networks like one network are trained jointly.

    `key` is equal for networks that may share a traced graph: the same layers in the same
    order, loss, metrics and optimizer. Widths, rates of dropout and penalties are not part of it:
    the graph takes them as arguments. `seeds` has None for a dropout that drops nothing.
    """

    steps: list[Step]
    output: int
    last: Callable[..., Any] | None
    weights: list[Any]
    stats: list[Any]
    seeds: list[Any]
    rates: list[float]
    penalties: list[tuple[int, float, float]]
    loss: Any
    metrics: list[Any]
    names: list[str]
    weighted: list[bool]
    schedule: Any
    row_specs: tuple[tuple[str, tuple[int, ...]], ...]
    n_activations: int
    lefts: list[Any] = field(default_factory=list)
    grouped: bool = False
    key: tuple[Any, ...] = field(default=())

    @property
    def follows(self) -> bool:
        """Whether rates of dropout or decay change with the progress of training."""
        return self.grouped or any(left is not None for left in self.lefts)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the weights."""
        return [tuple(variable.shape) for variable in self.weights]

    @property
    def draws(self) -> bool:
        """Whether a layer drops anything."""
        return any(self.rates)

    @property
    def n_values(self) -> int:
        """Weights of the network."""
        return count_values(self.shapes)

    @property
    def convolves(self) -> bool:
        """Whether a layer is a convolution."""
        return any(step.kind == "Conv" for step in self.steps)

    @property
    def n_logs(self) -> int:
        """Sums that are kept of loss and metrics; a weighted mean has its divisor beside it."""
        return 1 + len(self.metrics) + sum(self.weighted)


def joint_plan(model: Any, data: TrainingData) -> Plan:
    """Return how several networks like `model` are trained jointly.

    Raises
    ------
    NotJointlyTrainable
        When they are not; the message says why.
    """
    if data.sparse:
        raise NotJointlyTrainable("rows are kept in a sparse matrix")
    problem = why_not_functional(model.optimizer)
    if problem is not None:
        raise NotJointlyTrainable(problem)
    steps, output, last = _steps(model)
    weights = list(model.trainable_variables)
    if not weights:
        raise NotJointlyTrainable("no weight is trained")
    dtypes = {str(variable.dtype) for variable in weights} | {data.x.dtype.name}
    if len(dtypes) != 1:
        raise NotJointlyTrainable(f"rows and weights are of several types, {sorted(dtypes)}")
    place = {id(variable): number for number, variable in enumerate(weights)}
    stats: list[Any] = []
    seeds: list[Any] = []
    rates: list[float] = []
    lefts: list[Any] = []
    found = []
    for described, inputs in steps:
        if any(id(variable) not in place for variable in described.weights):
            raise NotJointlyTrainable("a layer is frozen")
        seed = None
        if described.rate is not None:
            seed = len(seeds)
            seeds.append(described.seed)
            rates.append(described.rate)
            lefts.append(described.left)
        numbers = tuple(range(len(stats), len(stats) + len(described.stats)))
        stats.extend(described.stats)
        where = tuple(place[id(variable)] for variable in described.weights)
        size = described.size
        found.append(Step(described.kind, described.settings, inputs, where, numbers, seed, size))
    drawn = [seed for seed in seeds if seed is not None]
    if len({id(s) for s in stats}) < len(stats) or len({id(s) for s in drawn}) < len(drawn):
        raise NotJointlyTrainable("a layer is called twice")
    penalties = _penalties(weights)
    loss = _loss(model)
    metrics, names, weighted = _metrics(model)
    schedule = _schedule(model.optimizer)
    plan = Plan(
        found, output, last, weights, stats, seeds, rates, penalties, loss, metrics, names,
        weighted, schedule,
        tuple((part.dtype.name, part.shape[1:]) for part in (data.x, data.y, data.weights)),
        _n_activations(model), lefts, is_grouped(model.optimizer),
    )  # fmt: skip
    row = int(np.prod(data.x.shape[1:]))
    if plan.convolves and row > _LARGE_ROW:
        raise NotJointlyTrainable(
            f"convolutions of rows with {row} values gain nothing from joint training"
        )
    plan.key = _key(plan, model)
    return plan


def _steps(model: Any) -> tuple[list[tuple[LayerSpec, tuple[int, ...]]], int, Any]:
    """Return the steps of the forward pass, the number of the output, and its activation."""
    keras = load_keras()
    functional = type(model).__name__ == "Functional" and type(model).__module__.startswith(
        "keras."
    )
    if not (type(model) is keras.Sequential or functional):
        raise NotJointlyTrainable(f"{type(model).__name__} is a class of the user's")
    if any(callable(value) for name, value in vars(model).items() if name in _SETTLED):
        raise NotJointlyTrainable("the network has a call of its own")
    graph = graph_nodes(model)
    if graph is None:
        raise NotJointlyTrainable("the network is more than calls of layers")
    nodes, output = graph
    if len(model.outputs[0].shape) != 2:
        raise NotJointlyTrainable("the output of the network has more than one axis")
    steps: list[tuple[LayerSpec, tuple[int, ...]]] = []
    number = {0: 0}  # value of the graph -> value of the steps
    for i, (layer, inputs) in enumerate(nodes):
        parts = describe(layer)
        given = tuple(number[n] for n in inputs)
        if len({len(tensor.shape) for tensor in _inputs(layer)}) > 1:
            raise NotJointlyTrainable(f"{layer.name} joins values of several ranks")
        for part in parts:
            steps.append((part, given))
            given = (len(steps),)
        number[i + 1] = given[0]
    last = None
    # Keras computes a crossentropy of probabilities from what went into the last activation.
    if steps and steps[-1][0].kind == "Activation" and number[output] == len(steps):
        described, inputs = steps.pop()
        if len(described.settings) > 1:
            raise NotJointlyTrainable("the last layer is an activation with options")
        return steps, inputs[0], described.settings[0]
    return steps, number[output], last


def _n_activations(model: Any) -> int:
    """Return how many values the layers give for a row."""
    outputs: list[Any] = [getattr(layer, "output", None) for layer in model.layers]
    shapes = [output.shape[1:] for output in outputs if hasattr(output, "shape")]
    return sum(int(np.prod([n or 1 for n in shape])) for shape in shapes)


def _inputs(layer: Any) -> list[Any]:
    given = getattr(layer, "input", None)
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _penalties(weights: list[Any]) -> list[tuple[int, float, float]]:
    """Return which weights are penalized, and their factors for L1 and L2."""
    keras, found = load_keras(), []
    for number, variable in enumerate(weights):
        regularizer = variable.regularizer
        if regularizer is None:
            continue
        kinds = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)
        if type(regularizer) not in kinds:
            raise NotJointlyTrainable(
                f"the regularizer {type(regularizer).__name__} is not L1 or L2"
            )
        factors = [float(getattr(regularizer, name, 0.0) or 0.0) for name in ("l1", "l2")]
        found.append((number, factors[0], factors[1]))
    return found


def _loss(model: Any) -> Any:
    """Return the loss, which must be computed row by row."""
    keras, config = load_keras(), compile_arguments(model)
    if config.get("loss_weights") is not None:
        raise NotJointlyTrainable("loss_weights are set")
    loss = config["loss"]
    if not isinstance(loss, keras.Loss):
        loss = _loss_of_function(loss)
    one = loss_of_one(loss)
    module, kind = type(one).__module__, type(one).__name__
    known = getattr(keras.losses, kind, None) is type(one) or module.startswith(
        "skopt_wrap.losses."
    )
    if not known or kind in ("CTC", "Dice", "Tversky", "Circle"):
        raise NotJointlyTrainable(f"the loss {kind} is not known to treat each row by itself")
    if loss.reduction not in ("sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"):
        raise NotJointlyTrainable(f"the loss is reduced by {loss.reduction!r}")
    return loss


def _loss_of_function(given: Any) -> Any:
    """Return the loss object that Keras makes of a name or of one of its functions."""
    keras = load_keras()
    try:
        loss = keras.losses.get(given)
    except (TypeError, ValueError):
        raise NotJointlyTrainable("the loss is not one of Keras") from None
    if isinstance(loss, keras.Loss):
        return loss
    known = loss_classes().get(getattr(loss, "__name__", ""))
    if known is None or not getattr(loss, "__module__", "").startswith("keras."):
        raise NotJointlyTrainable("the loss is a function of the user's")
    return known()


def _metrics(model: Any) -> tuple[list[Any], list[str], list[bool]]:
    """Return metrics that are means over rows, their names in the logs, and which are weighted."""
    keras, config = load_keras(), compile_arguments(model)
    if not config.get("metrics") and not config.get("weighted_metrics"):
        return [], [], []
    pairs = built_metrics(model)
    if pairs is None:
        raise NotJointlyTrainable("metrics are not built")
    mean = keras.metrics.MeanMetricWrapper
    for metric in [metric_of_one(metric) for metric, _ in pairs]:
        kind = type(metric)
        known = kind is mean or getattr(keras.metrics, kind.__name__, None) is kind
        if not (known and isinstance(metric, mean)):
            raise NotJointlyTrainable(f"the metric {metric.name} is not a mean over rows")
        if kind.update_state is not mean.update_state or kind.result is not mean.result:
            raise NotJointlyTrainable(f"the metric {metric.name} is not a mean over rows")
        if not getattr(metric_function(metric)[0], "__module__", "").startswith("keras."):
            raise NotJointlyTrainable(f"the metric {metric.name} is the user's")
    names = [name for name in model.get_metrics_result() if name != "loss"]
    if len(names) != len(pairs):
        raise NotJointlyTrainable("metrics share a name")
    found = {metric.name: pair for pair in pairs for metric in (pair[0],)}
    if set(found) != set(names):
        raise NotJointlyTrainable("metrics are renamed")
    return [found[n][0] for n in names], names, [found[n][1] for n in names]


def _schedule(optimizer: Any) -> Any:
    """Return a schedule that works step by step, or None for a constant rate."""
    schedule = learning_rate_schedule(optimizer)
    known = load_keras().optimizers.schedules.LearningRateSchedule
    if schedule is not None and not isinstance(schedule, known):
        raise NotJointlyTrainable("the learning rate is a function")
    return schedule


def _key(plan: Plan, model: Any) -> tuple[Any, ...]:
    """Return what a graph is traced for."""
    optimizer = model.optimizer
    config = {
        name: value
        for name, value in optimizer.get_config().items()
        if name not in ("name", "learning_rate")
    }
    states = [object_state(part) for part in (plan.schedule, plan.loss, plan.metrics)]
    if any(state is None for state in states):
        raise NotJointlyTrainable("the loss, a metric or a schedule is the user's")
    config.pop("decay", None)  # of groups: an argument of the graph, too
    config["weight_decay"] = config.get("weight_decay") is not None  # an argument of the graph
    parts = [
        type(optimizer).__name__,
        config,
        states,
        [metric.dtype for metric in plan.metrics],
        plan.weighted,
        load_keras().config.floatx(),
    ]
    return (
        tuple(step.key for step in plan.steps),
        plan.output,
        plan.last,
        tuple((number, l1 > 0, l2 > 0) for number, l1, l2 in plan.penalties),
        tuple(len(shape) for shape in plan.shapes),
        plan.row_specs,
        json.dumps(parts, sort_keys=True, default=str),
    )


def flat(variables: list[Any], dtype: str) -> np.ndarray:
    """Return the values of `variables` as one vector."""
    if not variables:
        return np.zeros(0, dtype)
    return np.concatenate([variable.numpy().ravel() for variable in variables]).astype(dtype)
