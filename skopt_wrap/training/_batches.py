"""Batches for ``model.fit`` in the order of the fused loop.

The module is imported late, because it imports Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from .._keras import load_tensorflow
from ._data import TrainingData, map_arrays


class BatchSequence(keras.utils.PyDataset):
    """Batches of `data` in one order of its rows."""

    def __init__(self, data: TrainingData, batch_size: int) -> None:
        super().__init__()
        self._data, self._batch_size = data, batch_size
        self.batch_size = batch_size
        self.order = np.arange(len(data))

    def arrays(self) -> tuple[Any, Any, Any]:
        """Return all rows, targets and weights, in the order of the data."""
        return self._data.take(np.arange(len(self._data)))

    def __len__(self) -> int:
        return -(-len(self.order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        start = index * self._batch_size
        x, y, weights = self._data.take(self.order[start : start + self._batch_size])
        # Keras takes a list for one array.
        y = tuple(y) if isinstance(y, list) else y
        return map_arrays(_text_as_tensor, x), y, weights


def _text_as_tensor(array: Any) -> Any:
    """Return text as a tensor: Keras takes no arrays of Python objects."""
    return load_tensorflow().constant(array) if array.dtype == object else array


class NewOrder(keras.callbacks.Callback):
    """Give a sequence the next order of rows when an epoch begins.

    ``PyDataset.on_epoch_end`` would not do: Keras also calls it for the batches that it draws to
    learn their shapes.
    """

    def __init__(self, sequence: BatchSequence, orders: Iterator[np.ndarray]) -> None:
        super().__init__()
        self._sequence, self._orders = sequence, orders

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Take the next order."""
        self._sequence.order = next(self._orders)
