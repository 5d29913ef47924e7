"""Optuna's samplers behind Keras Tuner's oracle interface."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import keras_tuner
import optuna
from keras_tuner.engine import hyperparameters as kinds
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

from .._keras_tuner import QuietMixin, is_repeated
from .._optuna import quiet
from ._protocol import SearchRequest

_MAX_REPEATS = 20  # proposals equal to an earlier trial before the space counts as exhausted


class OptunaOracle(QuietMixin, keras_tuner.Oracle):
    """A Keras Tuner oracle whose proposals come from an Optuna sampler.

    Conditional scopes and hyperparameters that appear while a trial is built are understood. A
    sampler that needs the same parameters in every trial (evolution, Gaussian process, CMA-ES)
    is asked for those that a condition switches off as well; they are dropped from the trial.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler
        The sampler.
    directions : sequence of {"maximize", "minimize"}, default=("maximize",)
        One for each objective. With several, `set_values` must be called before a trial ends.
    **kwargs : dict
        Arguments of ``keras_tuner.Oracle``.
    """

    def __init__(
        self,
        sampler: optuna.samplers.BaseSampler,
        directions: Sequence[Any] = ("maximize",),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        with quiet():
            self.study = optuna.create_study(sampler=sampler, directions=list(directions))
        samplers = optuna.samplers
        self._fits = isinstance(sampler, (samplers.GPSampler, samplers.CmaEsSampler))
        evolves = isinstance(sampler, (samplers.NSGAIISampler, samplers.NSGAIIISampler))
        self._whole = self._fits or evolves
        self._reads_reports = isinstance(sampler, samplers.TPESampler)
        self.independent = type(sampler) is samplers.RandomSampler
        self._starts: list[dict[str, Any]] = []
        self._asked: dict[str, optuna.Trial] = {}
        self._values: dict[str, list[float]] = {}
        self._reports: dict[str, dict[int, float]] = {}

    def start_with(self, starts: Sequence[dict[str, Any]]) -> None:
        """Try these values before the sampler is asked; it hears of their scores."""
        self._starts = [dict(values) for values in starts]

    def set_values(self, trial_id: str, values: Sequence[float]) -> None:
        """Note the values of several objectives, in the order of `directions`."""
        self._values[trial_id] = [float(value) for value in values]

    def set_reports(self, trial_id: str, reports: dict[int, float]) -> None:
        """Note the scores by epoch of a trial that was stopped."""
        self._reports[trial_id] = dict(reports)

    def forget_proposal(self, trial_id: str) -> None:
        """Note that something else is tried than what the sampler proposed for a trial."""
        asked = self._asked.pop(trial_id, None)
        if asked is not None:
            self.study.tell(asked, state=TrialState.FAIL)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        while self._starts:
            values = self._starts.pop(0)
            if not is_repeated(self, values):
                return {"status": "RUNNING", "values": values}
        for _ in range(_MAX_REPEATS):
            with quiet(), self._threads():
                asked = self.study.ask()
                values = self._propose(asked)
            if not is_repeated(self, values):
                self._asked[trial_id] = asked
                return {"status": "RUNNING", "values": values}
            self.study.tell(asked, state=TrialState.FAIL)
        return {"status": "STOPPED", "values": None}

    def _threads(self) -> Any:
        """Limit the threads of a sampler that fits a model.

        It has a few dozen trials: more threads than one cost far more time than they save.
        """
        return threadpool_limits(1) if self._fits else nullcontext()

    def _propose(self, asked: optuna.Trial) -> dict[str, Any]:
        scratch = kinds.HyperParameters()
        for item in self.hyperparameters.space:  # parents come before children
            scratch.merge([item])
            active = scratch.is_active(item)
            if active or self._whole:
                value = _suggest(asked, item)
                if active:
                    scratch.values[item.name] = value
        return scratch.values

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Close a trial and tell the sampler its score."""
        super().end_trial(trial)
        trial = self.trials[trial.trial_id]
        asked = self._asked.pop(trial.trial_id, None)  # None: what was tried is not what it asked
        values = self._values.pop(trial.trial_id, None)
        reports = self._reports.pop(trial.trial_id, {})
        if trial.status != "COMPLETED":
            if asked is not None:
                self.study.tell(asked, state=TrialState.FAIL)
            return
        told: dict[str, Any] = {"values": [trial.score] if values is None else values}
        if reports and self._reads_reports:  # it ranks stopped trials by how far they came
            told = {"state": TrialState.PRUNED}
        params, distributions = _observed(trial.hyperparameters)
        if asked is None:
            self._add(params, distributions, reports, told)
            return
        if "state" in told:
            for epoch, score in reports.items():
                asked.report(score, epoch)
        if params.keys() <= asked.params.keys():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.study.tell(asked, **told)
            return
        # The build declared new hyperparameters. A trial recorded without them would empty the
        # search space that some samplers take as the intersection of all trials.
        frozen = self.study.get_trials(deepcopy=False)[asked.number]
        self.study.tell(asked, state=TrialState.FAIL)
        self._add(
            {**asked.params, **params},
            {**asked.distributions, **distributions},
            reports,
            {**told, "system_attrs": dict(frozen.system_attrs)},
        )

    def _add(
        self,
        params: dict[str, Any],
        distributions: dict[str, Any],
        reports: dict[int, float],
        told: dict[str, Any],
    ) -> None:
        self.study.add_trial(
            optuna.create_trial(
                params=params, distributions=distributions, intermediate_values=reports, **told
            )
        )


def optuna_oracle(sampler: optuna.samplers.BaseSampler, search: SearchRequest) -> OptunaOracle:
    """Return the oracle of a search that asks `sampler`."""
    arguments = {"max_trials": search.max_trials, **search.oracle_arguments()}
    return OptunaOracle(sampler, search.directions, **arguments)


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
