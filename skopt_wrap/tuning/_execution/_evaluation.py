"""Evaluate trials of one search, in this process or in another."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import _objectives
from .._candidate import _splits
from .._candidate._pipeline import Recipe
from .._candidate._threshold import THRESHOLD, ThresholdScorer
from .._trial import Task, TimeIsUp, TrialResult, evaluate_trial, fail


@dataclass(frozen=True)
class Evaluation:
    """What the trials of a search have in common; it can be sent to other processes.

    Attributes
    ----------
    recipe : Recipe
        Makes the candidates.
    task : Task
        Data, splits and scorer.
    declared : frozenset of str
        Parameters that belong to the estimator.
    error_score : float
        Score of a split that has none.
    objectives : sequence of str or None
        Several objectives.
    classifier : bool
        Whether the target holds classes.
    seed : int
        Seed of the rows that a trial gets which does not get all.
    """

    recipe: Recipe
    task: Task
    declared: frozenset[str]
    error_score: float
    objectives: Sequence[str] | None
    classifier: bool
    seed: int

    def __call__(
        self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any = None
    ) -> Exception | None:
        """Evaluate the candidate with ``result.params``.

        Parameters
        ----------
        result : TrialResult
            Filled in.
        out_of_time : callable
            See `evaluate_trial`.
        pruning : Pruning, default=None
            Stops hopeless trials.

        Returns
        -------
        error : Exception or None
            The first error.
        """
        try:
            return self._evaluate(result, out_of_time, pruning)
        except TimeIsUp:
            raise
        except Exception as error:  # of the candidate's making: it fails this trial alone
            fail(result, error, traceback.format_exc())
            return error

    def _evaluate(
        self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any
    ) -> Exception | None:
        share = result.resource.get("samples", 1.0)
        splits = _splits.shrink(
            self.task.splits, self.task.y, share, classifier=self.classifier, seed=self.seed
        )
        task = replace(self.task, splits=splits)
        if THRESHOLD in result.params:
            task = replace(task, scorer=ThresholdScorer(task.scorer, result.params[THRESHOLD]))
        error = evaluate_trial(
            result,
            self.recipe.candidate(result.params, self.declared),
            task,
            error_score=self.error_score,
            out_of_time=out_of_time,
            **(pruning.watch(result) if pruning else {}),
        )
        _objectives.take_objectives(result, self.objectives or ())
        return error
