"""Bayesian search with tree-structured Parzen estimators (TPE)."""

from __future__ import annotations

from typing import Any

import optuna

from ._optuna import optuna_oracle
from ._protocol import SearchRequest


class Tpe:
    """Optuna's TPESampler: densities of good and of bad values, for each parameter."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        return optuna_oracle(optuna.samplers.TPESampler(seed=search.seed), search)
