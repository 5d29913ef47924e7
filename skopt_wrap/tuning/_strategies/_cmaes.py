"""Evolution of a normal distribution (CMA-ES)."""

from __future__ import annotations

from typing import Any

import optuna

from ._named import require
from ._optuna import optuna_oracle
from ._protocol import SearchRequest


class CmaEs:
    """Optuna's CmaEsSampler, which needs the package cmaes."""

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        require("cmaes", "cmaes", "tuner='cmaes'")
        sampler = optuna.samplers.CmaEsSampler(seed=search.seed, warn_independent_sampling=False)
        return optuna_oracle(sampler, search)
