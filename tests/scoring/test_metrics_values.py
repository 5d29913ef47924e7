"""Values by hand, and equality with scikit-learn and imbalanced-learn."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score, make_index_balanced_accuracy
from sklearn import metrics as skm
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from skopt_wrap.scoring import ImbalanceAwareScorer, list_metrics

# 10 rows: 3 positive; tp=2, fn=1, fp=1, tn=6
Y = ["no"] * 7 + ["yes"] * 3
PRED = ["no"] * 6 + ["yes"] + ["no", "yes", "yes"]


@pytest.mark.parametrize(
    ("metric", "params", "expected"),
    [
        ("accuracy", {}, 0.8),
        ("precision", {}, 2 / 3),
        ("recall", {}, 2 / 3),
        ("f1", {}, 2 / 3),
        ("fbeta", {"beta": 0.5}, 2 / 3),
        ("balanced_accuracy", {}, (2 / 3 + 6 / 7) / 2),
        ("geometric_mean", {}, np.sqrt(2 / 3 * 6 / 7)),
        ("index_balanced_accuracy", {}, (1 + 0.1 * (2 / 3 - 6 / 7)) * (2 / 3 * 6 / 7)),
        ("cohen_kappa", {}, (0.8 - 0.58) / 0.42),
        ("cohen_kappa_quadratic", {}, (0.8 - 0.58) / 0.42),
        ("matthews_corrcoef", {}, (2 * 6 - 1 * 1) / np.sqrt(3 * 3 * 7 * 7)),
        ("expected_cost", {"costs": [[0, 1], [10, 0]]}, -(1 + 10) / 10),
        ("f1", {"pos_label": "no"}, 6 / 7),
        ("f1", {"average": "macro"}, (2 / 3 + 6 / 7) / 2),
        ("f1", {"average": "micro"}, 0.8),
        ("f1", {"average": "weighted"}, 0.3 * 2 / 3 + 0.7 * 6 / 7),
    ],
)
def test_label_metric_matches_hand_computed_value(fixed, metric, params, expected):
    scorer = ImbalanceAwareScorer(metric, **params)
    assert scorer(fixed(predict=PRED), None, Y) == pytest.approx(expected, abs=1e-12)


def test_f2_matches_hand_computed_value(fixed):
    # tp=1, fp=0, fn=1: precision 1, recall 0.5, F2 = 5 * 0.5 / (4 + 0.5)
    value = ImbalanceAwareScorer("f2")(fixed(predict=[0, 0, 0, 0, 1]), None, [0, 0, 0, 1, 1])
    assert value == pytest.approx(2.5 / 4.5)


def test_expected_cost_order_does_not_depend_on_the_positive_class(fixed):
    costs = [[0, 1], [10, 0]]
    for pos_label in ("auto", "yes", "no"):
        scorer = ImbalanceAwareScorer("expected_cost", costs=costs, pos_label=pos_label)
        assert scorer(fixed(predict=PRED), None, Y) == pytest.approx(-1.1)


# ranking by score: 1 0 1 0 0 (positives at ranks 1 and 3)
RANK_Y = [0, 0, 1, 0, 1]
RANK_S = [0.1, 0.2, 0.3, 0.4, 0.9]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("average_precision", (1 + 2 / 3) / 2),
        ("roc_auc", 5 / 6),
        ("precision_at_recall=0.5", 1.0),
        ("precision_at_recall", 2 / 3),
        ("recall_at_precision", 0.5),
        ("recall_at_precision=0.6", 1.0),
        ("recall_at_k=20", 0.5),
        ("recall_at_k=60", 1.0),
        ("lift_at_k=20", 2.5),
        ("lift_at_k", 2.5),  # half of the first row: 0.25 / 0.1
    ],
)
def test_ranking_metric_matches_hand_computed_value(fixed, metric, expected):
    scorer = ImbalanceAwareScorer(metric, pos_label=1)
    estimator = fixed(classes=[0, 1], decision_function=np.array(RANK_S))
    assert scorer(estimator, None, RANK_Y) == pytest.approx(expected)


def test_probability_metrics_match_hand_computed_values(fixed):
    estimator = fixed(classes=[0, 1], predict_proba=np.array([[0.8, 0.2], [0.4, 0.6]]))
    y = [0, 1]
    assert ImbalanceAwareScorer("brier_score")(estimator, None, y) == pytest.approx(-0.1)
    expected = -(np.log(0.8) + np.log(0.6)) / 2
    assert ImbalanceAwareScorer("log_loss")(estimator, None, y) == pytest.approx(-expected)
    ece = ImbalanceAwareScorer("expected_calibration_error")(estimator, None, y)
    assert ece == pytest.approx(-0.3)


def _reference(metric, y, est, X, pos, weight):
    """scikit-learn's or imbalanced-learn's value of a binary metric."""
    pred = est.predict(X)
    score = est.decision_function(X) * (1 if est.classes_[1] == pos else -1)
    prob = est.predict_proba(X)[:, list(est.classes_).index(pos)]
    binary, coded = (y == pos).astype(int), (pred == pos).astype(int)
    w = {"sample_weight": weight}
    scaled = None if weight is None else weight * len(weight) / weight.sum()
    return {
        "accuracy": lambda: skm.accuracy_score(y, pred, **w),
        "f1": lambda: skm.f1_score(y, pred, pos_label=pos, **w),
        "f2": lambda: skm.fbeta_score(y, pred, beta=2, pos_label=pos, **w),
        "precision": lambda: skm.precision_score(y, pred, pos_label=pos, **w),
        "recall": lambda: skm.recall_score(y, pred, pos_label=pos, **w),
        "balanced_accuracy": lambda: skm.balanced_accuracy_score(y, pred, **w),
        "cohen_kappa": lambda: skm.cohen_kappa_score(y, pred, **w),
        "cohen_kappa_linear": lambda: skm.cohen_kappa_score(y, pred, weights="linear", **w),
        "cohen_kappa_quadratic": lambda: skm.cohen_kappa_score(y, pred, weights="quadratic", **w),
        "matthews_corrcoef": lambda: skm.matthews_corrcoef(y, pred, **w),
        "geometric_mean": lambda: geometric_mean_score(
            binary, coded, average="binary", sample_weight=scaled
        ),
        "index_balanced_accuracy": lambda: make_index_balanced_accuracy()(geometric_mean_score)(
            binary, coded, average="binary", sample_weight=scaled
        ),
        "average_precision": lambda: skm.average_precision_score(binary, score, **w),
        "roc_auc": lambda: skm.roc_auc_score(binary, score, **w),
        "brier_score": lambda: -skm.brier_score_loss(binary, prob, **w),
        "log_loss": lambda: -skm.log_loss(binary, prob, **w),
    }[metric]()


BINARY_REFERENCED = [
    "accuracy", "f1", "f2", "precision", "recall", "balanced_accuracy", "cohen_kappa",
    "cohen_kappa_linear", "cohen_kappa_quadratic", "matthews_corrcoef", "geometric_mean",
    "index_balanced_accuracy", "average_precision", "roc_auc", "brier_score", "log_loss",
]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pos", ["fraud", "ok"])
@pytest.mark.parametrize("metric", BINARY_REFERENCED)
def test_binary_metric_equals_reference(rare, rare_model, metric, pos, weighted):
    X, y = rare[0][300:], rare[1][300:]
    weight = np.random.default_rng(0).uniform(0.1, 3, len(y)) if weighted else None
    value = ImbalanceAwareScorer(metric, pos_label=pos)(rare_model, X, y, sample_weight=weight)
    assert value == pytest.approx(_reference(metric, y, rare_model, X, pos, weight), abs=1e-10)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("metric", ["f1", "precision", "recall"])
def test_multiclass_count_metric_equals_sklearn(three, three_model, metric, average):
    X, y = three[0][250:], three[1][250:]
    function = getattr(skm, f"{metric}_score")
    expected = function(y, three_model.predict(X), average=average)
    assert ImbalanceAwareScorer(metric, average=average)(three_model, X, y) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("metric", ["f1", "precision", "recall"])
def test_auto_average_of_several_classes_is_macro(three, three_model, metric):
    X, y = three[0][250:], three[1][250:]
    auto = ImbalanceAwareScorer(metric)(three_model, X, y)
    assert auto == ImbalanceAwareScorer(metric, average="macro")(three_model, X, y)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_multiclass_ranking_metric_equals_sklearn(three, three_model, average):
    X, y = three[0][250:], three[1][250:]
    proba = three_model.predict_proba(X)
    auc = skm.roc_auc_score(y, proba, multi_class="ovr", average=average)
    assert ImbalanceAwareScorer("roc_auc", average=average)(three_model, X, y) == pytest.approx(auc)
    ap = skm.average_precision_score(y, proba, average=average)
    scorer = ImbalanceAwareScorer("average_precision", average=average)
    assert scorer(three_model, X, y) == pytest.approx(ap)


def test_multiclass_probability_metrics_equal_sklearn(three, three_model):
    X, y = three[0][250:], three[1][250:]
    proba = three_model.predict_proba(X)
    brier = -skm.brier_score_loss(y, proba)
    assert ImbalanceAwareScorer("brier_score")(three_model, X, y) == pytest.approx(brier)
    loss = -skm.log_loss(y, proba)
    assert ImbalanceAwareScorer("log_loss")(three_model, X, y) == pytest.approx(loss)


def test_multiclass_geometric_mean_and_kappas_equal_references(three, three_model):
    X, y = three[0][250:], three[1][250:]
    pred = three_model.predict(X)
    value = ImbalanceAwareScorer("geometric_mean")(three_model, X, y)
    assert value == pytest.approx(geometric_mean_score(y, pred, average="multiclass"))
    iba = make_index_balanced_accuracy()(geometric_mean_score)
    value = ImbalanceAwareScorer("index_balanced_accuracy")(three_model, X, y)
    assert value == pytest.approx(iba(y, pred, average="macro"))
    for suffix, weights in (("", None), ("_linear", "linear"), ("_quadratic", "quadratic")):
        value = ImbalanceAwareScorer(f"cohen_kappa{suffix}")(three_model, X, y)
        assert value == pytest.approx(skm.cohen_kappa_score(y, pred, weights=weights))


def test_weighted_kappa_keeps_the_distance_of_a_class_that_no_row_has(fixed):
    estimator = fixed(classes=[1, 2, 3], predict=[1, 3, 3, 2])
    with pytest.warns(UserWarning, match="no row of 2"):
        value = ImbalanceAwareScorer("cohen_kappa_linear")(estimator, None, [1, 3, 1, 3])
    expected = skm.cohen_kappa_score([1, 3, 1, 3], [1, 3, 3, 2], labels=[1, 2, 3], weights="linear")
    assert value == pytest.approx(expected)


@pytest.fixture(scope="module")
def multilabel():
    return make_multilabel_classification(200, n_classes=3, allow_unlabeled=True, random_state=0)


@pytest.fixture(scope="module")
def multilabel_model(multilabel):
    X, Y = multilabel
    return MultiOutputClassifier(LogisticRegression(max_iter=500)).fit(X[:100], Y[:100])


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", "samples"])
def test_multilabel_f1_equals_sklearn(multilabel, average):
    X, Y = multilabel
    model = RandomForestClassifier(10, random_state=0).fit(X[:100], Y[:100])
    value = ImbalanceAwareScorer("f1", average=average)(model, X[100:], Y[100:])
    expected = skm.f1_score(Y[100:], model.predict(X[100:]), average=average, zero_division=0)
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("metric", sorted(set(list_metrics("multilabel")) - {"fbeta"}))
def test_multilabel_metric_accepts_a_list_of_probabilities(multilabel, multilabel_model, metric):
    X, Y = multilabel
    model = multilabel_model
    value = ImbalanceAwareScorer(metric)(model, X[100:], Y[100:])
    assert np.isfinite(value)
    stacked = np.column_stack([p[:, 1] for p in model.predict_proba(X[100:])])
    expected = {
        "average_precision": lambda: skm.average_precision_score(Y[100:], stacked),
        "roc_auc": lambda: skm.roc_auc_score(Y[100:], stacked),
        "brier_score": lambda: -((stacked - Y[100:]) ** 2).mean(),
    }
    if metric in expected:
        assert value == pytest.approx(expected[metric]())


def test_every_metric_name_scores_its_targets(rare, rare_model, three, three_model):
    for kind, (X, y), model in (("binary", rare, rare_model), ("multiclass", three, three_model)):
        for name in list_metrics(kind):
            size = 2 if kind == "binary" else 3
            params = {"fbeta": {"beta": 3}, "expected_cost": {"costs": 1 - np.eye(size)}}
            value = ImbalanceAwareScorer(name, **params.get(name, {}))(model, X, y)
            assert isinstance(value, float) and np.isfinite(value), name
