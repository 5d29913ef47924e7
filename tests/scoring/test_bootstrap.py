from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score
from sklearn.utils import check_random_state

from skopt_wrap.scoring import ImbalanceAwareScorer, bootstrap_interval, list_metrics
from skopt_wrap.scoring._metrics._evaluate import evaluate
from skopt_wrap.scoring._metrics._registry import METRICS
from skopt_wrap.scoring._parameters import check_scorer, make_settings
from skopt_wrap.scoring._resampling import resample_counts, resampled_metric
from skopt_wrap.scoring._targets import read_target


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [360, 40])
    proba = np.clip(rng.normal(0.25 + 0.35 * y, 0.2), 0, 1).round(2)
    return y, (proba >= 0.5).astype(int), proba


def test_interval_is_seeded_and_holds_the_value(arrays):
    y, predicted, _ = arrays
    one = bootstrap_interval(y, predicted, random_state=3)
    assert one == bootstrap_interval(y, predicted, random_state=3)
    assert one != bootstrap_interval(y, predicted, random_state=4)
    assert one.value == f1_score(y, predicted)
    assert one.low < one.value < one.high
    narrow = bootstrap_interval(y, predicted, random_state=3, confidence_level=0.5)
    assert narrow.high - narrow.low < one.high - one.low


def test_interval_leaves_global_random_state_alone(arrays):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    bootstrap_interval(*arrays[:2], random_state=0, n_resamples=5)
    np.testing.assert_array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize(("metric", "output"), [("f1", 1), ("average_precision", 2)])
def test_interval_agrees_with_a_loop_over_sklearn(arrays, metric, output):
    y = arrays[0]
    function = {"f1": f1_score, "average_precision": average_precision_score}[metric]
    rng, values = np.random.default_rng(0), []
    groups = [np.flatnonzero(y == c) for c in (0, 1)]
    for _ in range(500):
        rows = np.concatenate([rng.choice(g, len(g)) for g in groups])
        values.append(function(y[rows], arrays[output][rows]))
    low, high = np.percentile(values, [2.5, 97.5])
    found = bootstrap_interval(y, arrays[output], metric, n_resamples=1000, random_state=0)
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)


def test_weighted_interval_with_unit_weights_agrees_with_unweighted(arrays):
    y, predicted, _ = arrays
    plain = bootstrap_interval(y, predicted, n_resamples=2000, random_state=0)
    ones = bootstrap_interval(
        y, predicted, n_resamples=2000, random_state=0, sample_weight=np.ones(len(y))
    )
    assert ones.value == plain.value
    assert (ones.low, ones.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_resample_counts_keep_the_size_of_every_class(arrays):
    y = arrays[0]
    for counts in resample_counts(y, 5, check_random_state(0)):
        assert counts[y == 0].sum() == 360 and counts[y == 1].sum() == 40


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "metric", [n for n in list_metrics("binary") if METRICS[n].from_confusion is None]
)
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_resampled_metric_equals_the_metric_with_weights(metric, kind, weighted):
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2 if kind == "binary" else 3, 60)
    k = y.max() + 1
    proba = rng.dirichlet(np.ones(k), 60).round(1) + 0.1
    proba = proba / proba.sum(axis=1, keepdims=True)
    scorer = ImbalanceAwareScorer(metric)
    target = read_target(y)
    own = rng.uniform(0.5, 2, 60) if weighted else None
    record = METRICS[metric]
    s = make_settings(scorer, check_scorer(scorer), target, own)
    output = proba
    if record.needs == "scores" and kind == "binary":
        output = proba[:, target.pos_index]
    statistic = resampled_metric(record, target, output, s)
    counts = rng.integers(0, 4, 60).astype(float)
    weight = counts if own is None else counts * own
    direct = make_settings(scorer, check_scorer(scorer), target, weight)
    expected = evaluate(record, target, output, direct)
    assert statistic(counts) == pytest.approx(expected, abs=1e-9)


def test_interval_takes_a_scorer_with_its_parameters(arrays):
    y, predicted, _ = arrays
    costs = [[0, 1], [10, 0]]
    scorer = ImbalanceAwareScorer("expected_cost", costs=costs)
    found = bootstrap_interval(y, predicted, scorer, random_state=0)
    missed, false = ((y == 1) & (predicted == 0)).sum(), ((y == 0) & (predicted == 1)).sum()
    assert found.value == pytest.approx((10 * missed + false) / len(y))
    assert found.low < found.value < found.high


def test_interval_covers_the_true_recall():
    rng, covered = np.random.default_rng(0), 0
    y = np.repeat([0, 1], [200, 100])
    for trial in range(200):
        predicted = np.where(y == 1, rng.random(300) < 0.7, rng.random(300) < 0.1).astype(int)
        found = bootstrap_interval(y, predicted, "recall", random_state=trial, n_resamples=300)
        covered += found.low <= 0.7 <= found.high
    assert 0.89 <= covered / 200 <= 0.99
