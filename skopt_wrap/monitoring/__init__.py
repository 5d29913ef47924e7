"""After deployment: drift with a stated chance of a false alarm, and retraining with a check."""

from __future__ import annotations

from ._display import DriftDisplay
from ._monitor import DriftMonitor
from ._report import DriftReport
from ._retraining._classifier import RetrainingClassifier
from ._retraining._regressor import RetrainingRegressor

__all__ = [
    "DriftDisplay",
    "DriftMonitor",
    "DriftReport",
    "RetrainingClassifier",
    "RetrainingRegressor",
]
