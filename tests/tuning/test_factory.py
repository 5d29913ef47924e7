from __future__ import annotations

import os
import random

import keras_tuner
import numpy as np
import optuna
import pytest
from keras_tuner.engine import hyperparameters as kinds

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.tuning._keras_tuner import temporary_folder
from skopt_wrap.tuning._strategies._factory import make_oracle
from skopt_wrap.tuning._strategies._hyperband import hyperband_plan

NAMES = ["random", "bayesian", "tpe", "genetic", "grid"]


def toy_space():
    hp = keras_tuner.HyperParameters()
    kind = hp.Choice("kind", ["wide", "deep"])
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Choice("units", [8, 16, 32, 64])
    hp.Float("drop", 0, 0.5, step=0.25)
    with hp.conditional_scope("kind", ["deep"]):
        if kind == "deep":
            hp.Int("layers", 2, 5)
    hp.merge([kinds.Int("layers", 2, 5, conditions=[keras_tuner_parent("kind", ["deep"])])])
    return hp


def keras_tuner_parent(name, values):
    from keras_tuner.src.engine.conditions import Parent

    return Parent(name, values)


def loss(values):
    best = -2.0
    deep = values["kind"] == "deep"
    penalty = abs(values["layers"] - 3) if deep else 2
    return (np.log10(values["rate"]) - best) ** 2 + penalty + abs(values["units"] - 32) / 32


def search(oracle, evaluate=lambda values: -loss(values)):
    seen = []
    with temporary_folder(oracle):
        while (trial := oracle.create_trial("t")).status == "RUNNING":
            values = dict(trial.hyperparameters.values)
            seen.append((values, evaluate(values)))
            oracle.update_trial(trial.trial_id, {"score": seen[-1][1]})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    return seen


def run(tuner, n=12, seed=3, **kwargs):
    oracle, _ = make_oracle(tuner, toy_space(), max_trials=n, epochs=None, seed=seed)
    return search(oracle, **kwargs)


@pytest.mark.parametrize("tuner", NAMES)
def test_strategy_is_reproducible_and_depends_on_its_seed(tuner):
    first, again, other = run(tuner), run(tuner), run(tuner, seed=4)
    assert first == again
    assert len(first) == 12
    if tuner != "grid":
        assert first != other


@pytest.mark.parametrize("tuner", NAMES)
def test_strategy_repeats_no_point_and_respects_conditions(tuner):
    seen = [values for values, _ in run(tuner)]
    assert len({str(sorted(values.items())) for values in seen}) == len(seen)
    assert all(("layers" in values) == (values["kind"] == "deep") for values in seen)
    assert all(1e-4 <= values["rate"] <= 1e-1 for values in seen)


@pytest.mark.parametrize("tuner", ["bayesian", "tpe", "genetic"])
def test_model_based_strategy_learns(tuner):
    scores = np.array([[s for _, s in run(tuner, n=30, seed=seed)] for seed in (1, 2)])
    assert scores[:, -8:].mean() > scores[:, :8].mean() + 0.5


def test_random_search_does_not_learn():
    scores = np.array([[s for _, s in run("random", n=30, seed=seed)] for seed in (1, 2)])
    assert abs(scores[:, -8:].mean() - scores[:, :8].mean()) < 0.5


def test_strategies_print_nothing_and_leave_no_file(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    state = random.getstate()
    for tuner in NAMES:
        run(tuner, n=6)
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert os.listdir(tmp_path) == []
    assert random.getstate() == state


def test_oracles_are_released_by_keras_tuner():
    from keras_tuner.src.engine.oracle import LOCKS

    before = len(LOCKS)
    run("random", n=2)
    assert len(LOCKS) == before


def test_small_space_ends_the_search():
    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [8, 16])
    for tuner in NAMES:
        oracle, _ = make_oracle(tuner, hp.copy(), max_trials=10, epochs=None, seed=1)
        units = [values["units"] for values, _ in search(oracle, lambda v: v["units"])]
        assert sorted(units) == [8, 16], tuner


def test_hyperparameter_found_during_a_trial_is_searched_from_then_on():
    oracle, _ = make_oracle("tpe", keras_tuner.HyperParameters(), max_trials=6, epochs=None, seed=1)
    late = []
    with temporary_folder(oracle):
        while (trial := oracle.create_trial("t")).status == "RUNNING":
            late.append(trial.hyperparameters.Int("late", 1, 100))
            oracle.update_trial(trial.trial_id, {"score": float(late[-1])})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)
    assert len(set(late)) > 2
    recorded = [t.params for t in oracle.study.trials if t.state.name == "COMPLETE"]
    assert [params["late"] for params in recorded] == late


def test_failed_trials_do_not_end_the_search():
    for tuner in NAMES:
        oracle, _ = make_oracle(tuner, toy_space(), max_trials=8, epochs=None, seed=1)
        n = 0
        with temporary_folder(oracle):
            while (trial := oracle.create_trial("t")).status == "RUNNING":
                n += 1
                trial.status = "FAILED"
                oracle.end_trial(trial)
        assert n == 8, tuner


def test_hyperband_plan_is_what_the_oracle_runs():
    oracle, n_trials = make_oracle("hyperband", toy_space(), max_trials=1, epochs=9, seed=1)
    seen = search(oracle)
    assert hyperband_plan(9) == (len(seen), sum(values["tuner/epochs"] for values, _ in seen))
    assert n_trials == len(seen)
    assert max(values["tuner/epochs"] for values, _ in seen) == 9


def test_hyperband_makes_as_many_sweeps_as_the_budget_allows():
    trials, epochs = hyperband_plan(4)
    _, n = make_oracle("hyperband", toy_space(), max_trials=2 * epochs // 4 + 1, epochs=4, seed=1)
    assert n == 2 * trials


def test_callers_oracle_is_copied_and_gets_our_budget():
    mine = keras_tuner.oracles.RandomSearchOracle(objective="val_loss", max_trials=3, seed=5)
    oracle, n = make_oracle(mine, toy_space(), max_trials=7, epochs=None, seed=1)
    assert (len(search(oracle)), n) == (7, 7)
    assert (len(mine.trials), mine.max_trials, mine.objective.name) == (0, 3, "val_loss")
    with pytest.raises(ParameterError, match="already run 7"):
        make_oracle(oracle, toy_space(), max_trials=7, epochs=None, seed=1)


def test_callers_sampler_is_used():
    sampler = optuna.samplers.QMCSampler(seed=1)
    assert len(run(sampler, n=5)) == 5


def test_logging_level_of_optuna_is_left_alone():
    before = optuna.logging.get_verbosity()
    run("tpe", n=1)
    assert optuna.logging.get_verbosity() == before
