"""The epoch loop: one traced graph per epoch instead of one Python call per step.

:func:`train` runs a compiled Keras model's own ``train_step`` inside one ``tf.function`` over a
whole epoch, reuses the traced graph for the next network of the same architecture, and takes
``model.fit`` for what cannot be fused.
"""

from ._callbacks import best_keeper, snapshots
from ._data import TrainingData
from ._graph import clear_graphs
from ._train import TrainingResult, train, train_batches

__all__ = [
    "TrainingData",
    "TrainingResult",
    "best_keeper",
    "clear_graphs",
    "snapshots",
    "train",
    "train_batches",
]
