"""DriftMonitor: guarantees, what is watched, streams, frames, bad input."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import DriftMonitor
from skopt_wrap.exceptions import DataError, ParameterError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def trained():
    """A classifier, and rows that it has not seen."""
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order][:, :8], y[order]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:150], y[:150])
    return model, X[150:], y[150:]


def draw(rng, n, kind):
    X = rng.normal(size=(n, 5))
    if kind == "dependent":
        X = np.column_stack([X[:, 0], -X[:, 0], np.abs(X[:, 0]), X[:, 0] + X[:, 1], X[:, 1]])
    if kind == "counts":
        X = rng.poisson(np.exp(X / 2)).astype(float)
    return X


@pytest.mark.parametrize("kind", ["independent", "dependent", "counts"])
def test_streams_without_drift_rarely_ever_raise_an_alarm(kind):
    alarms, n_streams = 0, 40
    for seed in range(n_streams):
        rng = np.random.default_rng(seed)
        monitor = DriftMonitor(alpha=0.1, window=0, random_state=seed).fit(draw(rng, 200, kind))
        for _ in range(12):
            report = monitor.update(draw(rng, 40, kind))
        alarms += report.alarm
    assert stats.binomtest(alarms, n_streams, 0.1, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize("kind", ["independent", "dependent", "counts"])
def test_single_checks_without_drift_rarely_raise_an_alarm(kind):
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        monitor = DriftMonitor(alpha=0.1, random_state=seed).fit(draw(rng, 150, kind))
        alarms += monitor.check(draw(rng, 100, kind)).alarm
    assert stats.binomtest(alarms, 60, 0.1, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        (lambda x: x + 0.6, "mean_shift"),
        (lambda x: x - 0.6, "mean_shift"),
        (lambda x: x * 2, "ks"),
        (lambda x: x * 0.4, "ks"),
        (lambda x: np.where(np.arange(len(x)) % 3, x, np.nan), "missing"),
        (lambda x: np.where(np.arange(len(x)) % 4, x, 0.0), "ks"),
    ],
)
def test_changes_are_found_where_they_are_and_when_they_began(change, effect, rng):
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(1500, 6)))
    for batch in range(12):
        X = rng.normal(size=(100, 6))
        if batch >= 5:
            X[:, 2] = change(X[:, 2])
        report = monitor.update(X)
        if report.alarm:
            break
    assert report.alarm and 500 < report.alarm_row <= 900
    assert [n for n, flag in zip(report.names, report.changed, strict=True) if flag] == ["x2"]
    assert abs(report.began["x2"] - 500) <= 100  # within a batch
    X = rng.normal(size=(300, 6))
    X[:, 2] = change(X[:, 2])
    report = monitor.update(X)
    assert effect in report.matters["x2"]
    assert report.look_at_first == "x2"
    assert monitor.check(X).alarm


def test_single_rows_and_batches_of_the_stream_agree(rng):
    reference, X = rng.normal(size=(300, 3)), rng.normal(size=(96, 3)) + 0.4
    whole = DriftMonitor(random_state=0).fit(reference)
    single = DriftMonitor(random_state=0).fit(reference)
    last = whole.update(X)
    for i in range(len(X)):
        report = single.update(X[i : i + 1])
        if report.alarm:
            break
    assert report.n_rows == single.alarm_row_ <= last.n_rows
    assert single.history_["log_e_value"][31] == pytest.approx(
        whole_at(reference, X[:32]), abs=1e-9
    )


def whole_at(reference, X):
    return DriftMonitor(random_state=0).fit(reference).update(X).log_e_value


def test_slow_drift_is_found_though_the_reference_grows(rng):
    monitor = DriftMonitor(random_state=0, window=0).fit(rng.normal(size=(1000, 3)))
    for batch in range(80):
        X = rng.normal(size=(50, 3))
        X[:, 0] += batch / 80
        report = monitor.update(X)
    assert report.alarm and report.names[int(np.argmax(report.log_e_values))] == "x0"


def test_shiryaev_roberts_finds_late_changes_and_states_its_run_length(rng):
    monitor = DriftMonitor(statistics="shiryaev_roberts", run_length=20_000, random_state=0)
    monitor.fit(rng.normal(size=(2000, 3)))
    for _ in range(30):
        assert not monitor.update(rng.normal(size=(50, 3))).alarm
    for _ in range(6):
        report = monitor.update(rng.normal(size=(50, 3)) + np.array([0.8, 0, 0]))
    assert report.alarm and report.changed.tolist() == [True, False, False]
    assert "20000 rows" in report.guarantee and report.log_threshold == pytest.approx(9.9, abs=0.1)


def test_reset_forgets_the_stream_and_keeps_the_reference(rng):
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(500, 2)))
    assert monitor.update(rng.normal(size=(200, 2)) + 1).alarm
    assert monitor.update(rng.normal(size=(20, 2))).alarm  # stays until it was dealt with
    assert monitor.reset() is monitor
    report = monitor.update(rng.normal(size=(50, 2)))
    assert not report.alarm and monitor.n_rows_ == 50 and monitor.alarm_row_ is None


def test_shuffling_makes_the_order_within_a_batch_irrelevant(rng):
    day = np.sort(rng.normal(size=(400, 1)), axis=0)
    alarms = [
        DriftMonitor(shuffle=shuffle, random_state=0)
        .fit(rng.normal(size=(2000, 1)))
        .update(day)
        .alarm
        for shuffle in (False, True)
    ]
    assert alarms == [True, False]


def test_a_pickled_monitor_goes_on_as_the_original(rng):
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(500, 3)))
    monitor.update(rng.normal(size=(70, 3)))
    twin = pickle.loads(pickle.dumps(monitor))
    X = rng.normal(size=(70, 3)) + 0.3
    assert (monitor.update(X).log_e_values == twin.update(X).log_e_values).all()
    assert pickle.loads(pickle.dumps(monitor.check(X))).verdict == monitor.check(X).verdict


def test_one_seed_one_result_and_the_callers_state_is_untouched(rng):
    reference, X = rng.normal(size=(200, 2)), rng.normal(size=(60, 2))
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    values = [
        DriftMonitor(random_state=seed).fit(reference).update(X).log_e_value for seed in (0, 0, 1)
    ]
    DriftMonitor().fit(reference).update(X)
    assert values[0] == values[1] != values[2]
    assert (np.random.get_state()[1] == before).all()


def test_check_remembers_nothing(rng):
    monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(300, 2)))
    X = rng.normal(size=(100, 2)) + 2
    first = monitor.check(X)
    assert monitor.check(X).log_e_value == first.log_e_value and first.alarm
    assert monitor.n_rows_ == 0 and not monitor.history_["row"]
    report = monitor.update(rng.normal(size=(40, 2)))
    assert not report.alarm


# -- outputs ------------------------------------------------------------------------------------


def test_predictions_confidence_labels_and_losses_are_watched(trained):
    model, X, y = trained
    monitor = DriftMonitor(model, random_state=0).fit(X[:250], y[:250])
    assert monitor.items_[8:] == ["prediction", "confidence", "label", "loss"]
    report = monitor.check(X[250:], y[250:])
    wrong = (model.predict(X[250:]) != y[250:]).mean()
    assert report.performance["loss"] == pytest.approx(wrong)
    assert not report.alarm
    without = monitor.check(X[250:])
    assert without.names == monitor.items_[:10]
    assert abs(without.performance["expected_accuracy"] - (1 - wrong)) < 0.08


def test_concept_drift_shows_in_the_loss_alone(trained):
    model, X, y = trained
    monitor = DriftMonitor(model, random_state=0).fit(X[:200], y[:200])
    for start in range(200, 400, 40):
        part = slice(start, start + 40)
        flipped = np.where(np.arange(len(y[part])) % 2, 1 - y[part], y[part])
        report = monitor.update(X[part], flipped)
    assert report.alarm and report.look_at_first in ("loss", "label")
    assert "loss" in [n for n, f in zip(report.names, report.changed, strict=True) if f]
    # What is promised without labels does not see it.
    assert report.performance["expected_accuracy"] > 0.85 > 1 - report.performance["loss"]


def test_smaller_losses_are_no_alarm(rng):
    X = rng.normal(size=(600, 2))
    model = Ridge().fit(X, X[:, 0])
    noise = rng.normal(size=600)
    monitor = DriftMonitor(model, random_state=0).fit(X[:300], X[:300, 0] + noise[:300])
    report = monitor.check(X[300:], X[300:, 0] + noise[300:] * 0.2)
    assert report.log_e_values[report.names.index("loss")] < 0
    worse = monitor.check(X[300:], X[300:, 0] + noise[300:] * 3)
    assert worse.log_e_values[worse.names.index("loss")] > 5


def test_labels_that_come_later(trained):
    model, X, y = trained
    monitor = DriftMonitor(model, random_state=0).fit(X[:200], y[:200])
    for start in (200, 300):
        monitor.update(X[start : start + 100])
    report = monitor.update_labels(X[200:400], 1 - y[200:400])
    assert report.alarm and report.n_rows == 200 and "loss" in report.to_dict()["item"]
    assert report.log_e_values[report.names.index("loss")] > 10


def test_rows_without_a_label_are_left_out(trained):
    model, X, y = trained
    monitor = DriftMonitor(model, random_state=0).fit(X[:200], y[:200].astype(float))
    labels = y[200:300].astype(float)
    labels[::2] = np.nan
    report = monitor.check(X[200:300], labels)
    assert report.effects["label"]["counts"].sum() == 50
    assert not report.matters.get("label")  # 1.0 is class 1
    assert monitor.check(X[200:210], np.full(10, np.nan)).names == monitor.items_[:10]


def test_scoring_is_reported(trained):
    model, X, y = trained
    monitor = DriftMonitor(model, scoring="roc_auc", random_state=0).fit(X[:200], y[:200])
    report = monitor.check(X[200:], y[200:])
    assert report.performance["score"] > 0.9 and report.performance["reference_score"] > 0.9


def test_a_clone_keeps_a_frozen_estimator(trained):
    model, X, y = trained
    monitor = clone(DriftMonitor(FrozenEstimator(model), random_state=0)).fit(X[:200], y[:200])
    assert "loss" in monitor.items_
    with pytest.raises(ParameterError, match="FrozenEstimator"):
        clone(DriftMonitor(model)).fit(X, y)


def test_regressors_are_watched():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X[:200], y[:200])
    monitor = DriftMonitor(model, random_state=0).fit(X[200:320], y[200:320])
    report = monitor.check(X[320:], y[320:] + 200)
    assert report.alarm and set(report.names) >= {"prediction", "label", "loss"}
    assert "confidence" not in report.names and "expected_accuracy" not in report.performance


def test_multivariate_drift_is_found_with_kept_rows(rng):
    def correlated(n, r):
        X = rng.normal(size=(n, 2))
        return np.column_stack([X[:, 0], r * X[:, 0] + np.sqrt(1 - r * r) * X[:, 1]])

    monitor = DriftMonitor(keep_rows=600, random_state=0).fit(correlated(600, 0.9))
    report = monitor.check(correlated(400, -0.9))
    assert report.changed.tolist() == [False, False, True] and report.alarm
    assert report.performance["domain_auc"] > 0.9
    same = monitor.check(correlated(400, 0.9))
    assert not same.alarm and same.performance["domain_auc"] < 0.6


# -- frames, times, embeddings ------------------------------------------------------------------


def people(rng, n, pd, shift=0.0):
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(10 + shift, 1, n)),
            "city": rng.choice(["Oslo", "Lima", "Pune"], n, p=[0.5, 0.3, 0.2]),
            "plan": pd.Categorical(rng.choice(["a", "b"], n)),
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
        }
    )


def test_pandas_frames_with_everything(rng):
    pd = pytest.importorskip("pandas")
    frame = people(rng, 900, pd)
    kept = frame.copy(deep=True)
    monitor = DriftMonitor(random_state=0).fit(frame)
    pd.testing.assert_frame_equal(frame, kept)
    assert not monitor.check(people(rng, 300, pd)).alarm
    batch = people(rng, 300, pd)
    batch["city"] = np.where(rng.random(300) < 0.3, "Rome", batch["city"])
    report = monitor.check(batch)
    assert report.alarm and report.look_at_first == "city"
    assert report.effects["city"]["new"] == ["Rome"]
    batch = people(rng, 300, pd)
    batch["income"] = np.nan
    assert "missing" in monitor.check(batch).matters["income"]
    batch["plan"] = None
    assert monitor.check(batch).effects["plan"]["missing_rate"] == 1


def test_polars_frames_give_what_pandas_frames_give(rng):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = people(rng, 300, pd).drop(columns=["plan", "since"])
    batch = people(rng, 100, pd).drop(columns=["plan", "since"])
    values = [
        DriftMonitor(random_state=0).fit(make(frame)).check(make(batch)).log_e_values
        for make in (lambda f: f, lambda f: pl.DataFrame({c: f[c].tolist() for c in f}))
    ]
    assert values[0] == pytest.approx(values[1])  # NaN and null alike


def test_object_arrays_hold_numbers_and_text(rng):
    X = np.empty((200, 2), dtype=object)
    X[:, 0], X[:, 1] = rng.normal(size=200), rng.choice(["a", "b"], 200)
    monitor = DriftMonitor(random_state=0).fit(X)
    X[:, 1] = "b"
    assert monitor.check(X).look_at_first == "x1"


def test_a_changed_type_is_told(rng):
    pd = pytest.importorskip("pandas")
    monitor = DriftMonitor(random_state=0).fit(pd.DataFrame({"n": rng.integers(0, 50, 300)}))
    report = monitor.check(pd.DataFrame({"n": rng.integers(0, 50, 100).astype(float)}))
    assert report.dtype_changes == {"n": ("int64", "float64")}
    assert "The type changed of n." in report.verdict


def test_a_reference_for_each_weekday(rng):
    pd = pytest.importorskip("pandas")

    def sales(start, days):
        index = pd.date_range(start, periods=days * 24, freq="h")
        weekend = index.dayofweek >= 5
        return pd.DataFrame({"sales": rng.normal(np.where(weekend, 5, 0), 1)}, index=index)

    reference = sales("2026-01-05", 70)
    weekend = sales("2026-03-21", 2)
    plain = DriftMonitor(random_state=0).fit(reference)
    seasonal = DriftMonitor(reference_by="weekday", random_state=0).fit(reference)
    assert plain.check(weekend).alarm and not seasonal.check(weekend).alarm
    assert len(seasonal.groups_) == 7
    assert abs(seasonal.check(weekend).effects["sales"]["mean_shift"]) < 0.3
    weekend["sales"] -= 5  # a weekend like a Wednesday
    report = seasonal.update(weekend)
    assert report.alarm and report.began_at["sales"].startswith("2026-03-2")
    with pytest.raises(DataError, match="the clock goes back"):
        seasonal.update(sales("2026-03-01", 1))


def test_groups_by_a_column_and_unknown_groups(rng):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"shop": ["a", "b"] * 150, "x": np.tile([0.0, 9.0], 150)})
    frame["x"] += rng.normal(size=300)
    monitor = DriftMonitor(reference_by="shop", features=["x"], random_state=0).fit(frame)
    only_b = frame[frame["shop"] == "b"].head(60)
    assert not monitor.check(only_b).alarm
    with pytest.raises(DataError, match=r"no rows of the groups \['c'\]"):
        monitor.check(pd.DataFrame({"shop": ["c"], "x": [1.0]}))


def test_texts_through_a_callable(rng):
    words = np.array("the a big small cat dog runs sleeps".split())

    def texts(n, words):
        return [" ".join(rng.choice(words, 6)) for _ in range(n)]

    def counts(X):
        return np.array([[text.split().count(w) for w in words] for text in X], dtype=float)

    monitor = DriftMonitor(embedding=counts, random_state=0).fit(texts(400, words))
    assert not monitor.check(texts(150, words)).alarm
    assert monitor.check(texts(150, words[:5])).alarm
    with pytest.raises(ParameterError, match="embedding=callable"):
        DriftMonitor().fit(texts(50, words))
    with pytest.raises(DataError, match="finite numbers of shape"):
        DriftMonitor(embedding=lambda X: np.zeros(3)).fit(texts(50, words))


@pytest.mark.keras
def test_images_through_the_last_hidden_layer_of_a_network():
    from skopt_wrap import KerasClassifier

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype("float32").reshape(-1, 8, 8, 1)
    network = KerasClassifier("cnn", epochs=1, random_state=0).fit(X[:300], y[:300])
    monitor = DriftMonitor(network, random_state=0).fit(X[300:900])
    assert monitor.items_[0] == "embedding 1" and len(monitor.items_) <= 18
    assert not monitor.check(X[900:1100]).alarm
    assert monitor.check(1 - X[900:1100]).alarm


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1.5}, "alpha"),
        ({"statistics": "cusum"}, "statistics"),
        ({"run_length": 1000}, "run_length=1000 has no effect"),
        ({"features": ["x9"]}, "features names 'x9'"),
        ({"features": [7]}, "column 7"),
        ({"features": []}, "one column or more"),
        ({"features": [0, "x0"]}, "each once"),
        ({"effect_sizes": {"kss": 0.1}}, "Did you mean 'ks'"),
        ({"reference_by": "season"}, "reference_by must be one of"),
        ({"reference_by": "month"}, "needs the time of each row"),
        ({"scoring": "accuracy"}, "scoring scores the estimator"),
        ({"embedding": "network"}, "needs a network"),
        ({"window": -1}, "window"),
        ({"estimator": LogisticRegression()}, "must be fitted before"),
    ],
)
def test_bad_parameters(settings, message, rng):
    with pytest.raises(ValueError, match=message):
        DriftMonitor(**settings).fit(rng.normal(size=(50, 3)))


def test_bad_batches(rng, trained):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc"))
    frame["d"] = "text"
    monitor = DriftMonitor(random_state=0).fit(frame)
    cases = {
        r"missing \['b'\], new \[\]": frame.drop(columns="b"),
        r"missing \[\], new \['e'\]": frame.assign(e=1),
        "in another order": frame[list("bacd")],
        "column 'd' was category": frame.assign(d=1.0),
        "column 'a' was numeric": frame.assign(a="x"),
        "hold infinity": frame.assign(a=np.inf),
        "0 sample": frame.head(0),
    }
    for message, batch in cases.items():
        for method in (monitor.check, monitor.update):
            with pytest.raises(DataError, match=message):
                method(batch)
    assert monitor.n_rows_ == 0  # nothing of a batch that was refused is kept
    with pytest.raises(DataError, match="Give y to fit as well"):
        monitor.check(frame, np.zeros(100))
    with pytest.raises(DataError, match="no value in the columns"):
        DriftMonitor().fit(frame.assign(a=np.nan))
    model, X, y = trained
    watched = DriftMonitor(model, random_state=0).fit(X[:200], y[:200])
    with pytest.raises(DataError, match="does not know: \\['7'\\]"):
        watched.update(X[200:202], [7, 1])
    with pytest.raises(DataError, match="y has 1 labels"):
        watched.update(X[200:202], [1])
    with pytest.raises(DataError, match="timestamp has shape"):
        watched.update(X[200:202], timestamp=["2026-01-01"])
    with pytest.raises(DataError, match="cannot be read as times"):
        watched.update(X[200:202], timestamp=["soon", "later"])


def test_nan_predictions_are_refused(rng):
    class Broken(Ridge):
        def predict(self, X):
            return np.full(len(X), np.nan)

    X = rng.normal(size=(50, 2))
    with pytest.raises(DataError, match="50 of 50 predictions are NaN"):
        DriftMonitor(Broken().fit(X, X[:, 0])).fit(X)
