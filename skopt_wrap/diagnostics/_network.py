"""The network inside a pipeline: its parameters, its seed, and what is known of its training."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from .._pipelines import last_step

_ENTROPY_LOSSES = ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy")


def parameter_prefix(estimator: Any) -> str:
    """Return what stands before the parameters of the last step of (nested) pipelines."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix


def seeded_clone(estimator: Any, random_state: Any) -> Any:
    """Return a clone whose network has a seed, so that fits differ by their data only."""
    copy = clone(estimator)
    network, prefix = last_step(copy), parameter_prefix(copy)
    if hasattr(network, "get_params") and network.get_params(deep=False).get("random_state", 0):
        return copy
    if "random_state" not in copy.get_params(deep=True) and not prefix:
        return copy
    if f"{prefix}random_state" in copy.get_params() and network.random_state is None:
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        copy.set_params(**{f"{prefix}random_state": seed})
    return copy


def constant_loss(network: Any, y: Any = None) -> float | None:
    """Return the loss of the best predictor that ignores X, where the loss is a usual one.

    The entropy of the class shares for cross-entropy, the variance for squared error; None for
    other losses, or when the shares are not known.
    """
    loss = getattr(getattr(network, "model_", None), "loss", None)
    name = type(loss).__name__
    if name in _ENTROPY_LOSSES and getattr(network, "class_weight", None) is None:
        prior = getattr(network.target_encoder_, "class_prior_", None)
        return None if prior is None else float(-xlogy(prior, prior).sum())
    if name == "MeanSquaredError" and y is not None:
        return float(np.asarray(y, dtype=np.float64).var(axis=0).mean())
    return None


def restores_best(network: Any) -> bool:
    """Whether early stopping of the estimator puts the weights of the best epoch back."""
    setting = getattr(network, "early_stopping", False)
    if setting == "auto":
        return bool(network._keeps_best_epoch())
    return bool(getattr(setting, "restore_best_weights", setting is not False))


def input_scale(X: Any) -> float:
    """Return the greatest mean or standard deviation of a feature; 0 where it is not known."""
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):  # text, or a sparse matrix, whose scaling is another matter
        return 0.0
    if values.ndim != 2 or not len(values):
        return 0.0
    return float(max(np.abs(values.mean(axis=0)).max(), values.std(axis=0).max()))
