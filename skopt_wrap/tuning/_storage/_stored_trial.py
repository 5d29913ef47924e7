"""What is stored of a trial that has run, and the checks of what was stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ...exceptions import StorageError
from .._trial import TrialResult
from ._trial_log import Entry


def outcome_of(result: TrialResult) -> dict[str, Any]:
    """Return what is stored of a finished trial: what its values tell is left out."""
    return {
        item.name: getattr(result, item.name)
        for item in fields(TrialResult)
        if item.name not in ("number", "params", "resource")
    }


def restore(result: TrialResult, entry: Entry, search: Any) -> None:
    """Fill in a trial with what is stored of it.

    Parameters
    ----------
    result : TrialResult
        Filled in.
    entry : Entry
        The stored trial.
    search : Search
        Has `n_splits`, `metrics`, the `metric` that decides and the `trial_log`.

    Raises
    ------
    StorageError
        When no trial of this search can have such a result.
    """

    def where() -> str:
        return search.trial_log.place(entry.key, "result")

    check_result(entry.result, search.n_splits, None, where)
    stored = dict(entry.result or {})
    names = list(stored["scores"])
    if search.metrics is not None and set(names) - set(search.metrics):
        raise StorageError(
            f"{where()} holds scores of {names}; the metrics of this search are "
            f"{list(search.metrics)}. Give another storage=, or remove that trial."
        )
    if entry.score is not None:
        deciding = search.metric(TrialResult(0, {}, scores=stored["scores"])) if names else ""
        check_result(stored, search.n_splits, (deciding, entry.score), where)
    known = {name.name for name in fields(TrialResult)}
    for name, value in stored.items():
        if name == "reports":  # JSON's keys are text
            value = {int(epoch): scores for epoch, scores in value.items()}
        if name == "fit_path":  # "joint" was called "stacked" by development versions of 0.1
            value = ["joint" if path == "stacked" else path for path in value]
        if name in known:
            setattr(result, name, value)


def check_values(
    values: Any, hyperparameters: Any, complete: bool, where: Callable[[], str]
) -> None:
    """Refuse stored values of a trial that the space does not have.

    Parameters
    ----------
    values : dict
        Values by the names of hyperparameters.
    hyperparameters : sequence of keras_tuner hyperparameters
        The space.
    complete : bool
        Whether all names are known, and none is declared while a trial is built.
    where : callable
        Returns the place in words.

    Raises
    ------
    StorageError
        With the place, the name and the value.
    """
    if not isinstance(values, dict):
        raise StorageError(f"{where()} holds no values of a trial: {values!r}.")
    known: dict[str, list[Any]] = {}
    for item in hyperparameters:
        known.setdefault(item.name, []).append(item)
    for name, value in values.items():
        if name.startswith("tuner/") or (name not in known and not complete):
            continue
        if name not in known or not any(_is_legal(item, value) for item in known[name]):
            raise StorageError(
                f"{where()} holds {name}={value!r}, which the space of this search does not have. "
                "The storage was changed by hand, or belongs to another search; give another "
                "storage=, or remove that trial."
            )
    missing = [
        name
        for name, items in known.items()
        if name not in values and any(not item.conditions for item in items)
    ]
    if complete and missing:
        raise StorageError(f"{where()} holds no value of {missing}, which every trial has.")


def _is_legal(item: Any, value: Any) -> bool:
    kind = type(item).__name__
    if kind == "Fixed":
        return bool(value == item.value)
    if kind == "Boolean":
        return isinstance(value, bool)
    if kind in ("Int", "Float"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and item.min_value <= value <= item.max_value
    return any(value == choice and type(value) is type(choice) for choice in item.values)


def check_result(
    result: Any, n_splits: int, score: tuple[str, float] | None, where: Callable[[], str]
) -> None:
    """Refuse a stored result whose scores are not what such a trial has.

    Parameters
    ----------
    result : dict
        The stored outcome of a trial.
    n_splits : int
        Number of splits.
    score : tuple of str and float, or None
        Name of the metric that decides, and the score that the storage has for the trial besides
        the result; None for a trial that failed.
    where : callable
        Returns the place in words.

    Raises
    ------
    StorageError
        With the place and what is wrong.
    """

    def wrong(problem: str) -> StorageError:
        return StorageError(
            f"{where()} holds a result that no trial of this search can have: {problem}. The "
            "storage was changed by hand or is damaged; give another storage=, or remove that "
            "trial."
        )

    if not isinstance(result, dict) or not isinstance(result.get("scores"), dict):
        raise wrong("it has no scores")
    if result.get("state") not in ("COMPLETED", "PRUNED", "FAILED"):
        raise wrong(f"its state is {result.get('state')!r}")
    for name, scores in result["scores"].items():
        numbers = isinstance(scores, list) and all(isinstance(s, int | float) for s in scores)
        if not numbers or len(scores) != n_splits:
            raise wrong(f"its scores of {name!r} are {scores!r}, for {n_splits} splits")
    if score is None:
        return
    metric, stored = score
    if metric not in result["scores"]:
        raise wrong(f"it has no scores of {metric!r}")
    mean = sum(result["scores"][metric]) / n_splits
    if abs(mean - stored) > 1e-6 * max(1.0, abs(stored)):
        raise wrong(f"the mean of its scores of {metric!r} is {mean:g}, its score is {stored:g}")
