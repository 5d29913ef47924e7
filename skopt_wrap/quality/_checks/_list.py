"""What quality_report looks for, one topic a file."""

from __future__ import annotations

from ._columns import find_cleaning, find_correlated, find_near_constant
from ._finding import DataFinding, Sample
from ._leakage import find_leaks, find_shared_rows
from ._missingness import find_missing
from ._models import find_label_noise, find_need_of_rows
from ._order import find_order
from ._target import find_imbalance, find_repeats

# Each takes a Sample and returns a list of findings.
CHECKS = (
    find_cleaning,
    find_missing,
    find_near_constant,
    find_correlated,
    find_repeats,
    find_shared_rows,
    find_imbalance,
    find_leaks,
    find_order,
    find_label_noise,
    find_need_of_rows,
)

__all__ = ["CHECKS", "DataFinding", "Sample"]
