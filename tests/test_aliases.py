"""Names of other libraries are translated before spelling decides."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from skopt_wrap import KerasClassifier, KerasRegressor, TunedClassifier, TunedRegressor
from skopt_wrap._aliases import ALIASES, HINTS, known_as
from skopt_wrap.exceptions import UnknownParameterError, suggest

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


@pytest.mark.parametrize(
    "name,meant",
    [
        ("build_fn", "model"),
        ("nb_epoch", "epochs"),
        ("max_epochs", "epochs"),
        ("max_iter", "epochs"),
        ("learning_rate", "optimizer__learning_rate"),
        ("lr", "optimizer__learning_rate"),
        ("learning_rate_init", "optimizer__learning_rate"),
        ("hidden_layer_sizes", "model__units"),
        ("solver", "optimizer"),
        ("criterion", "loss"),
        ("objective", "loss"),
        ("validation_fraction", "validation_split"),
        ("n_iter_no_change", "early_stopping"),
        ("seed", "random_state"),
        ("shuffle", "fit__shuffle"),
        ("run_eagerly", "compile__run_eagerly"),
        ("optimizer__lr", None),
    ],
)
def test_constructor_suggests_the_name_here(name, meant):
    if meant is None:
        with pytest.raises(UnknownParameterError, match="optimizer__learning_rate"):
            KerasRegressor(epochs=1, **{name: 1}).fit([[0.0], [1.0]], [0.0, 1.0])
        return
    for given in (KerasClassifier, KerasRegressor):
        with pytest.raises(UnknownParameterError, match=f"Did you mean '{meant}'"):
            given(**{name: 1})


@pytest.mark.parametrize("name", ["model_kwargs", "fit_kwargs", "tol", "workers"])
def test_what_has_no_single_name_gets_a_sentence(name):
    with pytest.raises(UnknownParameterError) as caught:
        KerasClassifier(**{name: 1})
    assert HINTS[name] in str(caught.value)


@pytest.mark.parametrize(
    "name,way",
    [
        ("validation_data", "X_val=..., y_val="),
        ("class_weight", "parameter of the classifier"),
        ("nb_epoch", "'epochs'"),
        ("initial_epoch", "fit__initial_epoch"),
        ("sample_weights", "'sample_weight'"),
    ],
)
def test_arguments_of_fit(name, way):
    with pytest.raises(UnknownParameterError, match=way):
        KerasClassifier().fit([[0.0], [1.0]], [0, 1], **{name: 1})


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_arguments_of_predict(method):
    with pytest.raises(UnknownParameterError, match="predict__batch_size is a parameter"):
        getattr(KerasClassifier(), method)([[0.0]], batch_size=8)
    with pytest.raises(UnknownParameterError, match="no progress"):
        getattr(KerasClassifier(), method)([[0.0]], verbose=0)


@pytest.mark.parametrize(
    "name,choices,meant",
    [
        ("RandomSearch", ["random", "grid"], "random"),
        ("BayesianOptimization", ["bayesian", "tpe"], "bayesian"),
        ("val_accuracy", ["accuracy", "f1"], "accuracy"),
        ("val_loss", ["accuracy", "neg_log_loss"], "neg_log_loss"),
    ],
)
def test_values_of_keras_tuner(name, choices, meant):
    assert suggest(name, choices).startswith(f"Did you mean '{meant}'?")


def test_an_alias_counts_only_where_its_name_is_legal():
    assert known_as("learning_rate", ["space", "tuner"]) is None
    assert known_as("objective", ["scoring", "loss"]) == "scoring"
    assert "Did you mean 'unit'" in suggest("units", ["unit"])  # spelling decides then
    legal = {name for names in ALIASES.values() for name in names}
    assert not [name for name in ALIASES if name in legal and ALIASES[name] == (name,)]


def test_own_parameters_are_no_foreign_names():
    own = set(KerasClassifier().get_params()) | set(TunedClassifier().get_params(deep=False))
    clash = {name: ALIASES[name] for name in ALIASES if name in own}
    for name, meant in clash.items():
        assert suggest(name, own).startswith("Known") or known_as(name, own) in meant


@pytest.mark.parametrize(
    ("estimator", "parameter", "value", "meant"),
    [
        (TunedClassifier, "tuner", "RandomSearch", "random"),
        (TunedClassifier, "tuner", "BayesianOptimization", "bayesian"),
        (TunedClassifier, "tuner", "TPESampler", "tpe"),
        (TunedRegressor, "tuner", "gridsearch", "grid"),
        (TunedRegressor, "tuner", "hyperbnd", "hyperband"),
        (KerasClassifier, "model", "mlp", "dense"),
        (KerasClassifier, "model", "GRU", "lstm"),
        (KerasRegressor, "dtype", "float_32", "float32"),
        (KerasClassifier, "class_weight", "balance", "balanced"),
    ],
)
def test_values_of_other_libraries_and_misspelt_ones_are_translated(
    estimator, parameter, value, meant
):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    with pytest.raises(
        InvalidParameterError, match=f"Got {value!r} instead. Did you mean '{meant}'"
    ):
        estimator(**{parameter: value}).fit(X, y)


def test_a_value_like_no_legal_one_gets_scikit_learns_message_alone():
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    with pytest.raises(InvalidParameterError, match=r"Got 'zzzz' instead\.$"):
        TunedClassifier(tuner="zzzz").fit(X, y)
