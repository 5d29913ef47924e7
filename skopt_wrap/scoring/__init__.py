"""Honest scores: metrics that know the class balance, reports and threshold plots."""

from __future__ import annotations

from skopt_wrap.scoring._bootstrap import BootstrapInterval, bootstrap_interval
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
    "ImbalanceAwareScorer",
    "ImbalanceReport",
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
