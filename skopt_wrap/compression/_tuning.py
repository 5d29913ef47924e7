"""What every stage that trains is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tuning:
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
