"""Strategies: Keras Tuner's oracles, and Optuna's samplers behind one more oracle.

All are used by ask and tell: ``create_trial``, ``update_trial``, ``end_trial``. They print
nothing, and the folder that they insist on writing is a temporary one.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras_tuner
import numpy as np
import optuna
from keras_tuner import oracles
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ...exceptions import ParameterError
from ._halving import HalvingOracle
from ._optuna import OptunaOracle
from ._resume import GridOracle
from ._settings import SEVERAL_OBJECTIVES, Genetic, Halving

OBJECTIVE = "score"
HYPERBAND_FACTOR = 3
_ACQUISITION_POINTS = 2000
_ACQUISITION_STARTS = 3
_GP_RESTARTS = 3


class BayesianOracle(oracles.BayesianOptimizationOracle):
    """Keras Tuner's Gaussian-process search, with a quick acquisition step.

    The confidence bound is evaluated on many random points in one call and refined from the best
    few, where the parent refines from 50 points by one-row predictions and takes seconds. A
    point that was tried before is never proposed again.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        bounds = self._get_hp_bounds()
        if len(completed) < self.num_initial_points or not len(bounds):
            return self._random_populate_space()
        # A few dozen rows: more BLAS threads than one cost far more time than they save.
        with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
            # A kernel's length scale at its bound is a finding about the scores, not a fault.
            warnings.simplefilter("ignore", ConvergenceWarning)
            values = self._vector_to_values(self._proposal(bounds))
        if self._duplicate(values):
            return self._random_populate_space()
        return {"status": "RUNNING", "values": values}

    def _make_gpr(self) -> Any:
        return super()._make_gpr().set_params(n_restarts_optimizer=_GP_RESTARTS)

    def _proposal(self, bounds: np.ndarray) -> np.ndarray:
        """Fit the process to the trials and return the point of the lowest bound."""
        self.gpr.fit(*self._vectorize_trials())
        points = self._random_state.uniform(size=(_ACQUISITION_POINTS, len(bounds)))
        starts = points[np.argsort(self._bound(points))[:_ACQUISITION_STARTS]]
        ends = [
            minimize(lambda x: self._bound(x[None])[0], start, bounds=bounds, method="L-BFGS-B")
            for start in starts
        ]
        return min(ends, key=lambda end: float(end.fun)).x

    def _bound(self, points: np.ndarray) -> np.ndarray:
        """Return the lower confidence bound of the loss at each point."""
        mean, deviation = self.gpr.predict(points, return_std=True)
        return mean - self.beta * deviation


def hyperband_plan(max_epochs: int, factor: int = HYPERBAND_FACTOR) -> tuple[int, int]:
    """Return the number of trials and of epochs that one sweep of Hyperband takes.

    Parameters
    ----------
    max_epochs : int
        Epochs of the longest trials.
    factor : int, default=3
        Share of the trials that goes on from one round to the next, as its inverse.

    Returns
    -------
    n_trials : int
        Trials of the sweep, promoted ones counted once for each round.
    n_epochs : int
        Epochs of all of them, each trained from scratch.

    References
    ----------
    .. [1] L. Li et al., "Hyperband: a novel bandit-based approach to hyperparameter
       optimization", JMLR 18, 2018.

    Examples
    --------
    >>> from skopt_wrap.tuning._strategies._factory import hyperband_plan
    >>> hyperband_plan(9)
    (23, 87)
    """
    oracle = oracles.HyperbandOracle(max_epochs=max_epochs, factor=factor, seed=1)
    n_trials = n_epochs = 0
    for bracket in range(oracle._get_num_brackets()):
        for round_number in range(bracket + 1):
            size = oracle._get_size(bracket, round_number)
            n_trials += size
            n_epochs += size * oracle._get_epochs(bracket, round_number)
    return n_trials, n_epochs


def make_oracle(
    tuner: Any,
    hyperparameters: Any,
    *,
    max_trials: int | None,
    epochs: int | None,
    seed: int,
    rows: int | None = None,
    least_rows: int = 1,
    directions: Sequence[str] = ("maximize",),
) -> tuple[Any, int | None]:
    """Build the oracle of a search.

    Parameters
    ----------
    tuner : str, Genetic, Halving, keras_tuner.Oracle or optuna.samplers.BaseSampler
        The strategy; an instance is copied.
    hyperparameters : keras_tuner.HyperParameters
        The space.
    max_trials : int or None
        Number of trials; None for as many as the strategy wants.
    epochs : int or None
        Epochs of a full training, for Hyperband and successive halving.
    seed : int
        Seed, not 0 (Keras Tuner takes 0 for "no seed").
    rows : int or None, default=None
        Training rows of the smallest split, for successive halving.
    least_rows : int, default=1
        Fewest of them that a trial can be trained on.
    directions : sequence of {"maximize", "minimize"}, default=("maximize",)
        One for each objective.

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
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters,
        "seed": seed,
    }
    if tuner == "halving":
        tuner = Halving()
    if len(directions) > 1:
        _check_several(tuner)
    if tuner == "hyperband":
        return _make_hyperband(max_trials, epochs, common)
    if isinstance(tuner, Halving):
        return _make_halving(tuner, max_trials, epochs, rows, least_rows, common)
    common["max_trials"] = max_trials
    limit = max_trials or 0
    if tuner == "random":
        oracle = oracles.RandomSearchOracle(**common)
    elif tuner == "grid":
        oracle = GridOracle(**common)
    elif tuner == "bayesian":
        # Keras Tuner starts with 3 random trials a dimension, often more than all of them.
        wanted = max(3, 3 * len(hyperparameters.space))
        points = max(2, min(wanted, math.ceil(limit / 2))) if limit else wanted
        oracle = BayesianOracle(num_initial_points=points, **common)
    elif isinstance(tuner, keras_tuner.Oracle):
        oracle = _adopt(tuner, common)
    else:
        sampler = _make_sampler(tuner, limit, seed, len(directions))
        oracle = OptunaOracle(sampler, directions, **common)
    return _prepared(oracle), oracle.max_trials


def _check_several(tuner: Any) -> None:
    """Refuse a strategy that knows a single objective only."""
    single = isinstance(tuner, (Halving, keras_tuner.Oracle, optuna.samplers.CmaEsSampler))
    if single or (isinstance(tuner, str) and tuner not in SEVERAL_OBJECTIVES):
        name = tuner if isinstance(tuner, str) else type(tuner).__name__
        raise ParameterError(
            f"tuner={name!r} knows a single objective; with several, use one of "
            f"{SEVERAL_OBJECTIVES}, or a Genetic object."
        )


def _make_hyperband(
    max_trials: int | None, epochs: int | None, common: dict[str, Any]
) -> tuple[Any, int]:
    _check_epochs("hyperband", epochs)
    epochs = int(epochs or 0)
    sweep_trials, sweep_epochs = hyperband_plan(epochs)
    sweeps = max(1, (max_trials or 0) * epochs // sweep_epochs)
    oracle = oracles.HyperbandOracle(
        max_epochs=epochs, factor=HYPERBAND_FACTOR, hyperband_iterations=sweeps, **common
    )
    return _prepared(oracle), sweeps * sweep_trials


def _make_halving(
    settings: Halving,
    max_trials: int | None,
    epochs: int | None,
    rows: int | None,
    least_rows: int,
    common: dict[str, Any],
) -> tuple[Any, int]:
    by_epochs = settings.resources[0] == "epochs"
    if "epochs" in settings.resources:
        _check_epochs("halving", epochs)
    full, least = (epochs, 1) if by_epochs else (rows, least_rows)
    shares = settings.rounds(int(full or 1), least)
    n_candidates = settings.n_candidates
    if n_candidates is None:
        # Every round costs about as much: the cost of all is that of max_trials full trainings.
        cost = sum(share / settings.factor**i for i, share in enumerate(shares))
        n_candidates = max(settings.factor ** (len(shares) - 1), round((max_trials or 20) / cost))
    oracle = HalvingOracle(settings, shares, n_candidates, epochs, **common)
    return _prepared(oracle), sum(oracle.sizes)


def _check_epochs(tuner: str, epochs: int | None) -> None:
    if epochs is None:
        raise ParameterError(
            f"tuner={tuner!r} varies the number of epochs, so that the model needs a "
            "parameter named 'epochs'; it has none."
        )


def _make_sampler(tuner: Any, limit: int, seed: int, n_objectives: int) -> Any:
    """Return the Optuna sampler that `tuner` stands for."""
    samplers = optuna.samplers
    start = max(2, min(10, math.ceil(limit / 2))) if limit else 10
    if isinstance(tuner, samplers.BaseSampler):
        return copy.deepcopy(tuner)
    if tuner == "tpe":
        return samplers.TPESampler(seed=seed)
    if tuner == "gp":
        _need("torch", "gp", "tuner='gp' (Optuna's GPSampler)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return samplers.GPSampler(
                seed=seed, n_startup_trials=start, warn_independent_sampling=False
            )
    if tuner == "cmaes":
        _need("cmaes", "cmaes", "tuner='cmaes'")
        return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    if tuner == "genetic":
        tuner = Genetic()
    if isinstance(tuner, Genetic):
        return _make_genetic(tuner, limit, seed, n_objectives)
    raise ParameterError(
        "tuner must be the name of a strategy, a Genetic or Halving object, a keras_tuner.Oracle "
        f"or an Optuna sampler; got {tuner!r}."
    )


def _make_genetic(settings: Genetic, limit: int, seed: int, n_objectives: int) -> Any:
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
    population = settings.population_size or max(4, min(50, round(2 * math.sqrt(limit or 100))))
    options: dict[str, Any] = {
        "population_size": population,
        "crossover_prob": settings.crossover_prob,
        "swapping_prob": settings.swapping_prob,
        "mutation_prob": settings.mutation_prob,
        "seed": seed,
    }
    if settings.mutation == "polynomial":
        if not hasattr(operators, "PolynomialMutation"):
            raise ParameterError(
                "Genetic(mutation='polynomial') needs Optuna 5 or later; "
                f"{optuna.__version__} is installed."
            )
        options["mutation"] = operators.PolynomialMutation()
    third = settings.algorithm == "nsga3" or (settings.algorithm is None and n_objectives > 3)
    kind = optuna.samplers.NSGAIIISampler if third else optuna.samplers.NSGAIISampler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return kind(crossover=crossovers[settings.crossover](), **options)


def _need(package: str, extra: str, what: str) -> None:
    """Raise unless `package` is installed."""
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"{what} needs the package {package!r}: pip install 'skopt_wrap[{extra}]'."
        )


def _adopt(tuner: Any, common: dict[str, Any]) -> Any:
    """Copy the caller's oracle and point it at our space and score."""
    if tuner.trials:
        raise ParameterError(
            f"tuner={type(tuner).__name__} has already run {len(tuner.trials)} trials; "
            "pass an unused oracle."
        )
    oracle = copy.deepcopy(tuner)
    oracle.objective = common["objective"]
    oracle.hyperparameters.merge(common["hyperparameters"].space, overwrite=False)
    if not isinstance(oracle, oracles.HyperbandOracle):
        oracle.max_trials = common["max_trials"]
    return oracle


def _prepared(oracle: Any) -> Any:
    """Silence an oracle, and leave retries and failed trials to the search."""
    oracle.verbose = 0
    oracle.save = oracle._save_trial = _save_nothing
    oracle.max_retries_per_trial = 0
    oracle.max_consecutive_failed_trials = None  # never reached: one bad trial ends nothing
    return oracle


def _save_nothing(*args: Any) -> None:
    """Stand in for Keras Tuner's files, several for each trial, that nobody would read."""


@contextmanager
def temporary_folder(oracle: Any) -> Iterator[None]:
    """Give `oracle` a folder outside the user's tree for as long as the block runs."""
    from keras_tuner.src.engine.oracle import LOCKS, THREADS

    with tempfile.TemporaryDirectory(prefix="skopt_wrap-") as folder:
        oracle._set_project_dir(folder, "search")
        try:
            yield
        finally:
            # Keras Tuner keeps every oracle alive in two module-level tables.
            LOCKS.pop(oracle, None)
            THREADS.pop(oracle, None)
