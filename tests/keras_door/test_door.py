"""The door to Keras: seeds, shared calls, what a model was compiled with."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import _keras

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras
tf = pytest.importorskip("tensorflow")


def network(units=4, **compiled):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(units, "relu"), keras.layers.Dense(1)]
    )
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


def test_seed_scope_draws_the_same_and_restores_every_generator():
    def draws():
        return (
            float(keras.random.uniform(())),
            float(tf.random.uniform(())),  # a stateful operation: its kernel keeps the stream
            float(np.random.random()),
        )

    keras.utils.set_random_seed(5)
    expected = [draws() for _ in range(2)]
    keras.utils.set_random_seed(5)
    first = draws()
    with _keras.seed_scope(7):
        inside = draws()
    with _keras.seed_scope(7):
        assert draws() == inside
    assert first == expected[0] and np.random.random() == expected[1][2]


def test_compile_arguments_are_those_given():
    assert _keras.compile_arguments(network(jit_compile=False))["jit_compile"] is False
    assert _keras.compile_arguments(network())["loss"] == "mse"


def test_built_metrics_tell_which_are_weighted():
    model = network(metrics=["mae"], weighted_metrics=["mse"])
    assert _keras.built_metrics(model) is None
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    pairs = _keras.built_metrics(model)
    assert [weighted for _, weighted in pairs] == [False, True]
    function, options = _keras.metric_function(pairs[0][0])
    assert function is keras.metrics.mean_absolute_error and options == {}


def test_learning_rate_schedule_is_none_for_a_plain_rate():
    assert _keras.learning_rate_schedule(keras.optimizers.SGD(0.1)) is None
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 5)
    assert _keras.learning_rate_schedule(keras.optimizers.SGD(schedule)) is schedule


def test_all_layers_enter_nested_models():
    model = keras.Sequential([keras.Input((3,)), network(2)])
    kinds = [type(layer).__name__ for layer in _keras.all_layers(model)[1:]]
    assert kinds.count("Dense") == 2


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Lion"])
def test_functional_optimizer_steps_as_the_optimizer(name):
    optimizer = getattr(keras.optimizers, name)(0.1)
    weights = keras.Variable(np.array([1.0, -2.0], "float32"))
    optimizer.build([weights])
    functional = _keras.FunctionalOptimizer(optimizer, "float32")
    state = np.array([[1.0, -2.0]], "float32")
    slots = [np.asarray(getattr(optimizer, slot)[0])[None] for slot in functional.slots]
    for step in range(3):
        gradient = np.array([0.5, -1.0 - step], "float32")
        optimizer.apply([tf.constant(gradient)], [weights])
        state, slots = functional.step(
            tf.constant(state),
            tf.constant(gradient[None]),
            slots,
            0.1,
            tf.constant([[step]], tf.int64),
        )
        np.testing.assert_allclose(np.asarray(state)[0], weights.numpy(), rtol=1e-6)
    fresh = getattr(keras.optimizers, name)(0.1)
    assert type(fresh).assign is type(optimizer).assign  # no class was changed


def test_clear_graphs_drops_the_calls_of_prediction():
    from skopt_wrap._keras import _predict
    from skopt_wrap.training import clear_graphs

    model, x = network(), np.ones((5, 3), "float32")
    before = _keras.predict_raw(model, x)
    assert _predict._CALLS and "_skopt_wrap_call" in vars(model)
    clear_graphs()
    assert not _predict._CALLS and "_skopt_wrap_call" not in vars(model)
    np.testing.assert_array_equal(_keras.predict_raw(model, x), before)
