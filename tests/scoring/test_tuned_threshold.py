"""Thresholds chosen on pooled out-of-fold predictions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve, precision_score
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_predict
from sklearn.svm import LinearSVC

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.scoring import ImbalanceAwareScorer
from skopt_wrap.scoring._tuned_threshold import TunedThresholdClassifier


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(1500, 8, n_informative=4, weights=[0.95], random_state=3)
    return X, y


def test_constraint_is_kept_on_the_pooled_predictions_and_recall_is_the_best(data):
    X, y = data
    scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.5", pos_label=1)
    tuned = scorer.tune(LogisticRegression(), cv=4, store_cv_results=True).fit(X, y)
    stated = cross_val_predict(LogisticRegression(), X, y, cv=4, method="predict_proba")[:, 1]
    precision, recall, _ = precision_recall_curve(y, stated)
    assert tuned.best_score_ == pytest.approx(recall[precision >= 0.5].max())
    at = stated >= tuned.best_threshold_
    assert precision_score(y, at) >= 0.5 and tuned.constraint_kept_
    assert set(tuned.cv_results_) == {"thresholds", "scores", "constraint"}


def test_confidence_asks_for_more(data):
    X, y = data
    scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.5", pos_label=1)
    plain = scorer.tune(LogisticRegression()).fit(X, y)
    sure = scorer.tune(LogisticRegression(), confidence=0.95).fit(X, y)
    assert sure.best_threshold_ > plain.best_threshold_ and sure.best_score_ < plain.best_score_
    assert scorer.confidence is None
    with pytest.raises(ParameterError, match="is for a constraint"):
        ImbalanceAwareScorer("recall", confidence=0.9)
    with pytest.raises(ParameterError, match=r"confidence must be a number in \(0, 1\)"):
        ImbalanceAwareScorer("recall", threshold="precision>=0.5", confidence=95)


@pytest.mark.parametrize("pos_label", ["auto", "rare", "usual"])
def test_labels_of_any_kind_and_decision_functions(data, pos_label):
    X, y = data
    text = np.where(y == 1, "rare", "usual")
    scorer = ImbalanceAwareScorer("balanced_accuracy", pos_label=pos_label)
    for model in (LogisticRegression(), LinearSVC()):
        tuned = scorer.tune(model, cv=3).fit(X, text)
        assert isinstance(tuned, TunedThresholdClassifierCV)
        assert scorer(tuned, X, text) > scorer(clone(model).fit(X, text), X, text)
        assert set(np.unique(tuned.predict(X))) == {"rare", "usual"}


def test_several_classes_get_a_threshold_each_or_costs():
    X, y = make_classification(
        1200, n_informative=6, n_classes=3, weights=[0.8, 0.15], random_state=1
    )
    plain = LogisticRegression(max_iter=300).fit(X[:700], y[:700])
    costs = [[0, 1, 1], [5, 0, 1], [10, 5, 0]]
    for metric, extra in (("balanced_accuracy", {}), ("expected_cost", {"costs": costs})):
        scorer = ImbalanceAwareScorer(metric, threshold="tuned", **extra)
        tuned = scorer.tune(LogisticRegression(max_iter=300), cv=3).fit(X[:700], y[:700])
        before = ImbalanceAwareScorer(metric, **extra)(plain, X[700:], y[700:])
        assert scorer(tuned, X[700:], y[700:]) > before + 0.03
    assert tuned.best_threshold_ is None  # costs decide
    expected = (tuned.predict_proba(X) @ np.array(costs)).argmin(axis=1)
    np.testing.assert_array_equal(tuned.predict(X), expected)
    with pytest.raises(ParameterError, match="needs a binary target"):
        ImbalanceAwareScorer("recall", threshold="precision>=0.5").tune(plain).fit(X, y)


def test_prefit_and_single_splits(data):
    X, y = data
    scorer = ImbalanceAwareScorer("f1", pos_label=1)
    fitted = LogisticRegression().fit(X[:700], y[:700])
    tuned = scorer.tune(fitted, cv="prefit", refit=False).fit(X[700:], y[700:])
    assert tuned.estimator_ is fitted
    assert scorer(tuned, X[700:], y[700:]) == pytest.approx(tuned.best_score_)
    one = scorer.tune(LogisticRegression(), cv=0.3, refit=False, random_state=0).fit(X, y)
    assert 0 < one.best_threshold_ < 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s: s.tune(LogisticRegression(), cv="prefit"), ParameterError, "refit must be"),
        (lambda s: s.tune(LogisticRegression(), refit=False), ParameterError, "several folds"),
        (
            lambda s: TunedThresholdClassifier(LogisticRegression(), scoring="f1"),
            ParameterError,
            "must be an ImbalanceAwareScorer",
        ),
    ],
)
def test_wrong_settings_are_named(data, make, error, message):
    with pytest.raises(error, match=message):
        make(ImbalanceAwareScorer("f1")).fit(*data)


def test_one_class_and_constant_predictions_are_refused(data):
    X, y = data
    tuned = ImbalanceAwareScorer("f1").tune(LogisticRegression())
    with pytest.raises(DataError, match="two or more classes"):
        tuned.fit(X, np.zeros(len(y)))
    with pytest.raises(DataError, match="predicts the same"):
        tuned.fit(np.zeros((40, 1)), np.arange(40) % 2)


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "reccall"},
        {"metric": "recall", "threshold": "prec>=0.5"},
        {"metric": "recall", "threshold": "precision>0.5"},
        {"metric": "f1", "beta": 2},
    ],
)
def test_misspelt_parameters_are_refused_before_anything_is_fitted(params):
    with pytest.raises(ParameterError):
        ImbalanceAwareScorer(**params)
    scorer = ImbalanceAwareScorer("recall")
    before = scorer.get_params()
    with pytest.raises(ParameterError):
        scorer.set_params(**params)
    assert scorer.get_params() == before
