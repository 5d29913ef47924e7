"""After deployment: drift with a stated chance of a false alarm."""

from __future__ import annotations

from ._display import DriftDisplay
from ._monitor import DriftMonitor
from ._report import DriftReport

__all__ = ["DriftDisplay", "DriftMonitor", "DriftReport"]
