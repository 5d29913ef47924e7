"""Honest scores: metrics that know the class balance, reports and threshold plots.

Beside what ``__all__`` lists there is a constant for each usual metric, such as ``F1`` or
``AVERAGE_PRECISION``: an :class:`ImbalanceAwareScorer` of that metric with default parameters.
"""

from __future__ import annotations

from skopt_wrap.scoring._bootstrap import BootstrapInterval, bootstrap_interval
from skopt_wrap.scoring._constants import CONSTANTS as _CONSTANTS
from skopt_wrap.scoring._curves import CalibrationDisplay, PrecisionRecallDisplay
from skopt_wrap.scoring._display import ThresholdDisplay
from skopt_wrap.scoring._functions import (
    expected_calibration_error,
    expected_cost_score,
    lift_at_k_score,
    precision_at_recall_score,
    recall_at_k_score,
    recall_at_precision_score,
)
from skopt_wrap.scoring._registry import list_metrics
from skopt_wrap.scoring._report import ImbalanceReport, imbalance_report
from skopt_wrap.scoring._scorer import ImbalanceAwareScorer

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
