"""Random search."""

from __future__ import annotations

from typing import Any

from keras_tuner import oracles

from .._keras_tuner import QuietMixin
from ._protocol import SearchRequest


class RandomOracle(QuietMixin, oracles.RandomSearchOracle):
    """Keras Tuner's random search; no proposal depends on a result."""

    independent = True


class Random:
    """Values drawn at random, each trial for itself."""

    several_objectives = True

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        return RandomOracle(max_trials=search.max_trials, **search.oracle_arguments())
