"""Callbacks of one fit: the user's (copied), early stopping, a learning-rate schedule."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Mapping
from typing import Any

from .._keras import load_keras
from ..exceptions import ParameterError
from ..training import (
    EpochLogger,
    best_weights,
    keep_best_epoch,
    schedule_callbacks,
    schedule_options,
)
from ._routed_objects import make_parts

DEFAULT_PATIENCE = 10


def needs_validation(early_stopping: Any) -> bool:
    """Whether early stopping watches a value that exists with validation data only."""
    if isinstance(early_stopping, str):  # "auto": the recipe of the architecture decides
        return False
    if isinstance(early_stopping, (bool, numbers.Integral)):
        return bool(early_stopping)
    return early_stopping is not None and early_stopping.monitor.startswith("val_")


def constant_rate(schedule: Any) -> Any:
    """Return what the optimizer takes as its learning rate, or None for a schedule by epoch.

    Parameters
    ----------
    schedule : float, keras.optimizers.schedules.LearningRateSchedule, callable or None
        The estimator's `learning_rate_schedule`.
    """
    if isinstance(schedule, str):
        return None
    if schedule is None or isinstance(schedule, numbers.Real):
        return None if schedule is None else float(schedule)
    if isinstance(schedule, load_keras().optimizers.schedules.LearningRateSchedule):
        return type(schedule).from_config(schedule.get_config())
    return None


def check_schedule(schedule: Any, options: Mapping[str, Any]) -> None:
    """Raise unless a schedule by name is known and takes its options."""
    if isinstance(schedule, str):
        schedule_options(schedule, options)
    elif options and schedule is not None:
        raise ParameterError(
            f"learning_rate_schedule__{next(iter(options))} is for schedules by name; got "
            f"learning_rate_schedule={schedule!r}."
        )


def _for_keras(callbacks: Any) -> Any:
    """Return callbacks with those of Keras in the place of loggers."""
    if isinstance(callbacks, EpochLogger):
        return callbacks.as_callback()
    if isinstance(callbacks, Mapping):
        return {key: _for_keras(item) for key, item in callbacks.items()}
    if isinstance(callbacks, (list, tuple)):
        return [_for_keras(item) for item in callbacks]
    return callbacks


def make_callbacks(
    callbacks: Any,
    options: Mapping[str, Any],
    *,
    early_stopping: Any,
    best_epoch: str | None = None,
    patience: int | None = None,
    schedule: Any,
    options_of_schedule: Mapping[str, Any],
    validated: bool,
) -> tuple[list[Any], bool]:
    """Return fresh callbacks, and whether some of them are the user's.

    Parameters
    ----------
    callbacks : None, callback, class, or list or dict of them
        As the user gave them; objects are copied, so that fits in parallel share none.
    options : mapping
        ``callbacks__*``: an argument of every class given (``patience``), or of one of them by
        its position or key (``0__patience``).
    early_stopping : "auto", bool, int or keras.callbacks.EarlyStopping
        As the user gave it; True means a patience of 10 epochs.
    best_epoch : str, default=None
        Name of the value whose best epoch is kept where early stopping is "auto".
    patience : int, default=None
        Epochs without a better one after which that ends training; None trains for all epochs.
    schedule : object
        `learning_rate_schedule`; a plain callable is called as ``f(epoch, learning_rate)``.
    options_of_schedule : mapping
        ``learning_rate_schedule__*``, for a schedule by name.
    validated : bool
        Whether there are validation data to watch.
    """
    keras = load_keras()
    made = make_parts("callbacks", _for_keras(callbacks), options, keras.callbacks.Callback)
    yours = any(not type(c).__module__.startswith(("keras.", "skopt_wrap.")) for c in made)
    monitor = "val_loss" if validated else "loss"
    if isinstance(early_stopping, keras.callbacks.EarlyStopping):
        made.append(copy.deepcopy(early_stopping))
    elif isinstance(early_stopping, str):  # "auto"
        if best_epoch is not None:
            made.append(keep_best_epoch(best_epoch, patience))
    elif early_stopping is not False:
        patience = DEFAULT_PATIENCE if early_stopping is True else int(early_stopping)
        made.append(
            keras.callbacks.EarlyStopping(monitor, patience=patience, restore_best_weights=True)
        )
    for callback in list(made):
        # Someone who asked for the best weights gets them after an interrupt as well.
        stops = isinstance(callback, keras.callbacks.EarlyStopping)
        if isinstance(callback, keras.callbacks.ModelCheckpoint) or (
            stops and not callback.restore_best_weights
        ):
            made.append(best_weights(callback.monitor, getattr(callback, "mode", "auto")))
    if isinstance(schedule, str):
        made += schedule_callbacks(schedule, options_of_schedule, monitor)
    elif callable(schedule) and constant_rate(schedule) is None:
        made.append(keras.callbacks.LearningRateScheduler(schedule))
    return made, yours
