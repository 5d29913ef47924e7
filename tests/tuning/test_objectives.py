from __future__ import annotations

import numpy as np
import optuna
import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.tuning import Genetic, TrialResult, TunedClassifier
from skopt_wrap.tuning._keras_tuner import temporary_folder
from skopt_wrap.tuning._objectives import (
    MEASURED,
    choose,
    directions,
    front_table,
    main_metric,
    on_front,
    row_seconds,
)
from skopt_wrap.tuning._strategies._factory import make_oracle

from .test_factory import loss, toy_space

SPACE = {"model__units": [2, 4, 8, 16], "model__n_layers": [1, 2]}


def trial(number, scores, **objectives):
    mean = float(np.mean(scores))
    return TrialResult(
        number, {"n": number}, scores={"score": scores}, objectives={"score": mean, **objectives}
    )


TRIALS = [
    trial(0, [0.90, 0.94], parameters=100.0, latency=3.0),  # highest; standard error 0.02
    trial(1, [0.91, 0.91], parameters=60.0, latency=4.0),  # within it
    trial(2, [0.91, 0.90], parameters=50.0, latency=5.0),  # within it, smaller
    trial(3, [0.70, 0.70], parameters=5.0, latency=1.0),
    trial(4, [0.60, 0.60], parameters=200.0, latency=9.0),  # worse in everything
    TrialResult(5, {"n": 5}, state="FAILED"),
]


def test_front_against_a_table_made_by_hand():
    values = [[1, 9], [2, 5], [2, 5], [3, 6], [2, 4], [np.nan, 0]]
    assert on_front(values, ["maximize", "minimize"]).tolist() == [0, 0, 0, 1, 1, 0]
    assert on_front(values, ["minimize", "minimize"]).tolist() == [1, 0, 0, 0, 1, 0]


def test_front_agrees_with_optuna():
    rng = np.random.RandomState(0)
    values = rng.randint(0, 6, (40, 3)).astype(float)
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    for row in values:
        study.add_trial(optuna.create_trial(values=row.tolist()))
    expected = sorted(item.number for item in study.best_trials)
    assert np.flatnonzero(on_front(values, ["maximize", *["minimize"] * 2])).tolist() == expected


def test_front_table_is_sorted_by_score():
    table = front_table(TRIALS, ["score", "parameters"])
    assert table["index"].tolist() == [0, 1, 2, 3]
    assert table["params"][0] == {"n": 0}
    assert table["objective_parameters"].tolist() == [100, 60, 50, 5]


def test_refit_rule():
    names = ["score", "parameters", "latency"]
    assert choose(TRIALS, names, True) == 2
    assert choose(TRIALS, ["score", "latency", "parameters"], True) == 0
    assert choose(TRIALS, names, "score") == 0
    assert choose(TRIALS, names, "parameters") == 3
    assert main_metric(["size", "f1", "accuracy"]) == "f1"
    assert directions(["size", "f1"]) == ["minimize", "maximize"]


@pytest.mark.parametrize(
    "objectives, message",
    [
        (["score"], "at least two names"),
        (["score", "score"], "names one twice"),
        (["score", "paramters"], "Did you mean 'parameters'"),
        (["latency", "size"], "holds no score"),
    ],
)
def test_bad_objectives_are_refused_before_training(objectives, message, iris):
    with pytest.raises(ParameterError, match=message):
        TunedClassifier(objectives=objectives).fit(*iris)


def test_objectives_and_what_cannot_serve_them(iris, centroid):
    base = TunedClassifier(centroid, space={"power": [1.0, 2.0]}, objectives=["score", "latency"])
    for tuner in ("hyperband", "halving", "cmaes"):
        with pytest.raises(ParameterError, match="single objective"):
            clone(base).set_params(tuner=tuner).fit(*iris)
    with pytest.raises(ParameterError, match="single objective"):
        clone(base).set_params(pruner="median", tuner="grid").fit(*iris)
    with pytest.raises(ParameterError, match="only a Keras network has"):
        clone(base).set_params(objectives=["score", "size"]).fit(*iris)
    with pytest.raises(ParameterError, match="refit='size' is none of the objectives"):
        clone(base).set_params(refit="size").fit(*iris)


@pytest.mark.parametrize("tuner", ["genetic", Genetic(algorithm="nsga3"), "tpe"])
def test_strategy_finds_a_front(tuner):
    oracle, _ = make_oracle(
        tuner, toy_space(), max_trials=60, epochs=None, seed=1, directions=["maximize", "minimize"]
    )
    size = []
    with temporary_folder(oracle):
        while (asked := oracle.create_trial("t")).status == "RUNNING":
            values = asked.hyperparameters.values
            size.append(values["units"] * (1 + values.get("layers", 0)))
            oracle.set_values(asked.trial_id, [-loss(values), size[-1]])
            oracle.update_trial(asked.trial_id, {"score": -loss(values)})
            asked.status = "COMPLETED"
            oracle.end_trial(asked)
    assert np.mean(size[-15:]) < np.mean(size[:15])
    assert all(len(item.values) == 2 for item in oracle.study.trials if item.values)


@pytest.mark.keras
def test_search_with_all_objectives(iris):
    names = ["score", *MEASURED]
    est = TunedClassifier(
        tuner="genetic", objectives=names, max_trials=4, cv=2, space=SPACE, epochs=3, random_state=0
    ).fit(*iris)
    assert type(est.oracle_.study.sampler).__name__ == "NSGAIIISampler"  # of more than three
    table = est.cv_results_
    for item in est.trials_:
        units, layers = item.params["model__units"], item.params["model__n_layers"]
        weights = 5 * units + (layers - 1) * (units + 1) * units + 3 * (units + 1)
        weights += 2 * 4  # median and range of each column
        assert item.objectives["parameters"] == weights
        assert item.objectives["size"] == 4 * weights
        assert 0 < item.objectives["latency"] < 1
        assert list(item.scores) == ["score"]
    assert not est.multimetric_
    values = np.column_stack([table[f"objective_{name}"] for name in names])
    front = np.flatnonzero(on_front(values, directions(names)))
    assert sorted(est.pareto_front_["index"]) == front.tolist()
    assert est.best_index_ in front
    assert est.best_score_ == table["mean_test_score"][est.best_index_]
    by_name = clone(est).set_params(refit="size", tuner="random", max_trials=3).fit(*iris)
    assert by_name.best_index_ == np.argmin(by_name.cv_results_["objective_size"])
    assert not hasattr(clone(est), "pareto_front_")


@pytest.mark.keras
def test_objectives_may_be_metrics_alone(iris):
    est = TunedClassifier(
        tuner="random",
        objectives=["f1_macro", "neg_log_loss"],
        scoring=["accuracy", "f1_macro", "neg_log_loss"],
        max_trials=3,
        cv=2,
        space=SPACE,
        epochs=2,
        refit=lambda table: int(np.argmax(table["mean_test_accuracy"])),
        random_state=0,
    ).fit(*iris)
    assert set(est.pareto_front_) == {
        "index",
        "params",
        "objective_f1_macro",
        "objective_neg_log_loss",
    }
    assert est.multimetric_
    assert choose(est.trials_, est.objectives, True) == est.pareto_front_["index"][0]


def test_latency_is_the_time_of_one_row():
    import time

    class Slow:
        rows = 0

        def predict(self, X):
            self.rows += len(X)
            time.sleep(0.002)

    slow = Slow()
    assert 0.002 <= row_seconds(slow, np.zeros((9, 2))) < 0.2
    assert slow.rows == 18
