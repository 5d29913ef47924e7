"""Networks that cannot be copied to tf_keras are pruned and clustered on Keras 3."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap import TensorTrainDense
from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import Clustering, Pruning, compress
from skopt_wrap.compression._fine_tuning_data import FineTuningData
from skopt_wrap.compression._stages._clustering import cluster_natively
from skopt_wrap.compression._stages._masks import (
    has_pattern,
    keep_largest,
    pattern_problem,
    share_values,
)
from skopt_wrap.compression._stages._pruning import prune_natively
from skopt_wrap.exceptions import ParameterError, UnsupportedLayerError

L = pytest.importorskip("keras").layers


def _own_layers():
    """A Lambda, a normalization that tf_keras lacks, a constraint, a recurrent layer both ways."""
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((4, 3)),
            L.Lambda(lambda z: z * 0.5),
            L.Bidirectional(L.GRU(4)),
            L.RMSNormalization(),
            L.Dense(8, activation="relu", kernel_constraint="non_neg"),
            L.Dense(3),
        ]
    )


def _tuning(model, n=48, epochs=2):
    x = np.random.default_rng(0).normal(size=(n, *model.inputs[0].shape[1:])).astype("float32")
    return FineTuningData(x, None, None, None, epochs, 16)


def _kernels(model):
    return [v.numpy() for v in model.trainable_variables if "kernel" in v.name and len(v.shape) > 1]


@pytest.mark.keras
def test_native_pruning_and_clustering_keep_zeros_values_and_constraints():
    model = _own_layers()
    before = model.get_weights()
    tuning = _tuning(model, epochs=3)
    result = prune_natively(model, Pruning(0.5), tuning, 0)
    sparse, done, skipped, notes = result.model, result.done, result.skipped, result.notes
    assert len(done) == 3
    assert len(skipped) == 1
    assert "RMSNormalization is not pruned" in skipped[0]
    assert "no loss" in notes[0]
    for kernel in _kernels(sparse):
        assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.1)
    assert (sparse.layers[-2].kernel.numpy() >= 0).all()
    result = cluster_natively(sparse, Clustering(5, init="density"), tuning, 0)
    few, done = result.model, result.done
    assert len(done) == 3
    for old, new in zip(_kernels(sparse), _kernels(few), strict=True):
        assert len(np.unique(new)) <= 5
        assert not new[old == 0].any()
        assert new.any()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new, "the model that was given is not changed")
    assert any((a != b).any() for a, b in zip(sparse.get_weights(), few.get_weights(), strict=True))
    again = prune_natively(model, Pruning(0.5), tuning, 0).model
    for old, new in zip(sparse.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(old, new, atol=1e-6)


@pytest.mark.keras
def test_native_stages_take_cores_and_tables():
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            L.Embedding(20, 8),
            L.DepthwiseConv1D(3),
            L.Flatten(),
            TensorTrainDense(16, rank=2, activation="relu"),
            L.Dense(3),
        ]
    )
    x = np.random.default_rng(0).integers(0, 20, (48, 6)).astype("int32")
    tuning = FineTuningData(x, None, None, None, 2, 16)
    train, last = model.layers[-2:]
    result = prune_natively(model, Pruning(0.5), tuning, 0)
    sparse, done, skipped = result.model, result.done, result.skipped
    assert done == [train.name, last.name]
    assert [text.split(": ")[1].split(" ")[0] for text in skipped] == [
        "Embedding",
        "DepthwiseConv1D",
    ]
    for core in sparse.layers[-2].cores:
        assert np.mean(core.numpy() == 0) == pytest.approx(0.5, abs=0.1)
    result = cluster_natively(sparse, Clustering(4), tuning, 0)
    few, done = result.model, result.done
    assert done == [model.layers[0].name, train.name, last.name]
    assert len(np.unique(few.layers[0].embeddings.numpy())) <= 4
    for old, new in zip(sparse.layers[-2].cores, few.layers[-2].cores, strict=True):
        assert len(np.unique(new.numpy())) <= 4
        assert not new.numpy()[old.numpy() == 0].any()


@pytest.mark.tfmot
def test_compress_takes_the_native_road_and_says_why():
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), L.UnitNormalization(), L.Dense(8, "relu"), L.Dense(2)]
    )
    x = _tuning(model).x
    result = compress(
        model, x, pruning=0.5, clustering=4, quantization=None, fine_tune_epochs=1, random_state=0
    )
    for stage in ("prune", "cluster"):
        assert "on Keras 3 itself: layer 'unit_normalization" in result.report[stage].notes[0]
        assert len(result.report[stage].done) == 2
    assert all(len(np.unique(kernel)) <= 4 for kernel in _kernels(result.model))
    np.testing.assert_allclose(result.predict(x), predict_raw(result.model, x), atol=1e-5)


@pytest.mark.keras
def test_native_road_refuses_a_network_without_kernels():
    import keras

    model = keras.Sequential([keras.Input((4,)), L.BatchNormalization()])
    with pytest.raises(UnsupportedLayerError, match="can be pruned"):
        prune_natively(model, Pruning(0.5), _tuning(model), 0)
    with pytest.raises(UnsupportedLayerError, match="more than 16 weights"):
        cluster_natively(model, Clustering(), _tuning(model), 0)


@pytest.mark.tfmot
@pytest.mark.parametrize("block", ["2:4", (4, 2)])
def test_zeros_lie_in_a_pattern_and_other_layers_are_named(block):
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), L.Conv2D(4, 3), L.Flatten(), L.Dense(6), L.Dense(3)]
    )
    result = compress(
        model, _tuning(model).x, pruning=Pruning(0.5, block=block), quantization=None,
        fine_tune_epochs=1, random_state=0,
    )  # fmt: skip
    row = result.report["prune"]
    assert len(row.done) == 3
    assert [item.partition(":")[0] for item in row.skipped] == [row.done[0], row.done[2]]
    assert all("pruned without a pattern" in item for item in row.skipped)
    assert has_pattern(result.model.layers[2].kernel.numpy(), block)
    for kernel in _kernels(result.model):
        assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.1)
    if block == "2:4":
        native = prune_natively(model, Pruning(0.5, block=block), _tuning(model), 0)
        assert has_pattern(native.model.layers[2].kernel.numpy(), block)
        assert len(native.skipped) == 2


def test_masks_by_hand():
    values = np.array([[1.0, -9.0], [2.0, 8.0], [-3.0, 0.5], [4.0, 0.1]])
    assert keep_largest(values, 0.25).sum() == 6
    np.testing.assert_array_equal(
        keep_largest(values, 0.5, "2:4"), [[0, 1], [0, 1], [1, 0], [1, 0]]
    )
    np.testing.assert_array_equal(
        keep_largest(values, 0.5, (2, 1)), [[0, 1], [0, 1], [1, 0], [1, 0]]
    )
    assert not has_pattern(values, "2:4")
    assert pattern_problem((8, 3), "2:4") is None
    assert "no groups of 4" in pattern_problem((6, 3), "2:4")
    assert "no matrix" in pattern_problem((3, 3, 4, 4), (2, 2))


@pytest.mark.parametrize("init", ["linear", "random", "density", "kmeans++"])
def test_shared_values_stand_for_their_groups(init):
    values = np.array([[0.0, 1.0, 1.1], [0.0, -2.0, -2.1]])
    centers, labels = share_values(values, 3, init, keep_zeros=True, seed=0)
    np.testing.assert_allclose(np.sort(centers), [-2.05, 0.0, 1.05])
    np.testing.assert_allclose(centers[labels], [[0, 1.05, 1.05], [0, -2.05, -2.05]])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"block": "1:2"}, "block must be None, '2:4'"),
        ({"block": (4, 0)}, "positive integer"),
        ({"block": (4,)}, "block must be"),
        ({"sparsity": 0.8, "block": "2:4"}, "sparsity must be 0.5"),
        ({"structured": True, "block": (4, 4)}, "removes whole units"),
    ],
)
def test_pattern_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        Pruning(**{"sparsity": 0.5, **params})


@pytest.mark.keras
@pytest.mark.parametrize("library", ["keras", pytest.param("tf_keras", marks=pytest.mark.tfmot)])
def test_learning_rate_stays_until_the_ramp_has_ended(library):
    schedules = pytest.importorskip(library).optimizers.schedules
    tuning = FineTuningData(np.zeros((20, 2)), None, None, None, 4, 10)
    rate = tuning.rate(schedules, 0.1, hold=0.75)
    found = [float(rate(step)) for step in (0, 3, 6, 7, 8)]
    assert found == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.0], abs=1e-6)
    falls = tuning.rate(schedules, 0.1)
    assert float(falls(4)) == pytest.approx(0.05)
