"""Keras models as scikit-learn estimators."""

from ._classifier import KerasClassifier
from ._regressor import KerasRegressor
from ._targets import ClassTarget, ValueTarget

__all__ = ["ClassTarget", "KerasClassifier", "KerasRegressor", "ValueTarget"]
