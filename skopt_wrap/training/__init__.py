"""The epoch loop: one traced graph per epoch instead of one Python call per step.

:func:`train` runs a compiled Keras model's own ``train_step`` inside one ``tf.function`` over a
whole epoch, reuses the traced graph for the next network of the same architecture, and takes
``model.fit`` for what cannot be fused.
"""

from ._callbacks import (
    best_weights,
    keep_best_epoch,
    progress_callbacks,
    schedule_callbacks,
    snapshots,
)
from ._data import TrainingData
from ._epoch_graph import clear_graphs
from ._epoch_logger import EpochLogger
from ._joint._layer_spec import NotJointlyTrainable
from ._joint._member import JointTrainingError, Training, joint_key
from ._joint._trainer import train_jointly
from ._learning_rate_range import range_losses
from ._result import TrainingResult
from ._schedules import schedule_options, schedule_rates
from ._train import TrainingSettings, train, train_batches

__all__ = [
    "EpochLogger",
    "NotJointlyTrainable",
    "JointTrainingError",
    "Training",
    "TrainingData",
    "TrainingResult",
    "TrainingSettings",
    "best_weights",
    "clear_graphs",
    "keep_best_epoch",
    "progress_callbacks",
    "range_losses",
    "schedule_callbacks",
    "schedule_options",
    "schedule_rates",
    "snapshots",
    "joint_key",
    "train",
    "train_batches",
    "train_jointly",
]

# Names of earlier versions.
NotStackable, StackError = NotJointlyTrainable, JointTrainingError
stack_key, train_stacks, best_keeper = joint_key, train_jointly, best_weights
