"""Hyperband: many candidates on few epochs, the best of them on more, in several brackets."""

from __future__ import annotations

from typing import Any

from keras_tuner import oracles

from .._keras_tuner import QuietMixin, hyperband_rounds
from ._named import check_epochs
from ._protocol import SearchRequest

HYPERBAND_FACTOR = 3


def hyperband_plan(max_epochs: int, factor: int = HYPERBAND_FACTOR) -> tuple[int, int]:
    """Return the number of trials and of epochs that one sweep of Hyperband takes.

    Parameters
    ----------
    max_epochs : int
        Epochs of the longest trials.
    factor : int, default=3
        Share of the trials that goes on from one round to the next, as its inverse.

    Returns
    -------
    n_trials : int
        Trials of the sweep, promoted ones counted once for each round.
    n_epochs : int
        Epochs of all of them, each trained from scratch.

    References
    ----------
    .. [1] L. Li et al., "Hyperband: a novel bandit-based approach to hyperparameter
       optimization", JMLR 18, 2018.

    Examples
    --------
    >>> from skopt_wrap.tuning._strategies._hyperband import hyperband_plan
    >>> hyperband_plan(9)
    (23, 87)
    """
    rounds = hyperband_rounds(max_epochs, factor)
    return sum(size for size, _ in rounds), sum(size * epochs for size, epochs in rounds)


class HyperbandOracle(QuietMixin, oracles.HyperbandOracle):
    """Keras Tuner's Hyperband, which writes nothing."""

    n_trials: int
    batch = HYPERBAND_FACTOR**2


class Hyperband:
    """As many whole sweeps of Hyperband as `max_trials` full trainings pay for, at least one."""

    sets_epochs = True
    ends_itself = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        epochs = check_epochs("hyperband", search.epochs)
        sweep_trials, sweep_epochs = hyperband_plan(epochs)
        sweeps = max(1, (search.max_trials or 0) * epochs // sweep_epochs)
        oracle = HyperbandOracle(
            max_epochs=epochs,
            factor=HYPERBAND_FACTOR,
            hyperband_iterations=sweeps,
            **search.oracle_arguments(),
        )
        oracle.n_trials = sweeps * sweep_trials
        return oracle
