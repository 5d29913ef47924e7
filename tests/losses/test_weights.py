"""Weights by the effective number of rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.losses import effective_class_weight

Y = np.repeat(["a", "b", "c"], [500, 40, 3])


def test_effective_weights_follow_the_formula():
    n = np.array([500, 40, 3])
    raw = (1 - 0.99) / (1 - 0.99**n)
    expected = raw * n.sum() / (raw * n).sum()
    found = effective_class_weight(Y, beta=0.99)
    assert list(found) == ["a", "b", "c"]
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-12)


def test_beta_one_is_balanced_and_beta_zero_is_even():
    balanced = compute_class_weight("balanced", classes=np.unique(Y), y=Y)
    np.testing.assert_allclose(list(effective_class_weight(Y, beta=1).values()), balanced)
    np.testing.assert_allclose(list(effective_class_weight(Y, beta=0).values()), 1)
    near = effective_class_weight(Y, beta=1 - 1e-12)
    np.testing.assert_allclose(list(near.values()), balanced, rtol=1e-6)


def test_sample_weight_equals_repetition():
    weights = np.arange(len(Y)) % 3 + 1
    a = effective_class_weight(Y, sample_weight=weights)
    b = effective_class_weight(np.repeat(Y, weights))
    np.testing.assert_allclose(list(a.values()), list(b.values()))


@pytest.mark.parametrize(
    "arguments,error,message",
    [
        ({"y": Y, "beta": 1.5}, ParameterError, r"beta must be a number in \[0, 1\], got 1.5"),
        ({"y": [[0, 1]]}, DataError, "one label a row"),
        ({"y": [0, 1], "sample_weight": [1, 0]}, DataError, "needs a positive weight"),
        ({"y": [0, 1], "sample_weight": [1]}, DataError, r"shape \(2,\), got \(1,\)"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        effective_class_weight(**arguments)
