"""scikit-learn's checks of the search itself, around estimators that fit in microseconds."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skopt_wrap.tuning import TunedClassifier, TunedRegressor

SMALL = {"tuner": "random", "max_trials": 2, "cv": 2, "random_state": 0}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the checks' own odd data
@parametrize_with_checks(
    [
        TunedClassifier(LogisticRegression(), space={"C": [0.1, 10.0]}, **SMALL),
        TunedRegressor(Ridge(), space={"alpha": [0.1, 1.0]}, **SMALL),
    ]
)
def test_search_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)
