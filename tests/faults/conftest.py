from __future__ import annotations

import cloudpickle
import pytest
from sklearn.datasets import load_iris

from skopt_wrap import TunedClassifier

from . import trials

cloudpickle.register_pickle_by_value(trials)


@pytest.fixture(scope="package")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def search():
    """Return a function that makes a search over ways to misbehave."""

    def make(how, **settings):
        settings = {"cv": 2, "random_state": 0, "refit": False, "max_trials": None, **settings}
        return TunedClassifier(trials.Misbehaves(), tuner="grid", space={"how": how}, **settings)

    return make
