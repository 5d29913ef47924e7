"""Configurations that were good on real tables, the best to try first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# (architecture, "classes" or "numbers") -> at most 20 configurations, as benchmarks/portfolio.py
# prints them. No architecture has one yet.
PORTFOLIOS: Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]] = {}
