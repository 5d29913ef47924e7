"""What the tuned classifier and the tuned regressor share."""

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
from sklearn.utils.validation import check_consistent_length

from .._sklearn import HasMethods, Interval, Options, StrOptions, check_method_params, fit_context
from ..estimators import KerasClassifier, KerasRegressor
from ..exceptions import DataError
from . import _auto, _objectives, _results
from ._best_estimator import routing_enabled
from ._candidate import _scoring, _splits
from ._candidate._hypermodel import HyperModelBuilder, is_hypermodel
from ._candidate._pipeline import Recipe, compose
from ._candidate._threshold import THRESHOLD, check_threshold, with_threshold
from ._checks import check_data, check_model, given_space, route
from ._strategies._named import STRATEGIES
from ._trial import COMPLETED, Task, TrialResult


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
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), Options(Integral, {-1})],
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
        "error_score": [StrOptions({"raise"}), Real],
        "storage": [str, PathLike, None],
        "study": [str, None],
        "resume": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # Routed to the network, the splitter and the scorer; consumed by none of this class.
    __metadata_request__fit = {"sample_weight": UNUSED, "groups": UNUSED}  # noqa: RUF012
    __metadata_request__score = {"sample_weight": UNUSED}  # noqa: RUF012

    @abstractmethod
    def __init__(
        self,
        model: Any = "dense",
        *,
        tuner: Any = "bayesian",
        max_trials: int | None = 20,
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        space: Any = None,
        epochs: int = 50,
        batch_size: int = 32,
        early_stopping: Any = False,
        learning_rate_schedule: Any = None,
        callbacks: Any = None,
        preprocessor: Any = None,
        sampler: Any = None,
        pruner: Any = None,
        objectives: Any = None,
        max_time: float | None = None,
        error_score: Any = np.nan,
        storage: Any = None,
        study: str | None = None,
        resume: bool = True,
        n_jobs: int | None = None,
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
        self.error_score = error_score
        self.storage = storage
        self.study = study
        self.resume = resume
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @staticmethod
    @abstractmethod
    def _network_class() -> Any:
        """Return KerasClassifier or KerasRegressor."""

    # Composition

    def _network(self, family: str | None = None) -> Any:
        """Return the unfitted estimator of the network, of one architecture with "auto"."""
        if hasattr(self.model, "get_params") and not isinstance(self.model, type):
            return self.model
        model = HyperModelBuilder(self.model, {}) if is_hypermodel(self.model) else self.model
        if self._automatic():
            model = family or "dense"
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

    def _recipe(self, seed: int | None = None, family: str | None = None) -> Recipe:
        return compose(
            self._network(family),
            preprocessor=self.preprocessor,
            sampler=self.sampler,
            hypermodel=self.model if is_hypermodel(self.model) else None,
            seed=seed,
        )

    # Fitting

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
        """Search, then train the best candidate on all rows.

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
        seeds = self._seeds()
        recipe = self._recipe(seeds[1])
        check_model(self, recipe.network)
        X, y = indexable(X, y)
        families: Any = [None]
        if self._automatic():
            families = _auto.families_for(_auto.row_shape(X, self.space))
        given = {family: given_space(self, recipe.network, family) for family in families}
        n_tasks = len(given) + (self.refit is not False)  # searches, and the best one's training
        root = self._init_callback_context(max_subtasks=n_tasks)
        root.call_on_fit_task_begin(estimator=self, X=X, y=y)
        y = self._check_target(y)
        check_threshold(given[families[0]], y, classifier=is_classifier(self))
        check_data(self, recipe, X, y)
        metadata = {"sample_weight": sample_weight, "groups": groups, **params}
        metadata = {k: v for k, v in metadata.items() if v is not None}
        metadata = check_method_params(X, params=metadata)
        if sample_weight is not None:
            check_consistent_length(X, sample_weight)
        if sample_weight is not None and self.sampler is not None:
            raise DataError(
                "sample_weight cannot be used with a sampler: the rows that it makes have none."
            )
        scoring = _scoring.resolve(recipe.base, self.scoring)
        metrics = _scoring.dry_run(scoring, X, y, classifier=is_classifier(self))
        names = self._objective_names(metrics, recipe)
        if metrics is not None and names is None:
            self._deciding(metrics)
        routed = route(self, metadata, recipe, scoring)
        splitter = _splits.make_splitter(self.cv, y, classifier=is_classifier(self), seed=seeds[1])
        task = Task(
            X,
            y,
            _splits.freeze(splitter, X, y, **routed.splitter.split),
            self._measuring(scoring.scorer, names),
            routed.estimator.fit,
            routed.scorer.score,
        )
        if self._automatic():
            trials = self._search_families(given, task, seeds)
        else:
            trials = self._search(recipe, given[None], task, seeds)

        finished = next(trial for trial in trials if trial.state == COMPLETED)
        metrics = list(finished.scores)
        error_score = np.nan if self.error_score == "raise" else float(self.error_score)
        self.trials_ = trials
        self.n_splits_ = len(task.splits)
        self.multimetric_ = metrics != ["score"]
        self.scorer_ = scoring.public
        self.cv_results_ = _results.make_table(trials, metrics, self.n_splits_, error_score)
        self.__dict__.pop("pareto_front_", None)
        if names is not None:
            self.cv_results_ |= _objectives.objective_table(trials, names)
            self.pareto_front_ = _objectives.front_table(trials, names)
        self._choose(metrics)
        self.__dict__.pop("families_", None)
        if self._automatic():
            self.families_ = _auto.family_table(trials, self._metric)
        if self.refit is not False:
            self._refit(recipe, task, root.subcontext("refit"))
        root.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes={})
        return self

    def _objective_names(self, metrics: list[str] | None, recipe: Recipe) -> list[str] | None:
        if self.objectives is None:
            return None
        network = isinstance(recipe.network, (KerasClassifier, KerasRegressor))
        return _objectives.check_objectives(self.objectives, metrics, self.refit, network)

    def _measuring(self, scorer: Any, names: list[str] | None) -> Any:
        """Return the scorer, which measures the network as well where that is asked for."""
        if self._automatic():
            names = list(dict.fromkeys([*(names or []), "parameters"]))
        return scorer if names is None else _objectives.Measuring(scorer, names)

    def _search_families(
        self, given: dict[str, Any], task: Task, seeds: tuple[int, int]
    ) -> list[TrialResult]:
        """Search every architecture with the same trials, splits and share of the time."""
        tables: list[dict[str, list[str]]] = []
        oracles: dict[str, Any] = {}

        def search(family: str) -> tuple[list[TrialResult], bool]:
            recipe = self._recipe(seeds[1], family)
            trials = self._search(recipe, given[family], task, seeds, family, len(given))
            oracles[family] = self.oracle_
            rows = len(self.space_["name"])
            tables.append({"model": [family] * rows, **self.space_})
            return trials, self._interrupted

        trials = _auto.search_families(list(given), search, reraise=self.error_score == "raise")
        self.oracle_ = oracles
        self.space_ = {name: [row for t in tables for row in t[name]] for name in tables[0]}
        self._declared = {name for trial in trials for name in trial.params}
        return trials

    def _deciding(self, metrics: list[str]) -> str:
        """Return the name of the metric that decides."""
        if self.objectives is not None:
            return _objectives.main_metric(self.objectives)
        return _scoring.objective(self.scoring, metrics, self.refit)

    def _seeds(self) -> tuple[int, int]:
        """Return the seeds of the strategy and of the candidates."""
        if self.random_state is None and self.storage is not None:
            from ._storage._backends import find_seeds

            family = "dense" if self._automatic() else None  # "auto" always begins with it
            if (stored := find_seeds(self.storage, self.study, family)) is not None:
                return stored
        rng = check_random_state(self.random_state)
        return int(rng.randint(1, 2**31 - 1)), int(rng.randint(2**31 - 1))

    def _check_target(self, y: Any) -> Any:
        """Return `y` checked; overridden for classes."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        check_array(y, ensure_2d=False, dtype=None, input_name="y")
        return y

    def _search(
        self,
        recipe: Recipe,
        given: dict[str, Any],
        task: Task,
        seeds: tuple[int, int],
        family: str | None = None,
        n_searches: int = 1,
    ) -> list[TrialResult]:
        """Run the trials, of one of several searches that share the time."""
        from ._execution._evaluation import Evaluation
        from ._execution._executors import make_workers
        from ._execution._interrupt import Tasks
        from ._execution._plan import make_plan
        from ._execution._search_loop import INTERRUPTED, UNWANTED, Search
        from ._storage._backends import open_ledger
        from ._storage._fingerprint import define
        from ._strategies._pruners import warn_if_idle

        plan = make_plan(self, recipe, given, task, seeds[0])
        evaluate = Evaluation(
            recipe,
            task,
            frozenset(plan.declared),
            np.nan if self.error_score == "raise" else float(self.error_score),
            self.objectives,
            is_classifier(self),
            seeds[0],
        )
        definition = define(self, recipe, plan.space, task, seeds) if self.storage else {}
        search = Search(
            plan.oracle,
            plan.space,
            make_workers(evaluate, self.n_jobs, plan.n_trials),
            ledger=open_ledger(self, definition, seeds, family),
            pruning=plan.pruning,
            tasks=Tasks(self, self._callback_fit_ctx, None if self.storage else plan.n_trials),
            metric=lambda trial: self._deciding(list(trial.scores)),
            max_seconds=None if self.max_time is None else self.max_time / n_searches,
            progress=bool(self.verbose),
            n_trials=plan.n_trials,
            reraise=self.error_score == "raise",
        )
        trials = search.run()
        self._interrupted = search.stopped in (INTERRUPTED, UNWANTED)
        warn_if_idle(plan.pruning, trials)
        self.oracle_ = plan.oracle
        self.space_ = plan.space.table(plan.oracle.hyperparameters)
        self._declared = plan.declared
        return trials

    def _choose(self, metrics: list[str]) -> None:
        """Set ``best_*``, as scikit-learn's searches do."""
        for name in ("best_index_", "best_params_", "best_score_", "best_estimator_"):
            self.__dict__.pop(name, None)
        self.__dict__.pop("refit_time_", None)
        self._metric = self._deciding(metrics)
        if self.refit is False and self.multimetric_:
            return
        if self.objectives is None or callable(self.refit):
            self.best_index_ = _results.select(
                self.cv_results_, self.trials_, self.refit, self._metric
            )
        else:
            self.best_index_ = _objectives.choose(self.trials_, self.objectives, self.refit)
        self.best_params_ = self.trials_[self.best_index_].params
        if not callable(self.refit):
            self.best_score_ = float(
                self.cv_results_[f"mean_test_{self._metric}"][self.best_index_]
            )

    def _refit(self, recipe: Recipe, task: Task, context: Any) -> None:
        begin = time.perf_counter()
        estimator = recipe.candidate(self.best_params_, self._declared)
        listens = hasattr(estimator, "set_callbacks")
        with context.propagate_callback_context(estimator) if listens else nullcontext():
            context.call_on_fit_task_begin(estimator=self, X=task.X, y=task.y)
            estimator.fit(task.X, task.y, **task.fit_params)
        if THRESHOLD in self.best_params_:
            estimator = with_threshold(estimator, self.best_params_[THRESHOLD])
        self.best_estimator_ = estimator
        self.refit_time_ = time.perf_counter() - begin
        context.call_on_fit_task_end(estimator=self, X=task.X, y=task.y)
