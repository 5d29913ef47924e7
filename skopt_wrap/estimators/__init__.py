"""Keras models as scikit-learn estimators."""

from ._classifier import KerasClassifier
from ._plain import is_plain, plain_kind, wrap_plain, wrap_trained
from ._range_test import LearningRateDisplay, LearningRateTest, find_learning_rate
from ._regressor import KerasRegressor
from ._targets import ClassTarget, ValueTarget
from ._together import FitJob, FitOutcome, fit_together

__all__ = [
    "ClassTarget",
    "FitJob",
    "FitOutcome",
    "KerasClassifier",
    "KerasRegressor",
    "LearningRateDisplay",
    "LearningRateTest",
    "ValueTarget",
    "find_learning_rate",
    "fit_together",
    "is_plain",
    "plain_kind",
    "wrap_plain",
    "wrap_trained",
]
