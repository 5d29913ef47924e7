"""Training that diverged: loss or weights that are not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .._keras import all_finite
from ..exceptions import DivergedError


def is_lost(model: Any, logs: Mapping[str, float]) -> bool:
    """Return whether training need not go on: the loss and the weights are not finite.

    A loss alone does not tell: with loss scaling, steps that overflow are left out.
    """
    loss = logs.get("loss")
    return loss is not None and not math.isfinite(loss) and not all_finite(model)


def check_finite(
    model: Any, history: Mapping[str, Sequence[float]], epochs: int, callbacks: Sequence[Any]
) -> None:
    """Raise when training left a network that cannot predict.

    Parameters
    ----------
    model : keras.Model
        Trained.
    history : mapping of str to sequence of float
        Loss and metrics of every epoch.
    epochs : int
        Epochs that were asked for.
    callbacks : sequence of keras.callbacks.Callback
        One of them may have restored weights from before the divergence.

    Raises
    ------
    DivergedError
        When a weight or the last loss is not finite. Names the first epoch whose loss is not
        finite, the learning rate, and what to try.
    """
    losses = [float(value) for value in history.get("loss", ())]
    finite = all_finite(model)
    if finite and (not losses or math.isfinite(losses[-1]) or _restored(callbacks)):
        return
    first = next((n for n, loss in enumerate(losses, 1) if not math.isfinite(loss)), None)
    if first is None:
        where = "the weights are not finite"
    else:
        where = f"the loss became {losses[first - 1]} in epoch {first} of {epochs}"
    rate = plain_rate(model)
    smaller = "" if rate is None else f" (optimizer__learning_rate={rate / 10:.1g})"
    raise DivergedError(
        f"Training diverged: {where}"
        + ("" if rate is None else f", at the learning rate {rate:.4g}")
        + f". Try a smaller learning rate{smaller}, clipped gradients (optimizer__clipnorm=1.0), "
        "or scaled X and y. In a loss or layer of your own, look for a logarithm of zero and a "
        "division by zero."
    )


def plain_rate(model: Any) -> float | None:
    """Return the learning rate of `model` at the moment, or None where it has none."""
    rate = getattr(model.optimizer, "learning_rate", None)
    try:
        return None if rate is None else float(rate)
    except (TypeError, ValueError):
        return None  # a function of the user's that takes no plain number


def _restored(callbacks: Sequence[Any]) -> bool:
    """Return whether a callback gave the best weights back when training ended."""
    return any(
        getattr(callback, "restore_best_weights", False)
        and getattr(callback, "best_weights", None) is not None
        and getattr(callback, "interrupted", True)
        for callback in callbacks
    )
