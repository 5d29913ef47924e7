"""Keras models as scikit-learn estimators."""

from ._classifier import KerasClassifier
from ._joint_fit import JointFits, fit_together
from ._learning_rate_finder import LearningRateDisplay, LearningRateTest, find_learning_rate
from ._recipes import resolved_epochs
from ._regressor import KerasRegressor
from ._targets._classes import ClassTarget
from ._targets._values import ValueTarget
from ._together._fit_job import FitJob, FitOutcome
from ._wrap_model import is_plain, plain_kind, wrap_plain, wrap_trained

__all__ = [
    "ClassTarget",
    "FitJob",
    "FitOutcome",
    "JointFits",
    "KerasClassifier",
    "KerasRegressor",
    "LearningRateDisplay",
    "LearningRateTest",
    "ValueTarget",
    "find_learning_rate",
    "fit_together",
    "is_plain",
    "plain_kind",
    "resolved_epochs",
    "wrap_plain",
    "wrap_trained",
]
