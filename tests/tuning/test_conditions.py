from __future__ import annotations

import copy
import pickle

import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from scipy import stats
from sklearn.base import clone

from skopt_wrap import KerasClassifier
from skopt_wrap.exceptions import ParameterError, UnknownParameterError
from skopt_wrap.tuning import REMOVE, Conditional, PerLayer, TunedClassifier, default_space
from skopt_wrap.tuning._space._conditions import changed
from skopt_wrap.tuning._space._search_space import SearchSpace
from skopt_wrap.tuning._strategies._factory import make_oracle

from .test_factory import search

BY_OPTIMIZER = {
    "optimizer__momentum": Conditional([0.0, 0.9], when={"optimizer": "sgd"}),
    "optimizer": ["sgd", "adam"],
    "optimizer__learning_rate": [
        Conditional(stats.loguniform(0.1, 1.0), when={"optimizer": "sgd"}),
        Conditional(stats.loguniform(1e-4, 1e-2), when={"optimizer": "adam"}),
    ],
}
LAYERS = {"model__n_layers": [0, 1, 3], "model__units": PerLayer([4, 8], "model__n_layers")}


def proposals(space, tuner="random", n=12):
    space = SearchSpace(space)
    oracle, _ = make_oracle(tuner, space.hyperparameters, max_trials=n, epochs=None, seed=1)
    return [space.decode(values) for values, _ in search(oracle, lambda values: 0.5)]


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "tpe", "genetic", "halving"])
def test_conditions_hold_with_every_strategy(tuner):
    if tuner == "halving":
        from skopt_wrap.tuning import Halving

        tuner = Halving(resource="samples", n_candidates=9)
    seen = proposals(BY_OPTIMIZER, tuner, n=60 if tuner == "grid" else 12)
    assert {params["optimizer"] for params in seen} == {"sgd", "adam"}
    for params in seen:
        sgd = params["optimizer"] == "sgd"
        assert ("optimizer__momentum" in params) == sgd
        low, high = (0.1, 1.0) if sgd else (1e-4, 1e-2)
        assert low <= params["optimizer__learning_rate"] <= high


@pytest.mark.parametrize("tuner", ["random", "tpe", "genetic"])
def test_one_value_for_each_layer(tuner):
    seen = proposals(LAYERS, tuner)
    assert {params["model__n_layers"] for params in seen} == {0, 1, 3}
    assert all(len(params["model__units"]) == params["model__n_layers"] for params in seen)
    assert any(len(set(params["model__units"])) == 2 for params in seen)


def test_condition_on_a_value_that_keras_tuner_cannot_hold():
    space = {"a": [None, (1, 2)], "b": Conditional([1, 2], when={"a": [(1, 2)]})}
    assert all(("b" in params) == (params["a"] == (1, 2)) for params in proposals(space))
    nested = {**space, "c": Conditional(stats.uniform(), when={"b": 2})}
    assert all(("c" in params) == (params.get("b") == 2) for params in proposals(nested))


def test_examples_open_every_condition_once():
    space = SearchSpace({**BY_OPTIMIZER, **LAYERS})
    names = {name for example in space.examples() for name in example}
    assert names == {*BY_OPTIMIZER, *LAYERS}


@pytest.mark.parametrize(
    "space, message",
    [
        ({"rate": [1], "b": Conditional([1], when={"rat": 1})}, "Did you mean 'rate'"),
        ({"a": [1], "b": Conditional([1], when={"a": 2})}, "which it never is"),
        (
            {"a": Conditional([1], when={"b": 1}), "b": Conditional([1], when={"a": 1})},
            "in a circle",
        ),
        ({"a": [Conditional([1], when={"b": 1}), 3], "b": [1]}, "mixes Conditional"),
        ({"a": PerLayer([1], "n"), "n": ["x"]}, "list of ints"),
        ({"a": PerLayer([1], "n")}, "not in the space"),
    ],
)
def test_bad_conditions_are_refused(space, message):
    with pytest.raises(ParameterError, match=message):
        SearchSpace(space)
    with pytest.raises(ParameterError, match="at least one parameter"):
        Conditional([1], when={})


def test_constant_fixes_a_parameter():
    assert all(
        params["b"] is None and params["a"] == 3
        for params in proposals({"a": 3, "b": None, "c": stats.uniform()})
    )


def test_remove_survives_copies():
    assert copy.deepcopy(REMOVE) is REMOVE
    assert pickle.loads(pickle.dumps(REMOVE)) is REMOVE
    assert clone(TunedClassifier(space={"preset": "full", "epochs": REMOVE})).space == {
        "preset": "full",
        "epochs": REMOVE,
    }


def test_preset_is_changed_by_name():
    full = default_space(full=True)
    space = changed(
        full,
        {"model__l1": REMOVE, "model__dropout": 0.2, "batch_size": [1, 2], "model__knob": [3]},
    )
    assert "model__l1" not in space and space["model__dropout"] == 0.2
    assert space["batch_size"] == [1, 2] and space["model__knob"] == [3]
    assert full["model__l1"] == default_space(full=True)["model__l1"]
    adam = changed(full, {"optimizer": "adam"})
    assert "optimizer__momentum" not in adam and "optimizer__beta_1" in adam
    assert isinstance(adam["optimizer__learning_rate"], Conditional)
    plain = changed(full, {"optimizer": REMOVE, "optimizer__learning_rate": [0.1]})
    assert [name for name in plain if name.startswith("optimizer")] == ["optimizer__learning_rate"]
    flat = changed(full, {"model__n_layers": REMOVE})
    assert flat["model__units"] == full["model__units"].values
    with pytest.raises(UnknownParameterError, match="Did you mean 'model__l1'"):
        changed(full, {"model__L1": REMOVE})
    for one in (space, adam, plain, flat):
        SearchSpace(one)


@pytest.mark.parametrize("architecture", ["dense", "cnn", "lstm"])
def test_full_space_names_parameters_that_exist(architecture):
    import keras

    space = default_space(architecture, full=True, epochs=8)
    assert space["epochs"] == [2, 4, 8]
    wanted = "model__l1 model__l2 model__dropout model__batch_norm model__activation batch_size"
    assert set(wanted.split()) <= set(space)
    for params in SearchSpace(space).examples():
        estimator = KerasClassifier(architecture).set_params(**params)
        own = {k[11:]: v for k, v in params.items() if k.startswith("optimizer__")}
        keras.optimizers.get({"class_name": params["optimizer"], "config": own})
        assert estimator.get_params()["optimizer"] == params["optimizer"]


def test_space_table(iris, centroid):
    space = SearchSpace(
        {
            **BY_OPTIMIZER,
            **LAYERS,
            "a": 1,
            "b": IntDistribution(1, 9, step=2),
            "c": FloatDistribution(0.1, 1, log=True),
            "d": stats.randint(1, 4),
        }
    )
    table = space.table(space.hyperparameters)
    rows = list(zip(*table.values(), strict=True))
    assert list(table) == ["name", "kind", "values", "condition"]
    assert ("optimizer__momentum", "choice", "0.0, 0.9", "optimizer = 'sgd'") in rows
    assert ("optimizer", "choice", "'sgd', 'adam'", "") in rows
    assert [row[0] for row in rows].count("optimizer__learning_rate") == 2
    assert ("model__units", "choice, per layer", "4, 8 for each of model__n_layers", "") in rows
    assert ("a", "fixed", "1", "") in rows
    assert ("b", "integer", "1 to 9, step 2", "") in rows
    assert ("c", "real", "0.1 to 1.0, log", "") in rows
    assert ("d", "integer", "randint(1, 4)", "") in rows
    pandas = pytest.importorskip("pandas")
    est = TunedClassifier(centroid, tuner="grid", cv=2, space={"power": [1.0, 2.0]}).fit(*iris)
    assert pandas.DataFrame(est.space_).shape == (1, 4)


@pytest.mark.parametrize(
    "space, message",
    [
        ({"model__unit": [1]}, "Did you mean 'model__units'"),
        ({"optimiser": ["adam"]}, "Did you mean 'optimizer'"),
        ({"preset": "ful"}, "Did you mean 'full'"),
        (
            {"model__n_layers": [1, 2], "model__unitz": Conditional([4], {"model__n_layers": 2})},
            "Did you mean 'model__units'",
        ),
        ({"preset": "full", "preprocessor__with_mean": [True]}, "preprocessor"),
    ],
)
def test_unknown_names_are_refused_before_training(space, message, iris):
    with pytest.raises(ParameterError, match=message):
        TunedClassifier(space=space, cv=2).fit(*iris)


@pytest.mark.keras
def test_full_preset_trains(iris):
    est = TunedClassifier(
        space={
            "preset": "full",
            "model__n_layers": [1, 2],
            "model__units": PerLayer([4, 8], "model__n_layers"),
            "epochs": 2,
        },
        tuner="random",
        max_trials=3,
        cv=2,
        random_state=3,
    ).fit(*iris)
    assert all(trial.state == "COMPLETED" for trial in est.trials_)
    units = est.best_params_["model__units"]
    dense = [layer for layer in est.model_.layers if type(layer).__name__ == "Dense"]
    assert tuple(layer.units for layer in dense[:-1]) == units
    assert len(est.space_["name"]) > 20
    rates = [trial.params["optimizer__learning_rate"] for trial in est.trials_]
    assert len(set(rates)) == 3


@pytest.mark.keras
def test_presets_leave_the_epochs_to_hyperband(iris):
    est = TunedClassifier(
        space={"preset": "full", "model__n_layers": 1}, tuner="hyperband", max_trials=1,
        epochs=1, cv=2, random_state=0,
    )  # fmt: skip
    assert "epochs" not in est.fit(*iris).space_["name"]
    assert est.best_params_["epochs"] == 1
