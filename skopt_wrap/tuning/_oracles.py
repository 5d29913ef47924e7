"""Strategies: Keras Tuner's oracles, and Optuna's samplers behind one more oracle.

All are used by ask and tell: ``create_trial``, ``update_trial``, ``end_trial``. They print
nothing, and the folder that they insist on writing is a temporary one.
"""

from __future__ import annotations

import copy
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner
import numpy as np
import optuna
from keras_tuner import oracles
from keras_tuner.engine import hyperparameters as kinds
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ..exceptions import ParameterError

OBJECTIVE = "score"
HYPERBAND_FACTOR = 3
_ACQUISITION_POINTS = 2000
_ACQUISITION_STARTS = 3
_GP_RESTARTS = 3
_MAX_REPEATS = 20  # proposals equal to an earlier trial before the space counts as exhausted


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


class OptunaOracle(keras_tuner.Oracle):
    """A Keras Tuner oracle whose proposals come from an Optuna sampler.

    Conditional scopes and hyperparameters that appear while a trial is built are understood.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler
        The sampler.
    **kwargs : dict
        Arguments of ``keras_tuner.Oracle``.
    """

    def __init__(self, sampler: optuna.samplers.BaseSampler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces each new study
        try:
            self.study = optuna.create_study(sampler=sampler, direction="maximize")
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._asked: dict[str, optuna.Trial] = {}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        for _ in range(_MAX_REPEATS):
            asked = self.study.ask()
            scratch = kinds.HyperParameters()
            for hyperparameter in self.hyperparameters.space:  # parents come before children
                scratch.merge([hyperparameter])
                if scratch.is_active(hyperparameter):
                    scratch.values[hyperparameter.name] = _suggest(asked, hyperparameter)
            if not self._duplicate(scratch.values):
                self._asked[trial_id] = asked
                return {"status": "RUNNING", "values": scratch.values}
            self.study.tell(asked, state=optuna.trial.TrialState.FAIL)
        return {"status": "STOPPED", "values": None}

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Close a trial and tell the sampler its score."""
        super().end_trial(trial)
        trial = self.trials[trial.trial_id]
        asked = self._asked.pop(trial.trial_id)
        failed = optuna.trial.TrialState.FAIL
        if trial.status != "COMPLETED":
            self.study.tell(asked, state=failed)
            return
        params, distributions = _observed(trial.hyperparameters)
        if params.keys() <= asked.params.keys():
            self.study.tell(asked, trial.score)
            return
        # The build declared new hyperparameters. A trial recorded without them would empty the
        # search space that some samplers take as the intersection of all trials.
        self.study.tell(asked, state=failed)
        self.study.add_trial(
            optuna.create_trial(params=params, distributions=distributions, value=trial.score)
        )


def _key(hyperparameter: Any) -> str:
    """Keras Tuner allows one name under several conditions; Optuna needs one name for each."""
    conditions = [(item.name, tuple(item.values)) for item in hyperparameter.conditions]
    return f"{hyperparameter.name} | {conditions}" if conditions else hyperparameter.name


def _distribution(item: Any) -> Any:
    """Return the Optuna distribution of a hyperparameter, or None for a constant."""
    if isinstance(item, kinds.Fixed):
        return None
    if isinstance(item, kinds.Boolean):
        return CategoricalDistribution((True, False))
    if isinstance(item, kinds.Choice):
        if item.ordered:
            return IntDistribution(0, len(item.values) - 1)
        return CategoricalDistribution(tuple(item.values))
    if item.sampling == "linear":
        if isinstance(item, kinds.Int):
            step = item.step or 1
            return IntDistribution(item.min_value, _last(item, step), step=step)
        return FloatDistribution(item.min_value, _last(item, item.step), step=item.step)
    if item.sampling == "log" and item.step is None:
        make = IntDistribution if isinstance(item, kinds.Int) else FloatDistribution
        return make(item.min_value, item.max_value, log=True)
    return FloatDistribution(0.0, 1.0)  # a quantile: Optuna has no such scale


def _last(item: Any, step: Any) -> Any:
    """Return the largest value that whole steps reach."""
    if step is None:
        return item.max_value
    return item.min_value + step * int((item.max_value - item.min_value) // step)


def _to_value(item: Any, suggested: Any) -> Any:
    if isinstance(item, kinds.Choice) and item.ordered:
        return item.values[suggested]
    if _by_quantile(item):
        return item.prob_to_value(suggested)
    return suggested


def _to_suggested(item: Any, value: Any) -> Any:
    if isinstance(item, kinds.Choice) and item.ordered:
        return item.values.index(value)
    if _by_quantile(item):
        return min(max(item.value_to_prob(value), 0.0), 1.0)
    return value


def _by_quantile(item: Any) -> bool:
    sampling = getattr(item, "sampling", "linear")
    return sampling == "reverse_log" or (sampling == "log" and item.step is not None)


def _suggest(asked: optuna.Trial, item: Any) -> Any:
    distribution = _distribution(item)
    if distribution is None:
        return item.value
    name = _key(item)
    if isinstance(distribution, CategoricalDistribution):
        suggested: Any = asked.suggest_categorical(name, distribution.choices)
    else:
        integral = isinstance(distribution, IntDistribution)
        suggest = asked.suggest_int if integral else asked.suggest_float
        scale: dict[str, Any] = {"log": distribution.log}
        if not distribution.log:
            scale["step"] = distribution.step
        suggested = suggest(name, distribution.low, distribution.high, **scale)
    return _to_value(item, suggested)


def _observed(hyperparameters: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Optuna's view of the active values of a trial."""
    params, distributions = {}, {}
    for item in hyperparameters.space:
        distribution = _distribution(item)
        if distribution is not None and hyperparameters.is_active(item):
            value = hyperparameters.values.get(item.name, item.default)
            params[_key(item)] = _to_suggested(item, value)
            distributions[_key(item)] = distribution
    return params, distributions


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
    >>> from skopt_wrap.tuning._oracles import hyperband_plan
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
    tuner: Any, hyperparameters: Any, *, max_trials: int | None, epochs: int | None, seed: int
) -> tuple[Any, int | None]:
    """Build the oracle of a search.

    Parameters
    ----------
    tuner : str, keras_tuner.Oracle or optuna.samplers.BaseSampler
        The strategy; an instance is copied.
    hyperparameters : keras_tuner.HyperParameters
        The space.
    max_trials : int or None
        Number of trials; None for as many as the strategy wants.
    epochs : int or None
        Epochs of a full training, for Hyperband.
    seed : int
        Seed, not 0 (Keras Tuner takes 0 for "no seed").

    Returns
    -------
    oracle : keras_tuner.Oracle
        The oracle.
    n_trials : int or None
        How many trials it will run at most, where that is known.
    """
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": hyperparameters,
        "seed": seed,
    }
    limit = max_trials or 0
    if tuner == "hyperband":
        if epochs is None:
            raise ParameterError(
                "tuner='hyperband' varies the number of epochs, so that the model needs a "
                "parameter named 'epochs'; it has none."
            )
        sweep_trials, sweep_epochs = hyperband_plan(epochs)
        sweeps = max(1, limit * epochs // sweep_epochs)
        oracle = oracles.HyperbandOracle(
            max_epochs=epochs, factor=HYPERBAND_FACTOR, hyperband_iterations=sweeps, **common
        )
        return _prepared(oracle), sweeps * sweep_trials
    common["max_trials"] = max_trials
    if tuner == "random":
        oracle = oracles.RandomSearchOracle(**common)
    elif tuner == "grid":
        oracle = oracles.GridSearchOracle(**common)
    elif tuner == "bayesian":
        # Keras Tuner starts with 3 random trials a dimension, often more than all of them.
        wanted = max(3, 3 * len(hyperparameters.space))
        points = max(2, min(wanted, math.ceil(limit / 2))) if limit else wanted
        oracle = BayesianOracle(num_initial_points=points, **common)
    elif tuner == "tpe":
        oracle = OptunaOracle(optuna.samplers.TPESampler(seed=seed), **common)
    elif tuner == "genetic":
        # Several generations within the budget; Optuna's 50 would leave one random generation.
        population = max(4, min(50, round(2 * math.sqrt(limit or 100))))
        sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=seed)
        oracle = OptunaOracle(sampler, **common)
    elif isinstance(tuner, optuna.samplers.BaseSampler):
        oracle = OptunaOracle(copy.deepcopy(tuner), **common)
    elif isinstance(tuner, keras_tuner.Oracle):
        oracle = _adopt(tuner, common)
    else:
        raise ParameterError(
            "tuner must be the name of a strategy, a keras_tuner.Oracle or an Optuna sampler; "
            f"got {tuner!r}."
        )
    return _prepared(oracle), oracle.max_trials


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
    oracle.max_retries_per_trial = 0
    oracle.max_consecutive_failed_trials = None  # never reached: one bad trial ends nothing
    return oracle


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
