"""Findings from histories alone, worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from skopt_wrap.diagnostics import FitThresholds, diagnose
from skopt_wrap.diagnostics._history import judge_history, residual_noise
from skopt_wrap.exceptions import DataError, ParameterError

LIMITS = FitThresholds()
EPOCHS = np.arange(30)
FALLING = 0.6 * np.exp(-EPOCHS / 4) + 0.1


def kinds(history, **context):
    return [finding.kind for finding in judge_history(history, LIMITS, **context)]


def test_good_curves_give_nothing():
    assert kinds({"loss": FALLING, "val_loss": FALLING + 0.03}, constant_loss=0.69) == []


def test_overfitting_is_measured_after_the_best_epoch():
    val = np.where(EPOCHS < 10, FALLING, FALLING[9] + 0.02 * (EPOCHS - 9))
    (found,) = judge_history({"loss": FALLING, "val_loss": val}, LIMITS)
    assert found.kind == "overfitting" and found.evidence["best_epoch"] == 10
    expected = (val[-3:].mean() - val[9]) / val[9]
    assert found.evidence["val_rise"] == pytest.approx(expected)
    assert found.thresholds == {"val_rise": 0.1, "loss_gap": 0.25} and found.source
    assert kinds({"loss": FALLING, "val_loss": val}, restored=True) == []


@pytest.mark.parametrize(
    "loss,epoch",
    [([0.5, np.nan, np.nan], 2), ([0.5, 0.4, np.inf], 3), ([0.5] * 3 + [0.1] + [5.0] * 8, None)],
)
def test_divergence(loss, epoch):
    (found,) = judge_history({"loss": loss}, LIMITS)
    assert found.kind == "diverged" and found.evidence.get("epoch") == epoch


def test_stuck_loss_is_underfitting_and_a_plateau_only_against_ignoring_x():
    stuck = np.full(30, 0.69)
    assert kinds({"loss": stuck}, constant_loss=0.69) == ["underfitting", "plateau"]
    assert kinds({"loss": stuck}) == ["plateau"]
    assert kinds({"loss": stuck}, constant_loss=5.0) == []


def test_unfinished_training_and_large_batches():
    line = np.linspace(1, 0.4, 20)
    assert kinds({"loss": line}) == ["unfinished"]
    context = {"n_rows": 300, "batch_size": 128}
    assert kinds({"loss": line}, **context) == ["unfinished", "batch_too_large"]
    assert kinds({"loss": FALLING}, **context) == []


def test_noise_is_measured_around_the_trend():
    rng = np.random.default_rng(0)
    noisy = 0.5 + 0.2 * rng.choice([-1, 1], 30)
    assert kinds({"loss": FALLING, "val_loss": noisy}) == ["noisy_validation"]
    assert "batch_too_small" in kinds({"loss": noisy}, batch_size=1, n_rows=100)
    assert residual_noise(np.linspace(5, 1, 20)) == pytest.approx(0, abs=1e-12)
    wave = 1 + 0.1 * (-1.0) ** np.arange(20)
    assert residual_noise(wave) == pytest.approx(0.105, abs=0.01)


def test_thresholds_are_parameters():
    val = np.where(EPOCHS < 10, FALLING, FALLING[9] + 0.02 * (EPOCHS - 9))
    history = {"loss": FALLING.tolist(), "val_loss": val.tolist()}
    assert diagnose(history).has("overfitting")
    assert not diagnose(history, thresholds=FitThresholds(val_rise=20)).has("overfitting")


def test_few_epochs_give_no_finding_but_divergence():
    assert kinds({"loss": [1.0, 1.0, 1.0]}, constant_loss=0.5) == []
    assert kinds({"loss": [1.0, np.nan]}) == ["diverged"]


def test_keras_history_is_taken():
    assert diagnose(SimpleNamespace(history={"loss": [0.5, np.nan]})).verdict == "diverged"


@pytest.mark.parametrize(
    "call,error,message",
    [
        (lambda: diagnose({"val_loss": [1.0]}), DataError, "needs 'loss'"),
        (lambda: diagnose({"loss": [1.0]}, [[1.0]], [1]), DataError, "judged alone"),
        (lambda: diagnose(3), DataError, "takes an estimator, a history"),
        (lambda: diagnose({"loss": [1.0]}, thresholds=3), ParameterError, "FitThresholds or None"),
        (lambda: FitThresholds(val_rise=-1), ParameterError, "val_rise must be .* got -1"),
        (lambda: FitThresholds(perfect="high"), ParameterError, "perfect must be"),
        (lambda: diagnose({"loss": [1.0]}).remedies(), DataError, "not its history"),
        (lambda: diagnose({"loss": [1.0]}).try_remedies(), DataError, "give X and y"),
        (lambda: diagnose({"loss": [1.0]}).to_dict("x"), ParameterError, "'x' is unknown"),
        (lambda: diagnose({"loss": [1.0]}, train_sizes=(0.5, 0.2)), ParameterError, "must rise"),
        (lambda: diagnose({"loss": [1.0]}, train_sizes=0.5), ParameterError, "must hold numbers"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
