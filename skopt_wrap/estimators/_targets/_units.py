"""In which units a regressor's network is trained, and how it gets those of `y` afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._keras import enter_output_units, leave_output_units, load_keras, takes_output_units
from ...architectures import ARCHITECTURES
from ...exceptions import ParameterError
from .._losses import OWN_LOSSES, loss_name

# Losses whose meaning does not depend on the units of y.
_FREE_OF_UNITS = ("mean_squared_error", "mean_absolute_error")
# Losses with a threshold, which counts in standard deviations unless the user gives it.
_WITH_THRESHOLD = ("huber", "log_cosh")


def is_named(model: Any) -> bool:
    """Return whether `model` is an architecture of this package, by name or as an object."""
    known = [model is architecture for architecture in ARCHITECTURES.values()]
    return isinstance(model, str) or any(known)


def scaling_kind(estimator: Any) -> str | None:
    """Return how the targets of a regressor are scaled for training.

    Parameters
    ----------
    estimator : KerasRegressor
        Its `target_scaling`, `model` and `loss` decide.

    Returns
    -------
    kind : {"standard", "quantile"} or None
        None leaves them as they are.
    """
    given = estimator.target_scaling
    if given == "auto":
        scaled = is_named(estimator.model) and _suits_scaling(estimator)
        return "standard" if scaled else None
    if given == "quantile":
        return "quantile"
    return "standard" if given else None


def _suits_scaling(estimator: Any) -> bool:
    """Return whether a loss means the same for scaled targets."""
    loss = estimator.loss
    if loss is None:
        return True
    if isinstance(loss, str) and loss in OWN_LOSSES:
        return False  # for classes, which is refused later
    name = loss_name(loss)
    if name in _WITH_THRESHOLD:
        own = isinstance(loss, load_keras().Loss) or estimator._routed("loss")
        return not own
    return name in _FREE_OF_UNITS


def refuse_scaling(estimator: Any) -> None:
    """Raise when targets should be scaled for a network with several outputs."""
    if estimator.target_scaling not in ("auto", False):
        raise ParameterError(
            f"target_scaling={estimator.target_scaling!r} is for networks with one output, and the "
            "network has several. Scale y before, for instance with a StandardScaler, or leave "
            "target_scaling='auto'."
        )


def place_units(network: Any, target: Any) -> None:
    """Settle whether a new network or the estimator returns to the units of `y`."""
    if target.scaling_ is not None and target.in_network_:
        target.in_network_ = takes_output_units(network)


def enter_units(network: Any, target: Any) -> None:
    """Let a trained network return the units of `y`, where its last layer can do so."""
    if target.scaling_ is not None and target.in_network_:
        enter_output_units(network, target.scaling_.scale, target.scaling_.mean)


@contextlib.contextmanager
def training_units(network: Any, target: Any, keep: bool) -> Iterator[None]:
    """Let a network that was trained before return scaled targets while it is trained again.

    Parameters
    ----------
    network : keras.Model
        To be trained.
    target : ClassTarget or ValueTarget
        Its target.
    keep : bool
        Whether it was trained before.
    """
    scaling = getattr(target, "scaling_", None)
    if not keep or scaling is None or not target.in_network_:
        yield
        return
    leave_output_units(network, scaling.scale, scaling.mean)
    try:
        yield
    except BaseException:
        enter_output_units(network, scaling.scale, scaling.mean)
        raise


def target_scale(target: Any) -> np.ndarray:
    """Return the unit of the loss in units of `y`, one number for each output."""
    scaling = target.scaling_
    return np.ones(target.n_outputs_) if scaling is None else np.asarray(scaling.scale)
