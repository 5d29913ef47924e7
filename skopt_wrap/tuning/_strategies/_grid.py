"""Grid search: every combination of the listed values."""

from __future__ import annotations

import math
from typing import Any

from .._keras_tuner import GridOracle
from ._protocol import SearchRequest


class Grid:
    """Every combination of the listed values, in order; distributions give a few values."""

    several_objectives = True
    ends_itself = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        oracle: Any = GridOracle(max_trials=search.max_trials, **search.oracle_arguments())
        # Points that conditions rule out are counted too.
        oracle.n_points = math.prod(len(list(item.values)) for item in oracle.get_space().space)
        limit = search.max_trials
        oracle.n_trials = oracle.n_points if limit is None else min(oracle.n_points, limit)
        return oracle
