"""Prepare a search: its space, its strategy and the number of its trials."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from sklearn.base import is_classifier

from ...estimators import resolved_epochs
from ...exceptions import ParameterError, SkippedWarning
from .. import _objectives
from .._candidate import _splits
from .._candidate._pipeline import CandidatePipeline
from .._checks import check_names
from .._space._search_space import SearchSpace
from .._space._starts import scores_probabilities, starting_values
from .._strategies._factory import make_oracle
from .._strategies._named import as_strategy, takes_starts
from .._strategies._pruners import Pruning, make_pruning
from .._trial import Task


@dataclass
class Plan:
    """A search that has not begun.

    Attributes
    ----------
    oracle : keras_tuner.Oracle
        Proposes trials.
    space : SearchSpace
        Turns proposals into parameters.
    n_trials : int or None
        How many trials it will run at most, where that is known.
    declared : set of str
        Parameters that belong to the estimator, and not to a Keras Tuner model function.
    pruning : Pruning or None
        Stops trials that score too low.
    """

    oracle: Any
    space: SearchSpace
    n_trials: int | None
    declared: set[str]
    pruning: Pruning | None


def make_plan(
    tuned: Any, pipeline: CandidatePipeline, given: dict[str, Any], task: Task, seed: int
) -> Plan:
    """Build the strategy of a search; unknown parameter names raise here.

    Parameters
    ----------
    tuned : TunedClassifier or TunedRegressor
        Whose parameters say how to search.
    pipeline : CandidatePipeline
        The candidate.
    given : dict
        The space.
    task : Task
        The data and the splits.
    seed : int
        Seed of the strategy.

    Returns
    -------
    plan : Plan
        What the search runs.
    """
    space = SearchSpace(given, pipeline.hypermodel, seed=pipeline.seed or 0)
    epochs = pipeline.base.get_params().get(pipeline.locate("epochs"))
    if epochs == "auto":
        epochs = resolved_epochs(pipeline.network)
    tuner = "genetic" if tuned.objectives and tuned.tuner == "bayesian" else tuned.tuner
    oracle, n_trials = make_oracle(
        tuner,
        space.hyperparameters.copy(),
        max_trials=tuned.max_trials,
        epochs=epochs,
        seed=seed,
        directions=_objectives.directions(tuned.objectives or ["score"]),
        n_samples=min(len(train) for train, _ in task.splits),
        least_samples=_splits.least_samples(task.y, classifier=is_classifier(tuned)),
        declared=frozenset(space.declared - space.tailored),
        starts=_starts(tuned, space, pipeline) if takes_starts(tuner) else (),
    )
    declared, legal = set(given) - space.tailored, space.default()
    if hasattr(oracle, "max_epochs"):  # Hyperband and halving set the epochs themselves
        if "epochs" in legal:
            raise ParameterError(f"tuner={tuned.tuner!r} sets the epochs; take them from space.")
        declared.add("epochs")
        legal["epochs"] = oracle.max_epochs
    elif tuned.max_trials is None and not getattr(as_strategy(tuner), "ends_itself", False):
        raise ParameterError(
            "max_trials=None needs tuner='grid', 'hyperband', 'halving' or 'screen'."
        )
    _warn_of_partial_grid(oracle, n_trials)
    for example in [legal, *space.examples()]:
        try:
            pipeline.candidate(example, declared)  # unknown names raise before any training
        except ValueError:
            check_names(tuned, pipeline.network, given)  # may say it better
            raise
    longest = max([epochs or 0, *space.values_of("epochs")]) or None
    pruning = make_pruning(tuned, longest, oracle, tuned._deciding)
    return Plan(oracle, space, n_trials, declared, pruning)


def _starts(tuned: Any, space: SearchSpace, pipeline: CandidatePipeline) -> list[dict[str, Any]]:
    probabilities = is_classifier(tuned) and scores_probabilities(tuned.scoring, tuned.refit)
    return starting_values(space, pipeline, probabilities=probabilities)


def _warn_of_partial_grid(oracle: Any, n_trials: int | None) -> None:
    size = getattr(oracle, "n_points", None)
    if size is not None and n_trials is not None and size > n_trials:
        warnings.warn(
            f"The grid has {size} points and max_trials={n_trials} of them are tried, "
            "in order: the last parameters vary, the first ones may stay at their first "
            "value. Use max_trials=None for the whole grid, or another tuner.",
            SkippedWarning,
            stacklevel=5,
        )
