"""What a search needs of an oracle to go on from stored trials, and to run several at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from keras_tuner import oracles
from keras_tuner.engine.trial import Trial


class GridOracle(oracles.GridSearchOracle):
    """Keras Tuner's grid, which need not wait for a trial to end before it proposes the next.

    The parent walks on from a trial when it has ended, so that two could run at a time.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            self._populate_next.append(trial_id)
        return response


def is_independent(oracle: Any) -> bool:
    """Whether what an oracle proposes does not depend on any result."""
    if type(oracle) in (oracles.RandomSearchOracle, GridOracle):
        return True
    sampler = getattr(getattr(oracle, "study", None), "sampler", None)
    return type(sampler) is optuna.samplers.RandomSampler


def register(oracle: Any, trial: Any, tuner_id: str, values: Mapping[str, Any]) -> Any:
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
    asked = getattr(oracle, "_asked", {}).pop(trial.trial_id, None)
    if asked is not None:
        oracle.study.tell(asked, state=optuna.trial.TrialState.FAIL)
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
