"""A ``PyDataset`` that encodes the targets of another one.

The module is imported late, because it imports Keras.
"""

from __future__ import annotations

from typing import Any

import keras

from ._inputs._batches import cast_batch


class EncodedSequence(keras.utils.PyDataset):
    """Batches of another sequence, with labels and weights as the loss takes them."""

    def __init__(self, source: Any, encode: Any, dtype: str) -> None:
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self._source, self._encode, self._dtype = source, encode, dtype

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        x, y, *weights = self._source[index]
        x = cast_batch(x, self._dtype)
        n_samples = len(next(iter(x.values())) if isinstance(x, dict) else x)
        return (x, *self._encode(n_samples, y, weights[0] if weights else None))

    def on_epoch_begin(self) -> None:
        """Tell the source."""
        self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the source."""
        self._source.on_epoch_end()
