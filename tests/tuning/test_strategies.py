from __future__ import annotations

import importlib.util
import itertools
import pickle

import numpy as np
import optuna
import pytest
from scipy.stats import uniform
from sklearn.base import clone

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.tuning import Genetic, Halving, TunedClassifier
from skopt_wrap.tuning._candidate._splits import nested_order, shrink
from skopt_wrap.tuning._strategies._factory import make_oracle

from .test_factory import run, search, toy_space

needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="no torch")
needs_cmaes = pytest.mark.skipif(not importlib.util.find_spec("cmaes"), reason="no cmaes")
NEW = [
    pytest.param("gp", marks=needs_torch),
    pytest.param("cmaes", marks=needs_cmaes),
    Genetic(population_size=4, crossover="sbx", mutation_prob=0.3),
]


def ids(value):
    return value if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize("tuner", NEW, ids=ids)
def test_strategy_is_reproducible_respects_conditions_and_repeats_nothing(tuner):
    first, again = run(tuner), run(tuner)
    assert first == again
    seen = [values for values, _ in first]
    assert len({str(sorted(values.items())) for values in seen}) == len(seen) == 12
    assert all(("layers" in values) == (values["kind"] == "deep") for values in seen)


@pytest.mark.parametrize("tuner", NEW, ids=ids)
def test_strategy_learns_from_the_scores(tuner):
    n, seeds = (20, [1]) if tuner == "gp" else (60, [1, 2])
    scores = np.array([[s for _, s in run(tuner, n=n, seed=seed)] for seed in seeds])
    assert scores[:, -8:].mean() > scores[:, :8].mean() + 0.4


def test_switched_off_parameters_take_part_in_evolution():
    # Optuna crosses over what every trial has; without the silent ones `layers` would be random.
    oracle, _ = make_oracle("genetic", toy_space(), max_trials=8, epochs=None, seed=1)
    search(oracle)
    layers = [name for name in oracle.study.trials[0].params if name.startswith("layers")]
    assert all(layers[0] in trial.params for trial in oracle.study.trials)


@pytest.mark.parametrize("crossover", ["uniform", "blxalpha", "sbx", "vsbx", "spx", "undx"])
def test_every_crossover_runs(crossover):
    assert len(run(Genetic(population_size=3, crossover=crossover), n=8)) == 8


def test_genetic_settings_reach_the_sampler():
    settings = Genetic(population_size=7, crossover_prob=0.4, swapping_prob=0.3, mutation_prob=0.2)
    oracle, _ = make_oracle(settings, toy_space(), max_trials=9, epochs=None, seed=1)
    assert type(oracle.study.sampler) is optuna.samplers.NSGAIISampler
    assert oracle.study.sampler.population_size == 7
    third = make_oracle(Genetic(algorithm="nsga3"), toy_space(), max_trials=9, epochs=None, seed=1)[
        0
    ]
    assert type(third.study.sampler) is optuna.samplers.NSGAIIISampler


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"crossover": "unifrom"}, "Did you mean 'uniform'"),
        ({"mutation": "gauss"}, "mutation must be one of"),
        ({"population_size": 1}, "population_size must be an int >= 2"),
        ({"population_size": 2, "crossover": "spx"}, "population_size must be an int >= 3"),
        ({"mutation_prob": 1.5}, r"mutation_prob must be a number in \[0, 1\]"),
        ({"algorithm": "nsga"}, "algorithm must be one of"),
    ],
)
def test_genetic_refuses_a_bad_setting_when_it_is_made(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Genetic(**arguments)


@pytest.mark.parametrize("tuner, package", [("gp", "torch"), ("cmaes", "cmaes")])
def test_missing_package_is_named_with_its_extra(tuner, package, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == package else find(name, *a)
    )
    with pytest.raises(ImportError, match=rf"{package}.*skopt_wrap\[{tuner}\]"):
        make_oracle(tuner, toy_space(), max_trials=3, epochs=None, seed=1)


def test_halving_promotes_the_best_of_each_round():
    settings = Halving(factor=3, n_candidates=9, min_resource=1)
    oracle, n = make_oracle(settings, toy_space(), max_trials=5, epochs=9, seed=1)
    seen = search(oracle)
    rounds = [[v for v in seen if v[0]["tuner/iter"] == i] for i in range(3)]
    assert [len(r) for r in rounds] == [9, 3, 1]
    assert n == 13
    assert [r[0][0]["tuner/epochs"] for r in rounds] == [1, 3, 9]
    for before, after in itertools.pairwise(rounds):
        best = sorted((s for _, s in before), reverse=True)[: len(after)]
        assert sorted((s for _, s in after), reverse=True) == best


def test_halving_costs_as_much_as_max_trials_full_trainings():
    for max_trials in (5, 20):
        oracle, _ = make_oracle("halving", toy_space(), max_trials=max_trials, epochs=27, seed=1)
        epochs = sum(values["tuner/epochs"] for values, _ in search(oracle))
        assert epochs == pytest.approx(27 * max_trials, rel=0.25)


def test_halving_goes_on_when_trials_fail_and_when_the_space_is_small():
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [8, 16, 32])
    oracle, _ = make_oracle(
        Halving(n_candidates=9, min_resource=1), hp, max_trials=5, epochs=9, seed=1
    )
    assert [v["units"] for v, _ in search(oracle, lambda v: v["units"])][3:] == [32, 32]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"resource": "epoch"}, "Did you mean 'epochs'"),
        ({"factor": 1}, "factor must be an int >= 2"),
        ({"min_resource": 1.5}, "min_resource must be"),
        ({"min_resource": 0}, "min_resource must be an int >= 1"),
        ({"resource": ("epochs", "samples"), "min_resource": 5}, "two resources"),
        ({"n_candidates": 0}, "n_candidates must be an int >= 1"),
    ],
)
def test_halving_refuses_a_bad_setting_when_it_is_made(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Halving(**arguments)


def test_halving_rounds_are_whole_powers_of_the_factor():
    assert Halving(min_resource=1).rounds(9, 1) == pytest.approx([1 / 9, 1 / 3, 1])
    assert Halving().rounds(1000, 1) == pytest.approx([1 / 27, 1 / 9, 1 / 3, 1])
    assert Halving(factor=2).rounds(100, 40) == [0.5, 1.0]
    assert Halving().rounds(5, 40) == [1.0]
    with pytest.raises(ParameterError, match="more than all there are, 5"):
        Halving(min_resource=9).rounds(5, 1)


def test_rows_of_a_halving_are_nested_and_keep_the_classes():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    train = np.arange(100)
    splits = [(train, train)]
    small, large = (shrink(splits, y, share, classifier=True, seed=0)[0][0] for share in (0.1, 0.5))
    assert set(small) < set(large)
    assert np.bincount(y[small]).tolist() == [6, 3, 1]
    assert np.bincount(y[large]).tolist() == [30, 15, 5]
    assert (np.diff(large) > 0).all()
    assert shrink(splits, y, 1.0, classifier=True, seed=0) is splits
    order = nested_order(train, y, stratify=False, seed=1)
    assert sorted(order) == train.tolist()


def test_halving_over_samples_trains_on_parts_of_the_training_rows(iris, centroid):
    X, y = iris
    tuner = Halving(resource="samples", n_candidates=4, factor=2, min_resource=0.25)
    est = TunedClassifier(
        centroid, tuner=tuner, cv=2, space={"shift": uniform(0, 2)}, random_state=0
    ).fit(X, y)
    table = est.cv_results_
    assert table["share_samples"].tolist() == [0.25] * 4 + [0.5] * 2 + [1.0]
    assert table["iter"].tolist() == [0] * 4 + [1] * 2 + [2]
    assert est.best_index_ == 6  # of the last round, whatever the others scored
    assert est.best_estimator_.n_rows_ == 60
    assert clone(est).tuner == tuner
    assert pickle.loads(pickle.dumps(est)).tuner == tuner


def test_halving_over_epochs_sets_the_epochs(iris, centroid):
    est = TunedClassifier(
        centroid,
        tuner=Halving(n_candidates=3, min_resource=3),
        cv=2,
        space={"shift": uniform(0, 2)},
        random_state=0,
    ).fit(*iris)
    assert [trial.params["epochs"] for trial in est.trials_] == [3, 3, 3, 9]
    assert est.best_params_["epochs"] == 9
    with pytest.raises(ParameterError, match="sets the epochs"):
        clone(est).set_params(space={"epochs": [1, 2]}).fit(*iris)
