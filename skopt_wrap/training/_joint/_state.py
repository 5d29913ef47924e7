"""The state of networks that are trained jointly: from their variables to tensors, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..._keras import coarse_rate, load_keras, load_tensorflow
from ._layout import Layout
from ._member import Member
from ._plan import flat
from ._table_network_layers import groups_of


def load_state(members: Sequence[Member], layout: Layout, slots: Sequence[str]) -> dict[str, Any]:
    """Return the state of all networks as tensors, whose first axis is the network.

    `slots` are the names of the optimizers' variables.
    """
    tf, plan = load_tensorflow(), members[0].plan
    dtype = str(plan.weights[0].dtype)

    def joined(variables: Any, places: Sequence[np.ndarray], size: int) -> Any:
        rows = np.zeros((len(members), size), dtype)
        for row, own, where in zip(rows, variables, places, strict=True):
            row[where] = flat(own, dtype)
        return tf.constant(rows)

    optimizers, size = [member.model.optimizer for member in members], layout.n_weights
    return {
        "weights": joined([m.plan.weights for m in members], layout.weights, size),
        "slots": [
            joined([getattr(optimizer, name) for optimizer in optimizers], layout.weights, size)
            for name in slots
        ],
        "iterations": tf.constant([int(o.iterations) for o in optimizers], tf.int64),
        "stats": [
            joined([[m.plan.stats[i]] for m in members], [own[i] for own in layout.stats], length)
            for i, length in enumerate(layout.sizes)
        ],
        "seeds": tf.constant(_seeds(members)),
        "logs": no_logs(members),
    }


def _seeds(members: Sequence[Member]) -> np.ndarray:
    """Return (networks, layers, 2) the seeds of dropout.

    A layer that drops nothing has that of another network, so that all may draw alike.
    """
    found = np.zeros((len(members), len(members[0].plan.seeds), 2), np.int64)
    for layer in range(found.shape[1]):
        seeds = [member.plan.seeds[layer] for member in members]
        like = next((seed for seed in seeds if seed is not None), None)
        for k, seed in enumerate(seeds):
            own = like if seed is None else seed
            found[k, layer] = 0 if own is None else own.numpy()
    return found


def no_logs(members: Sequence[Member]) -> Any:
    """Return the sums of loss and metrics before the first step: zeros."""
    tf, keras = load_tensorflow(), load_keras()
    return tf.zeros((len(members), members[0].plan.n_logs), keras.config.floatx())


def load_arguments(members: Sequence[Member], layout: Layout) -> dict[str, Any]:
    """Return what the graph takes as arguments for each network.

    Decay of weights, dropout, penalties, and what belongs to unequal widths; each array, and each
    one of a list, has the axis of networks first.
    """
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
    nothing = np.zeros((len(plans), 0), dtype)
    return {
        "decay": np.array(decays, dtype),
        "dropout": np.array(rates, dtype).reshape(len(plans), -1, 2),
        "penalties": np.array(penalties, dtype).reshape(len(plans), -1, 2),
        "groups": np.array(groups, dtype).reshape(len(plans), -1, 2),
        "mask": layout.mask(dtype) if layout.padded else nothing,
        "drawn": layout.drawn if layout.padded else [nothing.astype("int32")] * len(layout.drawn),
        "widths": layout.widths,
    }


def _dropout(rate: float, left: Any) -> tuple[float, float]:
    """Return below which drawn number a value is dropped, and the factor of the others."""
    if left is None:
        return rate, 1 / (1 - rate)
    now = left.numpy()
    dropped = float(coarse_rate(now.dtype.type(rate) * now))  # of 256; as the layer rounds it
    return dropped, 256 / (256 - dropped)


def assign_state(
    member: Member,
    layout: Layout,
    place: int,
    state: dict[str, Any],
    slots: Sequence[str] | None,
) -> None:
    """Assign the state of one network to its variables.

    Parameters
    ----------
    member : Member
        The network.
    layout : Layout
        Where its weights lie.
    place : int
        Its place along the first axis.
    state : dict
        State of all networks, as arrays.
    slots : sequence of str or None
        Names of the optimizer's variables; None leaves the optimizer and the seeds as they are.
    """
    plan, optimizer, where = member.plan, member.model.optimizer, layout.weights[place]
    groups = [(plan.weights, state["weights"][place][where])]
    groups += [
        ([variable], stat[place][own])
        for variable, stat, own in zip(plan.stats, state["stats"], layout.stats[place], strict=True)
    ]
    if slots is not None:
        pairs = zip(slots, state["slots"], strict=True)
        groups += [(getattr(optimizer, name), slot[place][where]) for name, slot in pairs]
        seeds = zip(plan.seeds, state["seeds"][place], strict=True)
        groups += [([seed], value) for seed, value in seeds if seed is not None]
        optimizer.iterations.assign(state["iterations"][place])
    for variables, vector in groups:
        for variable, value in values_of(vector, variables):
            variable.assign(value)


def values_of(vector: np.ndarray, variables: Sequence[Any]) -> Iterator[tuple[Any, np.ndarray]]:
    """Return variables with their values, which lie one behind the other in a vector."""
    start = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        yield variable, vector[start : start + size].reshape(variable.shape)
        start += size
