"""Hyperparameters that a Keras Tuner model function or HyperModel declares when it is called."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import keras_tuner

from ..._keras import name_scope, seed_scope
from ...exceptions import BuilderError
from .._candidate._hypermodel import declare_beforehand, declare_fit, overrides_fit


def declared_by(hypermodel: Any, values: Mapping[str, Any], seed: int) -> Any:
    """Call the model function with values, drop the network, and return what it declared.

    Parameters
    ----------
    hypermodel : callable or keras_tuner.HyperModel
        ``build_model(hp)``, or an object with ``build(hp)``.
    values : mapping
        Values by the names of hyperparameters; those left out take their defaults.
    seed : int
        Seed of the network.

    Returns
    -------
    hyperparameters : keras_tuner.HyperParameters
        What was declared, with the scopes that were open.
    """
    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.values = dict(values)
    build = getattr(hypermodel, "build", hypermodel)
    with seed_scope(seed), name_scope():
        declare_beforehand(hypermodel, hyperparameters)
        network = build(hyperparameters)
        if overrides_fit(hypermodel):
            declare_fit(hypermodel, hyperparameters, network)
    return hyperparameters


def discover(hypermodel: Any, seed: int) -> list[Any]:
    """Call the model function until every conditional scope was open once.

    Parameters
    ----------
    hypermodel : callable or keras_tuner.HyperModel
        The model function.
    seed : int
        Seed of its networks.

    Returns
    -------
    found : list of keras_tuner hyperparameters
        Everything that was declared, parents before what depends on them.

    Raises
    ------
    BuilderError
        When the model function raises.
    """
    never_open: list[Any] = []
    opened: list[Any] = []
    found = keras_tuner.HyperParameters()
    trial = found.copy()
    while True:
        try:
            declared = declared_by(hypermodel, trial.values, seed)
        except Exception as error:
            raise BuilderError(
                f"the model function raised {type(error).__name__}: {error}, "
                f"with the hyperparameters {trial.values!r}."
            ) from error
        found.merge(copy.deepcopy(declared.space), overwrite=False)
        opened += [scope for scope in declared.active_scopes if scope not in opened]
        never_open += [scope for scope in declared.inactive_scopes if scope not in never_open]
        never_open = [scope for scope in never_open if scope not in opened]
        if not never_open:
            return list(found.space)
        scope = never_open[0]
        opened.append(scope)  # tried once, even if it stays shut
        trial = found.copy()
        for condition in scope:
            trial.values[condition.name] = condition.values[0]
        trial.ensure_active_values()
