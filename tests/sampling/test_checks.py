"""scikit-learn's and imbalanced-learn's common checks, in the tabular form."""

from __future__ import annotations

import pytest
from imblearn.utils.estimator_checks import check_param_validation
from imblearn.utils.estimator_checks import estimator_checks_generator as imblearn_checks
from sklearn.utils.estimator_checks import estimator_checks_generator as sklearn_checks

from skopt_wrap.sampling import AugmentingSampler

# imbalanced-learn's checks compare two calls, so they need a seed.
SAMPLER = AugmentingSampler(random_state=0)
CHECKS = [*sklearn_checks(SAMPLER), *imblearn_checks(SAMPLER)]


def _name(check):
    return check.func.__name__ if hasattr(check, "func") else None


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=_name)
def test_sampler_passes_common_check(estimator, check):
    check(estimator)


def test_sampler_common_checks_are_many():
    assert len(CHECKS) > 50


@pytest.mark.parametrize("transforms", ["default", ["smote", "gaussian_noise"], []])
def test_sampler_parameters_are_constrained(transforms):
    sampler = AugmentingSampler("tabular", transforms, random_state=0)
    check_param_validation("AugmentingSampler", sampler)
