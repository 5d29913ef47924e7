"""Train and score one candidate on every split, and keep what went wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...model_selection import (
    Candidate,
    Fold,
    FoldOptions,
    evaluate_candidates,
    evaluate_folds,
)
from .. import _objectives
from .._candidate import _splits
from .._candidate._pipeline import CandidatePipeline
from .._candidate._threshold import THRESHOLD, ThresholdScorer
from .._trial import MEASUREMENT, PRUNED, Task, TrialResult, fail
from ._limits import TimeIsUp

_MAX_EPOCHS = 100  # of a history that is kept


@dataclass(frozen=True)
class Evaluation:
    """What the trials of a search have in common; it can be sent to other processes.

    Attributes
    ----------
    pipeline : CandidatePipeline
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
        Seed of the samples that a trial gets which does not get all.
    """

    pipeline: CandidatePipeline
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
            Stops trials that score too low.

        Returns
        -------
        error : Exception or None
            The first error.
        """
        try:
            return self._evaluate(result, out_of_time, pruning)
        except Exception as error:  # of the candidate's making: it fails this trial alone
            fail(result, error, traceback.format_exc())
            return error

    def together(
        self,
        results: Sequence[TrialResult],
        out_of_time: Callable[[], bool],
        enough: Callable[[float, int], bool],
        max_bytes: float | None,
    ) -> Iterator[tuple[TrialResult, Exception | None]]:
        """Evaluate several candidates, and train their networks together where they can be.

        Parameters
        ----------
        results : sequence of TrialResult
            Filled in.
        out_of_time : callable
            See `evaluate_trial`.
        enough : callable
            Says when to train those that wait; see `evaluate_candidates`.
        max_bytes : float or None
            Most memory of networks that are trained together.

        Yields
        ------
        result : TrialResult
            Filled in, as soon as it is known.
        error : Exception or None
            The first error.
        """
        tick = _tick(out_of_time)
        of: dict[Hashable, tuple[TrialResult, Task]] = {}
        lost: list[tuple[TrialResult, Exception | None]] = []

        def candidates() -> Iterator[Candidate]:
            for result in results:
                try:
                    estimator = self.pipeline.candidate(result.params, self.declared)
                    of[result.number] = result, self._task_of(result)
                    task = of[result.number][1]
                    options = FoldOptions(
                        fit_params=task.fit_params, score_params=task.score_params, tick=tick
                    )
                except Exception as error:  # of the candidate's making: it fails this trial alone
                    fail(result, error, traceback.format_exc())
                    lost.append((result, error))
                    continue
                yield Candidate(result.number, estimator, task.splits, task.scorer, options)

        found = evaluate_candidates(
            candidates(), self.task.X, self.task.y, enough=enough, tick=tick, max_bytes=max_bytes
        )
        for number, folds in found:
            out_of_time()  # training that restores the best weights swallows Ctrl-C
            result, task = of[number]
            error = fill_in(result, folds, len(task.splits), self.error_score)
            _objectives.take_objectives(result, self.objectives or ())
            yield result, error
        yield from lost

    def _task_of(self, result: TrialResult) -> Task:
        """Return the data and the scorer of a trial, which may get a share of the samples."""
        share = result.resource.get("samples", 1.0)
        splits = _splits.shrink(
            self.task.splits, self.task.y, share, classifier=self.classifier, seed=self.seed
        )
        task = replace(self.task, splits=splits)
        if THRESHOLD in result.params:
            task = replace(task, scorer=ThresholdScorer(task.scorer, result.params[THRESHOLD]))
        return task

    def _evaluate(
        self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any
    ) -> Exception | None:
        error = evaluate_trial(
            result,
            self.pipeline.candidate(result.params, self.declared),
            self._task_of(result),
            error_score=self.error_score,
            out_of_time=out_of_time,
            **(pruning.watch(result) if pruning else {}),
        )
        _objectives.take_objectives(result, self.objectives or ())
        return error


def evaluate_trial(
    result: TrialResult,
    estimator: Any,
    task: Task,
    *,
    error_score: float,
    out_of_time: Callable[[], bool],
    checkpoint_epochs: Collection[int] = (),
    report: Callable[[int, dict[str, float]], bool] | None = None,
) -> Exception | None:
    """Evaluate a candidate on every split and fill in `result`.

    The networks of all splits are trained together. What remains is left out once a split has
    failed.

    Parameters
    ----------
    result : TrialResult
        Filled in.
    estimator : estimator
        The candidate.
    task : Task
        Data, splits and scorer.
    error_score : float
        Score of a split that has none.
    out_of_time : callable
        Called after every epoch and split; raises KeyboardInterrupt when the user wants to stop
        at once.
    checkpoint_epochs : collection of int, default=()
        Epochs, from 1, after which the validation samples of every split are scored.
    report : callable, default=None
        ``report(epoch, mean_scores)`` gets the means of those scores over the splits, by metric,
        and returns False to prune the trial.

    Returns
    -------
    error : Exception or None
        The first error.

    Raises
    ------
    TimeIsUp
        When `out_of_time` says so before training has ended.
    """

    def checkpoint(epoch: int, scores: list[dict[str, float]]) -> bool:
        result.reports[epoch] = means = {
            name: float(np.mean([of_split[name] for of_split in scores]))
            for name in scores[0]
            if not name.startswith(MEASUREMENT)
        }
        if report is None or report(epoch, means):
            return True
        result.state = PRUNED
        return False

    folds = evaluate_folds(
        estimator,
        task.X,
        task.y,
        task.splits,
        task.scorer,
        fit_params=task.fit_params,
        score_params=task.score_params,
        checkpoint_epochs=checkpoint_epochs,
        checkpoint=None if report is None else checkpoint,
        tick=_tick(out_of_time),
    )
    out_of_time()  # training that restores the best weights swallows Ctrl-C
    return fill_in(result, folds, len(task.splits), error_score)


def _tick(out_of_time: Callable[[], bool]) -> Callable[[], None]:
    def tick() -> None:
        if out_of_time():
            raise TimeIsUp

    return tick


def fill_in(
    result: TrialResult, folds: list[Fold], n_splits: int, error_score: float
) -> Exception | None:
    """Fill in the scores of a trial, and return its first error."""
    failed = next((fold for fold in folds if fold.error is not None), None)
    folds = [*folds, *(Fold() for _ in range(n_splits - len(folds)))]
    names = dict.fromkeys(name for fold in folds for name in fold.scores)
    for name in names:
        scores = [fold.scores.get(name, np.nan) for fold in folds]
        result.scores[name] = [s if np.isfinite(s) else error_score for s in scores]
    result.fit_seconds = [fold.fit_seconds for fold in folds]
    result.score_seconds = [fold.score_seconds for fold in folds]
    result.fit_path = [fold.path for fold in folds]
    result.n_joint = [fold.n_joint for fold in folds]
    result.histories = [thin(fold.history) for fold in folds]
    if failed is None:
        return None
    fail(result, failed.error, failed.traceback)
    return failed.error


def thin(history: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return a history of at most 100 epochs, evenly spaced, the last one among them.

    Six digits are kept: storages hold a trial in one text.

    Examples
    --------
    >>> from skopt_wrap.tuning._execution._evaluation import thin
    >>> thin({"loss": [0.3, 0.2]})
    {'epoch': [1, 2], 'loss': [0.3, 0.2]}
    >>> len(thin({"loss": [0.5] * 1001})["loss"])
    91
    """
    n_epochs = len(history.get("loss", ()))
    if not n_epochs:
        return {}
    step = -(-n_epochs // _MAX_EPOCHS)
    kept = range((n_epochs - 1) % step, n_epochs, step)
    curves = {name: values for name, values in history.items() if len(values) == n_epochs}
    return {
        "epoch": [i + 1 for i in kept],
        **{name: [float(f"{values[i]:.6g}") for i in kept] for name, values in curves.items()},
    }
