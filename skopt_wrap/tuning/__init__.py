"""Hyperparameter search with cross-validation: tuned classifiers and regressors."""

from ._classifier import TunedClassifier
from ._display import SearchDisplay
from ._importances import parameter_importances
from ._regressor import TunedRegressor
from ._strategies import Genetic, Halving
from ._trial import TrialResult

__all__ = [
    "Genetic",
    "Halving",
    "SearchDisplay",
    "TrialResult",
    "TunedClassifier",
    "TunedRegressor",
    "parameter_importances",
]
