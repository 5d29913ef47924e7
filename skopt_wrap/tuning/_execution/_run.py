"""Run the search of one fit: of one network, or of several architectures one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from ..._sklearn import callbacks_of
from ...exceptions import StorageError
from ...model_selection import why_whole
from .._auto import search_architectures
from .._candidate._pipeline import CandidatePipeline
from .._storage._backends import open_trial_log
from .._storage._fingerprint import define
from .._strategies._pruners import warn_if_idle
from .._trial import Task, TrialResult
from ._callbacks import Tasks
from ._evaluation import Evaluation
from ._limits import Limits
from ._make_workers import make_workers
from ._plan import Plan, make_plan
from ._search_loop import INTERRUPTED, UNWANTED, Search


@dataclass
class SearchOutcome:
    """What is known after a search.

    Attributes
    ----------
    trials : list of TrialResult
        The finished trials; at least one is completed.
    oracle : keras_tuner.Oracle or dict of them
        The strategy at its end; one for each architecture where there are several.
    space : dict of str to list of str
        What was searched, for ``space_``.
    declared : set of str
        Parameters that belong to the estimator, and not to a Keras Tuner model function.
    stop : bool
        Whether the user, or a callback, wants no more.
    error : StorageError or None
        What ended the search although trials had finished.
    """

    trials: list[TrialResult]
    oracle: Any
    space: dict[str, list[str]]
    declared: set[str]
    stop: bool = False
    error: StorageError | None = None


@dataclass(frozen=True)
class SearchJob:
    """The search of one fit.

    Attributes
    ----------
    tuned : TunedClassifier or TunedRegressor
        Whose parameters say how to search.
    task : Task
        The data, the splits and the scorer.
    seeds : tuple of two int
        Seeds of the strategy and of the candidates.
    context : sklearn.callback.CallbackContext
        The root of the tasks that scikit-learn's callbacks hear of.
    """

    tuned: Any
    task: Task
    seeds: tuple[int, int]
    context: Any

    def run(self, pipeline: CandidatePipeline, spaces: Mapping[str | None, Any]) -> SearchOutcome:
        """Search.

        Parameters
        ----------
        pipeline : CandidatePipeline
            The candidate.
        spaces : mapping of str or None to dict
            A space for each architecture of ``model="auto"``, or a single one under None.

        Returns
        -------
        outcome : SearchOutcome
            Trials and what belongs to them.
        """
        if None in spaces:
            return self._search(pipeline, spaces[None])
        return self._search_each(spaces)

    def _search_each(self, spaces: Mapping[Any, Any]) -> SearchOutcome:
        """Search every architecture with the same trials, splits and share of the time."""
        outcomes: dict[str, SearchOutcome] = {}

        def search(architecture: str) -> tuple[list[TrialResult], bool]:
            pipeline = self.tuned._pipeline(self.seeds[1], architecture)
            outcome = self._search(pipeline, spaces[architecture], architecture, len(spaces))
            outcomes[architecture] = outcome
            return outcome.trials, outcome.stop

        reraise = self.tuned.error_score == "raise"
        trials = search_architectures(list(spaces), search, reraise=reraise)
        tables = [
            {"model": [name] * len(outcome.space["name"]), **outcome.space}
            for name, outcome in outcomes.items()
        ]
        return SearchOutcome(
            trials,
            {name: outcome.oracle for name, outcome in outcomes.items()},
            {name: [row for table in tables for row in table[name]] for name in tables[0]},
            {name for trial in trials for name in trial.params},
            error=next((outcome.error for outcome in outcomes.values() if outcome.error), None),
        )

    def _search(
        self,
        pipeline: CandidatePipeline,
        space: dict[str, Any],
        architecture: str | None = None,
        n_searches: int = 1,
    ) -> SearchOutcome:
        """Run one of several searches that share the time."""
        tuned = self.tuned
        plan = make_plan(tuned, pipeline, space, self.task, self.seeds[0])
        definition = {}
        if tuned.storage is not None:
            definition = define(tuned, pipeline, plan.space, self.task, self.seeds)
        n_tasks = plan.n_trials if tuned.storage is None else None
        max_time = None if tuned.max_time is None else tuned.max_time / n_searches
        limits = Limits(max_time, tuned.trial_timeout)
        search = Search(
            plan.oracle,
            plan.space,
            make_workers(
                self._evaluation(pipeline, plan),
                tuned.n_jobs,
                plan.n_trials,
                limits,
                tuned.max_trials_per_worker,
                max_joint_bytes=self._joint_bytes(pipeline),
                stored=tuned.storage is not None,
                batch=1 if plan.pruning else getattr(plan.oracle, "batch", 1),
            ),
            trial_log=open_trial_log(tuned, definition, self.seeds, architecture),
            pruning=plan.pruning,
            tasks=Tasks(tuned, self.context, n_tasks),
            metric=lambda trial: tuned._deciding(list(trial.scores)),
            limits=limits,
            n_splits=len(self.task.splits),
            metrics=self.task.metrics,
            progress=bool(tuned.verbose),
            n_trials=plan.n_trials,
            reraise=tuned.error_score == "raise",
        )
        trials = search.run()
        warn_if_idle(plan.pruning, trials)
        return SearchOutcome(
            trials,
            plan.oracle,
            plan.space.table(plan.oracle.hyperparameters),
            plan.declared,
            search.stopped in (INTERRUPTED, UNWANTED) or search.storage_error is not None,
            search.storage_error,
        )

    def _joint_bytes(self, pipeline: CandidatePipeline) -> float | None:
        """Return the memory of trials that are trained together; 0 where they run one by one.

        Callbacks hear of one trial after the other, and may end the search after each.
        """
        if why_whole(pipeline.base) is not None or callbacks_of(self.tuned):
            return 0
        limit: float | None = self.tuned.max_joint_bytes
        return limit

    def _evaluation(self, pipeline: CandidatePipeline, plan: Plan) -> Evaluation:
        error_score = self.tuned.error_score
        return Evaluation(
            pipeline,
            self.task,
            frozenset(plan.declared),
            np.nan if error_score == "raise" else float(error_score),
            self.tuned.objectives,
            is_classifier(self.tuned),
            self.seeds[0],
        )
