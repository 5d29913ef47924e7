"""A setting reaches its part or is refused before training: every setting, every kind of model."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.architectures import ARCHITECTURES
from skopt_wrap.estimators._fit_steps import FitRequest, prepare_fit
from skopt_wrap.exceptions import ParameterError, UnknownParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1)


def network(units=4):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units), keras.layers.Dense(1)])


def compiled(units=4):
    model = network(units)
    model.compile("rmsprop", "log_cosh")
    return model


def with_settings(compile_kwargs, units=4):
    model = network(units)
    model.compile(**compile_kwargs)
    return model


def deaf(compile_kwargs, units=4):
    return compiled(units)


def optimizer_only(compile_kwargs, units=4):
    model = network(units)
    model.compile(optimizer=compile_kwargs["optimizer"], loss="log_cosh")
    return model


MODELS = {
    "name": lambda: "dense",
    "architecture": lambda: ARCHITECTURES["dense"],
    "builder": lambda: network,
    "builder that compiles": lambda: compiled,
    "builder with compile_kwargs": lambda: with_settings,
    "builder that ignores compile_kwargs": lambda: deaf,
    "builder that takes the optimizer": lambda: optimizer_only,
    "model": network,
    "compiled model": compiled,
}


def loss_of(model):
    return model.loss if isinstance(model.loss, str) else model.loss.name


def rate(model):
    return float(model.optimizer.learning_rate)


def metrics_of(model):
    model.evaluate(X, Y, verbose=0)
    return list(model.get_metrics_result())


# Setting -> whether it reached the network.
SETTINGS = {
    "optimizer": ({"optimizer": "sgd"}, lambda m: m.optimizer.name == "sgd"),
    "optimizer class": ({"optimizer": keras.optimizers.SGD}, lambda m: m.optimizer.name == "sgd"),
    "optimizer object": (
        {"optimizer": keras.optimizers.SGD(0.5)},
        lambda m: m.optimizer.name == "sgd" and rate(m) == 0.5,
    ),
    "optimizer__": ({"optimizer__learning_rate": 0.25}, lambda m: rate(m) == 0.25),
    "loss": ({"loss": "mean_absolute_error"}, lambda m: "absolute" in loss_of(m)),
    "loss class": (
        {"loss": keras.losses.MeanAbsoluteError},
        lambda m: "absolute" in loss_of(m),
    ),
    "loss__": (
        {"loss": "huber", "loss__delta": 0.5},
        lambda m: float(m.loss(np.array([[2.0]]), np.array([[0.0]]))) == 0.5 * (2 - 0.25),
    ),
    "loss class, loss__": (
        {"loss": keras.losses.Huber, "loss__delta": 0.5},
        lambda m: float(m.loss(np.array([[2.0]]), np.array([[0.0]]))) == 0.5 * (2 - 0.25),
    ),
    "metrics": ({"metrics": ["mae"]}, lambda m: "mae" in metrics_of(m)),
    "metrics text": ({"metrics": "mae"}, lambda m: "mae" in metrics_of(m)),
    "metrics class": (
        {"metrics": [keras.metrics.RootMeanSquaredError]},
        lambda m: "root_mean_squared_error" in metrics_of(m),
    ),
    "metrics__": (
        {"metrics": [keras.metrics.RootMeanSquaredError], "metrics__name": "mine"},
        lambda m: "mine" in metrics_of(m),
    ),
    "compile__run_eagerly": ({"compile__run_eagerly": True}, lambda m: m.run_eagerly),
    "compile__weighted_metrics": (
        {"compile__weighted_metrics": ["mse"]},
        lambda m: "mse" in metrics_of(m),
    ),
    "compile__steps_per_execution": (
        {"compile__steps_per_execution": 3},
        lambda m: m.steps_per_execution == 3,
    ),
    "learning_rate_schedule": ({"learning_rate_schedule": 0.125}, lambda m: rate(m) == 0.125),
    "dtype": ({"dtype": "float64"}, lambda m: m.layers[-1].compute_dtype == "float64"),
    "model__": ({"model__units": 7}, lambda m: 7 in [w.shape[-1] for w in m.weights]),
    "nothing": ({}, lambda m: m.compiled),
}

COMPILING = [name for name in SETTINGS if name.startswith(("loss", "metrics", "compile"))]
OPTIMIZER = [name for name in SETTINGS if name.startswith("optimizer")]
REFUSED = {
    "builder that compiles": {*COMPILING, *OPTIMIZER},
    "builder that ignores compile_kwargs": {*COMPILING, *OPTIMIZER},
    "builder that takes the optimizer": set(COMPILING),
    "model": {"dtype", "model__"},
    "compiled model": {*COMPILING, *OPTIMIZER, "dtype", "model__"},
}


@pytest.mark.parametrize("setting", list(SETTINGS))
@pytest.mark.parametrize("kind", list(MODELS))
def test_setting_reaches_the_network_or_is_refused(kind, setting):
    options, reached = SETTINGS[setting]

    def build():
        estimator = KerasRegressor(MODELS[kind](), epochs=1, **options)
        fitting = prepare_fit(estimator, FitRequest(X, Y))
        with fitting.scope():
            fitting.build()
            return bool(reached(fitting.network))

    if setting in REFUSED.get(kind, ()):
        with pytest.raises(ParameterError, match=next(iter(options)).partition("__")[0]):
            build()
    else:
        assert build()


@pytest.mark.parametrize("kind", ["builder with compile_kwargs", "builder", "name"])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer__nonsense": 1},
        {"loss": "huber", "loss__nonsense": 1},
        {"loss__nonsense": 1},
        {"metrics": [keras.metrics.AUC], "metrics__nonsense": 1},
        {"metrics__nonsense": 1},
        {"compile__nonsense": 1},
    ],
)
def test_misspelt_options_are_refused_everywhere(kind, options):
    with pytest.raises(UnknownParameterError, match="nonsense"):
        KerasRegressor(MODELS[kind](), epochs=1, **options).fit(X, Y)


def test_error_names_the_parameter_of_the_builder_itself():
    def build(optimizer="adam"):
        model = network()
        model.compile(optimizer, "mse")
        return model

    with pytest.raises(ParameterError, match=r"optimizer='sgd' cannot reach.*model__optimizer"):
        KerasRegressor(build, optimizer="sgd", epochs=1).fit(X, Y)
    search = GridSearchCV(
        KerasRegressor(build, epochs=1, random_state=0), {"model__optimizer": ["sgd", "adam"]}, cv=2
    ).fit(X, Y)
    assert search.best_estimator_.model_.optimizer.name == search.best_params_["model__optimizer"]


@pytest.mark.parametrize(
    "name,instead",
    [
        ("_keras_build_fn", "parameter `model`"),
        ("target_encoder", "TransformedTargetRegressor"),
        ("feature_encoder", "Pipeline"),
        ("scorer", "`score`"),
        ("dataset_transformer", "fit_dataset"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_hooks_of_scikeras_are_refused(name, instead, method):
    subclass = type("Mine", (KerasRegressor,), {name: property(lambda self: None)})
    with pytest.raises(ParameterError, match=f"Mine defines {name}.*{instead}"):
        getattr(subclass(epochs=1), method)(X, Y)


@pytest.mark.parametrize("option", ["validation_freq", "validation_batch_size"])
def test_options_of_a_validation_that_does_not_take_place_are_refused(option):
    regressor = KerasRegressor(epochs=1, **{f"fit__{option}": 2})
    with pytest.raises(ParameterError, match=f"fit__{option} has no effect"):
        regressor.fit(X, Y)
    assert regressor.fit(X, Y, X_val=X, y_val=Y).n_iter_ == 1


def test_mixed_precision_allows_single_layers_in_float32():
    def build():
        head = keras.layers.Dense(1, dtype="float32")
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), head])

    classifier = KerasClassifier(build, dtype="mixed_bfloat16", epochs=1)
    fitting = prepare_fit(classifier, FitRequest(X, (Y > 0).astype(int)))
    with fitting.scope():
        fitting.build()
    policies = [layer.compute_dtype for layer in fitting.network.layers]
    assert policies == ["bfloat16", "float32"]
