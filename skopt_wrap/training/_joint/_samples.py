"""The samples of networks that are trained jointly: one copy of each, and the steps over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._keras import load_tensorflow
from ._member import Member


class SharedArrays:
    """Tensors of arrays that more than one training reads."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}  # the array is kept, so that its id is

    def __call__(self, array: np.ndarray) -> Any:
        """Return the tensor of an array."""
        if id(array) not in self._known:
            self._known[id(array)] = (array, load_tensorflow().constant(array))
        return self._known[id(array)][1]


def place_samples(members: Sequence[Member], shared: SharedArrays) -> tuple[Any, Any, Any]:
    """Return features, targets and weights of all networks as tensors, and number them.

    Networks that share an array share its copy. ``member.rows`` and ``member.held_out`` become
    (2, n_samples): the positions of features, and of targets and weights.
    """
    tf = load_tensorflow()
    sources: dict[int, tuple[int, Any]] = {}
    n_rows = n_targets = 0
    targets, weights = [], []
    for member in members:
        for name, data in (
            ("rows", member.training.data),
            ("held_out", member.training.validation),
        ):
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
    x = shared(arrays[0]) if len(arrays) == 1 else tf.constant(np.concatenate(arrays))
    y, w = np.concatenate(targets), np.concatenate(weights)
    return x, tf.constant(y), tf.constant(w)


def step_tables(
    orders: Sequence[np.ndarray], size: int
) -> list[tuple[list[int], np.ndarray, list[slice]]]:
    """Return the steps of an epoch, grouped by the networks that take them together.

    Parameters
    ----------
    orders : sequence of ndarray of shape (2, n_samples)
        For each network the order of its samples.
    size : int
        Samples per step.

    Returns
    -------
    tables : list of (who, table, steps)
        Numbers of the networks, their samples (2, n_steps, n_networks, n_samples), and for each
        network which steps of its epoch these are.
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


def padded_to(
    who: list[int], table: np.ndarray, networks: int | None
) -> tuple[list[int], np.ndarray]:
    """Repeat the first network until there are as many as a graph was traced for."""
    missing = (networks or len(who)) - len(who)
    if missing <= 0:
        return who, table
    more = np.repeat(table[:, :, :1], missing, axis=2)
    return [*who, *[who[0]] * missing], np.concatenate([table, more], axis=2)
