"""Keras models and optimizers as functions of their variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._backend import load_keras
from ._tables._table_network import own_class_name

# Optimizers whose step treats each element of a variable by itself.
_ELEMENTWISE = frozenset("SGD Adam AdamW Adamax Adagrad Adadelta RMSprop Lion Ftrl".split())
_GROUPED = "GroupedAdam"  # Adam, once the rate of each element is given
_NOT_FUNCTIONAL = ("use_ema", "gradient_accumulation_steps", "loss_scale_factor")


def graph_nodes(model: Any) -> tuple[list[tuple[Any, tuple[int, ...]]], int] | None:
    """Return the calls of layers that make the output of `model`, or None.

    Returns
    -------
    nodes : list of (layer, inputs)
        `inputs` holds numbers of values: 0 is the input, i + 1 what node i returns.
    output : int
        Number of the value that is the output.
    """
    keras = load_keras()
    functional = model._functional if type(model) is keras.Sequential else model
    if not hasattr(functional, "_run_through_graph"):
        return None
    if len(functional.inputs) != 1 or len(functional.outputs) != 1:
        return None
    nodes: list[tuple[Any, tuple[int, ...]]] = []

    def record(operation: Any) -> Any:
        def call(*args: Any, **options: Any) -> int:
            given = args[0] if len(args) == 1 and isinstance(args[0], (list, tuple)) else args
            if any(option not in ("training", "mask") for option in options):
                raise TypeError
            if not all(isinstance(item, int) for item in given):
                raise TypeError
            nodes.append((operation, tuple(given)))
            return len(nodes)

        return call

    try:
        output = functional._run_through_graph([0], operation_fn=record)
    except TypeError:
        return None  # a layer was called with more than values of the graph
    while isinstance(output, (list, tuple)):
        output = output[0]
    return nodes, output


def why_not_functional(optimizer: Any) -> str | None:
    """Say why :class:`FunctionalOptimizer` cannot stand for `optimizer`, or return None."""
    name = type(optimizer).__name__
    of_keras = type(optimizer).__module__.partition(".")[0] == "keras"
    if not (name in _ELEMENTWISE and of_keras) and own_class_name(optimizer) != _GROUPED:
        return f"the optimizer {name} is not known to treat each weight by itself"
    for option in _NOT_FUNCTIONAL:
        if getattr(optimizer, option, None):
            return f"optimizer__{option} is set"
    excluded = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    if any(getattr(optimizer, name, None) for name in excluded):
        return "weights are excluded from weight decay"
    return None


class FunctionalOptimizer:
    """The update of a Keras optimizer, with its state given and returned.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Copied; one that :func:`why_not_functional` lets pass.
    dtype : str
        Precision of the weights.
    """

    def __init__(self, optimizer: Any, dtype: str) -> None:
        keras = load_keras()
        self._variable = keras.Variable([0.0], dtype=dtype)
        kind, config = type(optimizer), {**optimizer.get_config(), "learning_rate": 0.001}
        if own_class_name(optimizer) == _GROUPED:
            kind = keras.optimizers.Adam
            del config["decay"]
        self._optimizer = _scoped(kind, self._set).from_config(config)
        self._optimizer.build([self._variable])
        self.slots = slot_names(self._optimizer)
        self._scope: Any = None

    def _set(self, variable: Any, value: Any) -> None:
        self._scope.add_update((variable, value))

    def step(
        self, weights: Any, gradient: Any, slots: Sequence[Any], rate: Any, iterations: Any
    ) -> tuple[Any, list[Any]]:
        """Return weights and slots after one update; all may carry leading axes.

        `rate` may have an element for each weight. Groups and decay of :class:`GroupedAdam` are the
        caller's.
        """
        keras, optimizer = load_keras(), self._optimizer
        variables = [getattr(optimizer, name)[0] for name in self.slots]
        scope = self._scope = keras.StatelessScope()
        # Given past the constructor, which insists on the shapes of the variables.
        pairs = [*zip(variables, slots, strict=True), (self._variable, weights)]
        for variable, value in [*pairs, (optimizer._iterations, iterations)]:
            scope.add_update((variable, value))
        with scope:
            optimizer.update_step(gradient, self._variable, rate)
        found = [scope.get_current_value(variable) for variable in variables]
        return scope.get_current_value(self._variable), found


def _scoped(base: Any, assign: Callable[[Any, Any], None]) -> Any:
    """Return a class of optimizers like `base` that hands its assignments to `assign`.

    An optimizer assigns through the methods overridden here. Those of the TensorFlow backend would
    reach the variables themselves, past a ``keras.StatelessScope``.
    """

    class Scoped(base):
        def assign(self, variable: Any, value: Any) -> None:
            assign(variable, value)

        def assign_add(self, variable: Any, value: Any) -> None:
            assign(variable, variable.value + value)

        def assign_sub(self, variable: Any, value: Any) -> None:
            assign(variable, variable.value - value)

        def _get_variable_index(self, variable: Any) -> int:
            return 0  # it has one variable

    return Scoped


def slot_names(optimizer: Any) -> list[str]:
    """Return the attributes that hold one optimizer variable per weight, in a fixed order."""
    known = {id(variable) for variable in optimizer.variables}
    names = []
    for name, value in vars(optimizer).items():
        if name in ("_variables", "_trainable_variables") or not isinstance(value, list):
            continue
        if value and all(id(item) in known for item in value):
            names.append(name)
    return sorted(names)
