"""Search that models how good values are: Parzen estimators (TPE) and a Gaussian process."""

from __future__ import annotations

import math
from typing import Any

import optuna

from .._optuna import quiet
from ._named import require
from ._optuna import optuna_oracle
from ._protocol import SearchRequest


class Tpe:
    """Optuna's TPESampler: densities of good and of bad values, for each parameter."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        return optuna_oracle(optuna.samplers.TPESampler(seed=search.seed), search)


class GaussianProcess:
    """Optuna's GPSampler, which needs PyTorch."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        require("torch", "gp", "tuner='gp' (Optuna's GPSampler)")
        limit = search.max_trials
        start = max(2, min(10, math.ceil(limit / 2))) if limit else 10
        with quiet():
            sampler = optuna.samplers.GPSampler(
                seed=search.seed, n_startup_trials=start, warn_independent_sampling=False
            )
        return optuna_oracle(sampler, search)
