"""Diagnosis of a fit: overfitting, leakage and others, what to change, and what that gains."""

from __future__ import annotations

from ._diagnose import diagnose
from ._diagnosis import FitDiagnosis
from ._display import FitDisplay
from ._findings import Finding, FitThresholds
from ._remedy import Remedy
from ._remedy_results import RemedyResults

__all__ = [
    "Finding",
    "FitDiagnosis",
    "FitDisplay",
    "FitThresholds",
    "Remedy",
    "RemedyResults",
    "diagnose",
]
