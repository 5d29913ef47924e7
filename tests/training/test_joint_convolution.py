"""Convolutional networks trained jointly end as they end by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from skopt_wrap import KerasClassifier
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.training import NotJointlyTrainable, Training, TrainingData, clear_graphs, joint_key
from skopt_wrap.training._joint import _graph

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
layers = keras.layers


@pytest.fixture(scope="module")
def images():
    """Rows of 6 x 6 points, their labels and weights."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 21)
    X = rng.normal(size=(63, 36)) + y[:, None] * np.linspace(-1, 1, 36)
    order = rng.permutation(63)
    return X[order].astype("float32"), y[order], rng.uniform(0.5, 2, 63)


def sequential(shape, *rest):
    """Return a builder of the layers that `rest` makes."""

    def build(meta):
        inputs = keras.Input(meta["X_shape_"][1:])
        tensor = layers.Reshape(shape)(inputs)
        for make in rest:
            tensor = make()(tensor)
        return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(tensor)))

    return build


NETWORKS = {
    "built-in": {
        "model": "cnn",
        "model__input_shape": (6, 6, 1),
        "model__filters": 3,
        "model__batch_norm": True,
        "model__dropout": 0.2,
        "model__l2": 0.01,
        "model__dense_units": 5,
    },
    "plain blocks": {
        "model": "cnn",
        "model__input_shape": (6, 6, 1),
        "model__residual": False,
        "model__filters": 3,
        "model__batch_norm": True,
        "model__dropout": 0.2,
        "model__l2": 0.01,
        "model__dense_units": 5,
    },
    "built-in, Adam": {
        "model": "cnn",
        "model__input_shape": (36, 1),
        "model__batch_norm": False,
        "optimizer": "adam",
    },
    "early stopping": {
        "model": "cnn",
        "model__input_shape": (6, 6, 1),
        "model__filters": 2,
        "epochs": 8,
        "early_stopping": 0,
        "optimizer__learning_rate": 0.5,
    },
    "images": {
        "model": sequential(
            (6, 6, 1),
            lambda: layers.Conv2D(4, (3, 2), padding="same", dilation_rate=2, activation="tanh"),
            lambda: layers.SpatialDropout2D(0.2),
            lambda: layers.ZeroPadding2D(((1, 0), (2, 1))),
            lambda: layers.Conv2D(5, 2, strides=(2, 1), padding="same", use_bias=False),
            layers.BatchNormalization,
            layers.ReLU,
            lambda: layers.AveragePooling2D((2, 3), 1, padding="same"),
            lambda: layers.Conv2D(3, 2, dilation_rate=(1, 2)),
            lambda: layers.MaxPooling2D(2, padding="same"),
            lambda: layers.GlobalAveragePooling2D(keepdims=True),
        )
    },
    "sequences": {
        "model": sequential(
            (18, 2),
            lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="elu"),
            lambda: layers.SpatialDropout1D(0.2),
            lambda: layers.ZeroPadding1D((1, 2)),
            lambda: layers.Conv1D(5, 4, strides=2, padding="same"),
            lambda: layers.BatchNormalization(scale=False),
            lambda: layers.MaxPooling1D(3, 1, padding="same"),
            lambda: layers.AveragePooling1D(2),
            layers.GlobalMaxPooling1D,
        )
    },
    "float64": {"model": "cnn", "model__input_shape": (6, 6, 1), "dtype": "float64"},
}


@pytest.mark.parametrize("params", NETWORKS.values(), ids=NETWORKS)
def test_jointly_trained_convolutions_equal_those_trained_alone(images, params):
    X, y, weights = images
    # SGD: Adam makes steps of rounding errors where a gradient is zero.
    base = {"epochs": 3, "optimizer": "sgd", "validation_split": 0.2, "random_state": 0}
    estimator = KerasClassifier(metrics=["accuracy"], batch_size=16, **{**base, **params})
    numbers = np.arange(len(X))
    jobs = [FitJob(clone(estimator), X, y, numbers[numbers % 4 != k], weights) for k in range(2)]
    jobs.append(FitJob(clone(estimator), X, y, numbers[:30], weights))
    outcomes = fit_together(jobs)
    assert [(o.error, o.path, o.reason) for o in outcomes] == [(None, "joint", None)] * 3
    for job in jobs:
        rows, ours = job.rows, job.estimator
        alone = clone(estimator).fit(X[rows], y[rows], sample_weight=weights[rows])
        assert (alone.fit_path_, alone.n_iter_) == ("fused", ours.n_iter_)
        for name, values in alone.history_.items():
            np.testing.assert_allclose(ours.history_[name], values, rtol=1e-4, atol=1e-5)
        for one, other in zip(ours.model_.weights, alone.model_.weights, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("residual", [False, True])
def test_one_graph_serves_other_filters_and_kernels(images, residual):
    X, y, _ = images
    clear_graphs()
    fixed = {"model__input_shape": (6, 6, 1), "model__dense_units": 5, "optimizer": "sgd"}
    estimator = KerasClassifier("cnn", model__residual=residual, epochs=1, random_state=0, **fixed)
    for params in (
        {"model__filters": 2, "batch_size": 16},
        {"model__filters": 3, "model__dense_units": 7, "batch_size": 20},
        {"model__filters": (4, 2), "model__kernel_size": 2, "optimizer__learning_rate": 0.1},
    ):
        trial = clone(estimator).set_params(**params)
        jobs = [FitJob(clone(trial), X, y, np.arange(start, 50)) for start in (0, 5)]
        assert {outcome.path for outcome in fit_together(jobs)} == {"joint"}
    (graph,) = _graph._GRAPHS.values()
    assert graph.train.experimental_get_tracing_count() == 1
    alone = clone(trial).fit(X[5:50], y[5:50])
    for one, other in zip(jobs[1].estimator.model_.weights, alone.model_.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "side,options,reason",
    [
        (8, {"groups": 2}, "has groups"),
        (8, {"data_format": "channels_first"}, "takes channels first"),
        (64, {}, "8192 values gain nothing"),
    ],
    ids=["groups", "channels first", "large rows"],
)
def test_convolutions_that_are_not_trained_jointly(side, options, reason):
    convolution = layers.Conv2D(2, 2, **options)
    model = keras.Sequential(
        [keras.Input((side, side, 2)), convolution, layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    data = TrainingData(*(np.ones(shape, "float32") for shape in ((4, side, side, 2), (4, 1), 4)))
    with pytest.raises(NotJointlyTrainable, match=reason):
        joint_key(Training(model, data, epochs=1, batch_size=2, seed=0))
