"""Subclassed networks and open time axes become graphs of a fixed shape for every stage."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap.compression import compress
from skopt_wrap.exceptions import DataError, ModelError

keras = pytest.importorskip("keras")
from skopt_wrap._keras import network_graph  # noqa: E402

L, ops = keras.layers, keras.ops
pytestmark = pytest.mark.keras


class Residual(L.Layer):
    def __init__(self, units=8, **settings):
        super().__init__(**settings)
        self.units, self.inside = units, L.Dense(units, "relu")

    def build(self, shape):
        self.inside.build(shape)

    def call(self, x):
        return x + self.inside(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.block = L.Dense(8, "relu"), Residual()
        self.drop, self.norm, self.last = L.Dropout(0.3), L.BatchNormalization(), L.Dense(2)

    def call(self, x, training=False):
        x = self.norm(self.block(self.first(x)), training=training)
        if training:
            x = x * 0.5
        return self.last(self.drop(ops.concatenate([x, ops.tanh(x)], -1), training=training))


X = np.random.default_rng(0).normal(size=(60, 6)).astype("float32")
Y = X[:, :2]


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    network = Subclassed()
    network.compile("adam", "mse")
    network.fit(X, Y, epochs=1, verbose=0)
    return network


def test_graph_computes_the_same_and_the_model_stays(network):
    before = [weight.copy() for weight in network.get_weights()]
    for _ in range(2):
        graph, notes = network_graph(network, X)
        np.testing.assert_allclose(
            graph.predict(X, verbose=0), network.predict(X, verbose=0), atol=1e-5
        )
        assert len(notes) == 1
    graph.set_weights([weight * 0 for weight in graph.get_weights()])
    for a, b in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "settings",
    [
        {"pruning": 0.5, "quantization": "int8"},
        {"clustering": 4, "quantization": None},
    ],
)
def test_subclassed_networks_go_through_the_stages(network, settings):
    result = compress(network, X, Y, fine_tune_epochs=1, random_state=0, **settings)
    assert result.predict(X).shape == (60, 2)
    assert result.report["trained"].notes[0].startswith("the graph of layers")


class OwnWeight(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = L.Dense(2)
        self.factor = self.add_weight(shape=(1,), initializer="ones")

    def call(self, x):
        return self.out(x) * self.factor


class Counting(keras.Model):
    def __init__(self):
        super().__init__()
        self.out, self.calls = L.Dense(2), 0

    def call(self, x):
        self.calls += 1
        return self.out(x) * float(self.calls)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(OwnWeight, "weights .* belong to no layer|cannot be traced"), (Counting, "something else")],
)
def test_call_that_is_no_graph_is_refused(kind, reason):
    network = kind()
    network(X[:1])
    with pytest.raises(ModelError, match=reason):
        compress(network, X, quantization=None)


def test_open_time_axis_is_fixed_at_that_of_the_rows():
    rows = np.random.default_rng(0).normal(size=(40, 4, 3)).astype("float32")
    network = keras.Sequential([keras.Input((None, 3)), L.GRU(3), L.Dense(2)])
    result = compress(network, rows, random_state=0)
    assert result.runtime.input_shape == (4, 3)
    assert "fixed at (4, 3)" in result.report["trained"].notes[0]
    found, expected = result.predict(rows), network.predict(rows, verbose=0)
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert network.input_shape == (None, None, 3)
    start = keras.Input((None,), dtype="int32")
    text = keras.Model(start, L.Dense(2)(L.GlobalAveragePooling1D()(L.Embedding(9, 4)(start))))
    ids = np.random.default_rng(0).integers(0, 9, (30, 5)).astype("int32")
    assert compress(text, ids, quantization="dynamic").runtime.input_shape == (5,)
    with pytest.raises((DataError, ModelError)):
        compress(network, rows[..., :2], quantization=None)
