"""Strategies that have settings of their own, as value objects, and the names of all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from ...exceptions import ParameterError, suggest

STRATEGIES = (
    "bayesian",
    "cmaes",
    "genetic",
    "gp",
    "grid",
    "halving",
    "hyperband",
    "random",
    "tpe",
)
SEVERAL_OBJECTIVES = ("genetic", "gp", "grid", "random", "tpe")
CROSSOVERS = ("uniform", "blxalpha", "sbx", "vsbx", "spx", "undx")
ALGORITHMS = ("nsga2", "nsga3")
MUTATIONS = ("uniform", "polynomial")
RESOURCES = ("epochs", "samples")
_MOST_ROUNDS = 4  # by default the first round takes 1/27 of the epochs or rows


def _check_name(name: str, value: Any, legal: tuple[str, ...]) -> None:
    if value not in legal:
        raise ParameterError(
            f"{name} must be one of {legal}; got {value!r}. {suggest(str(value), legal)}"
        )


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ParameterError(f"{name} must be a number in [0, 1]; got {value!r}.")


def _check_count(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ParameterError(f"{name} must be an int >= {least}; got {value!r}.")


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

    def __post_init__(self) -> None:
        _check_name("crossover", self.crossover, CROSSOVERS)
        _check_name("mutation", self.mutation, MUTATIONS)
        if self.algorithm is not None:
            _check_name("algorithm", self.algorithm, ALGORITHMS)
        if self.population_size is not None:
            three = self.crossover in ("spx", "undx")
            _check_count("population_size", self.population_size, 3 if three else 2)
        _check_share("crossover_prob", self.crossover_prob)
        _check_share("swapping_prob", self.swapping_prob)
        if self.mutation_prob is not None:
            _check_share("mutation_prob", self.mutation_prob)


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Successive halving: many candidates on little, the best of them on more.

    The first round draws candidates at random and gives each a small share of the epochs, of
    the training rows, or of both. The best ``1 / factor`` go on with `factor` times as much, until
    the last round has everything. A promoted candidate is trained anew, and only trials of the
    last round can be the best: scores on different shares are not compared.

    Parameters
    ----------
    resource : {"epochs", "samples"} or tuple of both, default="epochs"
        What grows from round to round. Rows are drawn within the training rows of each split, in
        the proportions of the classes, and a smaller share is a part of a larger one.
    factor : int, default=3
        How much the resource grows, and the candidates become fewer, at least 2.
    min_resource : int, float or None, default=None
        First round: an int is a number of epochs or rows (of a single resource), a float in (0, 1]
        a share. None makes at most four rounds and leaves no class without rows.
    n_candidates : int or None, default=None
        Candidates of the first round. None makes the whole search cost as much as `max_trials`
        full trainings.

    Raises
    ------
    ParameterError
        When a value breaks its rule.

    See Also
    --------
    TunedClassifier : Takes it as `tuner`.
    sklearn.model_selection.HalvingRandomSearchCV : The same idea for any estimator.

    References
    ----------
    .. [1] K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016.

    Examples
    --------
    >>> from skopt_wrap.tuning import Halving
    >>> Halving(resource="samples", min_resource=100).rounds(900, least=10)
    [0.111..., 0.333..., 1.0]
    """

    resource: Any = "epochs"
    factor: int = 3
    min_resource: int | float | None = None
    n_candidates: int | None = None

    def __post_init__(self) -> None:
        for item in self.resources:
            _check_name("resource", item, RESOURCES)
        _check_count("factor", self.factor, 2)
        least = self.min_resource
        if isinstance(least, float):
            if not 0 < least <= 1:
                raise ParameterError(
                    f"min_resource must be an int >= 1 or a share in (0, 1]; got {least!r}."
                )
        elif least is not None:
            _check_count("min_resource", least, 1)
            if len(self.resources) > 1:
                raise ParameterError(
                    "min_resource must be a share in (0, 1] for two resources, which are counted "
                    f"differently; got {least!r}."
                )
        if self.n_candidates is not None:
            _check_count("n_candidates", self.n_candidates, 1)

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources, as a tuple."""
        return (self.resource,) if isinstance(self.resource, str) else tuple(self.resource)

    def rounds(self, full: int, least: int) -> list[float]:
        """Return the share of the resource in each round, the last one 1.

        Parameters
        ----------
        full : int
            Epochs or rows of the last round.
        least : int
            Smallest useful number of them, where `min_resource` is None.

        Returns
        -------
        shares : list of float
            Increasing.
        """
        wanted = self.min_resource
        if wanted is None:
            first, most = least / full, _MOST_ROUNDS
        else:
            first = wanted if isinstance(wanted, float) else wanted / full
            most = 64
        if first > 1:
            if wanted is None:
                return [1.0]
            raise ParameterError(f"min_resource={wanted} is more than all there are, {full}.")
        # Rounding must not cost a round: 1/9 is two steps of 3.
        steps = math.floor(math.log(1 / first, self.factor) + 1e-9)
        n_rounds = min(most, 1 + steps)
        return [float(self.factor) ** (i - n_rounds + 1) for i in range(n_rounds)]


def sets_epochs(tuner: Any) -> bool:
    """Whether a strategy says by itself how many epochs each trial gets."""
    if isinstance(tuner, str):
        return tuner in ("halving", "hyperband")
    return (isinstance(tuner, Halving) and "epochs" in tuner.resources) or hasattr(
        tuner, "max_epochs"
    )
