from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression


@pytest.fixture(scope="module")
def rare():
    """Binary data, one row in ten positive, with text labels that sort the other way round."""
    X, y = make_classification(600, n_informative=5, weights=[0.9], random_state=0)
    return X, np.where(y == 1, "fraud", "ok")


@pytest.fixture(scope="module")
def rare_model(rare):
    X, y = rare
    return LogisticRegression().fit(X[:300], y[:300])


@pytest.fixture(scope="module")
def three():
    X, y = make_classification(
        450, n_informative=5, n_classes=3, weights=[0.7, 0.2], flip_y=0.05, random_state=1
    )
    return X, y


@pytest.fixture(scope="module")
def three_model(three):
    X, y = three
    return LogisticRegression(max_iter=500).fit(X[:250], y[:250])


class Fixed:
    """A predictor that returns given arrays, whatever the rows."""

    def __init__(self, classes=None, **outputs):
        if classes is not None:
            self.classes_ = np.asarray(classes)
        for method, value in outputs.items():
            setattr(self, method, lambda X, value=value: value)


@pytest.fixture(scope="session")
def fixed():
    return Fixed
