"""Configurations that were good on real tables, the best to try first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _dense(units: int, n_layers: int, dropout: float, rate: float) -> dict[str, Any]:
    return {
        "model__units": units,
        "model__n_layers": n_layers,
        "model__dropout": dropout,
        "optimizer__learning_rate": rate,
    }


# As benchmarks/portfolio.py prints them. For numbers its choice was worse than configurations at
# random on tables that did not choose, so there is none.
_DENSE_CLASSES = (
    _dense(64, 1, 0.2, 0.007),
    _dense(128, 3, 0.2, 0.004),
    _dense(256, 1, 0.1, 0.001),
    _dense(256, 1, 0.0, 0.002),
    _dense(32, 2, 0.3, 0.003),
    _dense(256, 2, 0.2, 0.0004),
    _dense(64, 1, 0.0, 0.005),
)

# (architecture, "classes" or "numbers") -> at most 20 configurations.
PORTFOLIOS: Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]] = {
    ("dense", "classes"): _DENSE_CLASSES
}
