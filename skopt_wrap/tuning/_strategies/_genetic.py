"""Evolutionary search by NSGA-II or NSGA-III, and its settings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ...exceptions import ParameterError
from ._protocol import SearchRequest
from ._setting_checks import check_count, check_name, check_share

CROSSOVERS = ("uniform", "blxalpha", "sbx", "vsbx", "spx", "undx")
ALGORITHMS = ("nsga2", "nsga3")
MUTATIONS = ("uniform", "polynomial")


@dataclass(frozen=True, kw_only=True)
class Genetic:
    """Evolutionary search: NSGA-II, or NSGA-III for four objectives and more.

    A population is drawn at random. Each further trial is the child of parents out of the best
    trials: their values are crossed over, and some of them are drawn anew. Values of parameters
    that a condition switches off are inherited all the same, and come to the fore with it.

    Parameters
    ----------
    population_size : int or None, default=None
        Trials of a generation, at least 2. None grows with the square root of the number of
        trials, so that there are several generations: 4 to 50.
    crossover : {"uniform", "blxalpha", "sbx", "vsbx", "spx", "undx"}, default="uniform"
        How numbers are mixed; a value out of a list of texts comes from either parent. "spx" and
        "undx" take three parents.
    crossover_prob : float, default=0.9
        Chance that a child has several parents, in [0, 1]; otherwise it is a copy of one.
    swapping_prob : float, default=0.5
        Chance that a value is taken from the other parent, in [0, 1].
    mutation : {"uniform", "polynomial"}, default="uniform"
        "uniform" draws a mutated value anew; "polynomial" moves a number to one nearby (Optuna 5
        or later).
    mutation_prob : float or None, default=None
        Chance that a value mutates, in [0, 1]. None is one divided by the number of parameters.
    algorithm : {"nsga2", "nsga3"} or None, default=None
        How survivors are chosen. None is "nsga2" up to three objectives.

    Raises
    ------
    ParameterError
        When a value breaks its rule.

    See Also
    --------
    TunedClassifier : Takes it as `tuner`.

    References
    ----------
    .. [1] K. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
       Transactions on Evolutionary Computation 6, 2002.
    .. [2] K. Deb, H. Jain, "An evolutionary many-objective optimization algorithm using
       reference-point-based nondominated sorting approach, part I", IEEE Transactions on
       Evolutionary Computation 18, 2014.

    Examples
    --------
    >>> from skopt_wrap.tuning import Genetic
    >>> Genetic(population_size=8, crossover="sbx").mutation
    'uniform'
    """

    population_size: int | None = None
    crossover: str = "uniform"
    crossover_prob: float = 0.9
    swapping_prob: float = 0.5
    mutation: str = "uniform"
    mutation_prob: float | None = None
    algorithm: str | None = None
    several_objectives: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_name("crossover", self.crossover, CROSSOVERS)
        check_name("mutation", self.mutation, MUTATIONS)
        if self.algorithm is not None:
            check_name("algorithm", self.algorithm, ALGORITHMS)
        if self.population_size is not None:
            three = self.crossover in ("spx", "undx")
            check_count("population_size", self.population_size, 3 if three else 2)
        check_share("crossover_prob", self.crossover_prob)
        check_share("swapping_prob", self.swapping_prob)
        if self.mutation_prob is not None:
            check_share("mutation_prob", self.mutation_prob)

    def make_oracle(self, search: SearchRequest) -> Any:
        """Return the oracle of a search, as `Strategy` says."""
        from ._optuna import optuna_oracle

        return optuna_oracle(make_sampler(self, search), search)


def make_sampler(settings: Genetic, search: SearchRequest) -> Any:
    """Return the Optuna sampler that the settings stand for."""
    import optuna

    operators = optuna.samplers.nsgaii
    crossovers: dict[str, Callable[[], Any]] = {
        "uniform": lambda: operators.UniformCrossover(settings.swapping_prob),
        "blxalpha": operators.BLXAlphaCrossover,
        "sbx": operators.SBXCrossover,
        "vsbx": operators.VSBXCrossover,
        "spx": operators.SPXCrossover,
        "undx": operators.UNDXCrossover,
    }
    # Several generations within the budget; Optuna's 50 would leave one random generation.
    population = settings.population_size or max(
        4, min(50, round(2 * math.sqrt(search.max_trials or 100)))
    )
    options: dict[str, Any] = {
        "population_size": population,
        "crossover_prob": settings.crossover_prob,
        "swapping_prob": settings.swapping_prob,
        "mutation_prob": settings.mutation_prob,
        "seed": search.seed,
    }
    if settings.mutation == "polynomial":
        if not hasattr(operators, "PolynomialMutation"):
            raise ParameterError(
                "Genetic(mutation='polynomial') needs Optuna 5 or later; "
                f"{optuna.__version__} is installed."
            )
        options["mutation"] = operators.PolynomialMutation()
    third = settings.algorithm == "nsga3" or (
        settings.algorithm is None and len(search.directions) > 3
    )
    kind = optuna.samplers.NSGAIIISampler if third else optuna.samplers.NSGAIISampler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return kind(crossover=crossovers[settings.crossover](), **options)
