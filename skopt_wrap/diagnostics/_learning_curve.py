"""The learning curve: scores against the number of training rows."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from ._experiment import Experiment, Scores


def learning_curve(
    experiment: Experiment, full: Scores, sizes: tuple[float, ...]
) -> dict[str, np.ndarray]:
    """Return scores by share of the training rows; the full one is not fitted again.

    Smaller sets are drawn once a fold and hold a share of every class.
    """
    y, splits = experiment.y, experiment.splits
    rng = check_random_state(experiment.random_state)
    plain = experiment.is_classifier and np.ndim(y) == 1
    orders = []
    for rows, _ in splits:
        order = rng.permutation(rows)
        if plain:  # classes take turns in proportion to their frequency
            labels = np.asarray(y)[order]
            place = np.empty(len(order))
            for label in np.unique(labels):
                mine = np.flatnonzero(labels == label)
                place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
            order = order[np.argsort(place, kind="stable")]
        orders.append(order)
    train, validation, n_rows = [], [], []
    for share in sizes:
        parts = [
            (np.sort(order[: max(2, round(share * len(order)))]), held)
            for order, (_, held) in zip(orders, splits, strict=True)
        ]
        found = experiment.with_splits(parts).score()
        train.append(found.train)
        validation.append(found.validation)
        n_rows.append(len(parts[0][0]))
    return {
        "n_rows": np.array([*n_rows, len(splits[0][0])]),
        "train": np.stack([*train, full.train]),
        "validation": np.stack([*validation, full.validation]),
    }
