"""Callbacks of this package: learning rates, best weights, copies of weights.

The module is imported late, because it imports Keras.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import keras
import numpy as np

from .._keras import all_layers, reset_states
from ..exceptions import DataError, ParameterError
from ._divergence import is_lost
from ._schedules import schedule_options, schedule_rates


def rate_variable(model: Any) -> Any:
    """Return the variable that holds the learning rate of `model`, or None for a schedule."""
    rate = getattr(model.optimizer, "learning_rate", None)
    return rate if isinstance(rate, keras.Variable) else None


class StepRates(keras.callbacks.Callback):
    """Set the learning rate before every step, as a schedule by name wants it.

    The rate of the optimizer when training begins is the base rate, and what it has again when
    training ends. The optimizer's rate stays a plain variable: a trial of a search with another
    schedule, or with other options, shares the graph of the one before.

    Parameters
    ----------
    name : str
        Name of the schedule.
    options : mapping
        Its options; see :func:`schedule_rates`.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._name, self._options = name, schedule_options(name, options)
        self._epoch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Compute the rates of all steps."""
        variable, n_epochs = rate_variable(self.model), self.params["epochs"]
        self._steps = self.params.get("steps")
        if variable is None:
            raise ParameterError(
                f"learning_rate_schedule={self._name!r} starts from the optimizer's rate, but the "
                "optimizer has a schedule of its own; give one of them."
            )
        if not self._steps:
            raise DataError(
                f"learning_rate_schedule={self._name!r} needs to know the steps of an epoch; give "
                "steps_per_epoch for a dataset of unknown length."
            )
        self._base = float(variable)
        self.rates = schedule_rates(self._name, self._base, self._steps * n_epochs, **self._options)
        if self._name == "reduce_on_plateau":  # after the warm-up another callback sets the rate
            self.rates = self.rates[: round(self._options["warmup"] * len(self.rates))]

    def epoch_rates(self, epoch: int) -> np.ndarray | None:
        """Return the rate of every step of an epoch, or None when it is left as it is."""
        part = self.rates[epoch * self._steps : (epoch + 1) * self._steps]
        if not len(part):
            return None
        return np.concatenate([part, np.full(self._steps - len(part), self._base, np.float32)])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate of the next step, where an epoch is not one graph."""
        step = self._epoch * self._steps + batch
        if step < len(self.rates):
            self.model.optimizer.learning_rate = float(self.rates[step])
        elif step == len(self.rates):
            self.model.optimizer.learning_rate = self._base

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the last rate of the epoch, under Keras' own name for it."""
        if logs is not None:
            logs["learning_rate"] = float(rate_variable(self.model))

    def on_train_end(self, logs: Any = None) -> None:
        """Put the base rate back, from which a further fit starts."""
        self.model.optimizer.learning_rate = self._base


class PlateauRate(keras.callbacks.ReduceLROnPlateau):
    """Reduce the rate on a plateau, not below a share of the rate that training began with."""

    def __init__(self, final: float, **options: Any) -> None:
        super().__init__(**options)
        self._final = final

    def on_train_begin(self, logs: Any = None) -> None:
        """Note the base rate."""
        super().on_train_begin(logs)
        variable = rate_variable(self.model)
        if variable is None:
            raise ParameterError(
                "learning_rate_schedule='reduce_on_plateau' starts from the optimizer's rate, but "
                "the optimizer has a schedule of its own; give one of them."
            )
        self._base = float(variable)
        self.min_lr = self._final * self._base

    def on_train_end(self, logs: Any = None) -> None:
        """Put the base rate back."""
        self.model.optimizer.learning_rate = self._base


def rates_of(callbacks: Any, epoch: int) -> np.ndarray | None:
    """Return the learning rate of every step of an epoch, or None when no schedule sets it."""
    for callback in callbacks:
        if isinstance(callback, StepRates):
            return callback.epoch_rates(epoch)
    return None


def schedule_callbacks(name: str, options: Mapping[str, Any], monitor: str) -> list[Any]:
    """Return the callbacks of a schedule by name.

    Parameters
    ----------
    name : str
        Name of the schedule.
    options : mapping
        Its options.
    monitor : str
        What "reduce_on_plateau" watches.
    """
    used = schedule_options(name, options)
    if name != "reduce_on_plateau":
        return [StepRates(name, used)]
    plateau = PlateauRate(
        used["final"], monitor=monitor, factor=used["decay_rate"], patience=used["patience"]
    )
    return [StepRates(name, used), plateau] if used["warmup"] else [plateau]


class BestWeights(keras.callbacks.EarlyStopping):
    """Remember the best weights without stopping; restore them only after an interrupt."""

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__(monitor=monitor, mode=mode, patience=10**9, restore_best_weights=True)
        self.interrupted = False

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights when training was interrupted."""
        if self.interrupted:
            super().on_train_end(logs)


class BestEpoch(keras.callbacks.EarlyStopping):
    """Restore the weights of the best epoch when training ends.

    Of equal epochs the latest is the best. With a patience it is the one of less validation loss,
    or else the first, so that an accuracy that stays the same ends training.
    """

    best: Any
    # Set where the weights are elsewhere while the network trains: returns a function that returns
    # them as they are now.
    take: Any = None

    def __init__(self, monitor: str, patience: int | None = None) -> None:
        mode = "max" if monitor.endswith("accuracy") else "min"
        super().__init__(monitor=monitor, mode=mode, patience=10**9, restore_best_weights=True)
        self.interrupted = False
        self._patience = patience

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Remember the weights when they are the best so far; end training after the patience."""
        logs = logs or {}
        value, higher = logs.get(self.monitor), self.mode == "max"
        if value is None:
            value, higher = logs.get("val_loss"), False
        if value is None or not np.isfinite(value):
            return
        second = 0.0 if self._patience is None else logs.get("val_loss", 0.0)
        found = (value if higher else -value, -second)
        better = self.best is None or found > self.best
        if better or (found == self.best and self._patience is None):
            self.best, self.best_epoch = found, epoch
            self.best_weights = self.take() if self.take else self.model.get_weights()
        elif self._patience is not None and epoch - self.best_epoch >= self._patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights."""
        if callable(self.best_weights):
            self.best_weights = self.best_weights()
        super().on_train_end(logs)


class Progress(keras.callbacks.Callback):
    """Tell layers and optimizer, before each epoch, which share of the epochs is over."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Tell them."""
        for follower in followers(self.model):
            follower.set_progress(epoch / self.params["epochs"])


def needs_weights(callback: Any) -> bool:
    """Whether a callback looks at the weights of its model after an epoch."""
    return type(callback) not in (StepRates, Progress, BestEpoch)


def followers(model: Any) -> list[Any]:
    """Return the layers of `model`, and its optimizer, that follow the progress of training."""
    parts = [*all_layers(model), getattr(model, "optimizer", None)]
    return [part for part in parts if hasattr(part, "set_progress")]


class StopWhenLost(keras.callbacks.Callback):
    """End training when loss and weights are not finite."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at the loss of the epoch."""
        if is_lost(self.model, logs or {}):
            self.model.stop_training = True


class Snapshots(keras.callbacks.Callback):
    """Keep a copy of the weights as they are after some epochs, counted from one."""

    def __init__(self, epochs: Collection[int]) -> None:
        super().__init__()
        self._epochs = frozenset(epochs)
        self.weights: dict[int, list[np.ndarray]] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Copy the weights."""
        if epoch + 1 in self._epochs:
            self.weights[epoch + 1] = [np.array(value) for value in self.model.get_weights()]


class ResetStates(keras.callbacks.Callback):
    """Begin every epoch with the states of stateful layers at zero."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set them to zero."""
        reset_states(self.model)


class CountSteps(keras.callbacks.Callback):
    """Count the steps of an optimizer on batches whose number Keras does not know.

    Keras notices the end of such batches within a step, which the optimizer has then counted: its
    momenta and its schedule would run ahead of the training.
    """

    def on_train_begin(self, logs: Any = None) -> None:
        """Read what the optimizer has counted before."""
        self._steps = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count a step."""
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the count of the optimizer right."""
        if int(self.model.optimizer.iterations) != self._steps:
            self.model.optimizer.iterations.assign(self._steps)


class LogEpochs(keras.callbacks.Callback):
    """Hand loss and metrics of every epoch to an object that is never copied."""

    def __init__(self, logger: Any, prefix: str) -> None:
        super().__init__()
        self.logger, self.prefix = logger, prefix

    def __deepcopy__(self, memo: dict[int, Any]) -> LogEpochs:
        return LogEpochs(self.logger, self.prefix)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log."""
        values = {f"{self.prefix}{name}": float(value) for name, value in (logs or {}).items()}
        self.logger.log(values, step=epoch)
