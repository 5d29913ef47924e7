"""Several objectives: which there are, how they are measured, and which trials are best in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._pareto import pareto_front
from .._sklearn import safe_indexing
from ..exceptions import ParameterError, suggest
from ..model_selection import as_scores
from ._candidate._threshold import network_of
from ._trial import COMPLETED, MEASUREMENT, TrialResult

MEASURED = ("parameters", "latency", "size")
_FLOAT32_BYTES = 4
_WARM_UP, _REPEATS = 3, 15


def check_objectives(
    objectives: Any, metrics: Sequence[str] | None, refit: Any, keras_network: bool
) -> list[str]:
    """Return the names of the objectives.

    Parameters
    ----------
    objectives : list of str
        As the user gave them.
    metrics : sequence of str or None
        Names of the metrics; None where they are not known yet.
    refit : bool, str or callable
        A string must name an objective.
    keras_network : bool
        Whether the network's parameters can be counted.

    Raises
    ------
    ParameterError
        For fewer than two, a name twice, an unknown name, or no score among them.
    """
    names = list(objectives)
    if len(names) < 2 or not all(isinstance(name, str) for name in names):
        raise ParameterError(
            f"objectives must be a list of at least two names; got {objectives!r}. For a single "
            "objective use scoring."
        )
    if len(set(names)) != len(names):
        raise ParameterError(f"objectives names one twice: {objectives!r}.")
    scores = [name for name in names if name not in MEASURED]
    for name in scores:
        if metrics is not None and name not in metrics:
            raise ParameterError(
                f"objectives names {name!r}, which is neither a metric of this search nor one of "
                f"{MEASURED}. {suggest(name, [*metrics, *MEASURED])}"
            )
    if not scores:
        raise ParameterError(
            f"objectives={names!r} holds no score, so that the smallest network would be the best "
            "whatever it predicts; add 'score'."
        )
    counted = [name for name in names if name in ("parameters", "size")]
    if counted and not keras_network:
        raise ParameterError(f"objectives names {counted}, which only a Keras network has.")
    if isinstance(refit, str) and refit not in names:
        raise ParameterError(f"refit={refit!r} is none of the objectives. {suggest(refit, names)}")
    return names


def directions(names: Sequence[str]) -> list[str]:
    """Return "maximize" for scores and "minimize" for what is measured."""
    return ["minimize" if name in MEASURED else "maximize" for name in names]


def main_metric(names: Sequence[str]) -> str:
    """Return the score that comes first among the objectives."""
    return next(name for name in names if name not in MEASURED)


@dataclass
class Measuring:
    """A scorer that measures the fitted candidate as well.

    Attributes
    ----------
    scorer : callable
        The scorer of the search.
    names : list of str
        Objectives.
    """

    scorer: Callable[..., Any]
    names: Sequence[str]

    def __call__(self, estimator: Any, X: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return the scores, and the measured objectives under names of their own."""
        scores = as_scores(self.scorer(estimator, X, *args, **kwargs))
        for name in self.names:
            if name == "latency":
                scores[MEASUREMENT + name] = row_seconds(estimator, X)
            elif name in MEASURED:
                count = float(network_of(estimator).model_.count_params())
                scores[MEASUREMENT + name] = count * (_FLOAT32_BYTES if name == "size" else 1)
        return scores


def measuring(scorer: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """Return a scorer that measures the objectives `names` as well, where there are any."""
    return Measuring(scorer, list(dict.fromkeys(names))) if names else scorer


def row_seconds(estimator: Any, X: Any) -> float:
    """Return the median time of ``estimator.predict`` on one row, in seconds."""
    row = safe_indexing(X, [0])
    seconds = []
    for _ in range(_WARM_UP + _REPEATS):
        begin = time.perf_counter()
        estimator.predict(row)
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds[_WARM_UP:]))


def take_objectives(result: TrialResult, names: Sequence[str]) -> None:
    """Move what was measured from the scores of a trial to its objectives.

    Counts and times are the median over the splits, scores the mean.
    """
    measured = {name: result.scores.pop(MEASUREMENT + name, None) for name in MEASURED}
    if measured["parameters"] is not None and np.isfinite(measured["parameters"]).all():
        result.n_parameters = int(np.median(measured["parameters"]))
    if result.state != COMPLETED:
        return
    for name in names:
        if name in MEASURED:
            result.objectives[name] = float(np.median(np.asarray(measured[name])))
        elif name in result.scores:
            result.objectives[name] = result.mean(name)
        else:
            raise ParameterError(
                f"objectives names {name!r}, but scoring returns {list(result.scores)}."
            )


def on_front(values: Any, directions: Sequence[str]) -> Any:
    """Return which rows of a table of objectives are on the Pareto front.

    Parameters
    ----------
    values : array-like of shape (n_rows, n_objectives)
        Objectives; a row with a NaN is not on the front.
    directions : sequence of {"maximize", "minimize"}
        One for each column.

    Returns
    -------
    front : ndarray of shape (n_rows,), bool
        Equal rows are on it together.

    Examples
    --------
    >>> from skopt_wrap.tuning._objectives import on_front
    >>> on_front([[0.9, 10], [0.8, 5], [0.8, 7]], ["maximize", "minimize"]).tolist()
    [True, True, False]
    """
    values = np.asarray(values, dtype=float)
    costs = np.where([item == "minimize" for item in directions], values, -values)
    return pareto_front(np.where(np.isfinite(costs), costs, np.nan))


def objective_table(trials: Sequence[TrialResult], names: Sequence[str]) -> dict[str, Any]:
    """Return one column ``objective_<name>`` for each objective, NaN where there is none."""
    return {
        f"objective_{name}": np.array([t.objectives.get(name, np.nan) for t in trials])
        for name in names
    }


def front_table(trials: Sequence[TrialResult], names: Sequence[str]) -> dict[str, Any]:
    """Return the trials on the front, best score first.

    Returns
    -------
    table : dict of str to array or list
        ``index``, ``params`` and ``objective_<name>``.
    """
    columns = objective_table(trials, names)
    values = np.column_stack(list(columns.values()))
    rows = np.flatnonzero(on_front(values, directions(names)))
    rows = rows[np.argsort(-columns[f"objective_{main_metric(names)}"][rows], kind="stable")]
    table: dict[str, Any] = {"index": rows, "params": [trials[int(row)].params for row in rows]}
    return table | {name: column[rows] for name, column in columns.items()}


def choose(trials: Sequence[TrialResult], names: Sequence[str], refit: Any) -> int:
    """Return the index of the trial that is trained again.

    Parameters
    ----------
    trials : sequence of TrialResult
        The trials.
    names : sequence of str
        Objectives.
    refit : bool or str
        A name takes the trial on the front that is best in this objective. Otherwise it is, of
        the trials on the front whose score is within one standard error of the highest, the one
        with the smallest first minimized objective.
    """
    table = front_table(trials, names)
    values = {name: table[f"objective_{name}"] for name in names}
    score = values[main_metric(names)]
    if isinstance(refit, str):
        cost = values[refit] if refit in MEASURED else -values[refit]
        return int(table["index"][np.argmin(cost)])  # of equals the best score, which comes first
    minimized = [name for name in names if name in MEASURED]
    if not minimized:
        return int(table["index"][0])
    folds = np.asarray(trials[int(table["index"][0])].scores[main_metric(names)])
    error = folds.std(ddof=1) / np.sqrt(len(folds)) if len(folds) > 1 else 0.0
    near = score >= score[0] - error
    return int(table["index"][np.argmin(np.where(near, values[minimized[0]], np.inf))])
