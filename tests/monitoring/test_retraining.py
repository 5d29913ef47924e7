"""RetrainingClassifier and RetrainingRegressor: duels, buffers, promotions, rollbacks."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.tree import DecisionTreeClassifier

from skopt_wrap import DriftMonitor, RetrainingClassifier, RetrainingRegressor
from skopt_wrap.exceptions import DataError, ParameterError, SkippedWarning
from skopt_wrap.monitoring._retraining._buffer import Buffer, Waiting, make_pool
from skopt_wrap.monitoring._retraining._duel import STAKES, Duel
from skopt_wrap.monitoring._retraining._losses import class_losses, error_scale, number_losses


def rows(rng, n, sign=1, noise=0.0):
    X = rng.normal(size=(n, 3))
    y = (sign * X[:, 0] > 0).astype(int)
    return X, np.where(rng.random(n) < noise, 1 - y, y)


def served_on(rng, **settings):
    served = RetrainingClassifier(LogisticRegression(), random_state=0, **settings)
    return served.fit(*rows(rng, 600, noise=0.1))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# -- duels --------------------------------------------------------------------------------------


def test_duel_by_hand():
    duel = Duel(0.05)
    duel.add(np.array([1.0, 0.5]), np.array([0.0, 1.0]))
    up = np.mean((1 + STAKES) * (1 - 0.5 * STAKES))
    down = np.mean((1 - STAKES) * (1 + 0.5 * STAKES))
    assert np.exp(duel.log_wealth) == pytest.approx([up, down])
    assert duel.n_rows == 2 and duel.mean_difference == pytest.approx(0.25)


def test_rows_one_by_one_and_at_once_agree(rng):
    a, b = rng.random(50), rng.random(50)
    whole, single = Duel(0.1), Duel(0.1)
    whole.add(a, b)
    for i in range(50):
        single.add(a[i : i + 1], b[i : i + 1])
    assert single.log_wealth == pytest.approx(whole.log_wealth)
    assert single.best == pytest.approx(whole.best)


def test_rivals_that_are_not_better_are_rarely_ever_promoted(rng):
    better = worse = 0
    for _ in range(300):
        duel = Duel(0.1)
        duel.add(rng.random(1000) < 0.2, rng.random(1000) < 0.2)
        better += duel.rival_is_better
        worse += duel.rival_is_worse
    for count in (better, worse):
        assert stats.binomtest(count, 300, 0.1, alternative="greater").pvalue > 0.01


def test_a_better_rival_is_found(rng):
    duel = Duel(0.05)
    duel.add(rng.random(800) < 0.3, rng.random(800) < 0.15)
    assert duel.rival_is_better and not duel.rival_is_worse


# -- buffers ------------------------------------------------------------------------------------


def pool(first, n, rng, y=0):
    numbers = np.arange(first, first + n)
    return make_pool(numbers[:, None].astype(float), np.full(n, y), numbers, rng)


@pytest.mark.parametrize("policy", ["since_change", "window", "reservoir", "reference_and_recent"])
def test_buffers_keep_what_their_policy_says(policy, rng):
    start = pool(0, 50, rng)
    start.rows[:] = -1
    buffer = Buffer(policy, 40, start)
    for first in range(0, 200, 10):
        buffer.add(pool(first, 10, rng, y=1))
    found = buffer.for_training(since=185)
    assert len(found) <= 40 and buffer.labelled_since(185) >= (0 if policy == "reservoir" else 15)
    if policy == "since_change":
        assert found.rows.tolist() == list(range(185, 200))
    elif policy == "window":
        assert found.rows.tolist() == list(range(160, 200))
    elif policy == "reference_and_recent":
        assert (found.rows < 0).sum() == 20 and found.rows.max() == 199
        assert found.rows[found.rows >= 0].min() == 180
    else:
        assert len(found) == 40 and found.rows.min() < 100


def test_a_reservoir_is_a_random_sample_of_everything():
    counts = np.zeros(100)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        start = pool(0, 20, rng)
        buffer = Buffer("reservoir", 10, start)
        for first in range(20, 100, 5):
            buffer.add(pool(first, 5, rng))
        counts[buffer.for_training(0).X[:, 0].astype(int)] += 1
    assert stats.chisquare(counts).pvalue > 0.001


def test_rows_wait_for_their_labels(rng):
    waiting = Waiting(3)
    waiting.add(np.arange(8.0).reshape(4, 2), np.array(list("abcd")), 10, np.ones(4, dtype=bool))
    with pytest.raises(DataError, match=r"unknown ids: \['a'\]"):
        waiting.rows_of(np.array(["a"]))  # the oldest was dropped
    X, numbers = waiting.rows_of(np.array(["d", "b"]))
    assert X.tolist() == [[6, 7], [2, 3]] and numbers.tolist() == [13, 11]
    waiting.forget(np.array(["d", "b"]))
    assert list(waiting.rows) == ["c"]


def test_losses_by_hand(rng):
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    proba = model.predict_proba(X)
    assert class_losses(model, X, np.array([0, 1, 1, 0]), "zero_one").tolist() == [0, 1, 0, 1]
    brier = class_losses(model, X, np.array([0, 0, 1, 5]), "brier")
    assert brier[0] == pytest.approx((1 - proba[0, 0]) ** 2)
    assert brier[3] == pytest.approx(((proba[3] ** 2).sum() + 1) / 2)  # a class it has not seen
    line = Ridge(alpha=1e-9).fit(X, X[:, 0])
    y = X[:, 0] + [0, 1, 2, 50]
    assert error_scale(line, X, y) == pytest.approx(6)
    assert number_losses(line, X, y, "absolute", 6.0) == pytest.approx(
        [0, 1 / 6, 1 / 3, 1], abs=1e-9
    )
    assert number_losses(line, X, y, "squared", 6.0) == pytest.approx(
        [0, 1 / 36, 1 / 9, 1], abs=1e-9
    )


# -- streams ------------------------------------------------------------------------------------


def test_concept_drift_leads_to_one_promotion(rng):
    served = served_on(rng)
    scores = []
    for day in range(25):
        X, y = rows(rng, 100, 1 if day < 8 else -1, noise=0.1)
        scores.append((served.predict(X) == y).mean())
        served.observe(X, y)
    events = served.events_to_dict()
    assert events["event"].count("promotion") == 1 and "rollback" not in events["event"]
    order = [events["event"].index(e) for e in ("alarm", "training", "challenger", "promotion")]
    assert order == sorted(order) and events["row"][order[0]] > 800
    assert np.mean(scores[:8]) > 0.8 and np.mean(scores[-8:]) > 0.8 > np.mean(scores[8:10])
    frame = served.events_
    assert frame["model"].tolist()[-1] == 1


def test_nothing_happens_without_drift(rng):
    served = served_on(rng)
    for _ in range(15):
        served.observe(*rows(rng, 100, noise=0.1))
    assert served.events_to_dict()["event"] == []


def test_poisoned_labels_are_not_promoted(rng):
    served = served_on(rng)
    first = served.champion_
    for day in range(20):
        X, y = rows(rng, 100, noise=0.1)
        served.observe(X, 1 - y if 5 <= day < 7 else y)  # over when the duel begins
    events = served.events_to_dict()["event"]
    assert "training" in events and "promotion" not in events and "rejection" in events
    assert served.champion_ is first


def test_a_promoted_model_that_loses_is_rolled_back(rng):
    served = served_on(rng, patience=5000)
    first = served.champion_
    for day in range(30):
        X, y = rows(rng, 60, -1 if 4 <= day < 16 else 1, noise=0.1)
        served.observe(X, y)
        if "rollback" in served.events_to_dict()["event"]:
            break
        if day > 4 and "promotion" in served.events_to_dict()["event"]:
            served.observe(*rows(rng, 60, 1, noise=0.1))  # the change was an error, and is undone
    assert served.champion_ is first and served.events_to_dict()["model"][-1] == 0


def test_labels_that_come_later(rng):
    served = served_on(rng)
    waiting = []
    for day in range(20):
        X, y = rows(rng, 100, 1 if day < 4 else -1, noise=0.1)
        ids = [f"{day}/{i}" for i in range(100)]
        served.observe(X, ids=ids)
        waiting.append((ids, y))
        if day >= 2:
            served.observe_labels(*waiting[day - 2])
    assert "promotion" in served.events_to_dict()["event"]
    with pytest.raises(DataError, match="unknown ids"):
        served.observe_labels(*waiting[0])
    with pytest.raises(DataError, match="ids must be new and different"):
        served.observe(X, ids=waiting[-1][0])


def test_regressors(rng):
    X = rng.normal(size=(500, 3))
    served = RetrainingRegressor(Ridge(), random_state=0)
    served.fit(X, X[:, 0] + rng.normal(scale=0.1, size=500))
    for day in range(15):
        X = rng.normal(size=(100, 3))
        slope = 1 if day < 4 else 2
        served.observe(X, slope * X[:, 0] + rng.normal(scale=0.1, size=100))
    assert "promotion" in served.events_to_dict()["event"]
    assert np.abs(served.predict(X) - 2 * X[:, 0]).max() < 0.5


def test_serving_goes_on_while_a_challenger_is_trained(rng):
    gate = threading.Event()

    class Slow(ClassifierMixin, BaseEstimator):
        calls = 0

        def fit(self, X, y):
            type(self).calls += 1
            if type(self).calls > 1:
                assert gate.wait(30)
            self.tree_ = DecisionTreeClassifier(max_depth=2).fit(X, y)
            self.classes_ = self.tree_.classes_
            return self

        def predict(self, X):
            return self.tree_.predict(X)

    served = RetrainingClassifier(Slow(), background=True, random_state=0)
    served.fit(*rows(rng, 600))
    for _ in range(5):
        served.observe(*rows(rng, 100, -1))
    assert served.events_to_dict()["event"][-1] == "training"
    served.predict(rows(rng, 5)[0])
    gate.set()
    served.wait()
    for _ in range(4):
        served.observe(*rows(rng, 100, -1))
    assert "promotion" in served.events_to_dict()["event"]


def test_a_training_that_fails_is_told_and_the_champion_goes_on(rng):
    class Fragile(LogisticRegression):
        calls = 0

        def fit(self, X, y):
            type(self).calls += 1
            if type(self).calls > 1:
                raise RuntimeError("no memory")
            return super().fit(X, y)

    seen = []
    served = RetrainingClassifier(Fragile(), on_event=seen.append, random_state=0)
    served.fit(*rows(rng, 600))
    with pytest.warns(SkippedWarning, match="no memory"):
        for _ in range(4):
            served.observe(*rows(rng, 100, -1))
    assert [e["event"] for e in seen][:3] == ["alarm", "training", "failure"]
    served.predict(rows(rng, 5)[0])


def test_a_pickled_estimator_goes_on(rng):
    served = served_on(rng)
    for _ in range(3):
        served.observe(*rows(rng, 100, -1))
    twin = pickle.loads(pickle.dumps(served))
    X, y = rows(rng, 100, -1)
    served.observe(X, y)
    twin.observe(X, y)
    assert served.events_to_dict() == twin.events_to_dict()
    assert not hasattr(clone(served), "champion_")


def test_warm_start_goes_on_from_the_champion(rng):
    served = RetrainingClassifier(
        SGDClassifier(random_state=0), warm_start=True, random_state=0
    ).fit(*rows(rng, 600))
    for _ in range(6):
        served.observe(*rows(rng, 100, -1))
    assert served.champion_.warm_start and not served.estimator.warm_start


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 2}, "alpha"),
        ({"buffer": "latest"}, "buffer"),
        ({"monitor": DriftMonitor(Ridge())}, "monitor.estimator has no effect"),
        ({"warm_start": True, "estimator": DecisionTreeClassifier()}, "warm_start=True has no"),
        ({"loss": "brier", "estimator": SGDClassifier()}, "needs predict_proba"),
        ({"loss": "absolute"}, "loss"),
    ],
)
def test_bad_parameters(settings, message, rng):
    settings = {"estimator": LogisticRegression(), **settings}
    with pytest.raises((ParameterError, ValueError), match=message):
        RetrainingClassifier(**settings).fit(*rows(rng, 60))


def test_bad_batches_change_nothing(rng):
    served = served_on(rng)
    X, y = rows(rng, 10)
    for bad, message in (
        (lambda: served.observe(X, np.full(10, 7)), "does not know"),
        (lambda: served.observe(X, y[:5]), "y has 5 labels"),
        (lambda: served.observe(X[:, :2], y), "features"),
        (lambda: served.observe(X, ids=[1, 2]), "ids has shape"),
        (lambda: served.observe(X, ids=[1] * 10), "ids must be new"),
        (lambda: served.observe(X[:0]), "sample"),
    ):
        with pytest.raises(ValueError, match=message):
            bad()
    assert served.n_rows_ == 0 and served.monitor_.n_rows_ == 0
