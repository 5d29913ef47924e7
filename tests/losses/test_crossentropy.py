"""Focal loss and logit adjustment, against numbers worked out with NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from skopt_wrap.exceptions import ModelError, ParameterError
from skopt_wrap.losses import LogitAdjustedCrossentropy, SparseCategoricalFocalCrossentropy

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

LOGITS = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, -0.3], [-1.0, 3.0, 0.0]], "float32")
LABELS = np.array([0, 2, 0])


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("alpha", [1.0, [0.5, 1.0, 2.0]])
def test_focal_equals_its_formula(gamma, alpha):
    p = softmax(LOGITS, axis=1)[np.arange(3), LABELS]
    weight = np.broadcast_to(alpha, 3)[LABELS]
    expected = np.mean(-weight * (1 - p) ** gamma * np.log(p))
    loss = SparseCategoricalFocalCrossentropy(gamma, alpha, from_logits=True)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_focal_equals_keras_on_one_hot_labels():
    ours = SparseCategoricalFocalCrossentropy(alpha=0.25, from_logits=True)(LABELS[:, None], LOGITS)
    theirs = keras.losses.CategoricalFocalCrossentropy(from_logits=True)(np.eye(3)[LABELS], LOGITS)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("from_logits", [True, False])
def test_logit_adjustment_equals_its_formula(tau, from_logits):
    prior = np.array([0.7, 0.25, 0.05])
    expected = -log_softmax(LOGITS + tau * np.log(prior), axis=1)[np.arange(3), LABELS].mean()
    outputs = LOGITS if from_logits else softmax(LOGITS, axis=1)
    loss = LogitAdjustedCrossentropy(prior, tau, from_logits=from_logits)
    assert float(loss(LABELS, outputs)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_logit_adjustment_of_one_unit_equals_that_of_two(from_logits):
    one, y = np.array([[0.3], [-2.0], [1.5]], "float32"), np.array([1, 0, 1])
    two = np.hstack([np.zeros_like(one), one])
    if not from_logits:
        one, two = 1 / (1 + np.exp(-one)), softmax(two, axis=1)
    loss = LogitAdjustedCrossentropy([0.9, 0.1], from_logits=from_logits)
    assert float(loss(y[:, None], one)) == pytest.approx(float(loss(y, two)), rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        SparseCategoricalFocalCrossentropy(1.5, [0.1, 0.2, 0.3], True),
        LogitAdjustedCrossentropy([0.7, 0.2, 0.1], 0.5, True),
    ],
)
def test_losses_survive_keras_serialization(loss):
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(copy) is type(loss) and copy.get_config() == loss.get_config()
    assert float(copy(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))


@pytest.mark.parametrize(
    "make,error,message",
    [
        (lambda: SparseCategoricalFocalCrossentropy(-1), ParameterError, "gamma must be"),
        (lambda: SparseCategoricalFocalCrossentropy(alpha="a"), ParameterError, "alpha must be"),
        (
            lambda: SparseCategoricalFocalCrossentropy(alpha=[1.0, 2.0])(LABELS, LOGITS),
            ParameterError,
            r"one weight a class \(3\), got 2",
        ),
        (
            lambda: SparseCategoricalFocalCrossentropy()(LABELS, LOGITS[:, :1]),
            ModelError,
            "one output unit a class",
        ),
        (lambda: LogitAdjustedCrossentropy([0.5, 0.6]), ParameterError, "sum to 1, got a sum of 1"),
        (lambda: LogitAdjustedCrossentropy([1.0, 0.0]), ParameterError, "positive share"),
        (
            lambda: LogitAdjustedCrossentropy([0.5, 0.5])(LABELS, LOGITS),
            ModelError,
            "3 output units, but prior holds 2",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
