"""Keras callbacks: which of them need every step, and makers of those of this package."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._keras import load_keras

_STEP_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


def unfusable_callback(callbacks: Sequence[Any]) -> str | None:
    """Name the callback that must be called at every step, or return None.

    An epoch that is one graph call has no moment at which such a hook could run.
    """
    from ._callback_classes import StepRates

    keras = load_keras()
    for callback in callbacks:
        if isinstance(callback, StepRates):  # the graph takes the rates of all steps
            continue
        if isinstance(callback, keras.callbacks.ModelCheckpoint) and callback.save_freq == "epoch":
            continue
        # A LambdaCallback keeps its functions on the object.
        hooks = [
            h
            for h in _STEP_HOOKS
            if h in vars(callback)
            or getattr(type(callback), h, None) is not getattr(keras.callbacks.Callback, h)
        ]
        if hooks:
            return f"{type(callback).__name__} is called at every step ({hooks[0]})"
    return None


def keep_best(callbacks: Sequence[Any]) -> bool:
    """Tell the callbacks that hold the best weights to restore them; say whether one does."""
    keras = load_keras()
    found = False
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping) and (
            callback.restore_best_weights and callback.best_weights is not None
        ):
            callback.interrupted = True
            found = True
    return found


def schedule_callbacks(name: str, options: Mapping[str, Any], monitor: str) -> list[Any]:
    """Return the callbacks that set the learning rate by a schedule.

    Parameters
    ----------
    name : str
        Name of the schedule; see :func:`schedule_rates`.
    options : mapping
        Its options.
    monitor : str
        Name of the value that "reduce_on_plateau" watches.

    Returns
    -------
    callbacks : list of keras.callbacks.Callback
        One or two; training stays fused with them.
    """
    from . import _callback_classes

    return _callback_classes.schedule_callbacks(name, options, monitor)


def best_weights(monitor: str, mode: str = "auto") -> Any:
    """Return a callback that remembers the best weights and restores them after an interrupt.

    Parameters
    ----------
    monitor : str
        Name of the value to watch, such as ``"val_loss"``.
    mode : {"auto", "min", "max"}, default="auto"
        Whether lower or higher is better.

    Returns
    -------
    callback : keras.callbacks.Callback
        Does nothing when training ends by itself.
    """
    from ._callback_classes import BestWeights

    return BestWeights(monitor, mode)


def keep_best_epoch(monitor: str, patience: int | None = None) -> Any:
    """Return a callback that restores the weights of the best epoch when training ends.

    Parameters
    ----------
    monitor : str
        Name of the value to watch: an accuracy, whose highest value is best, or a loss. Where it
        is not recorded, the validation loss is watched. Of equal epochs the latest is best.
    patience : int, default=None
        End training after so many epochs without a better one. Then, of epochs of equal accuracy,
        the one of less validation loss is better, or else the first. None never ends training.

    Returns
    -------
    callback : keras.callbacks.Callback
        It restores the weights when training ends, or is interrupted.

    Examples
    --------
    >>> from skopt_wrap.training import keep_best_epoch
    >>> keep_best_epoch("val_accuracy").monitor
    'val_accuracy'
    """
    from ._callback_classes import BestEpoch

    return BestEpoch(monitor, patience)


def progress_callbacks(model: Any) -> list[Any]:
    """Return the callback that tells layers and optimizer how far training has come.

    Parameters
    ----------
    model : keras.Model
        Its layers and its optimizer are told where they have a method ``set_progress(share)``,
        before every epoch: the share of the epochs that are over.

    Returns
    -------
    callbacks : list of keras.callbacks.Callback
        One, or none when nothing of `model` needs to know.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap.training import progress_callbacks
    >>> progress_callbacks(keras.Sequential([keras.layers.Dense(1)]))
    []
    """
    from ._callback_classes import Progress, followers

    return [Progress()] if followers(model) else []


def snapshots(epochs: Collection[int]) -> Any:
    """Return a callback that copies the weights after `epochs`, counted from one.

    Parameters
    ----------
    epochs : collection of int
        Epochs after which the weights are copied.

    Returns
    -------
    callback : keras.callbacks.Callback
        ``callback.weights`` maps an epoch to what ``get_weights`` returned after it.

    Examples
    --------
    >>> from skopt_wrap.training import snapshots
    >>> snapshots([2, 4]).weights
    {}
    """
    from ._callback_classes import Snapshots

    return Snapshots(epochs)


def progress_bar(epochs: int, verbose: int) -> Any:
    """Return a bar over the epochs; without `verbose` it shows nothing."""
    from tqdm.auto import tqdm

    return tqdm(total=epochs, desc="fit", unit="epoch", disable=not verbose, leave=verbose > 1)
