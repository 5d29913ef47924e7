from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skopt_wrap.exceptions import SkippedWarning
from skopt_wrap.tuning import TunedClassifier, TunedRegressor

pytestmark = pytest.mark.keras
QUICK = {"max_trials": 2, "cv": 2, "epochs": 3, "random_state": 0}


def build_model(hp):
    import keras

    model = keras.Sequential([keras.Input((4,))])
    kind = hp.Choice("kind", ["linear", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        if kind == "deep":
            model.add(keras.layers.Dense(hp.Int("hidden", 4, 16, step=4), activation="relu"))
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(hp.Float("lr", 1e-2, 1e-1, sampling="log")),
        loss="sparse_categorical_crossentropy",
    )
    return model


def test_architecture_with_its_default_space(iris):
    X, y = iris
    est = TunedClassifier("dense", tuner="random", preprocessor=StandardScaler(), **QUICK)
    est.fit(X, y)
    assert set(est.space_["name"]) == set(est.best_params_)
    assert {"model__units", "optimizer__learning_rate"} <= set(est.best_params_)
    assert est.predict_proba(X).shape == (60, 3)
    assert len(est.history_["loss"]) == 3
    raw = est.network_output(X)
    np.testing.assert_allclose(est.model_(est.network_input(X)).numpy(), raw, rtol=1e-4, atol=1e-5)
    assert (est.target_encoder_.labels(raw) == est.predict(X)).all()


def test_trials_reach_the_network_and_are_reproducible(iris):
    space = {"model__units": [4, 8], "batch_size": [10, 20], "epochs": [1, 2]}
    first, again = (
        TunedClassifier("dense", tuner="tpe", space=space, **QUICK).fit(*iris) for _ in range(2)
    )
    best = first.best_params_
    assert first.model_.layers[2].units == best["model__units"]
    assert len(first.history_["loss"]) == best["epochs"]
    assert first.best_estimator_.batch_size == best["batch_size"]
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(first.predict_proba(iris[0]), again.predict_proba(iris[0]))


def test_keras_tuner_function_is_taken_unchanged(iris):
    X, y = iris
    est = TunedClassifier(build_model, tuner="grid", space={"batch_size": [30]}, **QUICK)
    with pytest.warns(SkippedWarning, match="points"):
        est.fit(X, y)
    assert {"batch_size", "kind", "lr"} <= set(est.best_params_)
    assert est.best_estimator_.batch_size == 30
    assert set(est.space_["name"]) == {"batch_size", "kind", "lr", "hidden"}
    rate = float(est.model_.optimizer.learning_rate)
    assert rate == pytest.approx(est.best_params_["lr"])
    back = pickle.loads(pickle.dumps(est))
    np.testing.assert_array_equal(back.predict(X), est.predict(X))
    assert clone(est).model is build_model


def test_hypermodel_object_and_hyperband(iris):
    import keras_tuner

    class Mine(keras_tuner.HyperModel):
        def build(self, hp):
            return build_model(hp)

    est = TunedClassifier(Mine(), tuner="hyperband", **{**QUICK, "epochs": 2}).fit(*iris)
    assert {trial.params["epochs"] for trial in est.trials_} == {2}
    assert est.n_features_in_ == 4


def test_regressor_tunes_a_network():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 3)).astype("float32")
    y = X @ [1.0, 2.0, 3.0]
    est = TunedRegressor(
        tuner="bayesian",
        space={"model__units": [8], "optimizer__learning_rate": [1e-5, 0.1]},
        max_trials=2,
        cv=2,
        epochs=10,
        random_state=0,
    ).fit(X, y)
    assert est.best_params_["optimizer__learning_rate"] == 0.1
    assert est.score(X, y) > 0.5


def test_network_that_cannot_be_built_fails_its_trial_alone(iris):
    space = {"model__n_layers": [1], "model__activation": ["relu", "no_such_activation"]}
    with pytest.warns(SkippedWarning, match="1 of 2 trials failed"):
        est = TunedClassifier(tuner="grid", space=space, **QUICK).fit(*iris)
    assert est.best_params_["model__activation"] == "relu"


def test_caller_s_random_state_is_left_alone(iris):
    import random

    np_state, py_state = np.random.get_state()[1].copy(), random.getstate()
    TunedClassifier(build_model, tuner="tpe", space={"batch_size": [30]}, **QUICK).fit(*iris)
    assert random.getstate() == py_state
    np.testing.assert_array_equal(np.random.get_state()[1], np_state)


def test_weights_are_routed_to_a_network_that_the_search_makes(iris):
    import sklearn

    X, y = iris
    weight = np.where(y == "a", 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        est = TunedClassifier(tuner="grid", space={"model__units": [8]}, **QUICK)
        est.fit(X, y, sample_weight=weight)
    plain = TunedClassifier(tuner="grid", space={"model__units": [8]}, **QUICK).fit(X, y)
    assert not np.allclose(est.predict_proba(X), plain.predict_proba(X))
