"""Keras Tuner oracles and Optuna samplers of the caller's as strategies."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import keras_tuner
import optuna
from keras_tuner import oracles

from ...exceptions import ParameterError
from .._keras_tuner import borrowed
from ._optuna import optuna_oracle
from ._protocol import SearchRequest


@dataclass(frozen=True)
class GivenOracle:
    """An oracle of the caller's, which is copied.

    Attributes
    ----------
    oracle : keras_tuner.Oracle
        The oracle.
    """

    oracle: keras_tuner.Oracle

    @property
    def sets_epochs(self) -> bool:
        """Whether the oracle says how many epochs each trial gets, as Hyperband does."""
        return hasattr(self.oracle, "max_epochs")

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return a copy of the oracle that has the space, the score and the limit of the search.

        Hyperparameters that the oracle was given come before those of the space.
        """
        if self.oracle.trials:
            raise ParameterError(
                f"tuner={type(self.oracle).__name__} has already run {len(self.oracle.trials)} "
                "trials; pass an unused oracle."
            )
        oracle = copy.deepcopy(self.oracle)
        oracle.objective = search.oracle_arguments()["objective"]
        own = {item.name for item in oracle.hyperparameters.space}
        given = {item.name for item in search.hyperparameters.space} - search.declared
        if twice := sorted(own & given):
            raise ParameterError(
                f"space has {twice}, which the hyperparameters of tuner={type(oracle).__name__} "
                "have too; leave them to one of the two."
            )
        new = search.declared - own
        if new and not oracle.allow_new_entries:
            raise ParameterError(
                f"tuner={type(oracle).__name__} has allow_new_entries=False, and the model "
                f"function declares {sorted(new)}, which the oracle's hyperparameters do not hold."
            )
        # Without `tune_new_entries` they keep the defaults that the model function gives them.
        left_out = set() if oracle.tune_new_entries else new
        space = [item for item in search.hyperparameters.space if item.name not in left_out]
        oracle.hyperparameters.merge(space, overwrite=False)
        if not isinstance(oracle, oracles.HyperbandOracle):
            oracle.max_trials = search.max_trials
        return borrowed(oracle)


@dataclass(frozen=True)
class GivenSampler:
    """An Optuna sampler of the caller's, which is copied.

    Attributes
    ----------
    sampler : optuna.samplers.BaseSampler
        The sampler.
    """

    sampler: Any

    @property
    def several_objectives(self) -> bool:
        """Whether the sampler follows several objectives; CMA-ES does not."""
        return not isinstance(self.sampler, optuna.samplers.CmaEsSampler)

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return an oracle that asks a copy of the sampler."""
        return optuna_oracle(copy.deepcopy(self.sampler), search)
