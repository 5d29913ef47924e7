"""Callback classes; imported late, since this imports Keras."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
import numpy as np


class BestKeeper(keras.callbacks.EarlyStopping):
    """Remember the best weights without stopping; restore them only after an interrupt."""

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__(monitor=monitor, mode=mode, patience=10**9, restore_best_weights=True)
        self.interrupted = False

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights when training was interrupted."""
        if self.interrupted:
            super().on_train_end(logs)


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
