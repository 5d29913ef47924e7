"""Operations in the graph, such as ``x + y``, go through every stage."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from skopt_wrap.compression import compress

sys.path.insert(0, str(Path(__file__).parent))
from operations import NAMES, build

sys.path.pop(0)

keras = pytest.importorskip("keras")


def _rows(n=32):
    return np.random.default_rng(0).normal(size=(n, 8)).astype("float32")


@pytest.mark.tfmot
@pytest.mark.parametrize("name", NAMES)
def test_operation_is_copied_to_tf_keras_exactly(name):
    from skopt_wrap.compression._conversion._tf_keras import check_copy, to_tf_keras

    model = build(name)
    copy, layers = to_tf_keras(model)
    check_copy(model, copy, layers, _rows())


@pytest.mark.tfmot
@pytest.mark.slow
@pytest.mark.parametrize("name", ["x + y", "x[:, :4]", "concatenate"])
def test_network_with_an_operation_is_pruned_clustered_and_trained_with_rounding(name):
    model = build(name)
    X = _rows()
    result = compress(
        model, X, pruning=0.5, clustering=4, quantization_aware=True, fine_tune_epochs=1,
        random_state=0,
    )  # fmt: skip
    report = result.report
    assert report.to_dict()["stage"] == ["trained", "convert", "prune", "cluster", "quantize"]
    layers = [layer.name for layer in model.layers if layer.weights]
    assert report["prune"].done == report["cluster"].done == layers
    assert not [note for row in report.rows for note in row.notes if "Keras 3 itself" in note]
    assert any("trained with the file's rounding" in note for note in report["quantize"].notes)
    kernel = result.model.get_layer("a").kernel.numpy()
    assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.1)
    assert len(np.unique(kernel)) <= 4
