"""A callback class; imported late, since it imports Keras."""

from __future__ import annotations

from typing import Any

import keras


class BestKeeper(keras.callbacks.EarlyStopping):
    """Remember the best weights without stopping; restore them only after an interrupt."""

    def __init__(self, monitor: str, mode: str) -> None:
        super().__init__(monitor=monitor, mode=mode, patience=10**9, restore_best_weights=True)
        self.interrupted = False

    def on_train_end(self, logs: Any = None) -> None:
        """Restore the best weights when training was interrupted."""
        if self.interrupted:
            super().on_train_end(logs)
