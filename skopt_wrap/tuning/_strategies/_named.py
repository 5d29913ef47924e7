"""The list of the strategies that have a name, and the way from `tuner` to a strategy."""

from __future__ import annotations

import importlib
from typing import Any

from ...exceptions import ParameterError

# Name -> file and class. The file is only loaded when the strategy is used, since most of them load
# Keras Tuner or Optuna.
STRATEGIES = {
    "auto": ("_auto", "Auto"),
    "bayesian": ("_bayesian", "Bayesian"),
    "cmaes": ("_cmaes", "CmaEs"),
    "genetic": ("_genetic", "Genetic"),
    "gp": ("_model_based", "GaussianProcess"),
    "grid": ("_grid", "Grid"),
    "halving": ("_halving", "Halving"),
    "hyperband": ("_hyperband", "Hyperband"),
    "random": ("_random", "Random"),
    "screen": ("_halving", "Screen"),
    "tpe": ("_model_based", "Tpe"),
}


def named_strategy(name: str) -> Any:
    """Return the strategy with a name, with its default settings."""
    file, kind = STRATEGIES[name]
    return getattr(importlib.import_module(f".{file}", __package__), kind)()


def as_strategy(tuner: Any) -> Any:
    """Return the strategy that a `tuner` stands for.

    Parameters
    ----------
    tuner : str, Strategy, keras_tuner.Oracle, optuna sampler or object with ``ask`` and ``tell``
        The parameter of a search.

    Returns
    -------
    strategy : Strategy
        The strategy.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if isinstance(tuner, str) and tuner in STRATEGIES:
        return named_strategy(tuner)
    if hasattr(tuner, "make_oracle"):
        return tuner
    if hasattr(tuner, "create_trial") and hasattr(tuner, "end_trial"):
        from ._given import GivenOracle

        return GivenOracle(tuner)
    if hasattr(tuner, "sample_relative") and hasattr(tuner, "sample_independent"):
        from ._given import GivenSampler

        return GivenSampler(tuner)
    if hasattr(tuner, "start") and hasattr(tuner, "ask") and hasattr(tuner, "tell"):
        from ._ask_tell import AskTell

        return AskTell(tuner)
    raise ParameterError(
        "tuner must be the name of a strategy, a Genetic or Halving object, a keras_tuner.Oracle, "
        "an Optuna sampler, or a strategy of your own with make_oracle, or with start, ask and "
        f"tell; got {tuner!r}. The names are {sorted(STRATEGIES)}."
    )


def names_for_several_objectives() -> list[str]:
    """Return the names of the strategies that can follow several objectives."""
    return [name for name in STRATEGIES if serves_several(named_strategy(name))]


def serves_several(strategy: Any) -> bool:
    """Whether a strategy can follow several objectives."""
    return bool(getattr(strategy, "several_objectives", False))


def takes_starts(tuner: Any) -> bool:
    """Whether a strategy begins with configurations that are known to be good."""
    return bool(getattr(as_strategy(tuner), "takes_starts", False))


def sets_epochs(tuner: Any) -> bool:
    """Whether a strategy says by itself how many epochs each trial gets."""
    return bool(getattr(as_strategy(tuner), "sets_epochs", False))


def require(package: str, extra: str, what: str) -> None:
    """Raise an ImportError that names the extra, unless `package` is installed."""
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"{what} needs the package {package!r}: pip install 'skopt_wrap[{extra}]'."
        )


def check_epochs(tuner: str, epochs: int | None) -> int:
    """Return the epochs of a full training; refuse a model that has no such parameter."""
    if epochs is None:
        raise ParameterError(
            f"tuner={tuner!r} varies the number of epochs, so that the model needs a "
            "parameter named 'epochs'; it has none."
        )
    return int(epochs)
