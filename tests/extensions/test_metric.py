"""Metrics made outside the package work wherever the name of a metric does."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.scoring import (
    ImbalanceAwareScorer,
    ThresholdDisplay,
    bootstrap_interval,
    imbalance_report,
    make_metric,
    recall_at_k_score,
)


def profit(y_true, y_pred):
    """30 for each buyer who gets a letter, 1 for each letter."""
    sent = y_pred == "buys"
    return float(np.mean(sent * (30.0 * (y_true == "buys") - 1.0)))


def mean_stated(y_true, y_prob):
    """A loss of probabilities: what is stated too much for the negative class."""
    return float(np.mean(y_prob * (1 - y_true)))


class Gap:
    """A metric of decision values that says itself what it is."""

    needs, greater_is_better, name = "decision_values", True, "gap"

    def __call__(self, y_true, y_score):
        return y_score[y_true == 1].mean() - y_score[y_true == 0].mean()


PROFIT = make_metric(profit, needs="labels")
STATED = make_metric(mean_stated, needs="probabilities", greater_is_better=False)
METRICS = {"labels": PROFIT, "probabilities": STATED, "scores": Gap()}


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(600, n_informative=5, weights=[0.85], random_state=0)
    return X, np.where(y == 1, "buys", "leaves")  # the positive class sorts first


@pytest.fixture(scope="module")
def model(data):
    return LogisticRegression().fit(data[0][:300], data[1][:300])


def outputs(model, X):
    return {
        "labels": model.predict(X),
        "probabilities": model.predict_proba(X),
        "scores": -model.decision_function(X),
    }


@pytest.mark.parametrize("kind", METRICS)
def test_scorer_takes_it(data, model, kind):
    X, y = data
    scorer = ImbalanceAwareScorer(METRICS[kind])
    positive = (y == "buys").astype(int)
    expected = {
        "labels": profit(y, model.predict(X)),
        "probabilities": -mean_stated(positive, model.predict_proba(X)[:, 0]),
        "scores": Gap()(positive, -model.decision_function(X)),
    }[kind]
    assert scorer(model, X, y) == pytest.approx(expected)
    assert clone(scorer)(model, X, y) == pytest.approx(expected)
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == pytest.approx(expected)
    assert np.isfinite(cross_val_score(LogisticRegression(), X, y, scoring=scorer, cv=3)).all()
    told = scorer.describe(y)
    assert told["needs"] == kind and told["sign"] == (-1 if kind == "probabilities" else 1)


def test_bundle_and_searches_take_it(data):
    X, y = data
    bundle = ImbalanceAwareScorer.bundle("f1", PROFIT, STATED, pos_label="buys")
    assert list(bundle) == ["f1", "profit", "mean_stated"]
    search = GridSearchCV(
        LogisticRegression(), {"C": [1e-4, 1.0]}, scoring=bundle, refit="profit", cv=3
    ).fit(X, y)
    assert search.best_params_ == {"C": 1.0}


def test_tune_takes_it(data):
    X, y = data
    scorer = ImbalanceAwareScorer(PROFIT, pos_label="buys")
    tuned = scorer.tune(LogisticRegression(), cv=3).fit(X, y)
    plain = LogisticRegression().fit(X, y)
    # a letter costs 1 and earns 30: send it from a probability of about 1 / 30 on
    assert tuned.best_threshold_ < 0.2
    assert scorer(tuned, X, y) > scorer(plain, X, y)


@pytest.mark.parametrize("kind", METRICS)
def test_bootstrap_interval_takes_it(data, model, kind):
    X, y = data
    scorer = ImbalanceAwareScorer(METRICS[kind], pos_label="buys")
    found = bootstrap_interval(y, outputs(model, X)[kind], scorer, n_resamples=200, random_state=0)
    sign = -1 if kind == "probabilities" else 1
    assert found.value == pytest.approx(sign * scorer(model, X, y))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("weighted", [False, True])
def test_report_takes_it(data, model, weighted):
    X, y = data
    weight = np.ones(len(y)) if weighted else None
    extra = [ImbalanceAwareScorer("fbeta", beta=3.0), "precision_at_recall=0.5"]
    extra += [] if weighted else [PROFIT]
    report = imbalance_report(
        model, X, y, extra_metrics=extra, sample_weight=weight, n_resamples=50
    )
    assert "fbeta" in report.metrics and "precision_at_recall" in report.metrics
    if not weighted:
        row = report.metrics["profit"]
        share = (y == "buys").mean()
        assert row["value"] == pytest.approx(profit(y, model.predict(X)))
        assert row["majority"] == 0.0  # nobody gets a letter
        assert row["random"] == pytest.approx(share * (30 * share - 1), abs=0.01)
        assert row["low"] < row["value"] < row["high"] and "Profit" in str(report)


def test_threshold_display_takes_it(data, model):
    X, y = data
    display = ThresholdDisplay.from_estimator(
        model, X, y, metrics=[PROFIT, "f1"], n_thresholds=40, plot=False
    )
    at = display.thresholds[20]
    predicted = np.where(model.predict_proba(X)[:, 0] >= at, "buys", "leaves")
    assert display.scores["profit"][20] == pytest.approx(profit(y, predicted))
    assert display.best_threshold("profit") < display.best_threshold("f1")


def test_functions_of_scikit_learn_and_of_ours_work_with_any_labels(data, model):
    X, y = data
    positive = (y == "buys").astype(int)
    score = -model.decision_function(X)
    of_scores = {
        "auc": (metrics.roc_auc_score, metrics.roc_auc_score(positive, score)),
        "at_k": (
            functools.partial(recall_at_k_score, k=5),
            recall_at_k_score(positive, score, k=5),
        ),
    }
    for name, (function, expected) in of_scores.items():
        metric = make_metric(function, needs="scores", name=name)
        assert ImbalanceAwareScorer(metric)(model, X, y) == pytest.approx(expected)
    of_labels = make_metric(metrics.f1_score, needs="labels")
    assert ImbalanceAwareScorer(of_labels)(model, X, y) == ImbalanceAwareScorer("f1")(model, X, y)
    loss = make_metric(metrics.log_loss, needs="probabilities", greater_is_better=False)
    assert ImbalanceAwareScorer(loss)(model, X, y) == pytest.approx(
        ImbalanceAwareScorer("log_loss")(model, X, y)
    )


def test_weights_reach_functions_that_take_them(data, model):
    X, y = data
    weight = np.random.default_rng(0).uniform(size=len(y))
    metric = make_metric(metrics.f1_score, needs="labels")
    assert ImbalanceAwareScorer(metric)(model, X, y, sample_weight=weight) == pytest.approx(
        ImbalanceAwareScorer("f1")(model, X, y, sample_weight=weight)
    )
    with pytest.raises(ParameterError, match="'profit' takes no sample_weight"):
        ImbalanceAwareScorer(PROFIT)(model, X, y, sample_weight=weight)


def test_several_classes_and_several_labels():
    X, y = make_classification(300, n_informative=5, n_classes=3, random_state=0)
    model = LogisticRegression(max_iter=500).fit(X, y)
    top = make_metric(metrics.top_k_accuracy_score, needs="probabilities", name="top")
    expected = metrics.top_k_accuracy_score(y, model.predict_proba(X))
    assert ImbalanceAwareScorer(top)(model, X, y) == pytest.approx(expected)
    report = imbalance_report(model, X, y, extra_metrics=[top], n_resamples=20)
    assert report.metrics["top"]["value"] == pytest.approx(expected)
    hamming = make_metric(
        metrics.hamming_loss, needs="labels", greater_is_better=False, multilabel=True
    )
    Y = np.random.default_rng(0).integers(0, 2, (60, 3))

    class Fixed:
        def predict(self, X):
            return 1 - Y

    report = imbalance_report(Fixed(), None, Y, extra_metrics=[hamming], n_resamples=20)
    assert report.metrics["hamming_loss"]["value"] == 1.0
    assert report.metrics["hamming_loss"]["random"] is None


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda: ImbalanceAwareScorer(profit), r"make_metric\(function, needs="),
        (lambda: make_metric(profit, needs="label"), "Did you mean 'labels'"),
        (lambda: make_metric("f1", needs="labels"), "must be callable"),
        (lambda: ImbalanceAwareScorer(PROFIT, average="macro"), "average must be 'auto'"),
        (lambda: ImbalanceAwareScorer(STATED, threshold=0.5), "applies to metrics of labels"),
        (lambda: ImbalanceAwareScorer(make_metric(lambda y, p: "x", needs="labels")), "one number"),
    ],
)
def test_wrong_declarations_are_named(data, model, metric, message):
    with pytest.raises(ParameterError, match=message):
        metric()(model, *data)


def test_name_of_another_metric_of_the_report_is_refused(data, model):
    twin = make_metric(profit, needs="labels", name="f1")
    with pytest.raises(ParameterError, match="extra_metrics holds 'f1'"):
        imbalance_report(model, *data, extra_metrics=[twin], n_resamples=0)
