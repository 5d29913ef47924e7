from __future__ import annotations

import signal

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import load_iris


class Centroid(ClassifierMixin, BaseEstimator):
    """A classifier that fits in microseconds: nearest centroid, distances raised to `power`.

    `fail` raises, `shift` spoils the predictions so that scores depend on the parameters.
    """

    def __init__(self, power=2.0, shift=0.0, fail=None, epochs=9, random_state=None):
        self.power = power
        self.shift = shift
        self.fail = fail
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        if self.fail is not None:
            raise self.fail
        self.n_features_in_ = np.shape(X)[1]
        self.classes_ = np.unique(y)
        self.n_rows_ = len(y)
        self.sample_weight_ = sample_weight
        self.centroids_ = np.array([np.mean(X[y == c], axis=0) for c in self.classes_])
        return self

    def decision_function(self, X):
        distance = np.abs(X[:, None] - self.centroids_ - self.shift) ** self.power
        return -distance.sum(axis=2)

    def predict_proba(self, X):
        weight = np.exp(self.decision_function(X))
        return weight / weight.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.decision_function(X).argmax(axis=1)]


class Explosive(BaseEstimator, TransformerMixin):
    """A transformer that calls `action` when it is fitted for the `when`-th time."""

    count = 0

    def __init__(self, action=None, when=0, tag=0):
        self.action = action
        self.when = when
        self.tag = tag

    def fit(self, X, y=None):
        Explosive.count += 1
        if Explosive.count == self.when:
            self.action()
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


@pytest.fixture(autouse=True)
def _python_hears_ctrl_c():
    """Handle SIGINT as Python does by itself; a job in the background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def explosive():
    Explosive.count = 0
    return Explosive


@pytest.fixture
def iris():
    X, y = load_iris(return_X_y=True)
    rng = np.random.RandomState(0)
    rows = np.concatenate([np.flatnonzero(y == c)[:20] for c in range(3)])
    return X[rows] + rng.normal(0, 0.5, (60, 4)), np.array(["a", "b", "c"])[y[rows]]


@pytest.fixture
def centroid():
    return Centroid()
