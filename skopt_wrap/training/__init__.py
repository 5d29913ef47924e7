"""The epoch loop: one traced graph per epoch instead of one Python call per step.

:func:`train` runs a compiled Keras model's own ``train_step`` inside one ``tf.function`` over a
whole epoch, reuses the traced graph for the next network of the same architecture, and takes
``model.fit`` for what cannot be fused.
"""

from ._callbacks import best_keeper, schedule_callbacks, snapshots
from ._data import TrainingData
from ._epoch_graph import clear_graphs
from ._learning_rate_range import range_losses
from ._schedules import schedule_options, schedule_rates
from ._stacked._layer_spec import NotStackable
from ._stacked._member import StackError, Training, stack_key
from ._stacked._trainer import train_stacks
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
