"""Make the oracle of a search: the part that proposes trials and hears of their results.

All strategies are used by ask and tell: ``create_trial``, ``update_trial``, ``end_trial``.
"""

from __future__ import annotations

from typing import Any

from ...exceptions import ParameterError
from ._named import as_strategy, names_for_several_objectives, serves_several
from ._protocol import SearchRequest


def make_oracle(tuner: Any, hyperparameters: Any, **settings: Any) -> tuple[Any, int | None]:
    """Build the oracle of a search.

    Parameters
    ----------
    tuner : str, Strategy, keras_tuner.Oracle, optuna sampler or object with ``ask`` and ``tell``
        The strategy; an instance is copied.
    hyperparameters : keras_tuner.HyperParameters
        The space.
    **settings : dict
        The other attributes of `SearchRequest`: ``max_trials``, ``epochs``, ``seed`` and so on.

    Returns
    -------
    oracle : keras_tuner.Oracle
        The oracle.
    n_trials : int or None
        How many trials it will run at most, where that is known.

    Raises
    ------
    ParameterError
        For a strategy that cannot work with these arguments.
    ImportError
        When the strategy needs a package that is not installed.
    """
    search = SearchRequest(hyperparameters, **settings)
    strategy = as_strategy(tuner)
    if len(search.directions) > 1 and not serves_several(strategy):
        name = tuner if isinstance(tuner, str) else type(tuner).__name__
        raise ParameterError(
            f"tuner={name!r} knows a single objective; with several, use one of "
            f"{names_for_several_objectives()}, or a Genetic object."
        )
    oracle = strategy.make_oracle(search)
    return oracle, getattr(oracle, "n_trials", oracle.max_trials)
