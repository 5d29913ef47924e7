"""Hyperparameter search with cross-validation: tuned classifiers and regressors."""

from ._display import SearchDisplay
from ._search import TunedClassifier, TunedRegressor
from ._trial import TrialResult

__all__ = ["SearchDisplay", "TrialResult", "TunedClassifier", "TunedRegressor"]
