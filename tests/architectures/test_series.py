"""Networks for series: counts of weights, several channels, unequal lengths, files."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skopt_wrap import CompressedModel, KerasClassifier, KerasRegressor
from skopt_wrap.architectures import ARCHITECTURES, inceptiontime, lite
from skopt_wrap.exceptions import ModelError, ParameterError

pytest.importorskip("keras")
pytestmark = pytest.mark.keras
SMALL = {
    "lite": {"model__filters": 6, "model__kernel_sizes": (8, 4)},
    "inceptiontime": {"model__filters": 4, "model__kernel_sizes": (8, 4), "model__n_blocks": 1},
}


@pytest.fixture(scope="module")
def series():
    """Waves of two kinds, hidden at a random place in noise."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(0, 0.3, (80, 48)), np.arange(80) % 2
    wave = np.sin(np.linspace(0, 2 * np.pi, 16))
    for row, kind in zip(X, y, strict=True):
        start = rng.integers(0, 32)
        row[start : start + 16] += 2 * wave if kind else 2 * np.abs(wave)
    return X.astype("float32"), y


def small(name, **more):
    return KerasClassifier(name, **{**SMALL[name], "epochs": 15, "random_state": 0, **more})


def test_lite_has_the_published_number_of_weights():
    meta = {"X_shape_": (9, 150), "n_outputs_expected_": 1}
    network = lite(meta)
    trained = sum(int(np.prod(w.shape)) for w in network.trainable_variables)
    assert trained - 33 == 9814  # without the last layer
    settled = network.get_layer("settled_filters")
    assert not settled.trainable and settled.kernel.shape == (96, 1, 17)


def test_settled_filters_answer_to_shapes():
    keras = pytest.importorskip("keras")
    from skopt_wrap.architectures import SettledFilters

    filters = SettledFilters([2], [6])
    layer = keras.layers.Conv1D(3, 6, use_bias=False, kernel_initializer=filters)
    flat, rise = np.ones((1, 6, 1)), np.array([0, 0, 0, 1, 1, 1.0]).reshape(1, 6, 1)
    np.testing.assert_allclose(np.asarray(layer(flat))[0, 0], [0, 0, 0], atol=1e-6)
    values = np.asarray(layer(rise))[0, 0]
    assert values[0] == 1 and values[1] == -1
    again = keras.initializers.deserialize(keras.initializers.serialize(filters))
    assert again.get_config() == filters.get_config()


@pytest.mark.parametrize("name", list(SMALL))
def test_they_learn_and_are_pickled(name, series):
    X, y = series
    model = small(name).fit(X[..., None], y)
    assert model.score(X[..., None], y) > 0.9
    assert clone(model).get_params()["model__filters"] == SMALL[name]["model__filters"]
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X[..., None]) == model.predict_proba(X[..., None])).all()


@pytest.mark.parametrize("name", ["lite"])
def test_rows_of_numbers_are_series_of_one_channel(name, series):
    X, y = series
    one = small(name, epochs=1).fit(X, y)
    other = small(name, epochs=1).fit(X[..., None], y)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X[..., None]), atol=1e-5)
    several = np.stack([X, -X], axis=-1)
    assert small(name, epochs=1).fit(several, y).model_.input_shape == (None, 48, 2)


@pytest.mark.parametrize("name", list(SMALL))
def test_steps_that_were_added_count_nowhere(name, series):
    X, y = series
    lengths = np.random.default_rng(1).integers(20, 49, len(X))
    ragged = [row[:n] for row, n in zip(X, lengths, strict=True)]
    model = small(name, epochs=1).fit(ragged, y)
    p = model.predict_proba(ragged[:5])
    longer = small(name, epochs=1, model__max_length=60).fit(ragged, y)
    assert longer.model_.input_shape == (None, 60, 2)
    # Longer filling changes nothing but the input.
    longer.model_.set_weights(model.model_.get_weights())
    np.testing.assert_allclose(longer.predict_proba(ragged[:5]), p, atol=1e-5)


def test_the_file_of_lite_is_small(series):
    X, y = series
    model = KerasClassifier("lite", epochs=20, random_state=0).fit(X, y)
    for mode, most in ((None, 80_000), ("int8", 40_000)):
        file = CompressedModel(FrozenEstimator(model), quantization=mode).fit(X, y)
        assert file.score(X, y) > 0.9
        assert len(file.runtime_.content) <= most


def test_the_file_of_inceptiontime(series):
    X, y = series
    model = small("inceptiontime", model__n_blocks=3).fit(X, y)
    for mode in (None, "int8"):
        file = CompressedModel(FrozenEstimator(model), quantization=mode).fit(X, y)
        assert file.score(X, y) > 0.85


def test_numbers_are_learned_too(series):
    X, _ = series
    y = 100 + 10 * X.mean(axis=1)
    model = KerasRegressor("lite", **SMALL["lite"], epochs=30, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.3


def test_recipes_depend_on_the_number_of_series(series):
    X, y = series
    model = KerasClassifier("lite", **SMALL["lite"]).set_params(epochs=1).fit(X, y)
    assert model.batch_size_ == 8
    assert ARCHITECTURES["lite"].recipe.rows_per_step(5000) == 64


@pytest.mark.parametrize("builder", [lite, inceptiontime])
def test_what_is_no_series_is_refused(builder):
    meta = {"X_shape_": (5, 8, 8, 3), "n_outputs_expected_": 1}
    with pytest.raises(ModelError, match="takes series"):
        builder(meta)
    meta["X_shape_"] = (5, 8)
    for options in ({"filters": 0}, {"kernel_sizes": ()}, {"kernel_sizes": 3}, {"dropout": 1}):
        with pytest.raises(ParameterError, match=f"model__{next(iter(options))}"):
            builder(meta, **options)
    assert builder(meta, kernel_sizes=(40,)).output_shape == (None, 1)
