"""A multiplication and an addition behind a network move into the layers that make its output."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap._keras import fold_affine

keras = pytest.importorskip("keras")
L = keras.layers
pytestmark = pytest.mark.keras


def _dense(units=2, **settings):
    return L.Dense(units, bias_initializer="random_normal", **settings)


def _network(end, shape=(4,)):
    keras.utils.set_random_seed(0)
    start = keras.Input(shape)
    return keras.Model(start, end(start))


def _shared(x):
    layer = _dense()
    return layer(x) + layer(2.0 * x)


def _seen_twice(x):
    h = _dense(2)(x)
    return h + L.ReLU()(h)


FOLDED = {
    "dense": lambda x: _dense()(x),
    "no bias": lambda x: L.Dense(2, use_bias=False)(x),
    "hidden layers": lambda x: _dense()(L.ReLU()(_dense(5)(x))),
    "dropout": lambda x: L.Dropout(0.5)(L.Activation("linear")(_dense()(x))),
    "concatenation": lambda x: L.Concatenate()([_dense(1)(x), _dense(1)(L.ReLU()(x))]),
    "operation": lambda x: keras.ops.concatenate([_dense(1)(x), _dense(1)(x)], axis=-1),
    "sum": lambda x: L.Add()([_dense()(x), _dense()(L.ReLU()(x))]),
    "x + y": lambda x: _dense()(x) + _dense()(x),
    "x - y": lambda x: _dense()(x) - _dense()(x),
    "rescaling": lambda x: L.Rescaling(4.0, 2000.0)(_dense()(x)),
    "constants": lambda x: 3.0 - (_dense()(x) * 4.0 + np.array([1.0, 2.0], "float32")) / 2.0 - 1.0,
    "nested": lambda x: L.Rescaling(2.0)(keras.Sequential([keras.Input((4,)), _dense()])(x)),
    "reshape": lambda x: L.Reshape((2,))(L.Reshape((2, 1))(_dense()(x))),
}  # fmt: skip
LEFT = {
    "activation": lambda x: _dense(activation="relu")(x),
    "layer used twice": _shared,
    "value used twice": _seen_twice,
    "input": lambda x: L.ReLU()(x[:, :2]),
    "other operation": lambda x: keras.ops.exp(_dense()(x)),
    "constraint": lambda x: _dense(kernel_constraint="non_neg")(x),
}


@pytest.mark.parametrize("name", FOLDED)
def test_affine_map_moves_into_the_network(name):
    model = _network(FOLDED[name])
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    before = model.get_weights()
    scale, shift = np.array([0.5, -3.0]), np.array([10.0, -1.0])
    if name == "reshape":
        scale, shift = np.array([0.5, 0.5]), np.array([2.0, 2.0])
    moved = fold_affine(model, scale, shift)
    np.testing.assert_allclose(moved(x), np.asarray(model(x)) * scale + shift, rtol=1e-4, atol=2e-3)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_convolution_takes_it_up():
    model = _network(lambda x: L.Conv2D(2, 2)(x), (4, 4, 1))
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 1)).astype("float32")
    moved = fold_affine(model, np.array([2.0, 3.0]), np.array([1.0, -1.0]))
    expected = np.asarray(model(x)) * [2.0, 3.0] + [1.0, -1.0]
    np.testing.assert_allclose(moved(x), expected, atol=1e-5)


@pytest.mark.parametrize("name", LEFT)
def test_network_that_does_not_end_in_linear_layers_is_left(name):
    assert fold_affine(_network(LEFT[name]), np.ones(2) * 2, np.ones(2)) is None
