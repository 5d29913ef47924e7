"""What a search needs of an oracle to continue a stored search, or to run several trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_tuner import oracles

from .._keras_tuner import replace_values


def is_independent(oracle: Any) -> bool:
    """Whether what an oracle proposes does not depend on any result."""
    return type(oracle) is oracles.RandomSearchOracle or getattr(oracle, "independent", False)


def register(oracle: Any, trial: Any, tuner_id: str, values: Mapping[str, Any]) -> Any:
    """Make the oracle believe that it proposed what was tried; return the trial with `values`.

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
    if hasattr(oracle, "forget_proposal"):
        oracle.forget_proposal(trial.trial_id)
    return replace_values(oracle, trial, tuner_id, values)
