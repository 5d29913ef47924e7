"""Sample weights and class weights."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

EXACT = {"dtype": "float64", "batch_size": -1, "epochs": 10, "random_state": 0}


def test_weight_of_two_equals_a_repeated_row(line):
    X, y = line
    weights = np.arange(len(y)) % 3
    weighted = KerasRegressor(**EXACT).fit(X, y, sample_weight=weights)
    repeated = KerasRegressor(**EXACT).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7)


def test_balanced_class_weight_equals_its_sample_weights(blobs):
    X, y = blobs
    rows = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:5], np.flatnonzero(y == 2)[:10]]
    X, y = X[rows], y[rows]
    counts = np.bincount(y)
    by_hand = (len(y) / (3 * counts))[y]
    # Sample weights count in the statistics of a table too; class weights do not.
    plain = {**EXACT, "model__normalize": False}
    balanced = KerasClassifier(class_weight="balanced", **plain).fit(X, y)
    given = KerasClassifier(**plain).fit(X, y, sample_weight=by_hand)
    np.testing.assert_allclose(balanced.predict_proba(X), given.predict_proba(X), rtol=1e-7)


def test_class_weight_and_sample_weight_multiply(blobs):
    X, y = blobs
    weights = 1.0 + (np.arange(len(y)) % 2)
    plain = {**EXACT, "model__normalize": False}
    both = KerasClassifier(class_weight={0: 3.0}, **plain).fit(X, y, sample_weight=weights)
    product = KerasClassifier(**plain).fit(X, y, sample_weight=weights * np.where(y == 0, 3, 1))
    np.testing.assert_allclose(both.predict_proba(X), product.predict_proba(X), rtol=1e-7)


def test_weights_do_not_outlive_the_fit_that_got_them(blobs):
    X, y = blobs
    plain = KerasClassifier(**EXACT).fit(X, y).predict_proba(X)
    classifier = KerasClassifier(**EXACT).fit(X, y, sample_weight=np.linspace(0.1, 5, len(y)))
    np.testing.assert_array_equal(classifier.fit(X, y).predict_proba(X), plain)


@pytest.mark.parametrize(
    "weights,message",
    [
        (lambda n: np.zeros(n), "at least one non-zero"),
        (lambda n: -np.ones(n), "Negative values"),
        (lambda n: np.ones(n - 1), "sample_weight.shape"),
    ],
)
def test_unusable_weights_are_refused(blobs, weights, message):
    X, y = blobs
    with pytest.raises(ValueError, match=message):
        KerasClassifier(epochs=1).fit(X, y, sample_weight=weights(len(y)))


def test_class_weight_for_an_unknown_class_is_refused(blobs):
    X, y = blobs
    with pytest.raises(DataError, match="class_weight names"):
        KerasClassifier(class_weight={7: 2.0}, epochs=1).fit(X, y)
