"""One trial of a search: its result, and the data that all trials share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

COMPLETED, FAILED, PRUNED = "COMPLETED", "FAILED", "PRUNED"
MEASUREMENT = "objective "  # begins the names of what was measured, among scores


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
        Scores on the validation samples of each split, for each metric. Splits that were not
        reached hold the search's `error_score`.
    fit_seconds : list of float
        Training time for each split.
    score_seconds : list of float
        Scoring time for each split.
    fit_path : list of str
        How the network of each split was trained: ``"joint"`` with those of the other
        splits, ``"fused"`` by itself, or ``"fit: <reason>"`` by ``keras.Model.fit``.
    n_joint : list of int
        For each split the number of networks, of other splits and trials, that were trained
        together with its network, and itself.
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
        training samples) and ``iter`` (round of a halving, from 0).
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
    n_joint: list[int] = field(default_factory=list)
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
    metrics: Sequence[str] | None = None  # None where the scorer could not be tried before


def fail(result: TrialResult, error: BaseException | None, text: str | None) -> None:
    """Mark a trial as failed."""
    result.state = FAILED
    result.error = f"{type(error).__name__}: {error}"
    result.traceback = text
