"""The epoch loop gives what ``keras.Model.fit`` gives, faster, and keeps its graphs."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import _predict, predict_raw, seed_scope, shareable_key
from skopt_wrap._keras._predict import block_rows
from skopt_wrap.training import _epoch_graph, clear_graphs

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


class EveryStep(keras.callbacks.Callback):
    """Does nothing, at every step: training cannot be fused."""

    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    "params",
    [
        {},
        # Adam makes steps of the rounding errors in the gradient of a bias before batch
        # normalization, which is zero; SGD does not.
        {
            "optimizer": "sgd",
            "model__batch_norm": True,
            "model__dropout": 0.3,
            "model__l2": 0.01,
        },
        {
            "model": "cnn",
            "model__input_shape": (2, 2, 1),
            "model__residual": False,
            "model__filters": 4,
        },
        {
            "model": "cnn",
            "model__input_shape": (2, 2, 1),
            "model__filters": 4,
            "model__batch_norm": False,
            "optimizer": "sgd",
        },
        {"model": "lstm", "model__input_shape": (4, 1), "model__units": 4},
        {"optimizer": "adamw", "optimizer__use_ema": True},
        {"class_weight": "balanced", "validation_split": 0.2, "early_stopping": 2},
        {"fit__shuffle": False, "batch_size": 7},
    ],
    ids=["plain", "regularized", "cnn", "residual", "lstm", "ema", "stopping", "ordered"],
)
def test_fused_training_equals_keras_fit(blobs, params):
    X, y = blobs
    params = {"epochs": 4, "metrics": ["accuracy"], "random_state": 0, **params}
    fused = KerasClassifier(**params).fit(X, y)
    plain = KerasClassifier(callbacks=[EveryStep()], **params).fit(X, y)
    assert fused.fit_path_ == "fused"
    assert plain.fit_path_ == "fit: EveryStep is called at every step (on_train_batch_end)"
    assert fused.history_.keys() == plain.history_.keys()
    for name in fused.history_:
        np.testing.assert_allclose(fused.history_[name], plain.history_[name], rtol=1e-5)
    for ours, theirs in zip(fused.model_.weights, plain.model_.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)


def test_run_eagerly_and_own_fit_take_the_ordinary_road(blobs):
    X, y = blobs
    eager = KerasClassifier(epochs=1, compile__run_eagerly=True, random_state=0).fit(X, y)
    assert eager.fit_path_ == "fit: run_eagerly=True"
    fused = KerasClassifier(epochs=1, random_state=0).fit(X, y)
    np.testing.assert_allclose(eager.predict_proba(X), fused.predict_proba(X), rtol=1e-4)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = keras.layers.Dense(1)

        def call(self, x):
            return self.out(x)

        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    regressor = KerasRegressor(Own, epochs=1).fit(X, X[:, 0])
    assert regressor.fit_path_ == "fit: Own defines its own fit"


def test_equal_networks_share_one_graph_and_learning_rates_do_not_matter(blobs):
    X, y = blobs
    clear_graphs()
    for rate in (0.1, 0.01):
        for size in (16, 32):
            KerasClassifier(epochs=1, batch_size=size, optimizer__learning_rate=rate).fit(X, y)
    assert len(_epoch_graph._GRAPHS) == 1
    graph = next(iter(_epoch_graph._GRAPHS.values()))
    traces = graph._train.experimental_get_tracing_count()
    assert traces <= 2  # the ragged last batch has a size of its own
    KerasClassifier(epochs=2, batch_size=11).fit(X, y)
    assert graph._train.experimental_get_tracing_count() <= 2
    KerasClassifier(epochs=1, model__units=9).fit(X, y)
    assert len(_epoch_graph._GRAPHS) == 2


def test_kept_graphs_are_bounded(blobs, monkeypatch):
    X, y = blobs
    monkeypatch.setattr(_epoch_graph, "MAX_GRAPHS", 2)
    clear_graphs()
    for units in (2, 3, 4):
        KerasClassifier(epochs=1, model__units=units).fit(X, y)
    assert len(_epoch_graph._GRAPHS) == 2


def test_learning_rate_of_a_shared_graph_is_the_one_given(blobs):
    X, y = blobs
    still = KerasClassifier(epochs=3, optimizer="sgd", optimizer__learning_rate=1e-30)
    still.set_params(random_state=0).fit(X, y)
    np.testing.assert_allclose(np.ptp(still.history_["loss"]), 0, atol=1e-6)
    moving = KerasClassifier(epochs=3, optimizer="sgd", optimizer__learning_rate=0.1)
    assert np.ptp(moving.fit(X, y).history_["loss"]) > 0.01


def test_reduce_on_plateau_works_in_the_fused_loop(blobs):
    X, y = blobs
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=0, min_delta=100)
    classifier = KerasClassifier(epochs=4, callbacks=[plateau], random_state=0).fit(X, y)
    assert classifier.fit_path_ == "fused"
    np.testing.assert_allclose(classifier.history_["learning_rate"][:3], [1e-3, 1e-3, 1e-4])


def test_user_callbacks_see_the_model_that_is_kept(blobs):
    X, y = blobs
    seen = []

    class Look(keras.callbacks.Callback):
        def __deepcopy__(self, memo):
            return self

        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model)

    classifier = KerasClassifier(epochs=2, callbacks=[Look()]).fit(X, y)
    assert classifier.fit_path_ == "fused"
    assert seen == [classifier.model_] * 2


def test_prediction_of_a_row_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 40)).astype("float32")
    model = keras.Sequential(
        [keras.Input((40,)), keras.layers.Dense(256, "relu"), keras.layers.Dense(256)]
    )
    model.compile("sgd", "mse")
    whole = predict_raw(model, X)
    for rows in ([0], [5, 3], list(range(50)), [99]):
        np.testing.assert_array_equal(predict_raw(model, X[rows]), whole[rows])
    np.testing.assert_allclose(whole, model.predict(X, verbose=0), rtol=1e-5, atol=1e-5)


def _dense(units, activation="relu", bias=True, dropout=0.1):
    hidden = keras.layers.Dense(units, activation, use_bias=bias)
    return keras.Sequential(
        [keras.Input((6,)), hidden, keras.layers.Dropout(dropout), keras.layers.Dense(3)]
    )


def test_dense_networks_of_any_width_predict_through_one_trace():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(70, 6)).astype("float32")
    first, *others = (
        _dense(units, dropout=rate) for units, rate in ((4, 0.1), (9, 0.3), (40, 0.2))
    )
    predict_raw(first, X)
    call = _predict._call_for(first, 32)[0]
    for model in others:
        np.testing.assert_allclose(predict_raw(model, X), model.predict(X, verbose=0), atol=1e-6)
        assert _predict._call_for(model, 32)[0] is call
    predict_raw(first, X.astype("float64"))
    assert call.many_blocks.experimental_get_tracing_count() == 1
    for other in (_dense(4, "tanh"), _dense(4, bias=False), _dense(4, dropout=0.0)):
        np.testing.assert_allclose(predict_raw(other, X), other.predict(X, verbose=0), atol=1e-6)
        assert _predict._call_for(other, 32)[0] is not call


def test_network_with_an_activation_of_the_user_is_traced_for_itself():
    models = [_dense(4, lambda x, k=k: k * x) for k in (2.0, 3.0)]
    models[1].set_weights(models[0].get_weights())
    X = np.eye(6, dtype="float32")
    for model in models:
        np.testing.assert_allclose(predict_raw(model, X), model.predict(X, verbose=0), atol=1e-6)


@pytest.mark.parametrize("shape,rows", [((64,), 32), ((32, 32, 3), 4), ((224, 224, 3), 1)])
def test_blocks_shrink_as_rows_grow(shape, rows):
    assert block_rows(shape) == rows


def test_predict_batch_size_sets_the_block(blobs):
    X, y = blobs
    classifier = KerasClassifier(epochs=1, random_state=0).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(predict__batch_size=7)
    np.testing.assert_allclose(classifier.predict_proba(X), before, rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: setattr(layer, "activation", lambda x: x),
        lambda layer: setattr(layer, "kernel_initializer", lambda shape, dtype: 0),
    ],
    ids=["activation", "initializer"],
)
def test_key_is_none_for_functions_of_the_users(change):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    change(model.layers[0])
    model.compile("sgd", "mse")
    assert shareable_key(model) is None


def test_key_is_none_for_own_losses_and_metrics():
    def loss(y, p):
        return p

    for options in ({"loss": loss}, {"loss": "mse", "metrics": [loss]}):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", **options)
        assert shareable_key(model) is None


def test_key_tells_frozen_layers_apart():
    keys = []
    for trainable in (True, False):
        from skopt_wrap._keras import name_scope

        with name_scope():
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.layers[0].trainable = trainable
        model.compile("sgd", "mse")
        keys.append(shareable_key(model))
    assert keys[0] is not None and keys[1] is not None and keys[0] != keys[1]


def test_a_seed_set_again_restarts_stateful_random_operations():
    tf = pytest.importorskip("tensorflow")

    def draw():
        return [
            tf.random.normal((2,)).numpy().tolist(),
            tf.random.uniform((2,), seed=5).numpy().tolist(),
        ]

    found = []
    for _ in range(2):
        with seed_scope(7):
            found.append(draw())
    tf.random.set_seed(7)
    assert found == [draw()] * 2


def test_training_that_must_not_be_fused_trains_the_network_itself():
    """A constraint put on a variable after building is in no configuration, and is kept to."""
    from skopt_wrap.training import TrainingData, train

    class Nothing(keras.constraints.Constraint):
        def __call__(self, value):
            return value * 0

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    kernel = model.layers[0].kernel
    kernel.constraint = Nothing()
    X = np.ones((8, 2), "float32")
    data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    result = train(model, data, epochs=1, batch_size=4, seed=0, fused=False)
    assert (result.path, result.reason) == ("fit", "fused=False")
    assert not kernel.numpy().any()
