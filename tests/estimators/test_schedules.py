from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, ParameterError, UnknownParameterError
from skopt_wrap.training import schedule_rates
from skopt_wrap.training._epoch_graph import _GRAPHS
from skopt_wrap.training._schedules import SCHEDULES

pytestmark = pytest.mark.keras


def small(**params):
    params = {"optimizer__learning_rate": 0.1, "epochs": 4, "batch_size": 32, **params}
    return KerasClassifier(model__units=4, optimizer="sgd", random_state=0, **params)


def traces(clf):
    """Return how often the graphs in use were traced, and how many there are."""
    return sum(graph._train.experimental_get_tracing_count() for graph in _GRAPHS.values()), len(
        _GRAPHS
    )


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_schedule_trains_fused_as_by_model_fit(blobs, name):
    options = {"learning_rate_schedule": name, "validation_split": 0.2}
    options |= {"learning_rate_schedule__warmup": 0.3, "learning_rate_schedule__patience": 1}
    fused = small(**options).fit(*blobs)
    stepwise = small(**options, fit__initial_epoch=0).fit(*blobs)
    assert fused.fit_path_ == "fused" and stepwise.fit_path_.startswith("fit: ")
    for ours, theirs in zip(fused.model_.get_weights(), stepwise.model_.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    rates = fused.history_["learning_rate"]
    np.testing.assert_allclose(rates, stepwise.history_["learning_rate"], rtol=1e-6)
    if name != "reduce_on_plateau":
        table = schedule_rates(name, 0.1, 4 * 3, warmup=0.3)  # 72 rows, three steps an epoch
        np.testing.assert_allclose(rates, table[2::3], rtol=1e-6)
    # The base rate is back, for a fit that goes on.
    np.testing.assert_allclose(float(fused.model_.optimizer.learning_rate), 0.1, rtol=1e-6)


def test_schedule_changes_what_is_learned(blobs):
    weights = [
        small(learning_rate_schedule=name).fit(*blobs).model_.trainable_weights[0].numpy()
        for name in (None, "constant", "cosine")
    ]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.allclose(weights[0], weights[2])


def test_plateau_lowers_the_rate_to_its_floor(blobs):
    X, y = blobs
    shuffled = np.random.default_rng(0).permutation(y)  # nothing to learn
    clf = small(
        learning_rate_schedule="reduce_on_plateau", learning_rate_schedule__patience=1,
        learning_rate_schedule__decay_rate=0.5, learning_rate_schedule__final=0.2,
        epochs=25, optimizer__learning_rate=1.0,
    )  # fmt: skip
    rates = clf.fit(X, shuffled).history_["learning_rate"]
    assert rates[0] == 1.0 and min(rates) == pytest.approx(0.2) and rates == sorted(rates)[::-1]


def test_another_schedule_costs_no_trace(blobs):
    clf = small(epochs=2).fit(*blobs)
    before = traces(clf)
    for params in (
        {"learning_rate_schedule": "cosine"},
        {"learning_rate_schedule": "one_cycle", "learning_rate_schedule__warmup": 0.5},
        {"learning_rate_schedule": "step", "optimizer__learning_rate": 0.3, "epochs": 3},
    ):
        assert clf.set_params(**params).fit(*blobs).fit_path_ == "fused"
    assert traces(clf) == before


def test_search_over_schedules_and_their_options(blobs):
    grid = {
        "learning_rate_schedule": [None, "cosine", "step"],
        "learning_rate_schedule__warmup": [0.0, 0.25],
        "learning_rate_schedule__decay_rate": [0.5],
    }
    search = GridSearchCV(small(epochs=2), grid, cv=2, error_score="raise").fit(*blobs)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[0] == scores[1]  # None has no warm-up
    assert search.best_params_.keys() == grid.keys()


def test_schedule_is_cloned_listed_and_pickled(blobs):
    clf = small(learning_rate_schedule="cosine", learning_rate_schedule__warmup=0.25)
    assert clone(clf).get_params()["learning_rate_schedule__warmup"] == 0.25
    fitted = clone(clf).fit(*blobs)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(blobs[0]), fitted.predict_proba(blobs[0]))
    assert loaded.history_ == fitted.history_
    clf.set_params(learning_rate_schedule__warmup=0.5, learning_rate_schedule="step")
    assert clf.get_params()["learning_rate_schedule__warmup"] == 0.5


def test_schedule_starts_anew_with_every_fit(blobs):
    clf = small(learning_rate_schedule="polynomial", warm_start=True).fit(*blobs).fit(*blobs)
    rates = clf.history_["learning_rate"]
    assert rates[:4] == rates[4:] and rates[0] > rates[3]


def test_schedule_with_mixed_precision_regression_and_early_stopping(line):
    reg = KerasRegressor(
        model__units=4, learning_rate_schedule="one_cycle", early_stopping=2, epochs=30,
        optimizer__learning_rate=0.3, dtype="mixed_float16", random_state=0,
    ).fit(*line)  # fmt: skip
    assert len(reg.history_["learning_rate"]) == reg.n_iter_


def test_schedule_of_a_dataset(blobs):
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices(blobs).batch(30)
    clf = small(learning_rate_schedule="polynomial", epochs=2)
    fitted = clf.fit_dataset(rows, classes=[0, 1, 2])
    np.testing.assert_allclose(fitted.history_["learning_rate"], [0.1 * 4 / 6, 0.1 / 6], rtol=1e-5)
    with pytest.raises(DataError, match="steps_per_epoch"):
        small(learning_rate_schedule="cosine").fit_dataset(
            rows.filter(lambda x, y: True), classes=[0, 1, 2]
        )


def test_schedule_errors_come_before_training(blobs):
    import keras

    with pytest.raises(ParameterError, match="Did you mean 'cosine'"):
        small(learning_rate_schedule="cosinus").fit(*blobs)
    with pytest.raises(UnknownParameterError, match="Did you mean 'learning_rate_schedule__warmup"):
        small(learning_rate_schedule="cosine", learning_rate_schedule__warmpu=0.1)
    with pytest.raises(ParameterError, match=r"warmup must be a number in \[0, 1\), got 5"):
        small(learning_rate_schedule="cosine", learning_rate_schedule__warmup=5).fit(*blobs)
    with pytest.raises(ParameterError, match=r"schedules by name; got.*0\.5"):
        small(learning_rate_schedule__warmup=0.1).set_params(learning_rate_schedule=0.5).fit(*blobs)
    own = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ParameterError, match="a schedule of its own"):
        KerasClassifier(
            optimizer=keras.optimizers.SGD(own), learning_rate_schedule="step", epochs=1
        ).fit(*blobs)


def test_networks_with_schedules_are_trained_together(blobs):
    from skopt_wrap.estimators import FitJob, fit_together

    names = ["cosine", "one_cycle", None]
    made = [small(learning_rate_schedule=name) for name in names for _ in "ab"]
    X = blobs[0].astype("float32")
    jobs = [FitJob(clf, X, blobs[1], rows=np.arange(80)) for clf in made[::2]]
    outcomes = fit_together(jobs)
    assert [outcome.path for outcome in outcomes] == ["joint"] * 3
    for job, alone in zip(jobs, made[1::2], strict=True):
        alone.fit(X[:80], blobs[1][:80])
        for ours, theirs in zip(
            job.estimator.model_.get_weights(), alone.model_.get_weights(), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        rates = alone.history_.get("learning_rate")
        assert job.estimator.history_.get("learning_rate") == pytest.approx(rates)
