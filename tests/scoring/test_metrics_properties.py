"""Properties that every metric must have, on random targets and predictions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skopt_wrap.exceptions import SkoptWrapWarning
from skopt_wrap.scoring import ImbalanceAwareScorer, list_metrics
from skopt_wrap.scoring._metrics._registry import METRICS

CALM = settings(max_examples=8, deadline=None)
COSTS = {2: [[0, 1], [4, 0]], 3: [[0, 1, 2], [3, 0, 1], [5, 2, 0]]}


class Table:
    """Predictions that follow the rows, so that rows can be permuted or repeated: X holds them."""

    def __init__(self, n_classes):
        self.classes_ = np.arange(n_classes)

    def predict(self, X):
        return X[:, 0].astype(int)

    def predict_proba(self, X):
        return X[:, 1:]


@st.composite
def cases(draw, n_classes):
    """Rows with ties in the scores, every class at least once; small integer weights."""
    n = draw(st.integers(2 * n_classes, 14))
    label = st.integers(0, n_classes - 1)
    y = draw(st.lists(label, min_size=n, max_size=n))
    y[:n_classes] = range(n_classes)
    predicted = draw(st.lists(label, min_size=n, max_size=n))
    raw = draw(st.lists(st.integers(1, 5), min_size=n * n_classes, max_size=n * n_classes))
    proba = np.array(raw, float).reshape(n, n_classes)
    X = np.column_stack([predicted, proba / proba.sum(axis=1, keepdims=True)])
    weight = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    weight[:n_classes] = [max(w, 1) for w in weight[:n_classes]]
    return X, np.array(y), np.array(weight)


def _score(name, X, y, weight=None, n_classes=2):
    params = {"beta": 0.5} if name == "fbeta" else {}
    if name == "expected_cost":
        params["costs"] = COSTS[n_classes]
    if n_classes == 2:
        params["pos_label"] = 1
    return ImbalanceAwareScorer(name, **params)(Table(n_classes), X, y, sample_weight=weight)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", list_metrics("binary"))
def test_metric_does_not_depend_on_the_order_of_rows(name, n_classes):
    @CALM
    @given(cases(n_classes), st.randoms(use_true_random=False))
    def check(case, random):
        X, y, weight = case
        order = list(range(len(y)))
        random.shuffle(order)
        straight = _score(name, X, y, weight, n_classes)
        shuffled = _score(name, X[order], y[order], weight[order], n_classes)
        assert shuffled == pytest.approx(straight, abs=1e-9)

    check()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", list_metrics("binary"))
def test_weights_equal_repetition(name, n_classes):
    @CALM
    @given(cases(n_classes))
    def check(case):
        X, y, weight = case
        weighted = _score(name, X, y, weight, n_classes)
        repeated = _score(name, np.repeat(X, weight, 0), np.repeat(y, weight), None, n_classes)
        assert weighted == pytest.approx(repeated, abs=1e-9)

    check()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", sorted(set(list_metrics("binary")) - {"lift_at_k", "log_loss"}))
def test_metric_stays_in_its_bounds(name, n_classes):
    low, high = {
        "expected_cost": (-5, 0),
        "brier_score": (-2, 0),
        "expected_calibration_error": (-1, 0),
        "index_balanced_accuracy": (0, 1.1),
    }.get(name, (-1 if "kappa" in name or "matthews" in name else 0, 1))

    @CALM
    @given(cases(n_classes))
    def check(case):
        X, y, weight = case
        assert low - 1e-12 <= _score(name, X, y, weight, n_classes) <= high + 1e-12

    check()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", list_metrics("binary"))
def test_perfect_predictions_are_best(name, n_classes):
    best = {
        "lift_at_k": {2: 2.0, 3: 3.0}[n_classes],
        "recall_at_k": {2: 0.2, 3: 0.3}[n_classes],
    }
    y = np.repeat(np.arange(n_classes), 4)
    X = np.column_stack([y, np.eye(n_classes)[y]])
    expected = best.get(name, float(METRICS[name].greater_is_better))
    assert _score(name, X, y, None, n_classes) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", list_metrics("binary"))
def test_metric_is_finite_whatever_class_is_missing(name):
    @CALM
    @given(cases(2), st.integers(0, 1))
    def check(case, only):
        X, y, _ = case
        kept = y == only
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SkoptWrapWarning)
            assert np.isfinite(_score(name, X[kept], y[kept]))

    check()


@pytest.mark.parametrize("name", [n for n in list_metrics("binary") if METRICS[n].from_confusion])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_stacked_form_equals_the_scorer(name, n_classes):
    from skopt_wrap.scoring._metrics._confusion import confusion_matrix_of
    from skopt_wrap.scoring._parameters import check_scorer, make_settings
    from skopt_wrap.scoring._targets import read_target

    record = METRICS[name]
    averages = [a for a in ("auto", *record.averages) if a != "samples"]

    @CALM
    @given(cases(n_classes), st.sampled_from(averages))
    def check(case, average):
        if average == "binary" and n_classes == 3:
            average = "macro"
        X, y, weight = case
        params = {"beta": 0.5} if name == "fbeta" else {}
        if name == "expected_cost":
            params["costs"] = COSTS[n_classes]
        if n_classes == 2:
            params["pos_label"] = 1
        scorer = ImbalanceAwareScorer(name, average=average, **params)
        target = read_target(y, None, scorer.pos_label)
        s = make_settings(scorer, check_scorer(scorer), target, None)
        matrix = confusion_matrix_of(y, X[:, 0].astype(int), n_classes, weight)
        stacked = record.from_confusion(np.stack([matrix, matrix]), s)
        assert stacked.shape == (2,)
        sign = 1 if record.greater_is_better else -1
        value = scorer(Table(n_classes), X, y, sample_weight=weight)
        assert sign * stacked[1] == pytest.approx(value, abs=1e-9)

    check()
