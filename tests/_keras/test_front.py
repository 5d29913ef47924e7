"""The layers that prepare columns are split from the others."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from skopt_wrap._keras import split_columns  # noqa: E402

L = keras.layers
pytestmark = pytest.mark.keras


def _scaled():
    return L.Normalization(mean=[0.0, 9.0], variance=[1.0, 4.0])


def test_chain_is_split_behind_its_last_layer_of_columns():
    layers = [keras.Input((2,)), L.Rescaling(2.0), _scaled(), L.Dropout(0.1), L.Dense(3)]
    model = keras.Sequential(layers)
    front, rest = split_columns(model)
    x = np.array([[1.0, 2.0], [3.0, 4.0]], dtype="float32")
    np.testing.assert_allclose(front.predict(x, verbose=0), [[2, -2.5], [6, -0.5]])
    again = rest.predict(front.predict(x, verbose=0), verbose=0)
    np.testing.assert_allclose(again, model.predict(x, verbose=0), rtol=1e-6)
    assert [type(layer).__name__ for layer in rest.layers][1:] == ["Dropout", "Dense"]


def test_networks_without_such_a_chain_stay_whole():
    start = keras.Input((2,))
    both = L.Concatenate()([_scaled()(start), start])
    for model in (
        keras.Sequential([keras.Input((2,)), L.Rescaling(2.0), L.Dense(3)]),
        keras.Sequential([keras.Input((2,)), L.Dense(2), _scaled(), L.Dense(3)]),
        keras.Sequential([keras.Input((2,)), _scaled()]),
        keras.Model(start, L.Dense(3)(both)),
    ):
        assert split_columns(model) is None
