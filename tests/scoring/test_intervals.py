"""Intervals with few samples of the rare class, and the page that a report is saved as."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from skopt_wrap.scoring import (
    CalibrationDisplay,
    ImbalanceAwareScorer,
    bootstrap_interval,
    expected_calibration_error,
    imbalance_report,
)


def test_recall_has_the_interval_of_jeffreys():
    y, predicted = np.repeat([0, 1], [90, 10]), np.repeat([0, 1], [92, 8])
    found = bootstrap_interval(y, predicted, "recall", n_resamples=20_000, random_state=0)
    expected = beta.ppf([0.025, 0.975], 8.5, 2.5)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.01)


@pytest.mark.parametrize("metric", ["recall", "precision", "f1", "roc_auc", "average_precision"])
def test_perfect_predictions_of_five_are_not_certain(metric):
    y = np.repeat([0, 1], [95, 5])
    found = bootstrap_interval(y, y, metric, random_state=0)
    assert found.value == found.high == 1.0 and 0.2 < found.low < 0.95
    for name in ("brier_score", "log_loss"):
        sure = np.column_stack([1 - y, y]).astype(float)
        found = bootstrap_interval(y, sure, name, random_state=0)
        assert found.low <= found.value < found.high


@pytest.mark.parametrize(
    "metric",
    ["f1", "precision", "matthews_corrcoef", "roc_auc", "average_precision", "brier_score"],
)
def test_interval_of_ten_positives_covers_the_truth(metric):
    def draw(rng, n0, n1):
        y = np.repeat([0, 1], [n0, n1])
        score = rng.normal(size=n0 + n1) + 1.5 * y
        stated = 1 / (1 + np.exp(-(1.5 * score - 1.125)))
        if metric == "brier_score":
            return y, np.column_stack([1 - stated, stated])
        ranked = metric in ("roc_auc", "average_precision")
        return y, score if ranked else (score > 1).astype(int)

    scorer = ImbalanceAwareScorer(metric, pos_label=1)
    truth = bootstrap_interval(
        *draw(np.random.default_rng(1), 190_000, 10_000), scorer, n_resamples=1, random_state=0
    ).value
    covered = 0
    for i in range(150):
        found = bootstrap_interval(
            *draw(np.random.default_rng(100 + i), 190, 10), scorer, n_resamples=200, random_state=i
        )
        covered += found.low <= truth <= found.high
    assert 0.89 <= covered / 150 <= 0.995  # 0.95, and three standard errors


def test_few_samples_are_noted_beside_the_number():
    y = np.repeat([0, 1], [40, 3])
    X = np.random.default_rng(0).normal(size=(43, 2)) + y[:, None]
    report = imbalance_report(LogisticRegression().fit(X, y), X, y, n_resamples=50)
    assert "fewer than 5 samples" in report.metrics["f1"]["note"]
    assert " *" in str(report) and "Do not rely on the interval of" in str(report)


def test_calibration_error_takes_labels_of_any_kind():
    stated = [[0.9, 0.1], [0.1, 0.9]]
    for labels in (["a", "b"], [0, 1], [1, 2], [False, True]):
        assert expected_calibration_error(labels, stated) == pytest.approx(0.1)
    assert expected_calibration_error(["b"], [[0.1, 0.9]], labels=["a", "b"]) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="give labels="):
        expected_calibration_error(["b", "b"], stated)


@pytest.mark.parametrize("data", ["rare", "three"])
def test_report_and_display_have_the_same_bins(data, request):
    pytest.importorskip("matplotlib").use("Agg")
    X, y = request.getfixturevalue(data)
    model = request.getfixturevalue(f"{data}_model")
    table = imbalance_report(model, X, y, n_resamples=0).calibration
    display = CalibrationDisplay.from_estimator(model, X, y)
    np.testing.assert_allclose(table["predicted"], display.prob_pred)
    np.testing.assert_allclose(table["observed"], display.prob_true)


def test_report_is_saved_as_one_page(rare, tmp_path):
    pytest.importorskip("matplotlib")
    X, y = rare
    scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.5", pos_label="fraud")
    tuned = scorer.tune(LogisticRegression(), cv=3).fit(X[:300], y[:300])
    report = imbalance_report(tuned, X[300:], y[300:], costs=[[0, 10], [1, 0]], n_resamples=50)
    page = report.save(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page and 'src="' not in page and "<script" not in page
    assert "precision&gt;=0.5" in page and f"at least {tuned.best_threshold_:.3g}" in page
    assert "Of 1,000 cases like these" in page and "Costs of 1,000 cases" in page
    cost = 1000 * report.metrics["expected_cost"]["value"]
    assert f"<td>{cost:,.0f}</td>" in page


def test_report_of_several_classes_is_saved(three, three_model, tmp_path):
    pytest.importorskip("matplotlib")
    path = imbalance_report(three_model, *three, n_resamples=20).save(tmp_path / "page.html")
    assert "into the right class" in path.read_text(encoding="utf-8")
