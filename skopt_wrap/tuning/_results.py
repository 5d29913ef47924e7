"""The table of results, and the choice of the best trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from ..exceptions import ParameterError, suggest
from ._trial import COMPLETED, PRUNED, TrialResult


def make_table(
    trials: Sequence[TrialResult], metrics: Sequence[str], n_splits: int, error_score: float
) -> dict[str, Any]:
    """Return the results of a search in the columns of scikit-learn's ``cv_results_``.

    Parameters
    ----------
    trials : sequence of TrialResult
        The trials, in order.
    metrics : sequence of str
        Names of the metrics; ``["score"]`` for a single one.
    n_splits : int
        Number of splits.
    error_score : float
        Score of a split that has none.

    Returns
    -------
    table : dict of str to array or list
        ``mean_fit_time``, ``std_fit_time``, ``mean_score_time``, ``std_score_time``,
        ``param_<name>`` (masked where a trial has no such parameter), ``params``, ``state``,
        ``fit_path`` (how the networks were trained), ``n_joint`` (how many were trained together,
        those of other trials among them), where they differ from trial to trial
        ``n_epochs`` (the epoch at which a trial was pruned, or what the strategy gave it),
        ``share_samples`` and ``iter``,
        and for each metric ``split<i>_test_<metric>``, ``mean_test_<metric>``,
        ``std_test_<metric>`` and ``rank_test_<metric>``; one row for each trial.
    """
    table: dict[str, Any] = {}
    for key, attribute in (("fit_time", "fit_seconds"), ("score_time", "score_seconds")):
        seconds = np.full((len(trials), n_splits), np.nan)
        for row, trial in enumerate(trials):
            values = getattr(trial, attribute)
            seconds[row, : len(values)] = values
        reached = np.isfinite(seconds)
        n_reached = np.maximum(reached.sum(axis=1), 1)
        mean = np.where(reached, seconds, 0.0).sum(axis=1) / n_reached
        square = np.where(reached, (seconds - mean[:, None]) ** 2, 0.0).sum(axis=1) / n_reached
        table[f"mean_{key}"], table[f"std_{key}"] = mean, np.sqrt(square)
    for name in dict.fromkeys(name for trial in trials for name in trial.params):
        table[f"param_{name}"] = _masked([trial.params for trial in trials], name)
    reached = [_reached(trial) for trial in trials]
    for column, key in (("n_epochs", "epochs"), ("share_samples", "samples"), ("iter", "iter")):
        if any(key in item for item in reached):
            table[column] = _masked(reached, key)
    table["params"] = [trial.params for trial in trials]
    table["state"] = np.array([trial.state for trial in trials], dtype=object)
    paths = [" | ".join(dict.fromkeys(filter(None, trial.fit_path))) for trial in trials]
    table["fit_path"] = np.array(paths, dtype=object)
    table["n_joint"] = np.array([max(trial.n_joint, default=1) for trial in trials])
    for metric in metrics:
        blank = [error_score] * n_splits
        scores = np.array([trial.scores.get(metric, blank) for trial in trials], dtype=float)
        for split in range(n_splits):
            table[f"split{split}_test_{metric}"] = scores[:, split]
        means = scores.mean(axis=1)
        table[f"mean_test_{metric}"] = means
        table[f"std_test_{metric}"] = scores.std(axis=1)
        pruned = [trial.state == PRUNED for trial in trials]
        table[f"rank_test_{metric}"] = rank(np.where(pruned, np.nan, means))
    return table


def _reached(trial: TrialResult) -> dict[str, Any]:
    """Return what a trial was trained with, as far as that was not the whole."""
    if trial.state == PRUNED:
        return {**trial.resource, "epochs": max(trial.reports)}
    return trial.resource


def rank(scores: Any) -> Any:
    """Return ranks from 1, greatest score first, ties equal, NaN last.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Scores.

    Returns
    -------
    ranks : ndarray of shape (n,), int32
        Ranks.

    Examples
    --------
    >>> from skopt_wrap.tuning._results import rank
    >>> rank([0.5, float("nan"), 0.9, 0.5]).tolist()
    [2, 4, 1, 2]
    """
    scores = np.asarray(scores, dtype=float)
    worst = np.where(np.isnan(scores), -np.inf, scores)
    return rankdata(-worst, method="min").astype(np.int32)


def _masked(params: Sequence[dict[str, Any]], name: str) -> Any:
    present = [item[name] for item in params if name in item]
    kinds = {type(value) for value in present}
    dtype = kinds.pop() if len(kinds) == 1 and kinds <= {int, float, bool} else object
    column = np.ma.MaskedArray(np.empty(len(params), dtype=dtype), mask=True)
    for row, item in enumerate(params):
        if name in item:
            column[row] = item[name]
    return column


def finished_means(estimator: Any, metric: str | None) -> tuple[str, Any]:
    """Return the name of a metric of a finished search, and its mean for each trial.

    Parameters
    ----------
    estimator : TunedClassifier or TunedRegressor
        Fitted estimator.
    metric : str or None
        Name of the metric; None is the one that the search maximized.

    Returns
    -------
    name : str
        Name of the metric.
    means : ndarray of shape (n_trials,)
        Mean scores over the splits, NaN where a trial was not completed.

    Raises
    ------
    ParameterError
        The search has no such metric.
    """
    table, head = estimator.cv_results_, "mean_test_"
    known = [key.removeprefix(head) for key in table if key.startswith(head)]
    name = estimator._metric if metric is None else metric
    if name not in known:
        raise ParameterError(f"metric={name!r} was not scored. " + suggest(name, known))
    return name, np.where(table["state"] == COMPLETED, table[head + name], np.nan)


def best_so_far(scores: Any) -> Any:
    """Return the running maximum of `scores`, NaN passed over.

    Examples
    --------
    >>> from skopt_wrap.tuning._results import best_so_far
    >>> best_so_far([0.5, float("nan"), 0.4, 0.7]).tolist()
    [0.5, 0.5, 0.5, 0.7]
    """
    return np.fmax.accumulate(np.asarray(scores, dtype=float))


def select(table: dict[str, Any], trials: Sequence[TrialResult], refit: Any, metric: str) -> int:
    """Return the index of the best trial.

    Parameters
    ----------
    table : dict
        The table of results.
    trials : sequence of TrialResult
        The trials; at least one is completed.
    refit : bool, str or callable
        A callable gets the table and returns an index.
    metric : str
        The metric that decides otherwise.

    Returns
    -------
    index : int
        Position of the best completed trial; the earliest of equal ones.
    """
    if not callable(refit):
        # Scores after fewer samples or epochs of a halving are not compared with those of the last.
        last = max(t.resource.get("iter", 0) for t in trials if t.state == COMPLETED)
        halving = any("iter" in t.resource for t in trials)
        legal = [
            t.state == COMPLETED and (not halving or t.resource.get("iter", 0) == last)
            for t in trials
        ]
        return int(np.argmax(np.where(legal, table[f"mean_test_{metric}"], -np.inf)))
    chosen: Callable[..., Any] = refit
    index = chosen(table)
    if not isinstance(index, (int, np.integer)):
        raise TypeError(f"refit must return an integer index; got {index!r}.")
    index = int(index)
    if not 0 <= index < len(trials):
        raise IndexError(f"refit returned the index {index}; there are {len(trials)} trials.")
    if trials[index].state != COMPLETED:
        what = "was pruned" if trials[index].state == PRUNED else f"failed: {trials[index].error}"
        raise ParameterError(f"refit chose trial {index}, which {what}")
    return index
