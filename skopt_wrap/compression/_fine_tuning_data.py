"""Rows and settings for fine-tuning, for Keras 3 and for Keras 2."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import ConversionError

# A note for the report.
ON_OWN_OUTPUTS = "fine-tuned on the trained network's own outputs (no loss to carry over)"


@dataclass(frozen=True)
class FineTuningData:
    """Rows and settings for fine-tuning, the same for every stage of one chain.

    Attributes
    ----------
    x : ndarray of shape (n_rows, ...)
        Rows as the network takes them.
    y : ndarray of shape (n_rows, ...) or None
        Targets as the loss takes them; None tunes on the trained network's own outputs.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    loss : object
        Loss of the trained network.
    epochs, batch_size : int
        Length of the fine-tuning of one stage.
    x_unlabelled : ndarray of shape (n_more, ...) or None
        Rows without targets, for distillation.
    """

    x: np.ndarray
    y: np.ndarray | None
    sample_weight: np.ndarray | None
    loss: Any
    epochs: int
    batch_size: int
    x_unlabelled: np.ndarray | None = None

    @property
    def n_steps(self) -> int:
        """Number of steps of the fine-tuning of one stage."""
        return self.epochs * math.ceil(len(self.x) / self.batch_size)

    def rate(self, schedules: Any, learning_rate: float, hold: float = 0.0) -> Any:
        """Return the schedule of the learning rate of one stage.

        Parameters
        ----------
        schedules : module
            ``optimizers.schedules`` of Keras 2 or 3.
        learning_rate : float
            At the first step.
        hold : float, default=0.0
            Part of the steps, in [0, 1), for which the rate stays; then it falls to zero along a
            cosine. While weights are still being taken away the others have to make up for them.
        """
        held = int(hold * self.n_steps)
        # A warm-up that begins where it ends.
        start = {"warmup_target": learning_rate, "warmup_steps": held} if held else {}
        return schedules.CosineDecay(learning_rate, self.n_steps - held, **start)


def check_finite(model: Any) -> None:
    """Raise unless every weight of `model`, of Keras 2 or 3, is a finite number."""
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise ConversionError("fine-tuning diverged: weights are not finite; lower learning_rate.")
