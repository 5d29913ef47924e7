"""Parameters of AugmentingSampler are constrained, whatever the transforms.

The other common checks of scikit-learn and imbalanced-learn run in ``tests/test_common.py``.
"""

from __future__ import annotations

import pytest
from imblearn.utils.estimator_checks import check_param_validation

from skopt_wrap.sampling import AugmentingSampler


@pytest.mark.parametrize("transforms", ["default", ["smote", "gaussian_noise"], []])
def test_sampler_parameters_are_constrained(transforms):
    sampler = AugmentingSampler("tabular", transforms, random_state=0)
    check_param_validation("AugmentingSampler", sampler)
