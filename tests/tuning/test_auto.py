from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap.exceptions import ParameterError, SkippedWarning, UnknownParameterError
from skopt_wrap.tuning import TrialResult, TunedClassifier
from skopt_wrap.tuning._auto import (
    architecture_table,
    architectures_for,
    own_entries,
    search_architectures,
)

SMALL = {"model__units": [2, 3], "model__filters": [2, 3], "model__n_layers": 1}


def trial(score, n_parameters=5):
    return TrialResult(
        0, {}, scores={"score": [score, score + 0.2]}, fit_seconds=[1.0, 3.0],
        score_seconds=[0.5, 0.5], n_parameters=n_parameters,
    )  # fmt: skip


def test_shapes_and_their_architectures():
    assert architectures_for((5,)) == ("dense", "realmlp", "tabm")
    series = ("dense", "cnn", "lstm", "lite", "inceptiontime")
    assert architectures_for((9, 5)) == series
    assert architectures_for((8, 8, 3)) == ("dense", "cnn")
    assert architectures_for((2, 2, 2, 2)) == ("dense",)


def test_entries_go_to_the_architectures_that_know_them():
    assert set(own_entries(SMALL, "cnn")) == {"model__filters", "model__n_layers"}
    assert set(own_entries({**SMALL, "epochs": 3}, "lstm")) == {
        "model__units",
        "model__n_layers",
        "epochs",
    }
    with pytest.raises(UnknownParameterError, match="Did you mean 'model__units'"):
        own_entries({"model__unit": [1]}, "dense")


def test_table_of_families():
    found = {"dense": [trial(0.3), trial(0.5, 7)], "cnn": [trial(0.6, 9)]}
    trials = search_architectures(
        ["dense", "cnn"], lambda name: (found[name], False), reraise=False
    )
    assert [item.number for item in trials] == [0, 1, 2]
    table = architecture_table(trials, "score")
    assert table["model"].tolist() == ["cnn", "dense"]
    np.testing.assert_allclose(table["best_score"], [0.7, 0.6])
    np.testing.assert_allclose(table["std_score"], [0.1, 0.1])
    assert table["n_parameters"].tolist() == [9, 7]
    assert table["best_index"].tolist() == [2, 1]
    assert table["total_seconds"].tolist() == [5, 10]


def test_family_that_fails_is_reported_and_all_failing_raises():
    def search(name):
        if name != "dense":
            raise RuntimeError(name)
        return [trial(0.5)], False

    with pytest.warns(SkippedWarning, match=r"leaves out 'cnn'.*RuntimeError: cnn"):
        assert len(search_architectures(["cnn", "dense"], search, reraise=False)) == 1
    with pytest.raises(RuntimeError, match="cnn"):
        search_architectures(["cnn", "lstm"], search, reraise=False)
    with pytest.raises(RuntimeError, match="cnn"):
        search_architectures(["cnn", "dense"], search, reraise=True)
    stopped = search_architectures(
        ["dense", "dense"], lambda name: ([trial(0.1)], True), reraise=False
    )
    assert len(stopped) == 1


@pytest.mark.keras
def test_auto_compares_what_the_shape_allows():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 6, 2)).astype("float32")
    space = {**SMALL, "model__n_blocks": [1]}
    names = ["dense", "cnn", "lstm", "lite", "inceptiontime"]
    y = np.where(X[:, :, 0].mean(axis=1) > 0, "up", "down")
    est = TunedClassifier(
        "auto", tuner="random", max_trials=2, cv=2, epochs=2, space=space, random_state=0
    ).fit(X, y)
    table = est.families_
    assert sorted(table["model"]) == sorted(names)
    assert table["n_trials"].tolist() == [2] * 5
    assert table["best_score"][0] == est.best_score_ == max(est.cv_results_["mean_test_score"])
    assert est.best_params_["model"] == table["model"][0] == est.best_estimator_.model
    row = table["model"].tolist().index(est.best_params_["model"])
    assert table["n_parameters"][row] == est.model_.count_params()
    assert list(est.cv_results_["param_model"]) == [name for name in names for _ in range(2)]
    assert set(est.oracle_) == set(names)
    assert list(est.space_) == ["model", "name", "kind", "values", "condition"]
    assert est.predict_proba(X).shape == (40, 2)
    assert not hasattr(est, "pareto_front_")


def test_auto_refuses_a_name_that_nobody_knows(iris):
    with pytest.raises(ParameterError, match="model__unitz"):
        TunedClassifier("auto", space={"preset": "compact", "model__unitz": [1]}).fit(*iris)
