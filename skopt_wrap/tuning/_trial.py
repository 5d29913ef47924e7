"""Evaluate one candidate on every split, and keep what went wrong."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model_selection import Fold, evaluate_folds

_MAX_EPOCHS = 100  # of a history that is kept
COMPLETED, FAILED, PRUNED = "COMPLETED", "FAILED", "PRUNED"
MEASUREMENT = "objective "  # begins the names of what was measured, among scores


class TimeIsUp(Exception):
    """The time limit passed while a trial was running."""


@dataclass
class TrialResult:
    """One trial of a search.

    Attributes
    ----------
    number : int
        Position of the trial in the search, from 0.
    params : dict
        Parameters of the trial.
    state : {"COMPLETED", "FAILED", "PRUNED"}
        A trial fails when building, fitting or scoring raises, or when a score is not finite. It
        is pruned when its scores on the way to the last epoch leave no hope.
    scores : dict of str to list of float
        Scores on the validation rows of each split, for each metric. Splits that were not
        reached hold the search's `error_score`.
    fit_seconds : list of float
        Training time for each split.
    score_seconds : list of float
        Scoring time for each split.
    fit_path : list of str
        How the network of each split was trained: ``"stacked"`` with those of the other
        splits, ``"fused"`` by itself, or ``"fit: <reason>"`` by ``keras.Model.fit``.
    reports : dict of int to dict of str to float
        Mean scores over the splits after the epochs at which a pruner asked for them.
    histories : list of dict of str to list of float
        Training history of the network of each split; of a long one every so many epochs, whose
        numbers are in ``"epoch"``.
    error : str or None
        Type and message of the error.
    traceback : str or None
        Where the error came from.
    resource : dict of str to number
        What successive halving and Hyperband gave the trial: ``epochs``, ``samples`` (share of the
        training rows) and ``iter`` (round of a halving, from 0).
    objectives : dict of str to float
        Values of several objectives, in their order.
    n_parameters : int or None
        Weights of the network, where they were counted.
    """

    number: int
    params: dict[str, Any]
    state: str = COMPLETED
    scores: dict[str, list[float]] = field(default_factory=dict)
    fit_seconds: list[float] = field(default_factory=list)
    score_seconds: list[float] = field(default_factory=list)
    fit_path: list[str] = field(default_factory=list)
    reports: dict[int, dict[str, float]] = field(default_factory=dict)
    histories: list[dict[str, list[float]]] = field(default_factory=list)
    error: str | None = None
    traceback: str | None = None
    resource: dict[str, Any] = field(default_factory=dict)
    objectives: dict[str, float] = field(default_factory=dict)
    n_parameters: int | None = None

    def mean(self, metric: str) -> float:
        """Return the mean score over the splits."""
        return float(np.mean(self.scores[metric]))


@dataclass
class Task:
    """What every trial of a search shares: data, frozen splits, scorer and metadata."""

    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Callable[..., Any]
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]


@contextmanager
def deaf_to_ctrl_c(parent: int) -> Iterator[None]:
    """Ignore Ctrl-C inside the block, in every process but `parent`.

    A terminal sends Ctrl-C to the workers too, where it would end a training or, unnoticed, cut
    it short. What it means is for the parent to say, which ends its workers when it stops.
    """
    if os.getpid() == parent or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
        Epochs, from 1, after which the validation rows of every split are scored.
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

    def tick() -> None:
        if out_of_time():
            raise TimeIsUp

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
        tick=tick,
    )
    out_of_time()  # training that restores the best weights swallows Ctrl-C
    failed = next((fold for fold in folds if fold.error is not None), None)
    folds += [Fold() for _ in range(len(task.splits) - len(folds))]
    names = dict.fromkeys(name for fold in folds for name in fold.scores)
    for name in names:
        scores = [fold.scores.get(name, np.nan) for fold in folds]
        result.scores[name] = [s if np.isfinite(s) else error_score for s in scores]
    result.fit_seconds = [fold.fit_seconds for fold in folds]
    result.score_seconds = [fold.score_seconds for fold in folds]
    result.fit_path = [fold.path for fold in folds]
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
    >>> from skopt_wrap.tuning._trial import thin
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


def fail(result: TrialResult, error: Exception | None, text: str | None) -> None:
    """Mark a trial as failed."""
    result.state = FAILED
    result.error = f"{type(error).__name__}: {error}"
    result.traceback = text
