"""Hyperparameter search with cross-validation: tuned classifiers and regressors."""

from ._classifier import TunedClassifier
from ._display import SearchDisplay
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
]
