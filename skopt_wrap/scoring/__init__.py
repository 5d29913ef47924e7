"""Honest scores: metrics that know the class balance, reports and threshold plots.

Beside what ``__all__`` lists there is a constant for each usual metric, such as ``F1`` or
``AVERAGE_PRECISION``: an :class:`ImbalanceAwareScorer` of that metric with default parameters.
"""

from __future__ import annotations

from ._bootstrap import BootstrapInterval, bootstrap_interval
from ._display import ThresholdDisplay
from ._metrics._constants import CONSTANTS as _CONSTANTS
from ._metrics._curves import CalibrationDisplay, PrecisionRecallDisplay
from ._metrics._functions import (
    expected_calibration_error,
    expected_cost_score,
    lift_at_k_score,
    precision_at_recall_score,
    recall_at_k_score,
    recall_at_precision_score,
)
from ._metrics._registry import list_metrics
from ._reports._report import ImbalanceReport, imbalance_report
from ._scorer import ImbalanceAwareScorer

__all__ = [
    "BootstrapInterval",
    "CalibrationDisplay",
    "ImbalanceAwareScorer",
    "ImbalanceReport",
    "PrecisionRecallDisplay",
    "ThresholdDisplay",
    "bootstrap_interval",
    "expected_calibration_error",
    "expected_cost_score",
    "imbalance_report",
    "lift_at_k_score",
    "list_metrics",
    "precision_at_recall_score",
    "recall_at_k_score",
    "recall_at_precision_score",
]


def __getattr__(name: str) -> ImbalanceAwareScorer:
    if name in _CONSTANTS:
        return ImbalanceAwareScorer(_CONSTANTS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_CONSTANTS})
