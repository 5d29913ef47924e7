"""TensorTrainDense: the same numbers on every way of contraction, saved, trained, in estimators."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, TensorTrainDense
from skopt_wrap.exceptions import ParameterError
from skopt_wrap.factorization import _tensor_train as tt
from skopt_wrap.factorization._layer import contraction_costs

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

SHAPES = [
    ((4, 5), (6, 3), 5),
    ((2, 5, 3), (3, 2, 4), (4, 6)),
    ((2, 3, 2, 2), (2, 2, 3, 1), 3),
    ((1, 20), (18, 1), 5),  # a low-rank product
]


def built(inputs, outputs, rank, **options):
    layer = TensorTrainDense(
        int(np.prod(outputs)), rank, input_factors=inputs, output_factors=outputs, **options
    )
    layer.build((None, int(np.prod(inputs))))
    return layer


@pytest.mark.parametrize(("inputs", "outputs", "rank"), SHAPES)
@pytest.mark.parametrize("contraction", ["auto", "cores", "kernel"])
def test_layer_computes_what_its_kernel_says(inputs, outputs, rank, contraction):
    layer = built(inputs, outputs, rank, contraction=contraction)
    x = np.random.default_rng(0).normal(size=(7, layer.input_spec.axes[-1])).astype("float32")
    expected = x @ tt.contract([core.numpy() for core in layer.cores])
    assert np.allclose(x @ layer.kernel, expected, atol=1e-5)
    for way in (layer, layer._from_left, layer._from_right):
        assert np.allclose(way(x), expected, atol=1e-5)


@pytest.mark.parametrize(("inputs", "outputs", "rank"), SHAPES)
def test_contraction_costs_count_multiplications(inputs, outputs, rank):
    layer = built(inputs, outputs, rank)
    edges, left, done = (1, *layer.ranks_, 1), 0, 1
    for k, (i, j) in enumerate(zip(inputs, outputs, strict=True)):
        left += done * int(np.prod(inputs[k + 1 :])) * edges[k] * i * j * edges[k + 1]
        done *= j
    assert contraction_costs(inputs, outputs, layer.ranks_, 5)["left"] == 5 * left


def test_contraction_takes_the_kernel_for_many_rows_only():
    layer = built((28, 28), (16, 16), 64)
    assert layer._order(1) != "kernel"
    assert layer._order(10_000) == "kernel"
    assert built((28, 28), (16, 16), 64, contraction="cores")._order(10_000) != "kernel"


def test_layer_keeps_leading_axes_and_masks():
    layer = TensorTrainDense(12, 3)
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 10)).astype("float32")
    assert layer(x).shape == (2, 4, 3, 12) == layer.compute_output_shape(x.shape)
    rows = layer(x.reshape(-1, 10))
    assert np.allclose(np.reshape(layer(x), (-1, 12)), rows, atol=1e-6)
    inputs = keras.Input((None, 10))
    assert TensorTrainDense(12, 3)(inputs).shape == (None, None, 12)
    assert layer.supports_masking


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal", "lecun_normal"])
@pytest.mark.parametrize("n_cores", [2, 3])
def test_kernel_starts_with_the_variance_of_its_initializer(initializer, n_cores):
    layer = TensorTrainDense(512, 16, n_cores, kernel_initializer=initializer)
    layer.build((None, 729))
    dense = keras.layers.Dense(512, kernel_initializer=initializer)
    dense.build((None, 729))
    ratio = np.var(np.asarray(layer.kernel)) / np.var(dense.kernel.numpy())
    assert 0.6 < ratio < 1.6


def test_layer_is_seeded_by_its_initializer():
    glorot = keras.initializers.GlorotUniform
    kernels = []
    for seed in (1, 1, 2):
        layer = TensorTrainDense(8, 2, kernel_initializer=glorot(seed=seed))
        layer.build((None, 6))
        kernels.append(np.asarray(layer.kernel))
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])


def test_layer_is_saved_and_loaded_without_custom_objects(tmp_path):
    layer = TensorTrainDense(
        12, 4, 3, activation="relu", use_bias=False, kernel_regularizer="l2", contraction="cores"
    )
    model = keras.Sequential(
        [keras.Input((5, 20)), layer, keras.layers.Flatten(), TensorTrainDense(4, (3,))]
    )
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(3, 5, 20)).astype("float32")
    assert np.array_equal(model(x), loaded(x))
    assert loaded.layers[0].get_config() == layer.get_config()
    assert len(loaded.losses) == 3  # one penalty a core


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_layer_computes_in_its_dtype(dtype):
    layer = TensorTrainDense(9, 4, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(5, 8))
    out = layer(x)
    assert keras.backend.standardize_dtype(out.dtype) == layer.compute_dtype
    assert layer.cores[0].dtype == layer.variable_dtype
    kernel = tt.contract([np.asarray(core, float) for core in layer.cores])
    tolerance = {"float64": 1e-12, "mixed_float16": 2e-2, "mixed_bfloat16": 0.1}[dtype]
    assert np.allclose(np.asarray(out, float), x @ kernel, atol=tolerance)


@pytest.mark.parametrize("contraction", ["cores", "kernel"])
def test_gradients_reach_every_core(contraction):
    tf = pytest.importorskip("tensorflow")
    layer = TensorTrainDense(12, 4, 3, contraction=contraction)
    x = np.random.default_rng(0).normal(size=(5, 30)).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == 4
    assert all(np.abs(g).sum() > 0 for g in gradients)


def test_layer_trains_by_keras():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 16)).astype("float32")
    y = (x @ rng.normal(size=(16, 4))).astype("float32")
    model = keras.Sequential([keras.Input((16,)), TensorTrainDense(4, 8)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(x, y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def tensorized(meta, rank=6):
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            TensorTrainDense(32, rank, activation="relu"),
            keras.layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def test_layer_serves_an_estimator_and_shares_its_graph(digits):
    from skopt_wrap._keras import shareable_key

    X, y = digits
    fitted = [
        KerasClassifier(tensorized, model__rank=8, epochs=12, random_state=0).fit(X[:900], y[:900])
        for _ in range(2)
    ]
    assert shareable_key(fitted[0].model_) is not None
    assert fitted[0].score(X[900:], y[900:]) > 0.8
    assert np.array_equal(fitted[0].predict_proba(X[900:]), fitted[1].predict_proba(X[900:]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units must be an integer of at least 1, got 0"),
        ({"units": 4, "rank": 0}, "rank must be an integer of at least 1, got 0"),
        ({"units": 4, "rank": (2, 1.5)}, "rank must be an integer of at least 1, got 1.5"),
        ({"units": 4, "n_cores": 1}, "n_cores must be an integer of at least 2, got 1"),
        ({"units": 4, "output_factors": (3, 2)}, "must multiply to units=4"),
        ({"units": 4, "contraction": "core"}, "Did you mean 'cores'"),
        ({"units": 4, "kernel_initializer": "zeros"}, "scales the variance"),
    ],
)
def test_layer_refuses_bad_arguments(arguments, message):
    with pytest.raises(ParameterError, match=message):
        TensorTrainDense(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": (50,)}, r"at most \(4,\)"),
        ({"rank": (2, 2)}, "must hold 1 numbers"),
        ({"input_factors": (2, 2)}, "must multiply to the number of input features, 6"),
        ({"input_factors": (1, 2, 3), "output_factors": (2, 2)}, "one number a core"),
    ],
)
def test_layer_refuses_what_does_not_fit_its_inputs(arguments, message):
    with pytest.raises(ParameterError, match=message):
        TensorTrainDense(4, **arguments).build((None, 6))


def test_int_rank_is_cut_to_what_can_be_used():
    layer = TensorTrainDense(4, rank=100, n_cores=3)
    layer.build((None, 12))
    assert layer.ranks_ == tuple(
        min(a, b) for a, b in zip(layer.ranks_, tt.full_ranks((2, 2, 3), (2, 2, 1)), strict=True)
    )
