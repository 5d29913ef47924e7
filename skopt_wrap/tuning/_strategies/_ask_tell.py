"""Strategies that are plain objects with `start`, `ask` and `tell`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras_tuner

from ...exceptions import SearchError
from .._keras_tuner import QuietMixin
from ._protocol import SearchRequest


@dataclass(frozen=True)
class AskTell:
    """A strategy of the caller's that knows nothing of Keras Tuner's oracles.

    It is copied; the copy has three methods. ``start(space, max_trials=..., seed=...,
    directions=...)`` is called once, where ``space`` is a list of Keras Tuner's hyperparameters.
    ``ask()`` returns a dict of values by the names of the hyperparameters, where those that are
    left out have their defaults, or None when it has no further proposal. ``tell(values, score)``
    hears the mean score of a trial (greater is better), None for one that failed, or a list of
    values for several objectives, as the ``directions`` have them.

    Attributes
    ----------
    strategy : object
        The object with these methods.
    """

    strategy: Any

    @property
    def several_objectives(self) -> bool:
        """Whether the object says that it follows several objectives."""
        return bool(getattr(self.strategy, "several_objectives", False))

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return an oracle that asks a copy of the object."""
        return AskTellOracle(copy.deepcopy(self.strategy), search)


class AskTellOracle(QuietMixin, keras_tuner.Oracle):
    """A Keras Tuner oracle whose proposals come from an object with `ask` and `tell`.

    Parameters
    ----------
    strategy : object
        The object; see `AskTell`.
    search : SearchRequest
        What it gets to know.
    """

    def __init__(self, strategy: Any, search: SearchRequest) -> None:
        super().__init__(max_trials=search.max_trials, **search.oracle_arguments())
        self.strategy = strategy
        self._objectives: dict[str, list[float]] = {}
        strategy.start(
            list(self.hyperparameters.space),
            max_trials=search.max_trials,
            seed=search.seed,
            directions=tuple(search.directions),
        )

    def set_values(self, trial_id: str, values: Sequence[float]) -> None:
        """Note the values of several objectives."""
        self._objectives[trial_id] = [float(value) for value in values]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        asked = self.strategy.ask()
        if asked is None:
            return {"status": "STOPPED", "values": None}
        known = {item.name for item in self.hyperparameters.space}
        if unknown := sorted(asked.keys() - known):
            raise SearchError(
                f"ask() of {type(self.strategy).__name__} returned {unknown}, which are no "
                f"hyperparameters of this search. Those are {sorted(known)}."
            )
        proposal = keras_tuner.HyperParameters()
        for item in self.hyperparameters.space:  # parents come before what depends on them
            proposal.merge([item])
            if proposal.is_active(item):
                proposal.values[item.name] = asked.get(item.name, item.default)
        return {"status": "RUNNING", "values": proposal.values}

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Close a trial and tell its result."""
        super().end_trial(trial)
        trial = self.trials[trial.trial_id]
        score: Any = self._objectives.pop(trial.trial_id, trial.score)
        done = trial.status == "COMPLETED"
        self.strategy.tell(dict(trial.hyperparameters.values), score if done else None)
