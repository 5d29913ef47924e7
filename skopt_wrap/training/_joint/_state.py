"""The state of networks that are trained jointly: from their variables to tensors, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..._keras import coarse_rate, load_keras, load_tensorflow
from ._member import Member
from ._plan import flat
from ._table_network_layers import groups_of


def load_state(members: Sequence[Member], slots: Sequence[str]) -> dict[str, Any]:
    """Return the state of all networks as tensors, whose first axis is the network.

    `slots` are the names of the optimizers' variables.
    """
    tf, plan = load_tensorflow(), members[0].plan
    dtype = str(plan.weights[0].dtype)

    def joined(parts: list[Any], *shape: int) -> Any:
        return tf.constant(np.stack(parts).reshape(len(members), *shape))

    optimizers = [member.model.optimizer for member in members]
    return {
        "weights": joined([flat(m.plan.weights, dtype) for m in members], -1),
        "slots": [
            joined([flat(getattr(optimizer, name), dtype) for optimizer in optimizers], -1)
            for name in slots
        ],
        "iterations": tf.constant([int(o.iterations) for o in optimizers], tf.int64),
        "stats": [
            joined([m.plan.stats[i].numpy() for m in members], -1) for i in range(len(plan.stats))
        ],
        "seeds": joined([flat(m.plan.seeds, "int64") for m in members], len(plan.seeds), 2),
        "logs": no_logs(members),
    }


def no_logs(members: Sequence[Member]) -> Any:
    """Return the sums of loss and metrics before the first step: zeros."""
    tf, keras = load_tensorflow(), load_keras()
    return tf.zeros((len(members), members[0].plan.n_logs), keras.config.floatx())


def load_arguments(members: Sequence[Member]) -> dict[str, np.ndarray]:
    """Return what the graph takes as arguments for each network: decay, dropout, penalties."""
    plans = [member.plan for member in members]
    dtype = str(plans[0].weights[0].dtype)
    rates = [
        [_dropout(rate, left) for rate, left in zip(plan.rates, plan.lefts, strict=True)]
        for plan in plans
    ]
    groups = [
        groups_of(member.model.optimizer) if member.plan.grouped else [] for member in members
    ]
    penalties = [[(l1, l2) for _, l1, l2 in plan.penalties] for plan in plans]
    decays = [member.model.optimizer.weight_decay or 0.0 for member in members]
    return {
        "decay": np.array(decays, dtype),
        "dropout": np.array(rates, dtype).reshape(len(plans), -1, 2),
        "penalties": np.array(penalties, dtype).reshape(len(plans), -1, 2),
        "groups": np.array(groups, dtype).reshape(len(plans), -1, 2),
    }


def _dropout(rate: float, left: Any) -> tuple[float, float]:
    """Return below which drawn number a value is dropped, and the factor of the others."""
    if left is None:
        return rate, 1 / (1 - rate)
    now = left.numpy()
    dropped = float(coarse_rate(now.dtype.type(rate) * now))  # of 256; as the layer rounds it
    return dropped, 256 / (256 - dropped)


def assign_state(
    member: Member, place: int, state: dict[str, Any], slots: Sequence[str] | None
) -> None:
    """Assign the state of one network to its variables.

    Parameters
    ----------
    member : Member
        The network.
    place : int
        Its place along the first axis.
    state : dict
        State of all networks, as arrays.
    slots : sequence of str or None
        Names of the optimizer's variables; None leaves the optimizer and the seeds as they are.
    """
    plan, optimizer = member.plan, member.model.optimizer
    groups = [(plan.weights, state["weights"][place])]
    groups += [
        ([variable], stat[place]) for variable, stat in zip(plan.stats, state["stats"], strict=True)
    ]
    if slots is not None:
        pairs = zip(slots, state["slots"], strict=True)
        groups += [(getattr(optimizer, name), slot[place]) for name, slot in pairs]
        groups += [([seed], state["seeds"][place, i]) for i, seed in enumerate(plan.seeds)]
        optimizer.iterations.assign(state["iterations"][place])
    for variables, vector in groups:
        for variable, value in parts_of(vector, variables):
            variable.assign(value)


def parts_of(vector: np.ndarray, variables: Sequence[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Return variables with their values, which lie one behind the other in a vector."""
    start = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        yield variable, vector[start : start + size].reshape(variable.shape)
        start += size
