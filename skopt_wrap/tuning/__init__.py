"""Hyperparameter search with cross-validation: tuned classifiers and regressors."""

from ._classifier import TunedClassifier
from ._display import SearchDisplay
from ._importances import parameter_importances
from ._regressor import TunedRegressor
from ._serve import serve_storage
from ._space._conditions import REMOVE, Conditional, PerLayer
from ._space._presets import default_space
from ._strategies._genetic import Genetic
from ._strategies._halving import Halving, Screen
from ._strategies._protocol import Strategy
from ._trial import TrialResult

__all__ = [
    "REMOVE",
    "Conditional",
    "Genetic",
    "Halving",
    "PerLayer",
    "Screen",
    "SearchDisplay",
    "Strategy",
    "TrialResult",
    "TunedClassifier",
    "TunedRegressor",
    "parameter_importances",
    "default_space",
    "serve_storage",
]
