"""A search that starts well: known good configurations first, then a model of the scores."""

from __future__ import annotations

import importlib.util
from typing import Any

from keras_tuner.engine import hyperparameters as kinds

from ._model_based import GaussianProcess, Tpe
from ._protocol import SearchRequest


class Auto:
    """The untuned default, a portfolio of configurations that were good on other tables, then TPE.

    Where every parameter is a number that counts always, and PyTorch is installed, a Gaussian
    process takes the place of TPE.
    """

    several_objectives = True
    takes_starts = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        oracle = (GaussianProcess() if _suits_process(search) else Tpe()).make_oracle(search)
        limit = len(search.starts)
        if search.max_trials is not None:  # half of the trials are left to learn from them
            limit = min(limit, max(1, search.max_trials // 2))
        oracle.start_with(search.starts[:limit])
        oracle.n_independent = max(oracle.n_independent, limit)
        return oracle


def _suits_process(search: SearchRequest) -> bool:
    """Return whether the space is of numbers only, and the Gaussian process can run."""
    numbers = all(
        isinstance(item, kinds.Int | kinds.Float) and not item.conditions
        for item in search.hyperparameters.space
    )
    return numbers and importlib.util.find_spec("torch") is not None
