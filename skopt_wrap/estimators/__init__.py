"""Keras models as scikit-learn estimators."""

from ._classifier import KerasClassifier
from ._regressor import KerasRegressor
from ._targets import ClassTarget, ValueTarget
from ._together import FitJob, FitOutcome, fit_together

__all__ = [
    "ClassTarget",
    "FitJob",
    "FitOutcome",
    "KerasClassifier",
    "KerasRegressor",
    "ValueTarget",
    "fit_together",
]
