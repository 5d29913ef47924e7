"""Whole units are removed, and the layers behind make up for them."""

import numpy as np
import pytest

from skopt_wrap.compression._fine_tuning_data import FineTuningData
from skopt_wrap.compression._stages._structured_pruning import (
    find_routes,
    prune_units,
    refit,
)
from skopt_wrap.exceptions import UnsupportedLayerError

pytestmark = pytest.mark.keras


def untuned(X):
    return FineTuningData(X, None, None, None, 1, 1000)


def cut(model, sparsity, X):
    """Prune with a learning rate that changes nothing."""
    result = prune_units(model, sparsity, untuned(X), learning_rate=1e-12, seed=0)
    return result.model, result.done, result.skipped, result.notes


def test_refit_is_exact_for_features_that_depend_on_others():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(200, 2))
    features = np.column_stack([base, base @ [1.0, -2.0] + 3.0])
    kernel = rng.normal(size=(3, 4))
    fitted, shift = refit(features, kernel, np.array([0, 1]))
    np.testing.assert_allclose(base @ fitted + shift, features @ kernel, atol=1e-3)


@pytest.mark.parametrize("kind", ["dense", "conv2d", "conv1d", "recurrent"])
def test_units_that_repeat_others_cost_nothing(kind):
    """Half of the units copy the other half: the network answers as before without them."""
    import keras
    from keras import layers as L

    keras.utils.set_random_seed(1)
    stacks = {
        "dense": ((6,), [L.Dense(8, "relu"), L.LayerNormalization(), L.Dropout(0.2)], [L.Dense(3)]),
        "conv2d": (
            (6, 6, 2),
            [L.Conv2D(8, 3, padding="same", activation="relu"), L.MaxPooling2D()],
            [L.Conv2D(4, 2), L.Flatten(), L.Dense(3)],
        ),
        "conv1d": (
            (9, 2),
            [L.Conv1D(8, 3, activation="tanh"), L.AveragePooling1D(2), L.Flatten()],
            [L.Dense(3)],
        ),
        "recurrent": ((7, 2), [L.Conv1D(8, 3)], [L.GRU(4), L.Dense(3)]),
    }
    shape, before, after = stacks[kind]
    model = keras.Sequential([keras.Input(shape), *before, *after])
    first = model.layers[0]
    kernel, bias = first.get_weights()
    kernel[..., 4:] = kernel[..., :4]
    first.set_weights([kernel, bias])
    X = np.random.default_rng(0).normal(size=(80, *shape)).astype("float32")
    wanted = model.predict(X, verbose=0)
    small, done, skipped, notes = cut(model, 0.5, X)
    assert done[0] == f"{first.name}: 8 -> 4 units"
    if kind in ("dense", "recurrent"):  # elsewhere a later layer loses units that it needs
        assert len(done) == 1
        np.testing.assert_allclose(small.predict(X, verbose=0), wanted, atol=2e-2)
    assert small.count_params() < model.count_params()
    assert small.output_shape == model.output_shape
    assert any("outputs" in reason for reason in skipped)
    assert "own outputs" in notes[0]


def test_flattened_channels_are_cut_at_every_position():
    """A dead channel goes, and the dense layer behind loses its column at each place."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3, 3, 1)), keras.layers.Conv2D(2, 2), keras.layers.Flatten(),
         keras.layers.Dense(5)]
    )  # fmt: skip
    kernel, bias = model.layers[0].get_weights()
    kernel[..., 0], bias[0] = 0.0, 0.7  # constant: its share goes into the bias behind
    model.layers[0].set_weights([kernel, bias])
    X = np.random.default_rng(0).normal(size=(50, 3, 3, 1)).astype("float32")
    small, *_ = cut(model, 0.5, X)
    assert small.layers[2].kernel.shape == (4, 5)
    np.testing.assert_allclose(small.predict(X, verbose=0), model.predict(X, verbose=0), atol=2e-3)


def test_layers_that_cannot_lose_units_are_named_with_the_reason():
    import keras
    from keras import layers as L

    inputs = keras.Input((4,))
    a = L.Dense(4, name="added")(inputs)
    shared = L.Dense(4, name="shared")
    b = shared(shared(L.Dense(4, name="before_shared")(L.Add()([a, inputs]))))
    model = keras.Model(inputs, L.Dense(2, name="end")(L.Dense(6, name="free")(b)))
    routes, skipped = find_routes(model)
    assert [route.layer.name for route in routes] == ["free"]
    reasons = dict(item.split(": ", 1) for item in skipped)
    assert "Add" in reasons["added"]
    assert "more than once" in reasons["shared"]
    assert "more than once" in reasons["before_shared"]
    assert "outputs" in reasons["end"]
    linear = keras.Sequential([keras.Input((4,)), L.Dense(2)])
    with pytest.raises(UnsupportedLayerError, match="no layer"):
        cut(linear, 0.5, np.zeros((8, 4), "float32"))


def test_pruned_network_is_tuned_and_the_original_is_not_changed(digits):
    import keras

    X, y = digits[0][:400].astype("float32"), digits[1][:400].astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss)
    model.fit(X, y, epochs=15, verbose=0)
    before = [part.copy() for part in model.get_weights()]
    tuning = FineTuningData(X, y, np.ones(400), loss, 5, 32)
    small = prune_units(model, 0.5, tuning, learning_rate=2e-3, seed=0).model
    accuracy = [np.mean(np.argmax(m.predict(X, verbose=0), 1) == y) for m in (model, small)]
    assert accuracy[1] > accuracy[0] - 0.03
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
