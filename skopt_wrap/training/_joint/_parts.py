"""Which networks are trained together: those of unequal widths where that takes less time.

A step of a joint training takes a time that does not depend on the networks, for some hundred small
operations, and a time for the arithmetic of each network, which is that of the widest one. So
networks of about the same size are put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ._layer_spec import NotJointlyTrainable
from ._layout import joint_layout, widest
from ._member import Training
from ._plan import count_values

# More networks gain nothing: by then a step is arithmetic and traffic of memory.
MOST_NETWORKS = 64
# Optimizers for which a weight that is zero, and has no gradient, stays zero.
_KEEPS_ZEROS = (
    "SGD", "Adam", "AdamW", "Adamax", "RMSprop", "Adagrad", "Adadelta", "Lion",
)  # fmt: skip
_COPIES = 8  # of each weight: its gradient, what the optimizer keeps, and what steps leave
_OPERATIONS = 60  # of a step, and of each layer
_OPERATIONS_OF_A_LAYER = 20
_PASSES = 14  # over all weights in an update


@dataclass(frozen=True)
class MachineCost:
    """Seconds that a machine takes.

    Attributes
    ----------
    operation : float
        For a small operation.
    product : float
        For a multiplication and an addition in a product of small matrices.
    value : float
        To read and write a value.
    """

    operation: float
    product: float
    value: float

    def step(self, n_layers: int, n_networks: int, n_weights: int, n_rows: int) -> float:
        """Return the seconds of a step of networks with `n_weights` each."""
        fixed = self.operation * (_OPERATIONS + _OPERATIONS_OF_A_LAYER * n_layers)
        each = n_weights * (3 * n_rows * self.product + _PASSES * self.value)
        return fixed + n_networks * each


# About what benchmarks/joint_cost.py prints. They are not measured on the machine that trains:
# networks end with other roundings when they are put together otherwise, and the same search is to
# give the same result each time.
COST = MachineCost(operation=3e-6, product=8e-11, value=8e-10)


def parts_of(trainings: Sequence[Training], max_bytes: float | None) -> list[list[Training]]:
    """Divide trainings of one :func:`joint_key` into those that are trained together.

    Parameters
    ----------
    trainings : sequence of Training
        Of one key.
    max_bytes : float or None
        Most memory of a part, where it has more than one network.

    Returns
    -------
    parts : list of list of Training
        Each in the order in which it was given.
    """
    kinds: dict[Any, list[Training]] = {}
    for training in trainings:
        kinds.setdefault(tuple(_plan(training).shapes), []).append(training)
    ordered = sorted(kinds.values(), key=lambda kind: _plan(kind[0]).n_values)
    if len(ordered) > 1 and _can_be_padded([kind[0] for kind in ordered]):
        ordered = _cheapest(ordered)
    place = {id(training): number for number, training in enumerate(trainings)}
    for part in ordered:
        part.sort(key=lambda training: place[id(training)])
    return [piece for part in ordered for piece in _pieces(part, max_bytes)]


def _plan(training: Training) -> Any:
    assert training.plan is not None
    return training.plan


def _can_be_padded(trainings: Sequence[Training]) -> bool:
    """Whether networks of several widths can be trained together."""
    plans = [_plan(training) for training in trainings]
    optimizer = trainings[0].model.optimizer
    known = type(optimizer).__name__ in _KEEPS_ZEROS
    if plans[0].convolves or not known or getattr(optimizer, "epsilon", 1.0) == 0:
        return False
    try:
        joint_layout(plans)
    except NotJointlyTrainable:
        return False
    return True


def _cheapest(kinds: Sequence[list[Training]]) -> list[list[Training]]:
    """Join neighbours in a list of networks by size so that a step of all takes least time."""
    cost, plans = COST, [_plan(kind[0]) for kind in kinds]
    rows, n_layers = kinds[0][0].settings.batch_size, len(plans[0].steps)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(kinds) + 1):
        found = []
        for start in range(end):
            n_weights = count_values(widest(plans[start:end]))
            n_networks = sum(map(len, kinds[start:end]))
            n_parts = -(-n_networks // MOST_NETWORKS)
            step = cost.step(n_layers, n_networks, n_weights, rows) + (n_parts - 1) * cost.step(
                n_layers, 0, 0, 0
            )
            found.append((best[start][0] + step, start))
        best.append(min(found))
    parts, end = [], len(kinds)
    while end:
        start = best[end][1]
        parts.append([training for kind in kinds[start:end] for training in kind])
        end = start
    return parts[::-1]


def _pieces(part: list[Training], max_bytes: float | None) -> list[list[Training]]:
    """Divide a part that has too many networks, or takes too much memory."""
    most = MOST_NETWORKS
    if max_bytes is not None:
        plans = [_plan(training) for training in part]
        n_weights = count_values(widest(plans))
        n_values = max(plan.n_activations for plan in plans) * part[0].settings.batch_size
        each = plans[0].weights[0].numpy().itemsize * (_COPIES * n_weights + 3 * n_values)
        most = max(1, min(most, int(max_bytes // each)))
    n_pieces = -(-len(part) // most)
    size = -(-len(part) // n_pieces)
    return [part[i : i + size] for i in range(0, len(part), size)]
