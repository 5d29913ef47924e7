"""Files of small numbers keep outputs that are far from zero, or of very different sizes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from skopt_wrap.compression import LiteRTModel, compress
from skopt_wrap.compression._differences import output_difference
from skopt_wrap.compression._stages import _pipeline
from skopt_wrap.exceptions import SkoptWrapWarning

keras = pytest.importorskip("keras")
L = keras.layers
pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def trained():
    """A regression that a small network learns well."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 8)).astype("float32")
    y = X[:, 0] + 0.5 * X[:, 1] + 0.1 * rng.normal(size=400)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), L.Dense(16, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(X, y, epochs=20, verbose=0)
    return model, X, y


def _shifted(model, factor, offset):
    copy = keras.models.clone_model(model)
    *first, kernel, bias = model.get_weights()
    copy.set_weights([*first, kernel * factor, bias * factor + offset])
    return copy


@pytest.mark.parametrize("mode", ["int8", "int16x8", "float16"])
@pytest.mark.parametrize(("factor", "offset"), [(4.0, 2000.0), (10.0, 1e6), (1e-3, -5.0)])
def test_file_of_an_offset_target_keeps_the_score(trained, mode, factor, offset):
    model, X, y = trained
    moved = _shifted(model, factor, offset)
    result = compress(moved, X, quantization=mode, random_state=0)
    y = y * factor + offset
    scores = [r2_score(y, found) for found in (moved.predict(X, verbose=0), result.predict(X))]
    assert scores[1] > scores[0] - 0.005
    assert scores[0] > 0.9
    assert result.report["quantize"].difference < 0.1


def test_outputs_of_different_sizes_keep_their_scores(trained):
    model, X, y = trained
    start = keras.Input((8,))
    hidden = model.layers[0](start)
    ends = [L.Dense(1), L.Dense(1)]
    both = keras.Model(start, L.Concatenate()([end(hidden) for end in ends]))
    kernel, bias = model.layers[1].get_weights()
    ends[0].set_weights([kernel, bias])
    ends[1].set_weights([kernel * 1000, bias * 1000 + 5e4])
    result = compress(both, X, quantization="int8", random_state=0)
    found = result.predict(X)
    assert r2_score(y, found[:, 0]) > 0.9
    assert r2_score(1000 * y + 5e4, found[:, 1]) > 0.9
    again = LiteRTModel(result.tflite_model)
    np.testing.assert_array_equal(again(X[:5]), found[:5])


def test_difference_is_told_in_units_of_the_spread():
    years = np.array([[1996.0, 0.1], [2004.0, 0.3]])
    assert output_difference(years + np.array([1.0, 0.0]), years) == pytest.approx(0.25)
    assert output_difference(years + np.array([0.0, 0.1]), years) == pytest.approx(1.0)
    assert output_difference(years, years) == 0
    rare = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 0.002]])  # probabilities share one unit
    assert output_difference(rare + np.array([0.0, 0.001]), rare) < 0.01
    constant = np.full((3, 1), 7.0)
    assert output_difference(constant + 0.7, constant) == pytest.approx(0.1)


@pytest.mark.parametrize("mode", ["int8", "int16x8", "float16"])
def test_columns_of_different_sizes_are_scaled_in_float(trained, mode):
    """One scale for years, incomes and shares would leave nothing of the shares."""
    model, X, y = trained
    center, unit = np.array([2000.0, 5e4, 0.5, 0, 0, 0, -1e6, 3.0]), 10.0 ** np.arange(-2, 6)
    raw = (X * unit + center).astype("float32")
    scaled = L.Normalization(mean=raw.mean(0).tolist(), variance=raw.var(0).tolist())
    start = keras.Input((8,))
    whole = keras.Model(start, L.Dense(1)(L.Dense(16, "relu")(L.Dropout(0.1)(scaled(start)))))
    first, last = (layer for layer in whole.layers if isinstance(layer, L.Dense))
    kernel, bias, *rest = model.get_weights()
    first.set_weights([kernel * raw.std(0)[:, None] / unit[:, None], bias])
    last.set_weights(rest)
    result = compress(whole, raw, quantization=mode, random_state=0)
    scores = [r2_score(y, found) for found in (whole.predict(raw, verbose=0), result.predict(raw))]
    assert scores[1] > scores[0] - 0.005
    assert any("prepare columns" in note for note in result.report["quantize"].notes)
    assert LiteRTModel(result.tflite_model).dynamic_batch


def test_lost_score_is_warned_of(trained, monkeypatch):
    model, X, y = trained
    monkeypatch.setattr(_pipeline, "_NOTABLE_DROP", -1.0)
    with pytest.warns(SkoptWrapWarning, match=r"the 'int8' file scores .*max_score_drop"):
        compress(model, X, y, metric=lambda a, b: r2_score(a, b), random_state=0)


def test_network_with_a_dead_branch_runs():
    """Its ranges are nothing, which LiteRT's default delegate refuses."""
    start = keras.Input((8, 8, 4))
    x = L.DepthwiseConv2D(3, padding="same")(start)
    s = L.GlobalAveragePooling2D(keepdims=True)(x)
    dead = L.Conv2D(2, 1, activation="relu", bias_initializer=keras.initializers.Constant(-1e6))
    s = L.Conv2D(4, 1, activation="hard_sigmoid")(dead(s))
    keras.utils.set_random_seed(0)
    model = keras.Model(start, L.Dense(3, "softmax")(L.Flatten()(L.Multiply()([x, s]))))
    X = np.random.default_rng(0).normal(size=(40, 8, 8, 4)).astype("float32")
    result = compress(model, X, random_state=0)
    row = result.report["quantize"]
    assert row.difference < 0.25
    refused = any("delegate" in note for note in row.notes)
    assert result.runtime.delegated != refused
    np.testing.assert_allclose(result.predict(X), model.predict(X, verbose=0), atol=0.1)
