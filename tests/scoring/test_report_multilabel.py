"""The imbalance report of several labels a row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier

from skopt_wrap.exceptions import DataError
from skopt_wrap.scoring import ImbalanceAwareScorer, imbalance_report
from skopt_wrap.scoring._reports._multilabel import label_confusions


@pytest.fixture(scope="module")
def labelled():
    X, y = make_multilabel_classification(400, n_classes=4, n_labels=1, random_state=0)
    model = MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(X[:200], y[:200])
    return model, X[200:], y[200:]


def test_values_are_the_scorers_own(labelled):
    model, X, y = labelled
    report = imbalance_report(model, X, y, n_resamples=50)
    assert {"f1", "accuracy", "average_precision", "log_loss"} <= set(report.metrics)
    assert "cohen_kappa" not in report.metrics
    for name, row in report.metrics.items():
        scorer = ImbalanceAwareScorer(name)
        assert row["value"] == pytest.approx(abs(scorer(model, X, y)))
        assert row["low"] <= row["high"]
        assert row["low"] - 0.05 <= row["value"] <= row["high"] + 0.05
    assert report.counts == y.sum(axis=0).tolist() and report.n_rows == 200


def test_confusion_and_label_table_equal_sklearns(labelled):
    model, X, y = labelled
    report = imbalance_report(model, X, y, n_resamples=0)
    predicted = model.predict(X)
    np.testing.assert_array_equal(
        report.confusion, metrics.multilabel_confusion_matrix(y, predicted)
    )
    np.testing.assert_allclose(report.per_class["f1"], metrics.f1_score(y, predicted, average=None))
    columns = report.to_dict("confusion")
    assert next(iter(columns)) == "label" and len(columns["true positive"]) == 4
    assert "on 200 rows" in str(report) and "<table>" in report._repr_html_()
    assert f"label {int(np.argmin(report.per_class['f1']))}" in report.summary


def test_weights_equal_repetition(labelled):
    model, X, y = labelled
    weights = np.arange(len(y)) % 3
    a = imbalance_report(model, X, y, sample_weight=weights, n_resamples=0)
    rows = np.repeat(np.arange(len(y)), weights)
    b = imbalance_report(model, X[rows], y[rows], n_resamples=0)
    for name in a.metrics:
        for key in ("value", "majority", "random"):
            assert a.metrics[name][key] == pytest.approx(b.metrics[name][key]), (name, key)


def test_baselines_are_those_of_dummies(labelled):
    model, X, y = labelled
    report = imbalance_report(model, X, y, n_resamples=0)
    always = MultiOutputClassifier(DummyClassifier()).fit(X, y).predict(X)
    assert report.metrics["accuracy"]["majority"] == metrics.accuracy_score(y, always)
    assert report.metrics["f1"]["majority"] == metrics.f1_score(
        y, always, average="macro", zero_division=0
    )
    rng = np.random.default_rng(0)
    drawn = [
        metrics.accuracy_score(y, (rng.random(y.shape) < y.mean(axis=0)).astype(int))
        for _ in range(300)
    ]
    assert report.metrics["accuracy"]["random"] == pytest.approx(np.mean(drawn), abs=0.005)
    prevalence = y.mean(axis=0).mean()
    assert report.metrics["average_precision"]["random"] == pytest.approx(prevalence)
    assert report.metrics["roc_auc"]["random"] == 0.5
    # precision and recall of guessing are the prevalence, and so is their F1
    assert report.metrics["f1"]["random"] == pytest.approx(prevalence)


def test_resampled_values_equal_those_of_repeated_rows(labelled):
    model, X, y = labelled
    from skopt_wrap.scoring._metrics._registry import METRICS
    from skopt_wrap.scoring._reports._multilabel import _resampled
    from skopt_wrap.scoring._reports._plan import plan_metrics
    from skopt_wrap.scoring._responses import read_probabilities, read_scores
    from skopt_wrap.scoring._targets import read_target

    target = read_target(y)
    outputs = {
        "labels": model.predict(X),
        "scores": read_scores(model, X, target, "f1"),
        "probabilities": read_probabilities(model, X, target, "f1"),
    }
    plans, _ = plan_metrics(model, target, outputs, None, None, ())
    names = [m.name for m in METRICS.values() if m.in_report and "multilabel" in m.targets]
    assert [metric.name for metric, _ in plans] == names and len(names) > 8
    counts = np.bincount(np.random.default_rng(1).integers(0, 200, 200), minlength=200)
    found = _resampled(plans, target, outputs, np.ones(200), counts[None, :])
    rows = np.repeat(np.arange(200), counts)
    for name in names:
        value = abs(ImbalanceAwareScorer(name)(model, X[rows], y[rows]))
        assert found[name][0] == pytest.approx(value, rel=1e-6), name


def test_label_confusions_of_many_weightings():
    true, called = np.array([[1, 0], [1, 1], [0, 0]]), np.array([[1, 1], [0, 1], [0, 0]])
    stack = label_confusions(true, called, np.array([[1.0, 1, 1], [2, 0, 1]]))
    assert stack.shape == (2, 2, 2, 2)
    np.testing.assert_array_equal(stack[0, 0], [[1, 0], [1, 1]])
    np.testing.assert_array_equal(stack[1, 1], [[1, 2], [0, 0]])


def test_threshold_and_missing_probabilities(labelled):
    model, X, y = labelled
    low = imbalance_report(model, X, y, threshold=0.1, n_resamples=0)
    high = imbalance_report(model, X, y, threshold=0.9, n_resamples=0)
    assert low.metrics["recall"]["value"] > high.metrics["recall"]["value"]
    ridge = RidgeClassifier().fit(X, y)
    report = imbalance_report(ridge, X, y, n_resamples=20)
    assert report.skipped["log_loss"] == "RidgeClassifier has no predict_proba"
    assert "roc_auc" in report.metrics
    with pytest.raises(DataError, match="expected_cost"):
        imbalance_report(model, X, y, costs=[[0, 1], [1, 0]])
