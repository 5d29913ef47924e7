"""What is wrong with a fit, what to change, and what the change gains."""

from __future__ import annotations

from ._diagnose import diagnose
from ._diagnosis import FitDiagnosis
from ._display import FitDisplay
from ._findings import Finding, FitThresholds
from ._remedies import Remedy
from ._trials import RemedyResults

__all__ = [
    "Finding",
    "FitDiagnosis",
    "FitDisplay",
    "FitThresholds",
    "Remedy",
    "RemedyResults",
    "diagnose",
]
