"""ImbalanceAwareScorer wherever scikit-learn takes a scorer."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skopt_wrap.exceptions import DataError, ParameterError, SkoptWrapWarning
from skopt_wrap.scoring import ImbalanceAwareScorer


def test_scorer_repr_evaluates_to_itself():
    scorer = ImbalanceAwareScorer("fbeta", beta=0.5, pos_label="yes", average="macro")
    again = eval(repr(scorer))
    assert again.get_params() == scorer.get_params()
    assert repr(ImbalanceAwareScorer()) == "ImbalanceAwareScorer()"


@pytest.mark.parametrize("copier", [clone, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_scorer_copies_score_alike(rare, rare_model, copier):
    costs = np.array([[0, 5], [1, 0]])
    scorer = ImbalanceAwareScorer("expected_cost", costs=costs, pos_label="fraud")
    again = copier(scorer)
    assert again is not scorer
    assert again(rare_model, *rare) == scorer(rare_model, *rare)


def test_scorer_set_params_changes_the_score(rare, rare_model):
    scorer = ImbalanceAwareScorer("f1").set_params(metric="recall")
    assert scorer(rare_model, *rare) == ImbalanceAwareScorer("recall")(rare_model, *rare)
    with pytest.raises(ValueError, match="metrik"):
        scorer.set_params(metrik="f1")


def test_scorer_call_and_describe_leave_it_unchanged(rare, rare_model):
    scorer = ImbalanceAwareScorer("f1")
    before = copy.deepcopy(vars(scorer))
    scorer(rare_model, *rare)
    scorer.describe(rare[1])
    assert vars(scorer) == before


def test_describe_names_the_minority_and_the_average(rare):
    told = ImbalanceAwareScorer("f1").describe(rare[1])
    assert (told["pos_label"], told["average"], told["target"]) == ("fraud", "binary", "binary")
    assert sum(told["counts"]) == 600 and sum(told["prevalence"]) == pytest.approx(1)
    told = ImbalanceAwareScorer("geometric_mean").describe([0, 1, 2])
    assert (told["pos_label"], told["average"]) == (None, "multiclass")
    assert ImbalanceAwareScorer("log_loss").describe([0, 1])["sign"] == -1


def test_positive_class_of_a_tie_is_the_greater_label():
    assert ImbalanceAwareScorer().describe(["a", "b"])["pos_label"] == "b"
    assert ImbalanceAwareScorer().describe([1, 1, 0])["pos_label"] == 0


def test_scorer_works_in_grid_search_with_bundle(rare):
    X, y = rare
    bundle = ImbalanceAwareScorer.bundle("f1", "average_precision", "cohen_kappa", "log_loss")
    search = GridSearchCV(
        LogisticRegression(), {"C": [1e-4, 1.0]}, scoring=bundle, refit="f1", cv=3
    ).fit(X, y)
    assert search.best_params_ == {"C": 1.0}
    for name in bundle:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()
    assert (search.cv_results_["mean_test_log_loss"] < 0).all()


def test_scorer_works_in_two_processes(rare):
    X, y = rare
    scorer = ImbalanceAwareScorer("f2")
    one = cross_val_score(LogisticRegression(), X, y, scoring=scorer, cv=3)
    two = cross_val_score(LogisticRegression(), X, y, scoring=scorer, cv=3, n_jobs=2)
    np.testing.assert_array_equal(one, two)


def test_scorer_works_in_cross_validate_learning_curve_and_importance(rare):
    X, y = rare
    scorer = ImbalanceAwareScorer("average_precision")
    result = cross_validate(make_pipeline(StandardScaler(), LinearSVC()), X, y, scoring=scorer)
    assert (result["test_score"] > 0.3).all()
    _, _, test = learning_curve(LogisticRegression(), X, y, scoring=scorer, cv=3, train_sizes=[0.9])
    assert np.isfinite(test).all()
    model = LogisticRegression().fit(X, y)
    found = permutation_importance(model, X, y, scoring=scorer, n_repeats=2, random_state=0)
    assert found.importances_mean.max() > 0.05


def test_bundle_gives_parameters_to_the_metrics_that_take_them():
    bundle = ImbalanceAwareScorer.bundle("fbeta", "roc_auc", "lift_at_k=5", beta=3, average="macro")
    assert (bundle["fbeta"].beta, bundle["roc_auc"].beta) == (3, None)
    assert bundle["roc_auc"].average == bundle["lift_at_k=5"].average == "macro"


@pytest.mark.parametrize(
    ("names", "params", "message"),
    [
        ((), {}, "at least one"),
        (("f1", "f1"), {}, "different"),
        (("f1",), {"beta": 2}, "none of"),
        (("f1",), {"bta": 2}, "Did you mean 'beta'"),
        (("fone",), {}, "unknown"),
        (("fbeta",), {}, "beta must be a positive number"),
    ],
)
def test_bundle_refuses_what_it_cannot_build(names, params, message):
    with pytest.raises(ParameterError, match=message):
        ImbalanceAwareScorer.bundle(*names, **params)


def test_metadata_routing_passes_weights(rare):
    X, y = rare
    weight = np.where(y == "fraud", 5.0, 1.0)
    model = LogisticRegression()
    with sklearn.config_context(enable_metadata_routing=True):
        model = model.set_fit_request(sample_weight=False)
        asked = ImbalanceAwareScorer("f1").set_score_request(sample_weight=True)
        assert clone(asked).get_metadata_routing().score.requests == {"sample_weight": True}
        kwargs = {"cv": 3, "params": {"sample_weight": weight}}
        weighted = cross_validate(model, X, y, scoring=asked, **kwargs)["test_score"]
        plain = ImbalanceAwareScorer("f1")
        unweighted = cross_validate(model, X, y, scoring=plain, cv=3)["test_score"]
        alias = ImbalanceAwareScorer("f1").set_score_request(sample_weight="importance")
        named = {"cv": 3, "params": {"importance": weight}}
        aliased = cross_validate(model, X, y, scoring=alias, **named)["test_score"]
        with pytest.raises(ValueError, match="sample_weight"):
            cross_validate(model, X, y, scoring=ImbalanceAwareScorer("f1"), **kwargs)
    assert (weighted != unweighted).any()
    np.testing.assert_array_equal(weighted, aliased)


def test_metadata_routing_reaches_a_bundle_in_a_search(rare):
    X, y = rare
    with sklearn.config_context(enable_metadata_routing=True):
        bundle = {
            name: scorer.set_score_request(sample_weight=True)
            for name, scorer in ImbalanceAwareScorer.bundle("f1", "roc_auc").items()
        }
        model = LogisticRegression().set_fit_request(sample_weight=True)
        search = GridSearchCV(model, {"C": [0.1, 1]}, scoring=bundle, refit="f1", cv=3)
        search.fit(X, y, sample_weight=np.ones(len(y)))
    assert np.isfinite(search.cv_results_["mean_test_roc_auc"]).all()


def test_number_threshold_is_applied_to_the_positive_class(rare, rare_model):
    X, y = rare
    proba = rare_model.predict_proba(X)[:, 0]  # 'fraud' sorts first
    for threshold in (0.05, 0.3, 0.8):
        scorer = ImbalanceAwareScorer("recall", threshold=threshold)
        assert scorer(rare_model, X, y) == pytest.approx((proba >= threshold)[y == "fraud"].mean())


def test_half_threshold_equals_predict(rare, rare_model):
    for pos_label in ("fraud", "ok"):
        plain = ImbalanceAwareScorer("f1", pos_label=pos_label)
        half = ImbalanceAwareScorer("f1", pos_label=pos_label, threshold=0.5)
        assert plain(rare_model, *rare) == half(rare_model, *rare)


def test_tuned_threshold_takes_the_scorer(rare):
    X, y = rare
    scorer = ImbalanceAwareScorer("f1", pos_label="fraud", threshold="tuned")
    tuned = scorer.tune(LogisticRegression(), cv=3, thresholds=30)
    assert isinstance(tuned, TunedThresholdClassifierCV)
    tuned.fit(X[:400], y[:400])
    assert 0 < tuned.best_threshold_ < 1
    value = scorer(tuned, X[400:], y[400:])
    assert value == ImbalanceAwareScorer("f1", pos_label="fraud")(tuned, X[400:], y[400:])
    scores = cross_val_score(
        scorer.tune(LogisticRegression(), cv=2, thresholds=20), X, y, scoring=scorer, cv=2
    )
    assert (scores > 0.4).all()
    with sklearn.config_context(enable_metadata_routing=True):
        scorer.tune(LogisticRegression(), cv=2, thresholds=5).fit(X, y)


def test_tuning_with_automatic_positive_class_finds_the_same_cut(rare):
    X, y = rare
    options = {"cv": 3, "thresholds": 49}
    named = ImbalanceAwareScorer("f1", pos_label="fraud").tune(LogisticRegression(), **options)
    auto = ImbalanceAwareScorer("f1").tune(LogisticRegression(), **options)
    named.fit(X, y)
    auto.fit(X, y)
    assert auto.best_threshold_ == pytest.approx(1 - named.best_threshold_, abs=0.02)
    assert auto.best_score_ == pytest.approx(named.best_score_, abs=1e-2)


def test_threshold_constraint_trades_recall_for_precision():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [1500, 300])
    X = rng.normal(1.5 * y)[:, None]  # the score's distribution is known: two normals
    cut = {}
    for floor in (0.5, 0.8):
        scorer = ImbalanceAwareScorer("recall", threshold=f"precision>={floor}")
        model = scorer.tune(LogisticRegression(), cv=3, thresholds=60).fit(X, y)
        cut[floor] = model.best_threshold_
        assert scorer(model, X, y) > 0.1
        assert ImbalanceAwareScorer("precision")(model, X, y) >= floor
    assert cut[0.5] < cut[0.8]


def test_threshold_constraint_that_cannot_be_kept_warns(rare):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), np.repeat([0, 1], [150, 50])
    scorer = ImbalanceAwareScorer("recall", threshold="precision>=0.99")
    model = scorer.tune(LogisticRegression(), cv=3, thresholds=40).fit(X, y)
    with pytest.warns(SkoptWrapWarning, match="no threshold kept the constraint"):
        scorer(model, X, y)


@pytest.mark.parametrize("threshold", ["tuned", "precision>=0.9"])
def test_estimator_with_untuned_threshold_is_refused(rare, rare_model, threshold):
    with pytest.raises(DataError, match=r"scorer\.tune\(estimator\)"):
        ImbalanceAwareScorer("recall", threshold=threshold)(rare_model, *rare)


def test_tuning_refuses_metrics_without_threshold(rare):
    with pytest.raises(ParameterError, match="no threshold can be tuned"):
        ImbalanceAwareScorer("roc_auc").tune(LogisticRegression())
    with pytest.raises(ParameterError, match="fixed in the scorer"):
        ImbalanceAwareScorer("f1", threshold=0.3).tune(LogisticRegression())
    direct = TunedThresholdClassifierCV(
        LogisticRegression(), scoring=ImbalanceAwareScorer("log_loss"), cv=3
    )
    with pytest.raises(ParameterError, match="no threshold can be tuned"):
        direct.fit(*rare)


@pytest.mark.parametrize(
    "metric", ["f1", "roc_auc", "average_precision", "cohen_kappa", "log_loss"]
)
def test_fold_without_the_rare_class_warns_and_gives_a_number(rare, rare_model, metric):
    X, y = rare
    only = y == "ok"
    with pytest.warns(SkoptWrapWarning, match="no row of 'fraud'.*positive class 'fraud'"):
        value = ImbalanceAwareScorer(metric)(rare_model, X[only], y[only])
    assert np.isfinite(value)


def test_undefined_values_are_the_documented_ones(fixed):
    estimator = fixed(classes=[0, 1], predict=[0, 0], decision_function=np.array([-1.0, -2.0]))
    for metric, params, expected in (
        ("roc_auc", {}, 0.5),
        ("average_precision", {}, 0.0),
        ("f1", {}, 0.0),
        ("f1", {"zero_division": 1.0}, 1.0),
        ("cohen_kappa", {}, 0.0),
        ("matthews_corrcoef", {}, 0.0),
    ):
        with pytest.warns(SkoptWrapWarning, match="no row of 1"):
            assert ImbalanceAwareScorer(metric, **params)(estimator, None, [0, 0]) == expected


def test_class_missing_from_one_of_several_is_left_out_of_the_mean(three, three_model):
    X, y = three
    kept = y != 2
    with pytest.warns(SkoptWrapWarning, match="no row of 2"):
        value = ImbalanceAwareScorer("roc_auc")(three_model, X[kept], y[kept])
    assert 0.5 < value < 1


def test_constant_labels_of_a_multilabel_fold_warn(fixed):
    Y = np.array([[0, 1, 1], [0, 1, 0]])
    with pytest.warns(SkoptWrapWarning, match=r"labels \[0, 1\] are the same in every row"):
        value = ImbalanceAwareScorer("roc_auc")(fixed(decision_function=Y), None, Y)
    assert value == 1


def test_class_unknown_to_the_estimator_counts_as_missed():
    X, y = np.zeros((6, 1)), np.array([0, 0, 0, 1, 1, 2])
    model = DummyClassifier(strategy="prior").fit(X[:5], y[:5])
    assert ImbalanceAwareScorer("recall")(model, X, y) == pytest.approx(1 / 3)
    assert ImbalanceAwareScorer("log_loss")(model, X, y) < -1
    assert ImbalanceAwareScorer("roc_auc")(model, X, y) == 0.5


def test_scores_need_no_sample_order_and_no_column_layout(fixed):
    y = [0, 0, 1, 1, 0]
    proba = np.array([0.2, 0.4, 0.9, 0.3, 0.1])
    for shape in (proba, proba[:, None], np.column_stack([1 - proba, proba])):
        estimator = fixed(classes=[0, 1], predict_proba=shape.astype(np.float32))
        assert ImbalanceAwareScorer("roc_auc")(estimator, None, y) == pytest.approx(5 / 6)
        brier = ((proba - y) ** 2).mean()
        assert ImbalanceAwareScorer("brier_score")(estimator, None, y) == pytest.approx(-brier)
    two = np.column_stack([-proba, proba])
    for decision in (proba, proba[:, None], two):
        estimator = fixed(classes=[0, 1], decision_function=decision)
        assert ImbalanceAwareScorer("roc_auc")(estimator, None, y) == pytest.approx(5 / 6)
    assert (
        ImbalanceAwareScorer("recall")(fixed(predict=np.array([[0], [0], [1], [0], [0]])), None, y)
        == 0.5
    )


def test_labels_of_any_type_give_one_score(fixed):
    y, pred = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 0, 1, 0])
    expected = ImbalanceAwareScorer("f1")(fixed(predict=pred), None, y)
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = np.array(["ok", "fraudulent"])
    for cast in (
        lambda a: a.astype(bool),
        lambda a: a.astype(float),
        lambda a: names[a],
        lambda a: names[a].astype(object),
        lambda a: a.tolist(),
        lambda a: pandas.Series(a),
        lambda a: pandas.Series(names[a], dtype="category"),
        lambda a: pandas.Series(a, dtype="Int64"),
        lambda a: polars.Series(names[a]),
        lambda a: a[:, None],
    ):
        assert ImbalanceAwareScorer("f1")(fixed(predict=cast(pred)), None, cast(y)) == expected
