"""Kernels that hold a few values, through Keras 2 and back."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import Clustering, Pruning, compress
from skopt_wrap.compression._plan import make_plan
from skopt_wrap.compression._specs import as_clustering
from skopt_wrap.exceptions import ConversionError, ParameterError, UnsupportedLayerError

L = pytest.importorskip("keras").layers


def _masked_text():
    import keras

    keras.utils.set_random_seed(0)
    start = keras.Input((4,), dtype="int32")
    x = L.Embedding(20, 4, mask_zero=True)(start)
    return keras.Model(start, L.Dense(2)(L.SimpleRNN(4)(x)))


def _images():
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(4, 3, use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.DepthwiseConv2D(2),
            L.SeparableConv2D(4, 2, activation="relu"),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )


def _kernels(model):
    return {
        weight.path: weight.numpy()
        for layer in model._flatten_layers()
        for weight in layer.weights
        if "kernel" in weight.name or weight.name == "embeddings"
    }


@pytest.mark.tfmot
@pytest.mark.parametrize("init", ["linear", "kmeans++"])
def test_clustering_keeps_few_values_and_the_zeros_of_pruning(init):
    model = _images()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 6, 6, 1)).astype("float32")
    y = rng.integers(0, 3, 60)
    result = compress(
        model, x, y, pruning=Pruning(0.5, schedule="constant"),
        loss="sparse_categorical_crossentropy",
        clustering=Clustering(5, init=init), quantization=None, fine_tune_epochs=1, random_state=0,
    )  # fmt: skip
    row = result.report["cluster"]
    assert len(row.done) == 3
    assert {item.partition(": ")[2] for item in row.skipped} == {
        "BatchNormalization is not clustered",
        "DepthwiseConv2D is not clustered",
    }
    assert row.distinct < result.report["prune"].distinct
    assert row.nonzero == result.report["prune"].nonzero
    for path, kernel in _kernels(result.model).items():
        if path.partition("/")[0] in row.done and "depthwise" not in path:
            assert len(np.unique(kernel)) <= 5, path
            assert np.mean(kernel == 0) >= 0.4, path
    np.testing.assert_allclose(result.predict(x), predict_raw(result.model, x), atol=1e-5)


@pytest.mark.tfmot
def test_clustering_passes_masks_on():
    """The wrapper of the library in use loses them; predictions are compared after it."""
    model = _masked_text()
    x = np.random.default_rng(0).integers(0, 20, (40, 4)).astype("int32")
    x[:20, 2:] = 0
    result = compress(model, x, clustering=4, quantization=None, fine_tune_epochs=1, random_state=0)
    assert len(result.report["cluster"].done) == 3
    assert all(len(np.unique(kernel)) <= 4 for kernel in _kernels(result.model).values())
    assert "no loss" in result.report["cluster"].notes[0]


@pytest.mark.tfmot
def test_network_without_kernels_cannot_be_clustered():
    import keras

    model = keras.Sequential([keras.Input((4,)), L.BatchNormalization(), L.Dense(2)])
    with pytest.raises(UnsupportedLayerError, match="with more than 16 weights"):
        compress(model, np.zeros((8, 4), "float32"), clustering=16)


def test_clusters_and_zeros_are_checked():
    from skopt_wrap.compression._conversion._clustering import check_clusters

    model = _images()
    layer = model.layers[-1]
    name, spec = layer.name, Clustering(2)
    with pytest.raises(ConversionError, match=f"{name}.*distinct values instead of 2"):
        check_clusters(model, [name], spec, {layer: {}})
    kernel = layer.kernel.numpy()
    layer.kernel.assign(np.where(kernel > 0, 1.0, -1.0))
    check_clusters(model, [name], spec, {layer: {"kernel": np.ones_like(kernel)}})
    with pytest.raises(ConversionError, match=r"gave values to 2[0-9]* weights"):
        pruned = np.ones_like(kernel)
        pruned.flat[:20] = 0
        check_clusters(model, [name], spec, {layer: {"kernel": pruned}})


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, True, "many"])
def test_clustering_refuses_a_number_of_clusters(n):
    with pytest.raises(ParameterError, match="n_clusters must be an integer of at least 2"):
        Clustering(n)


def test_clustering_parameters_are_checked():
    assert as_clustering(8) == Clustering(8)
    assert as_clustering(None) is None
    with pytest.raises(ParameterError, match="Did you mean 'linear'"):
        Clustering(init="liner")
    with pytest.raises(ParameterError, match="learning_rate"):
        Clustering(learning_rate=0)
    with pytest.raises(ParameterError, match="sparsity_preserving"):
        Clustering(sparsity_preserving="yes")
    settings = {
        "factorization": None, "distillation": None, "quantization": None,
        "quantization_aware": False, "fine_tune_epochs": 1, "calibration_samples": 1,
        "runtime": "litert", "num_threads": 1, "stages": None,
    }  # fmt: skip
    with pytest.raises(ParameterError, match="at least 3 after pruning"):
        make_plan({**settings, "pruning": 0.5, "clustering": 2})
    loose = Clustering(2, sparsity_preserving=False)
    assert make_plan({**settings, "pruning": 0.5, "clustering": loose}).stages[2].spec is loose


@pytest.mark.keras
def test_losses_that_mean_something_else_are_not_carried_over():
    import keras

    from skopt_wrap.compression._stages._losses import portable_loss

    def huber(y_true, y_pred):  # the user's own, by the name of one of Keras
        return keras.ops.mean(y_pred, axis=-1)

    assert portable_loss(huber) is None
    assert portable_loss(keras.losses.BinaryCrossentropy(axis=1)) is None
    assert portable_loss("mse") == {"kind": "MeanSquaredError", "settings": {}}
    kept = portable_loss(keras.losses.SparseCategoricalCrossentropy(ignore_class=2))
    assert kept["settings"]["ignore_class"] == 2
