"""One network, many chains: the smallest file within the budgets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score

from skopt_wrap import CompressionDisplay, CompressionSearch, KerasClassifier
from skopt_wrap._pareto import pareto_front
from skopt_wrap.exceptions import (
    BudgetError,
    BudgetWarning,
    SearchError,
    SkippedWarning,
    UnknownParameterError,
)


class _Counting(KerasClassifier):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, **overrides):
        _Counting.fits += 1
        return super().fit(X, y, sample_weight, X_val, y_val, **overrides)


@pytest.fixture(scope="module")
def search(digits):
    X, y = digits
    _Counting.fits = 0
    network = _Counting("dense", model__units=(32,), model__n_layers=1, epochs=8, random_state=0)
    grid = {"quantization": [None, "dynamic", "int8"]}
    found = CompressionSearch(network, grid, cv=2, max_score_drop=0.02, random_state=0)
    return found.fit(X[:600], y[:600])


def test_networks_are_trained_once_a_fold(search):
    assert _Counting.fits == search.n_splits_ + 1


@pytest.mark.tfmot
def test_stages_that_candidates_share_are_run_once_a_fold(search, digits, monkeypatch):
    from skopt_wrap.compression._stages._clustering import Cluster
    from skopt_wrap.compression._stages._pruning import Prune

    ran = []

    def counted(kind, amount):
        run = kind.run

        def count(self, model, context):
            ran.append((self.name, getattr(self.spec, amount)))
            return run(self, model, context)

        monkeypatch.setattr(kind, "run", count)

    counted(Prune, "sparsity")
    counted(Cluster, "n_clusters")
    X, y = digits[0][:200], digits[1][:200]
    frozen = FrozenEstimator(search.best_estimator_.estimator_.estimator)
    grid = [
        {"pruning": [0.3, 0.6], "quantization": [None, "int8"]},
        {"pruning": [0.6], "clustering": [4], "quantization": ["float16"]},
    ]
    settings = {"cv": 2, "max_score_drop": None, "fine_tune_epochs": 2, "random_state": 0}
    found = CompressionSearch(frozen, grid, **settings).fit(X, y)
    of_a_fold = [("prune", 0.3), ("prune", 0.6), ("cluster", 4)]
    assert ran[:6] == of_a_fold * 2
    alone = CompressionSearch(frozen, grid[1], **settings).fit(X, y)
    for name in ("mean_size", "mean_test_score"):
        assert found.cv_results_[name][-1] == alone.cv_results_[name][0]


def test_smallest_file_within_the_drop_wins(search, digits):
    table = search.cv_results_
    assert search.best_params_ == {"quantization": "int8"}
    assert table["mean_size"][2] < table["mean_size"][1] < table["mean_size"][0]
    assert table["within_budget"].all()
    assert search.best_score_ == table["mean_test_score"][2]
    assert len(search.best_estimator_.tflite_model_) == pytest.approx(
        table["mean_size"][2], rel=0.1
    )
    X, y = digits
    assert search.score(X[600:], y[600:]) == accuracy_score(y[600:], search.predict(X[600:])) > 0.8


def test_table_is_ready_for_a_frame(search):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(search.cv_results_)
    assert len(frame) == 3
    folds = frame[["split0_test_score", "split1_test_score"]].mean(axis=1)
    np.testing.assert_allclose(folds, frame["mean_test_score"])
    assert frame["rank_test_score"].min() == 1
    assert frame["error"].isna().all()


def test_front_holds_what_nothing_beats(search):
    table = search.cv_results_
    for i in range(3):
        beaten = any(
            table["mean_test_score"][j] >= table["mean_test_score"][i]
            and table["mean_size"][j] <= table["mean_size"][i]
            and table["mean_latency"][j] <= table["mean_latency"][i]
            and i != j
            for j in range(3)
        )
        assert (i in search.pareto_front_) == (not beaten)
    assert (np.diff(table["mean_size"][search.pareto_front_]) > 0).all()


def test_pareto_front_of_equal_rows_keeps_both():
    np.testing.assert_array_equal(pareto_front(np.array([[1, 1], [1, 1], [0, 2]])), [1, 1, 1])


def test_display_draws_the_candidates(search):
    pytest.importorskip("matplotlib").use("Agg")
    display = CompressionDisplay.from_estimator(search)
    assert {text.get_text() for text in display.ax_.texts} == {"float32", "dynamic", "int8"}
    assert "2 folds" in display.ax_.get_ylabel()


def test_budgets_that_nothing_meets(search, digits):
    X, y = digits
    frozen = FrozenEstimator(search.best_estimator_.estimator_.estimator)
    grid = {"quantization": ["int8"]}
    tight = CompressionSearch(frozen, grid, cv=2, max_size="1 kB", random_state=0)
    with pytest.raises(BudgetError, match=r"none of 1 candidates .*max_size=1000.*smallest: \d"):
        tight.fit(X[:100], y[:100])
    with pytest.warns(BudgetWarning, match="none of 1"):
        tight.set_params(on_missed_budget="warn").fit(X[:100], y[:100])
    assert tight.best_params_ == {"quantization": "int8"}
    tight.set_params(on_missed_budget="raise")
    with pytest.raises(BudgetError):
        tight.fit(X[:100], y[:100])
    assert not hasattr(tight, "best_estimator_")  # of the fit before


def test_candidate_that_fails_is_reported_and_left_out(blobs):
    import keras

    class Odd(keras.layers.Layer):
        def call(self, x):
            return keras.ops.erfinv(keras.ops.tanh(x) * 0.5)

    def builder(meta):
        return keras.Sequential(
            [keras.Input((meta["n_features_in_"],)), Odd(), keras.layers.Dense(3)]
        )

    network = KerasClassifier(builder, epochs=1, random_state=0)
    search = CompressionSearch(network, {"quantization": ["float16"]}, cv=2)
    with (
        pytest.warns(SkippedWarning, match="is left out"),
        pytest.raises(SearchError, match="every candidate failed"),
    ):
        search.fit(*blobs)


def test_names_in_the_grid_are_checked_before_training(blobs):
    for name in ("quantisation", "max_size"):
        search = CompressionSearch(KerasClassifier(), {name: ["int8"]})
        with pytest.raises(UnknownParameterError, match=name):
            search.fit(*blobs)
    with pytest.raises(ValueError, match="int7"):
        CompressionSearch(KerasClassifier(), {"quantization": ["int7"]}).fit(*blobs)
