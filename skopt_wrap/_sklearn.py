"""The private names of scikit-learn that this package uses, each behind a public name.

scikit-learn may change private names in any release and without notice. They are imported here and
nowhere else, so that such a change has to be met in one file only.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.metadata_routing import _raise_for_params as raise_for_params
from sklearn.utils.metaestimators import _safe_split as safe_split
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "check_matplotlib_support",
    "check_method_params",
    "check_sample_weight",
    "fit_context",
    "num_samples",
    "raise_for_params",
    "safe_indexing",
    "safe_split",
    "tuned_positive_label",
    "validate_parameter_constraints",
]


def tuned_positive_label(estimator: Any) -> Any:
    """Return the class whose probability a fitted TunedThresholdClassifierCV compares.

    None stands for the greater of the two classes.
    """
    return estimator._curve_scorer._get_pos_label()
