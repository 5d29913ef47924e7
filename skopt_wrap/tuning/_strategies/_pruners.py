"""Pruners: they stop a trial whose scores after some epochs are too low."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.trial import TrialState

from ...exceptions import ParameterError, SkippedWarning
from .._optuna import quiet
from .._trial import COMPLETED, FAILED, TrialResult
from ._halving_oracle import HalvingOracle

FACTOR = 3
_CHECKS = 10  # for a pruner that compares at any epoch
_RUNGS = 3


class Pruning:
    """An Optuna pruner, and what it knows of the trials so far.

    It needs no strategy of Optuna's: it keeps a study of its own, in which trials have scores by
    epoch and no parameters. A copy decides as the original does, in another process too.

    Parameters
    ----------
    pruner : {"median", "hyperband", "successive_halving"} or optuna.pruners.BasePruner
        Who decides; an object is copied.
    epochs : int
        Epochs of the longest training.
    metric : callable
        Returns the name of the metric that decides, given the names of all.
    """

    def __init__(self, pruner: Any, epochs: int, metric: Callable[[list[str]], str]) -> None:
        self.checkpoints = checkpoint_epochs(pruner, epochs)
        self.metric = metric
        least = self.checkpoints[0] if self.checkpoints else 1
        if pruner == "median":
            pruner = optuna.pruners.MedianPruner()
        elif pruner == "successive_halving":
            pruner = optuna.pruners.SuccessiveHalvingPruner(
                min_resource=least, reduction_factor=FACTOR
            )
        elif pruner == "hyperband":
            pruner = optuna.pruners.HyperbandPruner(
                min_resource=least, max_resource=epochs, reduction_factor=FACTOR
            )
        with quiet():
            self.study = optuna.create_study(
                # A fixed name: Hyperband deals out trials to its brackets by name and number.
                study_name="search",
                sampler=optuna.samplers.RandomSampler(seed=0),
                pruner=copy.deepcopy(pruner),
                direction="maximize",
            )
        self._running: dict[int, optuna.Trial] = {}

    def watch(self, result: TrialResult) -> dict[str, Any]:
        """Return the arguments of `evaluate_trial` that let a trial be pruned."""
        trial = self._running[result.number] = self.study.ask()

        def report(epoch: int, means: Mapping[str, float]) -> bool:
            trial.report(means[self.metric(list(means))], epoch)
            return not trial.should_prune()

        return {"checkpoint_epochs": self.checkpoints, "report": report}

    def finish(self, result: TrialResult) -> None:
        """Learn from a trial that has ended, here or elsewhere."""
        trial = self._running.pop(result.number, None)
        if trial is None:
            trial = self.study.ask()
            for epoch, means in sorted(result.reports.items()):
                trial.report(means[self.metric(list(means))], epoch)
                trial.should_prune()  # successive halving notes the rungs that a trial reached
        if result.state == COMPLETED:
            self.study.tell(trial, result.mean(self.metric(list(result.scores))))
        else:
            self.study.tell(
                trial, state=TrialState.FAIL if result.state == FAILED else TrialState.PRUNED
            )


def checkpoint_epochs(pruner: Any, epochs: int) -> tuple[int, ...]:
    """Return the epochs, from 1, after which a pruner is asked.

    Parameters
    ----------
    pruner : str or optuna.pruners.BasePruner
        The pruner.
    epochs : int
        Epochs of the longest training.

    Returns
    -------
    checkpoints : tuple of int
        Powers of 3 times a first epoch for halving and Hyperband, otherwise about ten that are
        evenly spaced; none at the last epoch.

    Examples
    --------
    >>> from skopt_wrap.tuning._strategies._pruners import checkpoint_epochs
    >>> checkpoint_epochs("successive_halving", 50), checkpoint_epochs("median", 50)
    ((2, 6, 18), (5, 10, 15, 20, 25, 30, 35, 40, 45))
    """
    if pruner in ("successive_halving", "hyperband"):
        first = max(1, round(epochs / FACTOR**_RUNGS))
        n_rungs = math.ceil(math.log(epochs / first, FACTOR)) if epochs > first else 0
        return tuple(first * FACTOR**i for i in range(n_rungs) if first * FACTOR**i < epochs)
    step = max(1, epochs // _CHECKS)
    return tuple(range(step, epochs, step))


def make_pruning(tuned: Any, epochs: int | None, oracle: Any, metric: Any) -> Pruning | None:
    """Return the pruning that an estimator's `pruner` asks for.

    Parameters
    ----------
    tuned : TunedClassifier or TunedRegressor
        Whose parameters say how to search.
    epochs : int or None
        Epochs of the longest training.
    oracle : keras_tuner.Oracle
        The strategy.
    metric : callable
        Returns the name of the metric that decides, given the names of all.

    Raises
    ------
    ParameterError
        When there is nothing to prune by.
    """
    if tuned.pruner is None:
        return None
    if epochs is None:
        raise ParameterError(
            f"pruner={tuned.pruner!r} compares scores by epoch, so that the model needs a "
            "parameter named 'epochs'; it has none."
        )
    if tuned.objectives is not None:
        raise ParameterError(
            f"pruner={tuned.pruner!r} knows a single objective; with objectives=... use none."
        )
    if hasattr(oracle, "max_epochs") or isinstance(oracle, HalvingOracle):
        raise ParameterError(
            f"tuner={tuned.tuner!r} stops bad candidates itself; use it without a pruner."
        )
    return Pruning(tuned.pruner, epochs, metric)


def warn_if_idle(pruning: Pruning | None, trials: list[TrialResult]) -> None:
    """Warn when a pruner was never asked, and say why."""
    done = [trial for trial in trials if trial.state != FAILED]
    if pruning is None or not pruning.checkpoints or any(trial.reports for trial in done):
        return
    why = next((trial.fit_path[0] for trial in done if trial.fit_path), "no trial was trained")
    warnings.warn(
        f"The pruner was never asked: the folds are not trained together ({why}).",
        SkippedWarning,
        stacklevel=3,
    )
