"""The protocol of search strategies: an object that makes the oracle, which proposes trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class SearchRequest:
    """What a strategy gets to know of a search before it begins.

    Attributes
    ----------
    hyperparameters : keras_tuner.HyperParameters
        The space: ``hyperparameters.space`` is the list of hyperparameters, parents before those
        that depend on them.
    max_trials : int or None
        Number of trials; None for as many as the strategy wants.
    epochs : int or None
        Epochs of a full training; None where the model has no such parameter.
    seed : int
        Seed of the strategy, not 0.
    n_samples : int or None
        Training samples of the smallest split.
    least_samples : int
        Fewest training samples that a trial can be trained on.
    directions : sequence of {"maximize", "minimize"}
        One for each objective.
    declared : frozenset of str
        Names of hyperparameters that a Keras Tuner model function declares.
    starts : sequence of dict
        Values of the hyperparameters that are to be tried first, for a strategy that takes them.
    """

    hyperparameters: Any
    max_trials: int | None = None
    epochs: int | None = None
    seed: int = 1
    n_samples: int | None = None
    least_samples: int = 1
    directions: Sequence[str] = ("maximize",)
    declared: frozenset[str] = frozenset()
    starts: Sequence[dict[str, Any]] = ()

    def oracle_arguments(self) -> dict[str, Any]:
        """Return the arguments that every Keras Tuner oracle takes, but for `max_trials`."""
        import keras_tuner

        return {
            "objective": keras_tuner.Objective(OBJECTIVE, "max"),
            "hyperparameters": self.hyperparameters,
            "seed": self.seed,
        }


OBJECTIVE = "score"  # the name under which oracles hear of the score


class Strategy(Protocol):
    """A search strategy; pass such an object as `tuner` to use one of your own.

    The oracle that it makes is asked for one trial after the other (``create_trial``) and is told
    each result (``update_trial``, then ``end_trial``). It is an object of a subclass of
    ``keras_tuner.Oracle``. An object with ``ask`` and ``tell`` is a strategy as well, and needs
    nothing of Keras Tuner; the user guide shows one.

    Attributes
    ----------
    several_objectives : bool
        Whether the oracle can follow several objectives; False where it is absent.
    sets_epochs : bool
        Whether the strategy says how many epochs each trial gets; False where it is absent.
    takes_starts : bool
        Whether the strategy begins with the `starts` of a search; False where it is absent.
    ends_itself : bool
        Whether the search ends without ``max_trials``; False where it is absent.
    """

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search.

        Parameters
        ----------
        search : SearchRequest
            Space, number of trials, seed and the like.

        Returns
        -------
        oracle : keras_tuner.Oracle
            Proposes the trials. An attribute ``n_trials`` says how many it will run at most, where
            that is not its ``max_trials``. Trials are trained together where ``independent`` is
            True (no proposal depends on a result), for the first ``n_independent`` proposals, and
            for ``batch`` proposals at a time, made before the results of the first are known.
        """
        ...
