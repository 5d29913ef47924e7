"""After deployment: drift with a stated chance of a false alarm."""

from __future__ import annotations

from ._monitor import DriftMonitor
from ._report import DriftReport

__all__ = ["DriftMonitor", "DriftReport"]
