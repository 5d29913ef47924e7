"""The epoch loop: one traced graph per epoch instead of one Python call per step.

:func:`train` runs a compiled Keras model's own ``train_step`` inside one ``tf.function`` over a
whole epoch, reuses the traced graph for the next network of the same architecture, and takes
``model.fit`` for what cannot be fused.
"""

from ._callbacks import best_keeper, schedule_callbacks, snapshots
from ._data import TrainingData
from ._graph import clear_graphs
from ._range import range_losses
from ._schedules import schedule_options, schedule_rates
from ._stack import train_stacks
from ._stack_described import NotStackable
from ._stack_member import StackError, Training, stack_key
from ._train import TrainingResult, train, train_batches

__all__ = [
    "NotStackable",
    "StackError",
    "Training",
    "TrainingData",
    "TrainingResult",
    "best_keeper",
    "clear_graphs",
    "range_losses",
    "schedule_callbacks",
    "schedule_options",
    "schedule_rates",
    "snapshots",
    "stack_key",
    "train",
    "train_batches",
    "train_stacks",
]
