"""The base class of the tuned classifier and the tuned regressor: parameters, and `fit`."""

from __future__ import annotations

import time
from abc import ABCMeta, abstractmethod
from contextlib import nullcontext
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, check_random_state, indexable
from sklearn.utils.metadata_routing import UNUSED

from .._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    start_callback_context,
)
from ..estimators import KerasClassifier, KerasRegressor
from . import _auto, _objectives, _results
from ._best_estimator import routing_enabled
from ._candidate import _scoring, _splits
from ._candidate._hypermodel import HyperModelBuilder, is_hypermodel
from ._candidate._pipeline import CandidatePipeline, compose
from ._candidate._threshold import THRESHOLD, check_threshold, with_threshold
from ._checks import check_data, check_metadata, check_model, given_space, route
from ._strategies._named import STRATEGIES
from ._trial import COMPLETED, Task, TrialResult

_LEARNED = {
    "best_estimator_", "best_index_", "best_params_", "best_score_", "cv_results_", "families_",
    "multimetric_", "n_splits_", "oracle_", "pareto_front_", "refit_time_", "scorer_", "space_",
    "trials_",
}  # fmt: skip


class BaseTuned(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta):
    """Search with cross-validation; see `TunedClassifier` and `TunedRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, callable, HasMethods(["fit", "predict"]), HasMethods(["build"])],
        "tuner": [
            StrOptions(set(STRATEGIES)),
            HasMethods(["make_oracle"]),  # ours, and those of other packages
            HasMethods(["create_trial", "end_trial"]),  # Keras Tuner's
            HasMethods(["sample_relative", "sample_independent"]),  # Optuna's
            HasMethods(["start", "ask", "tell"]),
        ],
        "max_trials": [Interval(Integral, 1, None, closed="left"), None],
        "cv": ["cv_object", Interval(Real, 0, 1, closed="neither")],
        "scoring": [str, callable, list, tuple, dict, None],
        "refit": ["boolean", str, callable],
        "space": [dict, StrOptions({"compact", "full"}), None],
        "epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": KerasClassifier._parameter_constraints["batch_size"],
        **{
            name: KerasClassifier._parameter_constraints[name]
            for name in ("early_stopping", "learning_rate_schedule", "callbacks")
        },
        "preprocessor": [HasMethods(["fit", "transform"]), None],
        "sampler": [HasMethods(["fit_resample"]), None],
        "pruner": [
            StrOptions({"median", "hyperband", "successive_halving"}),
            HasMethods(["prune"]),
            None,
        ],
        "objectives": [list, tuple, None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "trial_timeout": [Interval(Real, 0, None, closed="neither"), None],
        "error_score": [StrOptions({"raise"}), Real],
        "storage": [str, PathLike, None],
        "study": [str, None],
        "resume": ["boolean"],
        "n_jobs": [Integral, None],
        "max_trials_per_worker": [Interval(Integral, 1, None, closed="left"), None],
        "max_joint_bytes": [Interval(Real, 0, None, closed="left"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # Routed to the network, the splitter and the scorer; consumed by none of this class.
    __metadata_request__fit = {"sample_weight": UNUSED, "groups": UNUSED}  # noqa: RUF012
    __metadata_request__score = {"sample_weight": UNUSED}  # noqa: RUF012

    def __init__(
        self,
        model: Any = "dense",
        *,
        tuner: Any = "auto",
        max_trials: int | None = 20,
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        space: Any = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        early_stopping: Any = "auto",
        learning_rate_schedule: Any = None,
        callbacks: Any = None,
        preprocessor: Any = None,
        sampler: Any = None,
        pruner: Any = None,
        objectives: Any = None,
        max_time: float | None = None,
        trial_timeout: float | None = None,
        error_score: Any = np.nan,
        storage: Any = None,
        study: str | None = None,
        resume: bool = True,
        n_jobs: int | None = None,
        max_trials_per_worker: int | None = None,
        max_joint_bytes: float | None = 0,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.tuner = tuner
        self.max_trials = max_trials
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.space = space
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.learning_rate_schedule = learning_rate_schedule
        self.callbacks = callbacks
        self.preprocessor = preprocessor
        self.sampler = sampler
        self.pruner = pruner
        self.objectives = objectives
        self.max_time = max_time
        self.trial_timeout = trial_timeout
        self.error_score = error_score
        self.storage = storage
        self.study = study
        self.resume = resume
        self.n_jobs = n_jobs
        self.max_trials_per_worker = max_trials_per_worker
        self.max_joint_bytes = max_joint_bytes
        self.random_state = random_state
        self.verbose = verbose

    @staticmethod
    @abstractmethod
    def _network_class() -> Any:
        """Return KerasClassifier or KerasRegressor."""

    def _network(self, architecture: str | None = None) -> Any:
        """Return the unfitted estimator of the network, of one architecture with "auto"."""
        if hasattr(self.model, "get_params") and not isinstance(self.model, type):
            return self.model
        model = HyperModelBuilder(self.model, {}) if is_hypermodel(self.model) else self.model
        if self._automatic():
            model = architecture or "dense"
        network = self._network_class()(
            model,
            epochs=self.epochs,
            batch_size=self.batch_size,
            early_stopping=self.early_stopping,
            learning_rate_schedule=self.learning_rate_schedule,
            callbacks=self.callbacks,
        )
        if routing_enabled():  # ours alone: nobody else could make the request
            network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        return network

    def _automatic(self) -> bool:
        return isinstance(self.model, str) and self.model == _auto.AUTO

    def _pipeline(
        self, seed: int | None = None, architecture: str | None = None
    ) -> CandidatePipeline:
        return compose(
            self._network(architecture),
            preprocessor=self.preprocessor,
            sampler=self.sampler,
            hypermodel=self.model if is_hypermodel(self.model) else None,
            seed=seed,
        )

    @fit_context(prefer_skip_nested_validation=False)  # the candidates validate themselves
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        **params: Any,
    ) -> Any:
        """Search, then train the best candidate on all samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, ...)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights for fitting, and for scoring where the scorer takes them. Not with a
            `sampler`, whose new rows have no weight.
        groups : array-like of shape (n_samples,), default=None
            Groups for the splitter.
        **params : dict
            Further metadata for the estimators' ``fit``. With metadata routing enabled all of
            it follows the requests.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ParameterError
            A parameter, a name in `space` or the scorer cannot work; before any training.
        DataError
            The data cannot be searched on.
        Exception
            The first error of a trial, when all have failed.
        """
        from ._execution._run import SearchJob

        seeds = self._seeds()
        pipeline = self._pipeline(seeds[1])
        check_model(self, pipeline.network)
        X, y = indexable(X, y)
        spaces = self._spaces(pipeline, X)
        n_tasks = len(spaces) + (self.refit is not False)  # searches, and the best one's training
        context = start_callback_context(self, max_subtasks=n_tasks)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        y = self._check_target(y)
        check_threshold(next(iter(spaces.values())), y, classifier=is_classifier(self))
        check_data(self, pipeline, X, y)
        given = {"sample_weight": sample_weight, "groups": groups, **params}
        metadata = check_metadata(self, X, given)
        scoring, names = self._resolve_scoring(pipeline, X, y)
        task = self._task((X, y), pipeline, metadata, scoring, names, seeds[1])
        outcome = SearchJob(self, task, seeds, context).run(pipeline, spaces)
        learned = self._results(outcome.trials, task, scoring, names)
        learned |= {"oracle_": outcome.oracle, "space_": outcome.space}
        if outcome.error is not None:  # the storage failed: what had finished is kept
            self._learn(learned)
            raise outcome.error
        if self.refit is not False:
            best = learned["best_params_"]
            learned |= self._refit(pipeline, task, best, outcome.declared, context)
        self._learn(learned)
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    # The steps of `fit`

    def _spaces(self, pipeline: CandidatePipeline, X: Any) -> dict[str | None, dict[str, Any]]:
        """Return the space of each architecture of "auto", or a single one under None."""
        auto = self._automatic()
        architectures: Any = _auto.architectures_of(X, self.space) if auto else [None]
        return {name: given_space(self, pipeline.network, name) for name in architectures}

    def _check_target(self, y: Any) -> Any:
        """Return `y` checked; overridden for classes."""
        if y is None:
            name = type(self).__name__
            raise ValueError(f"{name} requires y to be passed, but the target y is None.")
        check_array(y, ensure_2d=False, dtype=None, input_name="y")
        return y

    def _resolve_scoring(
        self, pipeline: CandidatePipeline, X: Any, y: Any
    ) -> tuple[_scoring.Scoring, list[str] | None]:
        """Return the scorer, tried on a few samples, and the names of several objectives."""
        scoring = _scoring.resolve(pipeline.base, self.scoring)
        scoring.metrics = metrics = _scoring.dry_run(scoring, X, y, classifier=is_classifier(self))
        if self.objectives is not None:
            network = isinstance(pipeline.network, (KerasClassifier, KerasRegressor))
            return scoring, _objectives.check_objectives(
                self.objectives, metrics, self.refit, network
            )
        if metrics is not None:
            self._deciding(metrics)
        return scoring, None

    def _task(
        self,
        data: tuple[Any, Any],
        pipeline: CandidatePipeline,
        metadata: dict[str, Any],
        scoring: _scoring.Scoring,
        objectives: list[str] | None,
        seed: int,
    ) -> Task:
        """Return the data with their splits, the scorer, and what is passed to both."""
        X, y = data
        routed = route(self, metadata, pipeline, scoring)
        splitter = _splits.make_splitter(self.cv, y, classifier=is_classifier(self), seed=seed)
        splits = _splits.freeze(splitter, X, y, **routed.splitter.split)
        further = ["parameters"] if self._automatic() else []  # for the table of architectures
        scorer = _objectives.measuring(scoring.scorer, [*(objectives or []), *further])
        return Task(
            X, y, splits, scorer, routed.estimator.fit, routed.scorer.score, scoring.metrics
        )

    def _deciding(self, metrics: list[str]) -> str:
        """Return the name of the metric that decides."""
        if self.objectives is not None:
            return _objectives.main_metric(self.objectives)
        return _scoring.objective(self.scoring, metrics, self.refit)

    def _seeds(self) -> tuple[int, int]:
        """Return the seeds of the strategy and of the candidates."""
        if self.random_state is None and self.storage is not None:
            from ._storage._backends import find_seeds

            # "auto" begins with one of the two.
            for architecture in ("dense", "text") if self._automatic() else (None,):
                stored = find_seeds(self.storage, self.study, architecture)
                if stored is not None:
                    return stored
        rng = check_random_state(self.random_state)
        return int(rng.randint(1, 2**31 - 1)), int(rng.randint(2**31 - 1))

    def _results(
        self,
        trials: list[TrialResult],
        task: Task,
        scoring: _scoring.Scoring,
        objectives: list[str] | None,
    ) -> dict[str, Any]:
        """Return the attributes that follow from the trials, with the best one chosen."""
        metrics = list(next(trial for trial in trials if trial.state == COMPLETED).scores)
        error_score = np.nan if self.error_score == "raise" else float(self.error_score)
        table = _results.make_table(trials, metrics, len(task.splits), error_score)
        metric = self._deciding(metrics)
        learned: dict[str, Any] = {
            "trials_": trials,
            "n_splits_": len(task.splits),
            "multimetric_": metrics != ["score"],
            "scorer_": scoring.public,
            "cv_results_": table,
            "_metric": metric,
        }
        if objectives is not None:
            table |= _objectives.objective_table(trials, objectives)
            learned["pareto_front_"] = _objectives.front_table(trials, objectives)
        if self._automatic():
            learned["families_"] = _auto.architecture_table(trials, metric)
        if self.refit is not False or metrics == ["score"]:
            learned |= self._best(trials, table, metric)
        return learned

    def _best(
        self, trials: list[TrialResult], table: dict[str, Any], metric: str
    ) -> dict[str, Any]:
        """Return what scikit-learn's searches say of the best trial."""
        if self.objectives is None or callable(self.refit):
            index = _results.select(table, trials, self.refit, metric)
        else:
            index = _objectives.choose(trials, self.objectives, self.refit)
        best = {"best_index_": index, "best_params_": trials[index].params}
        if callable(self.refit):
            return best
        return {**best, "best_score_": float(table[f"mean_test_{metric}"][index])}

    def _refit(
        self, pipeline: CandidatePipeline, task: Task, params: Any, declared: Any, context: Any
    ) -> dict[str, Any]:
        """Train the best candidate on all samples."""
        context = context.subcontext("refit")
        begin = time.perf_counter()
        estimator = pipeline.candidate(params, declared)
        listens = hasattr(estimator, "set_callbacks")
        with context.propagate_callback_context(estimator) if listens else nullcontext():
            context.call_on_fit_task_begin(estimator=self, X=task.X, y=task.y)
            estimator.fit(task.X, task.y, **task.fit_params)
        if THRESHOLD in params:
            estimator = with_threshold(estimator, params[THRESHOLD])
        seconds = time.perf_counter() - begin
        context.call_on_fit_task_end(estimator=self, X=task.X, y=task.y)
        return {"best_estimator_": estimator, "refit_time_": seconds}

    def _learn(self, learned: dict[str, Any]) -> None:
        """Replace what an earlier fit learned; in one step, so that Ctrl-C leaves no mixture."""
        kept = {name: value for name, value in vars(self).items() if name not in _LEARNED}
        self.__dict__ = {**kept, **learned}
