"""Metrics for classes that are not equally frequent: scorers, intervals, reports and plots.

Beside what ``__all__`` lists there is a constant for each usual metric, such as ``F1`` or
``AVERAGE_PRECISION``: an :class:`ImbalanceAwareScorer` of that metric with default parameters.
"""

from __future__ import annotations

from ._bootstrap import BootstrapInterval, bootstrap_interval
from ._displays._calibration import CalibrationDisplay
from ._displays._precision_recall import PrecisionRecallDisplay
from ._displays._threshold import ThresholdDisplay
from ._metrics._calibration import expected_calibration_error
from ._metrics._costs import expected_cost_score
from ._metrics._custom import make_metric
from ._metrics._metric import Metric
from ._metrics._ranking_scores import (
    lift_at_k_score,
    precision_at_recall_score,
    recall_at_k_score,
    recall_at_precision_score,
)
from ._metrics._registry import CONSTANTS as _CONSTANTS
from ._metrics._registry import list_metrics
from ._reports._imbalance_report import imbalance_report
from ._reports._report import ImbalanceReport
from ._scorer import ImbalanceAwareScorer

__all__ = [
    "BootstrapInterval",
    "CalibrationDisplay",
    "ImbalanceAwareScorer",
    "ImbalanceReport",
    "Metric",
    "PrecisionRecallDisplay",
    "ThresholdDisplay",
    "bootstrap_interval",
    "expected_calibration_error",
    "expected_cost_score",
    "imbalance_report",
    "lift_at_k_score",
    "list_metrics",
    "make_metric",
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
