"""Search that models how good values are: Parzen estimators (TPE) and a Gaussian process."""

from __future__ import annotations

import math
from typing import Any

import optuna

from .._optuna import quiet
from ._named import require
from ._optuna import optuna_oracle
from ._protocol import SearchRequest

_RANDOM_FIRST = 10  # trials at random, before there is anything to learn from


class Tpe:
    """Optuna's TPESampler: densities of good and of bad values, for each parameter."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        sampler = optuna.samplers.TPESampler(seed=search.seed, n_startup_trials=_RANDOM_FIRST)
        oracle = optuna_oracle(sampler, search)
        oracle.n_independent = _RANDOM_FIRST
        return oracle


class GaussianProcess:
    """Optuna's GPSampler, which needs PyTorch."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        require("torch", "gp", "tuner='gp' (Optuna's GPSampler)")
        limit = search.max_trials
        start = max(2, min(_RANDOM_FIRST, math.ceil(limit / 2))) if limit else _RANDOM_FIRST
        with quiet():
            sampler = optuna.samplers.GPSampler(
                seed=search.seed, n_startup_trials=start, warn_independent_sampling=False
            )
        oracle = optuna_oracle(sampler, search)
        oracle.n_independent = start
        return oracle
