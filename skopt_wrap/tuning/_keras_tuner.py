"""What this package needs of Keras Tuner beyond its public names.

Keras Tuner may change private names in any release. They are used in this file and nowhere else,
each behind a public name, so that such a change has to be met in one file only.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.trial import Trial
from keras_tuner.src.engine.conditions import Parent
from keras_tuner.src.engine.oracle import LOCKS, THREADS

from ._folders import make_folder

__all__ = [
    "Parent",
    "QuietMixin",
    "GridOracle",
    "bounds",
    "borrowed",
    "hyperband_rounds",
    "is_repeated",
    "random_proposal",
    "random_state",
    "random_values",
    "replace_values",
    "temporary_folder",
    "trial_vectors",
    "values_of_vector",
]


class QuietMixin:
    """An oracle that writes no file, prints nothing and repeats no trial.

    The base class saves several files for each trial, which nobody would read here: the search
    keeps the trials itself. One bad trial, or several in a row, end nothing.
    """

    independent = False  # whether proposals do not depend on any result
    n_independent = 0  # how many of the first proposals do not
    batch = 1  # proposals that may be made before the results of the first of them are known

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = {"max_retries_per_trial": 0, **kwargs}
        kwargs["max_consecutive_failed_trials"] = None
        super().__init__(*args, **kwargs)
        self.verbose = 0

    def save(self) -> None:
        """Write nothing."""

    def _save_trial(self, trial: Any) -> None:
        """Write nothing."""


class GridOracle(QuietMixin, oracles.GridSearchOracle):
    """Keras Tuner's grid, which need not wait for a trial to end before it proposes the next.

    The parent walks on from a trial when it has ended, so that two could run at a time.
    """

    independent = True

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            self._populate_next.append(trial_id)
        return response


def borrowed(oracle: Any) -> Any:
    """Make a copy of the caller's oracle behave like one with `QuietMixin`.

    The methods are replaced on the object: it is an instance of the caller's class, so that no
    subclass of ours can override them.
    """
    oracle.verbose = 0
    oracle.save = oracle._save_trial = _write_nothing
    oracle.max_retries_per_trial = 0
    oracle.max_consecutive_failed_trials = None
    return oracle


def _write_nothing(*args: Any) -> None:
    """Stand in for the methods that save an oracle and its trials."""


@contextmanager
def temporary_folder(oracle: Any) -> Iterator[None]:
    """Give `oracle` a folder outside the user's tree for as long as the block runs."""
    folder = make_folder()
    try:
        oracle._set_project_dir(str(folder), "search")
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # Keras Tuner keeps every oracle alive in two module-level tables.
        LOCKS.pop(oracle, None)
        THREADS.pop(oracle, None)


def random_values(oracle: Any) -> dict[str, Any] | None:
    """Return values drawn at random that were not tried yet; None when there are none left."""
    return oracle._random_values()


def random_proposal(oracle: Any) -> dict[str, Any]:
    """Return what ``populate_space`` of a Bayesian oracle returns while it starts at random."""
    return oracle._random_populate_space()


def is_repeated(oracle: Any, values: Mapping[str, Any]) -> bool:
    """Whether an earlier trial had the same values."""
    return oracle._duplicate(values)


def bounds(oracle: Any) -> np.ndarray:
    """Return the bounds of the hyperparameters of a Bayesian oracle, as its vectors have them."""
    return oracle._get_hp_bounds()


def trial_vectors(oracle: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the trials of a Bayesian oracle as vectors, and their scores, lower is better."""
    return oracle._vectorize_trials()


def values_of_vector(oracle: Any, vector: np.ndarray) -> dict[str, Any]:
    """Return the values of hyperparameters that a vector of a Bayesian oracle stands for."""
    return oracle._vector_to_values(vector)


def random_state(oracle: Any) -> Any:
    """Return the source of random numbers of a Bayesian oracle."""
    return oracle._random_state


def hyperband_rounds(max_epochs: int, factor: int) -> list[tuple[int, int]]:
    """Return the number of trials, and the epochs of each, for the rounds of a sweep."""
    oracle = oracles.HyperbandOracle(max_epochs=max_epochs, factor=factor, seed=1)
    return [
        (oracle._get_size(bracket, number), oracle._get_epochs(bracket, number))
        for bracket in range(oracle._get_num_brackets())
        for number in range(bracket + 1)
    ]


def replace_values(oracle: Any, trial: Any, tuner_id: str, values: Mapping[str, Any]) -> Any:
    """Make the oracle believe that it proposed `values`.

    Parameters
    ----------
    oracle : keras_tuner.Oracle
        The oracle.
    trial : keras_tuner.engine.trial.Trial
        What it proposed: other values, or none.
    tuner_id : str
        Who asked for the trial.
    values : mapping
        What was tried.

    Returns
    -------
    trial : keras_tuner.engine.trial.Trial
        The trial with `values`.
    """
    hyperparameters = oracle.get_space()
    hyperparameters.values = dict(values)
    if trial.status == "RUNNING":
        trial.hyperparameters = hyperparameters
    else:
        trial = Trial(hyperparameters=hyperparameters, trial_id=trial.trial_id, status="RUNNING")
        oracle.trials[trial.trial_id] = trial
        oracle.start_order.append(trial.trial_id)
        oracle.tuner_ids.add(tuner_id)
        oracle.ongoing_trials[tuner_id] = trial
    oracle._record_values(trial)
    return trial
