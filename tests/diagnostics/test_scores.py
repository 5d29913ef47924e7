"""Findings from scores and remedies of parameters, without training."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skopt_wrap import KerasClassifier
from skopt_wrap.diagnostics import Finding, FitThresholds, diagnose
from skopt_wrap.diagnostics._experiment import make_scorer, make_splits, score_folds
from skopt_wrap.diagnostics._remedies import list_remedies
from skopt_wrap.diagnostics._remedy_results import gain_interval
from skopt_wrap.diagnostics._scores import judge_scores
from skopt_wrap.exceptions import DataError, ParameterError

LIMITS = FitThresholds()
DUMMY = np.array([0.5, 0.5, 0.5])


def judge(train, validation, **baselines):
    arrays = {name: np.array(values) for name, values in baselines.items()}
    found = judge_scores(np.array(train), np.array(validation), {"dummy": DUMMY} | arrays, LIMITS)
    return {finding.kind: finding for finding in found}


def test_gap_counts_in_units_of_what_was_learned():
    found = judge([0.9, 0.92, 0.94], [0.6, 0.62, 0.64])["overfitting"]
    assert found.evidence["skill_gap"] == pytest.approx(0.3 / 0.42)
    assert judge([0.9, 0.92, 0.94], [0.86, 0.88, 0.9]) == {}
    assert judge([0.9, 0.92, 0.94], [0.99, 0.5, 0.5]) == {}, "within the noise of the folds"


def test_underfitting_needs_a_baseline_that_does_better():
    assert set(judge([0.6] * 3, [0.55] * 3, trees=[0.9] * 3)) == {"underfitting", "baseline_wins"}
    assert judge([0.5] * 3, [0.5] * 3, trees=[0.51] * 3) == {}
    assert set(judge([0.95] * 3, [0.85] * 3, linear=[0.9] * 3)) == {"overfitting", "baseline_wins"}


def test_no_score_means_divergence():
    assert set(judge([np.nan] * 3, [np.nan] * 3)) == {"diverged"}


def test_interval_widens_for_overlapping_folds():
    splits = [(np.arange(8), np.arange(4))] * 4
    gains = np.array([0.1, 0.2, 0.3, 0.2])
    mean, low, high = gain_interval(gains, splits, 0.95)
    half = 3.182 * np.sqrt((1 / 4 + 0.5) * gains.var(ddof=1))
    assert mean == pytest.approx(0.2)
    np.testing.assert_allclose([low, high], [0.2 - half, 0.2 + half], atol=1e-4)


def remedies(estimator, kind, **context):
    return list_remedies(estimator, [Finding(kind, "")], **context)


def test_remedies_are_parameters_of_the_estimator():
    network = KerasClassifier(model__units=(32, 16), model__dropout=0.2)
    changes = {}
    for remedy in remedies(network, "overfitting", augmentable=True):
        remedy.apply(network)
        changes |= remedy.params
    assert changes == {
        "early_stopping": True,
        "model__dropout": 0.4,
        "model__l2": 1e-3,
        "model__units": (8, 4),
        "optimizer__weight_decay": 0.01,
        "model__batch_norm": True,
    }
    assert network.get_params()["model__dropout"] == 0.2
    inside = make_pipeline(StandardScaler(), network)
    first = remedies(inside, "overfitting")[0]
    assert first.params == {"kerasclassifier__early_stopping": True}
    assert first.apply(inside)[-1].early_stopping is True


def test_best_epoch_becomes_a_number_of_epochs():
    history = {"loss": [3, 2, 1], "val_loss": [3, 2, 2.5]}
    names = [r.name for r in remedies(KerasClassifier(epochs=3), "overfitting", history=history)]
    assert "2 epochs" in names


def test_remedies_fit_the_estimator():
    assert remedies(LogisticRegression(), "overfitting") == []
    linear = remedies(KerasClassifier(model__n_layers=0), "underfitting")
    assert linear[0].params == {"model__n_layers": 2}
    scheduled = KerasClassifier(learning_rate_schedule=0.1)
    assert remedies(scheduled, "plateau")[0].params == {"learning_rate_schedule": 1.0}
    scaled = remedies(KerasClassifier(), "diverged", input_scale=100.0)[0]
    assert isinstance(scaled.apply(KerasClassifier())[0], StandardScaler)
    augmented = remedies(KerasClassifier(), "overfitting", augmentable=True)[-1]
    assert [name for name, _ in augmented.apply(KerasClassifier()).steps] == [
        "augmentingsampler",
        "kerasclassifier",
    ]


def test_repeated_changes_stand_once():
    findings = [Finding("overfitting", ""), Finding("too_few_rows", "")]
    names = [r.name for r in list_remedies(KerasClassifier(), findings)]
    assert len(names) == len(set(names)) and names[-1] == "more rows"


@pytest.fixture(scope="module")
def noise():
    rng = np.random.default_rng(0)
    return rng.normal(size=(90, 6)), rng.integers(0, 2, 90)


def test_estimators_without_a_network_are_diagnosed_with_data(noise):
    found = diagnose(DecisionTreeClassifier(random_state=0), *noise, train_sizes=())
    assert found.verdict == "no signal, overfitting" and found.history == {}
    assert found.remedies()[0].name == "augmentation"
    assert [remedy.runnable for remedy in found.remedies()] == [True, False]
    assert list(found.scores) == ["train", "validation", "dummy", "linear", "trees"]
    assert "balanced_accuracy, mean over 3 folds" in str(found) and "<li>" in found._repr_html_()
    again = diagnose(DecisionTreeClassifier(random_state=0), *noise, train_sizes=())
    np.testing.assert_array_equal(found.scores["validation"], again.scores["validation"])


def test_learning_curve_that_still_rises():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(300, 2))
    y = ((X * 4).astype(int).sum(axis=1) % 2).astype(int)
    found = diagnose(KNeighborsClassifier(1), X, y, baselines=False, cv=5)
    assert found.has("too_few_rows")
    assert found.learning_curve["n_rows"].tolist() == [72, 144, 240]
    assert found.to_dict("learning_curve")["validation"][0] < found.scores["validation"].mean()
    assert list(found.scores) == ["train", "validation", "dummy"]


def test_leaked_label_in_a_regression_is_named():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = X[:, 0] + rng.normal(size=400)
    X[:, 3] = 2 * y + 1
    found = diagnose(LinearRegression(), X, y, train_sizes=())
    (leak,) = [f for f in found.findings if f.kind == "leakage"]
    assert leak.evidence["feature"] == 3
    assert found.remedies()[0].name == "look where feature 3 comes from"


def test_scores_need_data_that_can_be_split(noise):
    with pytest.raises(DataError, match="keeps no training history"):
        diagnose(LogisticRegression())
    with pytest.raises(DataError, match="cannot split these 90 rows"):
        diagnose(LogisticRegression(), *noise, cv=80)
    with pytest.raises(DataError, match="one of them is missing"):
        diagnose(LogisticRegression(), noise[0])
    tree = diagnose(DecisionTreeClassifier(), *noise, train_sizes=(), baselines=False)
    with pytest.raises(ParameterError, match="confidence_level"):
        tree.try_remedies(confidence_level=2)


@pytest.mark.keras
def test_folds_scored_together_are_those_of_fits_one_by_one(blobs):
    X, y = blobs
    net = KerasClassifier(epochs=3, random_state=0)
    splits = make_splits(net, X, y, 3, 0)
    scorer = make_scorer(net, y, None)
    found = score_folds(net, X, y, splits, scorer, watch=True)
    for i, (rows, held) in enumerate(splits):
        alone = clone(net).fit(X[rows], y[rows], X_val=X[held], y_val=y[held])
        assert found.train[i] == pytest.approx(scorer(alone, X[rows], y[rows]), abs=1e-5)
        assert found.validation[i] == pytest.approx(scorer(alone, X[held], y[held]), abs=1e-5)
        for name, values in alone.history_.items():
            np.testing.assert_allclose(found.histories[i][name], values, rtol=1e-4)
