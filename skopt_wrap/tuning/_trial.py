"""Evaluate one candidate: fit and score it on each split, and keep what went wrong."""

from __future__ import annotations

import numbers
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from ..exceptions import SearchError

COMPLETED, FAILED = "COMPLETED", "FAILED"


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
    state : {"COMPLETED", "FAILED"}
        A trial fails when building, fitting or scoring raises, or when a score is not finite.
    scores : dict of str to list of float
        Scores on the validation rows of each split, for each metric. Splits that were not
        reached hold the search's `error_score`.
    fit_seconds : list of float
        Training time for each split.
    score_seconds : list of float
        Scoring time for each split.
    error : str or None
        Type and message of the error.
    traceback : str or None
        Where the error came from.
    """

    number: int
    params: dict[str, Any]
    state: str = COMPLETED
    scores: dict[str, list[float]] = field(default_factory=dict)
    fit_seconds: list[float] = field(default_factory=list)
    score_seconds: list[float] = field(default_factory=list)
    error: str | None = None
    traceback: str | None = None

    def mean(self, metric: str) -> float:
        """Return the mean score over the splits."""
        return float(np.mean(self.scores[metric]))


@dataclass
class Fold:
    """Outcome of one split: scores and times, or an error."""

    scores: dict[str, float] = field(default_factory=dict)
    fit_seconds: float = np.nan
    score_seconds: float = np.nan
    error: Exception | None = None
    traceback: str | None = None


@dataclass
class Task:
    """What every trial of a search shares: data, frozen splits, scorer and metadata."""

    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Callable[..., Any]
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]


def as_scores(value: Any) -> dict[str, float]:
    """Return what a scorer returned as names mapped to floats.

    Raises
    ------
    TypeError
        When it is neither a number nor a dict of numbers.
    """
    if isinstance(value, Mapping):
        return {str(name): as_scores(item)["score"] for name, item in value.items()}
    if hasattr(value, "item") and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"a scorer must return a number or a dict of numbers; got {type(value).__name__}."
        )
    return {"score": float(value)}


def evaluate_fold(estimator: Any, task: Task, split: int) -> Fold:
    """Fit `estimator` on the training rows of a split, and score it on its validation rows.

    An error is returned, not raised, so that it fails its trial alone, in this process or in
    another.
    """
    train, test = task.splits[split]
    fold = Fold()
    try:
        X_train, y_train = _safe_split(estimator, task.X, task.y, train)
        X_test, y_test = _safe_split(estimator, task.X, task.y, test, train)
        fit_params = _check_method_params(task.X, params=task.fit_params, indices=train)
        score_params = _check_method_params(task.X, params=task.score_params, indices=test)
        begin = time.perf_counter()
        estimator.fit(X_train, y_train, **fit_params)
        fitted = time.perf_counter()
        fold.fit_seconds = fitted - begin
        fold.scores = as_scores(task.scorer(estimator, X_test, y_test, **score_params))
        fold.score_seconds = time.perf_counter() - fitted
        bad = {name: score for name, score in fold.scores.items() if not np.isfinite(score)}
        if bad:
            raise SearchError(f"the score of split {split} is not finite: {bad}.")
    except Exception as error:
        fold.error, fold.traceback = error, traceback.format_exc()
    return fold


def evaluate_fold_elsewhere(estimator: Any, task: Task, split: int, parent: int) -> Fold:
    """Evaluate a split; in a worker process, deaf to Ctrl-C.

    A terminal sends Ctrl-C to the workers too, where it would end the training of a split or,
    unnoticed, cut it short. What it means is for the process `parent` to say, which ends its
    workers when it stops.
    """
    if os.getpid() == parent or threading.current_thread() is not threading.main_thread():
        return evaluate_fold(estimator, task, split)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return evaluate_fold(estimator, task, split)
    finally:
        signal.signal(signal.SIGINT, before)


def evaluate_trial(
    result: TrialResult,
    estimator: Any,
    task: Task,
    *,
    error_score: float,
    n_jobs: int | None,
    out_of_time: Callable[[], bool],
) -> Exception | None:
    """Evaluate a candidate on every split and fill in `result`.

    In one process the remaining splits are left out after the first that fails. `out_of_time` is
    called after every split, and raises KeyboardInterrupt when the user wants to stop at once.

    Returns
    -------
    error : Exception or None
        The first error.
    """
    numbers_ = range(len(task.splits))
    folds: list[Fold] = []
    if effective_n_jobs(n_jobs) == 1:
        for split in numbers_:
            folds.append(evaluate_fold(clone(estimator), task, split))
            late = out_of_time()
            if folds[-1].error is not None:
                break
            if late and split < numbers_[-1]:
                raise TimeIsUp
    else:
        folds = Parallel(n_jobs=n_jobs)(
            delayed(evaluate_fold_elsewhere)(clone(estimator), task, split, os.getpid())
            for split in numbers_
        )
        out_of_time()
    failed = next((fold for fold in folds if fold.error is not None), None)
    folds += [Fold() for _ in range(len(task.splits) - len(folds))]
    names = dict.fromkeys(name for fold in folds for name in fold.scores)
    for name in names:
        scores = [fold.scores.get(name, np.nan) for fold in folds]
        result.scores[name] = [s if np.isfinite(s) else error_score for s in scores]
    result.fit_seconds = [fold.fit_seconds for fold in folds]
    result.score_seconds = [fold.score_seconds for fold in folds]
    if failed is None:
        return None
    fail(result, failed.error, failed.traceback)
    return failed.error


def fail(result: TrialResult, error: Exception | None, text: str | None) -> None:
    """Mark a trial as failed."""
    result.state = FAILED
    result.error = f"{type(error).__name__}: {error}"
    result.traceback = text
