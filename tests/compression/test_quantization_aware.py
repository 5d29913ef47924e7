"""Training with the rounding of the int8 file."""

from __future__ import annotations

import numpy as np
import pytest

from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import compress
from skopt_wrap.compression._plan import make_plan
from skopt_wrap.compression._stages._quantization import Quantize
from skopt_wrap.exceptions import ParameterError, SkoptWrapWarning, UnsupportedLayerError

L = pytest.importorskip("keras").layers


def _network(*layers, shape=(6, 6, 1)):
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(shape), *layers])


def _rows(model, n=40):
    shape = (n, *model.inputs[0].shape[1:])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.tfmot
def test_training_with_rounding_keeps_zeros_and_shared_values():
    model = _network(
        L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(), L.ReLU(), L.Flatten(),
        L.Dense(8, activation="relu"), L.Dense(3),
    )  # fmt: skip
    x = _rows(model)
    result = compress(
        model, x, pruning=0.5, clustering=5, quantization_aware=True, fine_tune_epochs=1,
        random_state=0,
    )  # fmt: skip
    row = result.report["quantize"]
    assert len(row.done) == 4
    assert not row.skipped
    assert any("kept zeros, shared values" in note for note in row.notes)
    assert any("network before this training" in note for note in row.notes)
    ops = result.runtime.ops()
    assert ops.count("DEQUANTIZE") == 1
    expected = predict_raw(result.model, x)
    assert np.abs(result.predict(x) - expected).max() < 0.2 * np.abs(expected).max()
    assert result.runtime.input_dtype == np.float32


@pytest.mark.tfmot
def test_layers_without_rounding_are_calibrated_and_named():
    """One file in integers throughout, although some layers trained in float."""
    model = _network(
        L.Rescaling(0.5), L.Conv1D(4, 3, activation="relu"), L.MaxPooling1D(), L.Flatten(),
        L.BatchNormalization(), L.Dense(2), shape=(12, 2),
    )  # fmt: skip
    result = compress(
        model, _rows(model), pruning=0.5, quantization_aware=True, fine_tune_epochs=1,
        random_state=0,
    )  # fmt: skip
    row = result.report["quantize"]
    assert [name.rstrip("_0123456789") for name in row.done] == ["conv1d", "dense"]
    kinds = [item.partition(": ")[2].partition(" ")[0] for item in row.skipped]
    assert kinds == ["Rescaling", "MaxPooling1D", "BatchNormalization"]
    assert result.runtime.ops().count("DEQUANTIZE") == 1
    assert any("kept zeros" in note for note in row.notes)


@pytest.mark.tfmot
def test_network_that_cannot_train_with_rounding_is_quantized_after_training():
    model = _network(L.SimpleRNN(4), L.Dense(2), shape=(3, 2))
    with pytest.warns(SkoptWrapWarning, match="quantized after training.*SimpleRNN"):
        result = compress(
            model, _rows(model), quantization_aware=True, fine_tune_epochs=1, random_state=0
        )
    assert any("SimpleRNN" in note for note in result.report["quantize"].notes)
    assert "FULLY_CONNECTED" in result.runtime.ops()


def test_crash_while_training_with_rounding_is_an_error(monkeypatch):
    """Only what cannot be trained with rounding is quantized after training."""
    from skopt_wrap.exceptions import ConversionError

    def dies(*args, **kwargs):
        raise ConversionError("stage 'quantize' failed: the conversion process ended")

    monkeypatch.setattr(Quantize, "_aware", dies)
    model = _network(L.Dense(2), shape=(3,))
    with pytest.raises(ConversionError, match="the conversion process ended"):
        compress(model, _rows(model), quantization_aware=True, fine_tune_epochs=1)


def test_lost_zeros_and_lost_values_are_found(network, digits):
    from skopt_wrap.compression._conversion._quantization_aware import check_kernels, int8_constants

    content = compress(network.model_, digits[0][:50].astype("float32")).tflite_model
    kernels = int8_constants(content)
    assert sorted(kernel.size for kernel in kernels) == [32 * 10, 64 * 32]
    assert check_kernels(content, kernels, sparsity=True, clusters=False) == []
    other = [np.zeros((3, 5))]  # of a size that the file does not have
    assert check_kernels(content, other, sparsity=True, clusters=False) == [15]
    with pytest.raises(UnsupportedLayerError, match="undid the pruning"):
        check_kernels(content, [kernel * 0 for kernel in kernels], sparsity=True, clusters=False)
    with pytest.raises(UnsupportedLayerError, match="undid the clustering"):
        check_kernels(content, [kernel > 0 for kernel in kernels], sparsity=False, clusters=True)


@pytest.mark.parametrize("mode", [None, "float16", "dynamic", "int16x8"])
def test_rounding_of_other_modes_cannot_be_trained_with(mode):
    with pytest.raises(ParameterError, match="needs quantization='int8'"):
        make_plan(
            {
                "factorization": None, "distillation": None, "pruning": None, "clustering": None,
                "quantization": mode, "quantization_aware": True, "fine_tune_epochs": 1,
                "calibration_samples": 1, "runtime": "litert", "num_threads": 1, "stages": None,
            }
        )  # fmt: skip
