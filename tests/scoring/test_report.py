from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.svm import LinearSVC

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.scoring import ImbalanceAwareScorer, bootstrap_interval, imbalance_report


@pytest.fixture(scope="module")
def report(rare, rare_model):
    return imbalance_report(rare_model, rare[0][300:], rare[1][300:], n_resamples=100)


def test_report_counts_and_matrix_match_the_data(rare, rare_model, report):
    X, y = rare[0][300:], rare[1][300:]
    assert report.classes == ["fraud", "ok"] and report.pos_label == "fraud"
    assert report.counts == [(y == "fraud").sum(), (y == "ok").sum()]
    assert report.prevalence[0] == pytest.approx((y == "fraud").mean())
    np.testing.assert_array_equal(report.confusion, confusion_matrix(y, rare_model.predict(X)))
    assert report.per_class["f1"][0] == pytest.approx(
        f1_score(y, rare_model.predict(X), pos_label="fraud")
    )


def test_report_values_equal_the_scorer(rare, rare_model, report):
    X, y = rare[0][300:], rare[1][300:]
    for name, row in report.metrics.items():
        sign = 1 if row["greater_is_better"] else -1
        value = sign * ImbalanceAwareScorer(name)(rare_model, X, y)
        assert row["value"] == pytest.approx(value), name
        assert row["low"] <= row["high"]


@pytest.mark.parametrize("data", ["rare", "three"])
def test_report_majority_baseline_equals_a_dummy_classifier(data, request):
    X, y = request.getfixturevalue(data)
    model = request.getfixturevalue(f"{data}_model")
    report = imbalance_report(model, X, y, n_resamples=0)
    dummy = DummyClassifier(strategy="most_frequent").fit(X, y)
    for name, row in report.metrics.items():
        sign = 1 if row["greater_is_better"] else -1
        expected = sign * ImbalanceAwareScorer(name)(dummy, X, y)
        assert row["majority"] == pytest.approx(expected, abs=1e-9), name


@pytest.mark.parametrize("data", ["rare", "three"])
def test_report_random_baseline_equals_dummies_in_the_long_run(data, request):
    X, y = request.getfixturevalue(data)
    model = request.getfixturevalue(f"{data}_model")
    report = imbalance_report(model, X, y, n_resamples=0)
    prior = DummyClassifier(strategy="prior").fit(X, y)
    many, often = np.repeat(X, 100, axis=0), np.repeat(y, 100)
    drawn = DummyClassifier(strategy="stratified", random_state=0).fit(X, y)
    for name in ("accuracy", "f1", "recall", "cohen_kappa", "geometric_mean"):
        expected = ImbalanceAwareScorer(name)(drawn, many, often)
        assert report.metrics[name]["random"] == pytest.approx(expected, abs=0.02), name
    for name in ("average_precision", "roc_auc", "brier_score", "log_loss", "lift_at_k"):
        row = report.metrics[name]
        sign = 1 if row["greater_is_better"] else -1
        expected = sign * ImbalanceAwareScorer(name)(prior, X, y)
        assert row["random"] == pytest.approx(expected), name


def test_report_interval_equals_bootstrap_interval(rare, rare_model, report):
    X, y = rare[0][300:], rare[1][300:]
    alone = bootstrap_interval(y, rare_model.predict(X), "f1", n_resamples=100, random_state=0)
    row = report.metrics["f1"]
    assert (row["low"], row["high"]) == (alone.low, alone.high)


def test_report_summary_states_the_gap():
    y = np.array(["no"] * 90 + ["yes"] * 10)
    X = np.zeros((100, 1))
    X[[5, 95, 96, 97, 98], 0] = 1

    class Rule:
        classes_ = np.array(["no", "yes"])

        def predict(self, X):
            return self.classes_[X[:, 0].astype(int)]

    report = imbalance_report(Rule(), X, y, n_resamples=10)
    # tp=4, fp=1, fn=6: accuracy 0.93, F1 = 8 / 15
    assert report.summary == (
        "Accuracy 0.930 is 0.030 above always predicting 'no' (0.900). F1 of 'yes' is 0.533, "
        "0.397 lower than accuracy; Cohen's kappa is 0.500."
    )
    assert set(report.skipped) >= {"roc_auc", "log_loss"}
    assert "Left out, since Rule has no predict_proba" in str(report)


def test_report_threshold_and_costs_are_used(rare, rare_model):
    X, y = rare
    report = imbalance_report(
        rare_model, X, y, threshold=0.2, costs=[[0, 8], [1, 0]], n_resamples=0
    )
    scorer = ImbalanceAwareScorer("f1", threshold=0.2)
    assert report.metrics["f1"]["value"] == pytest.approx(scorer(rare_model, X, y))
    assert report.metrics["expected_cost"]["majority"] == pytest.approx(8 * (y == "fraud").mean())
    assert "threshold 0.2" in str(report)
    assert report.metrics["f1"]["low"] is None and "interval" not in str(report)


def test_report_weights_equal_repetition(rare, rare_model):
    X, y = rare[0][:120], rare[1][:120]
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    one = imbalance_report(rare_model, X, y, sample_weight=weight, n_resamples=0)
    two = imbalance_report(rare_model, np.repeat(X, weight, 0), np.repeat(y, weight), n_resamples=0)
    for name in one.metrics:
        for key in ("value", "majority", "random"):
            assert one.metrics[name][key] == pytest.approx(two.metrics[name][key], abs=1e-9), name
    np.testing.assert_allclose(one.confusion, two.confusion)
    np.testing.assert_allclose(one.calibration["observed"], two.calibration["observed"])


def test_report_calibration_bins_are_right(fixed):
    proba = np.array([0.05, 0.05, 0.55, 0.55, 1.0])
    estimator = fixed(
        classes=[0, 1], predict=[0, 0, 1, 1, 1], predict_proba=np.column_stack([1 - proba, proba])
    )
    table = imbalance_report(estimator, None, [0, 0, 0, 1, 1], n_resamples=0, pos_label=1)
    assert table.calibration["count"] == [2, 2, 1]
    assert table.calibration["observed"] == [0, 0.5, 1]
    assert table.calibration["predicted"] == pytest.approx([0.05, 0.55, 1.0])


@pytest.mark.parametrize("table", ["metrics", "classes", "confusion", "calibration"])
def test_report_tables_are_frames(report, table):
    pandas = pytest.importorskip("pandas")
    frame = report.to_frame(table)
    assert isinstance(frame, pandas.DataFrame) and len(frame) and len(frame.columns) >= 3
    with pytest.raises(ParameterError, match="Did you mean"):
        report.to_dict(table[:-1])


def test_report_html_escapes_labels():
    X = np.arange(20.0)[:, None]
    y = np.array(["<b>"] * 15 + ["&x"] * 5)
    html = imbalance_report(LogisticRegression().fit(X, y), X, y, n_resamples=10)._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html and "&amp;x" in html
    assert html.count("<table>") == 4


def test_report_of_several_classes_and_of_decision_functions(three):
    X, y = three
    report = imbalance_report(LinearSVC().fit(X, y), X, y, n_resamples=20)
    assert report.pos_label is None and "averaged over classes" in report.summary
    assert "brier_score" in report.skipped
    assert "roc_auc" not in report.skipped or not hasattr(LinearSVC, "decision_function")
    assert report.calibration is None and report.to_dict("calibration") == {}
    assert pickle.loads(pickle.dumps(report)).summary == report.summary


def test_report_is_seeded(rare, rare_model):
    X, y = rare
    one, two = (
        imbalance_report(rare_model, X, y, n_resamples=20, random_state=5).metrics for _ in "ab"
    )
    assert one == two


def test_report_refuses_what_it_cannot_judge(rare, rare_model, three, three_model):
    X, y = rare
    with pytest.raises(DataError, match="at least two classes"):
        imbalance_report(rare_model, X[y == "ok"], y[y == "ok"])
    with pytest.raises(ParameterError, match="threshold"):
        imbalance_report(rare_model, X, y, threshold=2)
    with pytest.raises(ParameterError, match="needs two classes"):
        imbalance_report(three_model, *three, threshold=0.5)
    with pytest.raises(ParameterError, match="n_resamples"):
        imbalance_report(rare_model, X, y, n_resamples=-1)
    with pytest.raises(ParameterError, match="costs must have shape"):
        imbalance_report(rare_model, X, y, costs=[[1]])
