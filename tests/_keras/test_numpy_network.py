"""Networks in NumPy return what Keras returns, follow its weights, and step aside in time."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from skopt_wrap._keras import predict_raw, predict_rows
from skopt_wrap._keras._numpy import _predict
from skopt_wrap._keras._numpy._activations import _ACTIVATIONS
from skopt_wrap._keras._numpy._network import NoTwinError, NumpyNetwork
from skopt_wrap.architectures import (
    FeatureScale,
    ParametricActivation,
    PreparedTable,
    RobustScale,
    TableEmbedding,
    TangentDense,
)

RNG = np.random.default_rng(0)


def randomized(model: keras.Model) -> keras.Model:
    """Return the model with weights that no initializer would give."""
    for variable in model.variables:
        if variable.dtype.startswith("float"):
            values = RNG.normal(size=variable.shape)
            variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    return model


def sequential(shape: tuple[int, ...], *given: layers.Layer, dtype: str = "float32") -> keras.Model:
    return randomized(keras.Sequential([keras.Input(shape, dtype=dtype), *given]))


def assert_same(model: keras.Model, x: np.ndarray) -> None:
    found, expected = NumpyNetwork(model)(x), np.asarray(model(x, training=False))
    assert found.dtype == expected.dtype
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * scale)


@pytest.mark.parametrize("name", sorted(_ACTIVATIONS))
def test_activations(name: str) -> None:
    rows = np.concatenate([RNG.normal(size=(40, 4)) * 3, [[0, -1, 1, 3], [0.5, -0.5, -3, 6]]])
    inputs = keras.Input((4,))
    activation = getattr(keras.activations, name)
    model = keras.Model(inputs, layers.Activation(activation)(inputs))
    assert_same(model, rows.astype("float32"))


FLAT = {
    "batch norm": [layers.Dense(5), layers.BatchNormalization(), layers.Dropout(0.5)],
    "batch norm without factors": [layers.BatchNormalization(center=False, scale=False)],
    "layer norm": [layers.LayerNormalization(), layers.Dense(3, "softmax")],
    "layer norm without shift": [layers.LayerNormalization(center=False)],
    "root mean square norm": [layers.RMSNormalization()],
    "unit norm": [layers.UnitNormalization()],
    "rescaling": [layers.Rescaling(0.5, offset=-1.0), layers.Dense(2, use_bias=False)],
    "relu with bounds": [layers.ReLU(max_value=1.5, negative_slope=0.3, threshold=0.2)],
    "relu with a threshold": [layers.ReLU(threshold=0.2)],
    "leaky": [layers.LeakyReLU(0.1), layers.PReLU(), layers.ELU(0.7), layers.Softmax()],
    "shapes": [layers.RepeatVector(3), layers.Permute((2, 1)), layers.Flatten(), layers.Dense(2)],
    "dense on steps": [layers.Reshape((3, 2)), layers.Dense(4, "relu"), layers.Flatten()],
    "scaled table": [RobustScale(), TangentDense(4), ParametricActivation("selu"), FeatureScale()],
    "waves": [TableEmbedding(4, cardinalities=()), TangentDense(2)],
}


@pytest.mark.parametrize("name", FLAT)
def test_layers_of_rows(name: str) -> None:
    given = [type(layer).from_config(layer.get_config()) for layer in FLAT[name]]
    assert_same(sequential((6,), *given), RNG.normal(size=(9, 6)).astype("float32"))


IMAGES = {
    "same": [layers.Conv2D(3, 3, padding="same", activation="relu"), layers.MaxPooling2D()],
    "strides": [layers.Conv2D(3, (3, 2), strides=2, padding="same"), layers.AveragePooling2D(2)],
    "valid": [layers.Conv2D(2, 2), layers.BatchNormalization(), layers.GlobalAveragePooling2D()],
    "pooled border": [layers.MaxPooling2D(3, 2, padding="same"), layers.GlobalMaxPooling2D()],
    "channels": [layers.BatchNormalization(axis=1), layers.LayerNormalization(axis=2)],
    "steps": [layers.Reshape((35, 2)), layers.Conv1D(3, 4, padding="causal"), layers.Flatten()],
    "pooled steps": [layers.Reshape((35, 2)), layers.MaxPooling1D(), layers.AveragePooling1D(3)],
}


@pytest.mark.parametrize("name", IMAGES)
def test_layers_of_images(name: str) -> None:
    given = [type(layer).from_config(layer.get_config()) for layer in IMAGES[name]]
    assert_same(sequential((7, 5, 2), *given), RNG.normal(size=(4, 7, 5, 2)).astype("float32"))


def test_codes_and_tables() -> None:
    model = sequential((3,), layers.Embedding(5, 4), layers.Flatten(), layers.Dense(2))
    assert_same(model, RNG.integers(0, 5, size=(6, 3)).astype("float32"))
    columns = {"numbers": [0, 2], "one_hot": [[1, 3], [3, 2]], "indicators": [2], "codes": [[1, 4]]}
    x = np.array([[0.5, 2, np.nan, 1], [3e9, 0, 1, 2], [-4, 3, 2, 0]], "float32")
    assert_same(sequential((4,), PreparedTable(columns), TableEmbedding(2, [4])), x)
    scaled = layers.Normalization()
    scaled.adapt(RNG.normal(3, 2, size=(50, 4)))
    assert_same(keras.Sequential([keras.Input((4,)), scaled]), RNG.normal(size=(5, 4)))


def test_graphs() -> None:
    inputs = keras.Input((6,))
    left, right = layers.Dense(4, "relu")(inputs[:, :3]), layers.Dense(4)(inputs[:, 3:])
    merged = [
        merge()([left, right])
        for merge in (layers.Add, layers.Subtract, layers.Multiply, layers.Average)
    ]
    inner = sequential((16,), layers.Dense(5, "tanh"))
    tensor = inner(layers.Concatenate()(merged)) * 2.0 + layers.Dense(5)(inputs)
    model = keras.Model(inputs, [layers.Maximum()([tensor, -tensor]), left])
    x = RNG.normal(size=(5, 6)).astype("float32")
    for found, expected in zip(NumpyNetwork(model)(x), model(x), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-6)
    assert isinstance(predict_rows(model, x, nested=True), list)


def test_float64() -> None:
    given = [layers.Dense(8, "tanh", dtype="float64"), layers.Dense(2, dtype="float64")]
    model = sequential((3,), *given, dtype="float64")
    x = RNG.normal(size=(5, 3))
    np.testing.assert_allclose(NumpyNetwork(model)(x), model(x), rtol=1e-12)


class _Twice(layers.Layer):
    def call(self, inputs: object) -> object:
        return 2 * inputs


class _OtherDense(layers.Dense):
    def call(self, inputs: object) -> object:
        return super().call(inputs) + 1


@pytest.mark.parametrize(
    "given",
    [
        [layers.Reshape((3, 2)), layers.LSTM(2)],
        [_Twice()],
        [_OtherDense(2)],
        [layers.Dense(2, activation=lambda x: x * 2)],
        [layers.Dense(2, dtype="mixed_float16")],
        [layers.Embedding(5, 2, mask_zero=True), layers.GlobalAveragePooling1D()],
    ],
)
def test_what_is_not_known_stays_with_keras(given: list[layers.Layer]) -> None:
    model = keras.Sequential([keras.Input((6,)), *given])
    with pytest.raises(NoTwinError):
        NumpyNetwork(model)
    x = RNG.integers(0, 5, size=(3, 6)).astype("float32")
    np.testing.assert_array_equal(predict_rows(model, x), predict_raw(model, x))


def test_layers_called_as_in_training_stay_with_keras() -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.BatchNormalization()(inputs, training=True))
    with pytest.raises(NoTwinError, match="options"):
        NumpyNetwork(model)


def small() -> keras.Model:
    return sequential((4,), layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dense(3))


def test_weights_are_followed() -> None:
    model, x = small(), RNG.normal(size=(5, 4)).astype("float32")

    def assert_follows() -> None:
        expected = np.asarray(model(x))
        scale = np.abs(expected).max()
        np.testing.assert_allclose(predict_rows(model, x), expected, atol=2e-6 * scale)
        assert vars(model)["_skopt_wrap_numpy"][0] is not None

    assert_follows()
    model.set_weights([w + 0.5 for w in model.get_weights()])
    assert_follows()
    model.layers[0].bias.assign_add(np.ones(8))
    assert_follows()
    model.layers[0].kernel.value.assign(np.ones((4, 8)))  # past Keras
    assert_follows()
    for optimizer in ("sgd", "adam"):
        model.compile(optimizer, "mse", jit_compile=False)
        model.train_on_batch(x, np.ones((5, 3)))
        before = predict_rows(model, x)
        model.fit(x, np.ones((5, 3)), epochs=2, verbose=0)
        assert_follows()
        assert not np.array_equal(predict_rows(model, x), before)
    np.testing.assert_array_equal(predict_rows(model, x), predict_rows(model, x))


def test_embeddings_are_followed() -> None:
    model = sequential((2,), layers.Embedding(5, 3), layers.Flatten(), layers.Dense(1))
    model.compile("adam", "mse", jit_compile=False)
    x = np.array([[1, 2], [3, 4]], "float32")
    for _ in range(3):
        np.testing.assert_allclose(predict_rows(model, x), model(x), atol=1e-5)
        model.train_on_batch(x, np.ones((2, 1)))
    # A code that the network does not know is for Keras to refuse.
    with pytest.raises(IndexError):
        NumpyNetwork(model)(x + 9)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    model, x = small(), RNG.normal(size=(64, 4)).astype("float32")
    whole = predict_rows(model, x)
    for rows in (slice(0, 1), slice(3, 9), slice(10, 60)):
        np.testing.assert_array_equal(predict_rows(model, x[rows]), whole[rows])


def test_many_rows_are_computed_by_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = small(), RNG.normal(size=(100, 4)).astype("float32")
    few = predict_rows(model, x)
    monkeypatch.setattr(_predict, "_MOST_MULTIPLICATIONS", 99 * 56)
    many = predict_rows(model, x)
    np.testing.assert_array_equal(many, predict_raw(model, x))
    np.testing.assert_allclose(many, few, atol=1e-6 * np.abs(few).max())


def test_networks_that_differ_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_ACTIVATIONS, "relu", lambda x: np.maximum(x, 0.001))
    model, x = small(), RNG.normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(predict_rows(model, x), predict_raw(model, x))
    assert vars(model)["_skopt_wrap_numpy"] == (None,)
