"""The oracle of successive halving: which candidates of a round go on to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras_tuner

from .._keras_tuner import QuietMixin, random_values

EPOCHS, SAMPLES, ROUND = "tuner/epochs", "tuner/samples", "tuner/iter"


class HalvingOracle(QuietMixin, keras_tuner.Oracle):
    """Promotes the best candidates of a round to the next, with more epochs or samples.

    Parameters
    ----------
    factor : int
        How much the resource grows from round to round.
    resources : tuple of str
        What grows: "epochs", "samples" or both.
    shares : sequence of float
        Share of the resource in each round.
    n_candidates : int
        Candidates of the first round.
    epochs : int or None
        Epochs of a full training; needed where they are the resource.
    **kwargs : dict
        Arguments of ``keras_tuner.Oracle``.
    """

    independent = True  # those of a round; the next one waits for all of them

    def __init__(
        self,
        factor: int,
        resources: tuple[str, ...],
        shares: Sequence[float],
        n_candidates: int,
        epochs: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shares = list(shares)
        self.sizes = [math.ceil(n_candidates / factor**i) for i in range(len(shares))]
        self.n_trials = sum(self.sizes)
        self.factor = factor
        self.samples = "samples" in resources
        if "epochs" in resources and epochs is not None:
            self.max_epochs = epochs
        self._rounds: list[list[str]] = [[]]
        self._waiting: list[str] = []  # promoted, not started

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        if len(self._rounds) == 1 and len(self._rounds[0]) < self.sizes[0]:
            values = random_values(self)
            if values is not None:
                return self._run(trial_id, values)
            self.sizes[0] = len(self._rounds[0])  # a small space is exhausted: go on with these
        if not self._waiting:
            if self.ongoing_trials:
                return {"status": "IDLE", "values": None}
            self._waiting = self._promoted()
            if not self._waiting:
                return {"status": "STOPPED", "values": None}
            self._rounds.append([])
        best = self.trials[self._waiting.pop(0)]
        values = dict(best.hyperparameters.values)
        values["tuner/trial_id"] = best.trial_id
        return self._run(trial_id, values)

    def _run(self, trial_id: str, values: dict[str, Any]) -> dict[str, Any]:
        number = len(self._rounds) - 1
        values[ROUND] = number
        if hasattr(self, "max_epochs"):
            values[EPOCHS] = max(1, math.ceil(self.max_epochs * self.shares[number] - 1e-9))
        if self.samples:
            values[SAMPLES] = self.shares[number]
        self._rounds[-1].append(trial_id)
        return {"status": "RUNNING", "values": values}

    def _promoted(self) -> list[str]:
        """Return the trials that go on after the round that has ended, best first."""
        if len(self._rounds) == len(self.shares):
            return []
        done = [self.trials[name] for name in self._rounds[-1]]
        done = [trial for trial in done if trial.status == "COMPLETED"]
        best = sorted(done, key=lambda trial: -trial.score)
        return [trial.trial_id for trial in best[: self._n_promoted()]]

    def _n_promoted(self) -> int:
        """Return how many trials of the round that has ended go on at most."""
        return math.ceil(len(self._rounds[-1]) / self.factor)

    def _compute_values_hash(self, values: dict[str, Any]) -> str:
        own = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        return super()._compute_values_hash(own)


class ScreenOracle(HalvingOracle):
    """Promotes a fixed number of the candidates that were trained for one epoch.

    Parameters
    ----------
    n_candidates, n_finalists : int
        Trials of one epoch, and how many of them are trained in full.
    epochs : int
        Epochs of a full training.
    **kwargs : dict
        Arguments of ``keras_tuner.Oracle``.
    """

    def __init__(self, n_candidates: int, n_finalists: int, epochs: int, **kwargs: Any) -> None:
        super().__init__(2, ("epochs",), [1 / epochs, 1.0], n_candidates, epochs, **kwargs)
        self.sizes = [n_candidates, n_finalists]
        self.n_trials = n_candidates + n_finalists

    def _n_promoted(self) -> int:
        return min(self.sizes[1], len(self._rounds[-1]))
