"""What converts, in which form, and how small the file is."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import Quantization, compress
from skopt_wrap.compression._litert._export import c_source
from skopt_wrap.exceptions import ParameterError, UnsupportedLayerError

L = pytest.importorskip("keras").layers


def _build(shape, *layers, dtype="float32"):
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def _rows(model, n=40):
    rng = np.random.default_rng(0)
    shape = (n, *model.inputs[0].shape[1:])
    if "int" in model.inputs[0].dtype:
        return rng.integers(0, 20, shape).astype("int32")
    return rng.normal(size=shape).astype("float32")


def _attention():
    import keras

    keras.utils.set_random_seed(0)
    start = keras.Input((6,), dtype="int32")
    x = L.Embedding(20, 8)(start)
    x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))
    return keras.Model(start, L.Dense(3)(L.GlobalAveragePooling1D()(x)))


NETWORKS = {
    "gru": lambda: _build((5, 3), L.GRU(6), L.Dense(2)),
    "bidirectional": lambda: _build((5, 3), L.Bidirectional(L.LSTM(4)), L.Dense(2)),
    "embedding": lambda: _build(
        (6,), L.Embedding(20, 8), L.GlobalAveragePooling1D(), L.Dense(3), dtype="int32"
    ),
    "attention": _attention,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_int8_of_recurrent_embedding_and_attention_layers(name):
    model = NETWORKS[name]()
    x = _rows(model)
    result = compress(model, x, quantization="int8", random_state=0)
    expected = predict_raw(model, x)
    error = np.sqrt(np.mean((result.predict(x) - expected) ** 2) / np.mean(expected**2))
    assert error < 0.15
    np.testing.assert_array_equal(result.predict(x[:1]), result.predict(x)[:1])


def test_fused_lstm_is_small_and_forgets_between_rows():
    model = _build((20, 4), L.LSTM(8), L.Dense(2))
    x = _rows(model, 12)
    unrolled = compress(model, x, quantization="int8", random_state=0)
    fused = compress(model, x, quantization=Quantization("int8", recurrent="fused"), random_state=0)
    assert len(fused.tflite_model) < 0.3 * len(unrolled.tflite_model)
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in fused.runtime.ops()
    assert "one operation" in fused.report["quantize"].notes[1]
    expected = predict_raw(model, x)
    assert np.abs(fused.predict(x) - expected).max() < 0.1 * np.abs(expected).max()
    np.testing.assert_array_equal(fused.predict(x[::-1])[::-1], fused.predict(x))


def test_long_lstm_is_fused_by_itself():
    model = _build((70, 2), L.LSTM(4), L.Dense(2))
    result = compress(model, _rows(model, 8), quantization="int8", random_state=0)
    assert not result.runtime.dynamic_batch
    with pytest.raises(UnsupportedLayerError, match=r"'gru.*' is a GRU, only LSTM can be"):
        gru = _build((5, 2), L.GRU(4))
        compress(gru, _rows(gru), quantization=Quantization("int8", recurrent="fused"))


def test_int4_halves_the_weights_of_int8():
    pytest.importorskip("ai_edge_quantizer")
    model = _build((32,), L.Dense(64, "relu"), L.Dense(64, "relu"), L.Dense(4))
    x = _rows(model)
    eight, four = (compress(model, x, quantization=q, random_state=0) for q in ("int8", "int4"))
    assert len(four.tflite_model) < 0.7 * len(eight.tflite_model)
    expected = predict_raw(model, x)
    error = np.sqrt(np.mean((four.predict(x) - expected) ** 2) / np.mean(expected**2))
    assert 0.01 < error < 0.25
    assert four.runtime.dynamic_batch


def test_int4_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    model = _build((4,), L.Dense(2))
    with pytest.raises(ParameterError, match=r"pip install 'skopt_wrap\[int4\]'"):
        compress(model, _rows(model), quantization="int4")


def test_int8_file_of_a_small_cnn_is_little_more_than_its_weights():
    model = _build(
        (8, 8, 1), L.Conv2D(16, 3, activation="relu"), L.Conv2D(32, 3, activation="relu"),
        L.Flatten(), L.Dense(64, "relu"), L.Dense(10),
    )  # fmt: skip
    result = compress(model, _rows(model), quantization="int8", random_state=0)
    assert len(result.tflite_model) < model.count_params() + 4000
    assert result.report["quantize"].bytes < 0.275 * result.report["convert"].bytes
    assert "SHAPE" not in result.runtime.ops(), "flattening needs no arithmetic of shapes"


def test_dense_layer_with_uneven_units_keeps_a_scale_for_each():
    """One scale for the whole kernel would round the small units to nothing."""
    model = _build((8,), L.Dense(16), L.Dense(2))
    kernel, *rest = model.get_weights()
    kernel[:, ::2] *= 300
    model.set_weights([kernel, *rest])
    from skopt_wrap.compression._conversion._convert import _is_even

    assert not _is_even(model)
    assert _is_even(_build((8,), L.Dense(16), L.Dense(2)))


def test_integer_inputs_and_outputs_are_scaled_by_the_runtime():
    model = _build((8,), L.Dense(8, "relu"), L.Dense(3))
    x = _rows(model, 100)
    spec = Quantization("int8", integer_io=True)
    result = compress(model, x, quantization=spec, random_state=0)
    runtime = result.runtime
    assert (runtime.input_dtype, runtime.output_dtype) == (np.int8, np.int8)
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(runtime.ops())
    assert set(runtime.scales) == {"input", "output"}
    expected = predict_raw(model, x)
    assert np.abs(result.predict(x) - expected).max() < 0.1 * np.abs(expected).max()
    with pytest.raises(ParameterError, match="integer activations"):
        Quantization("float16", integer_io=True)
    with pytest.raises(ParameterError, match="Did you mean 'fused'"):
        Quantization(recurrent="fuse")


def _parsed(source):
    body = source.split("[] = {")[1].split("};")[0]
    return bytes(int(word, 16) for word in body.replace(",", " ").split())


def test_c_array_holds_the_file(compressed):
    source = compressed.to_c_array("digits")
    assert _parsed(source) == compressed.tflite_model_
    assert f"digits_len = {len(compressed.tflite_model_)};" in source
    assert source.count("DIGITS_H_") == 3
    assert "FULLY_CONNECTED" in source.splitlines()[1]


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_c_array_compiles(compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    content = bytes(range(256))
    (tmp_path / "net.h").write_text(c_source(content, "net", ["a remark */"]))
    suffix = "c" if compiler == "gcc" else "cpp"
    program = tmp_path / f"main.{suffix}"
    program.write_text(
        '#include "net.h"\n#include "net.h"\n#include <stdio.h>\n#include <stdint.h>\n'
        "int main(void) { fwrite(net, 1, net_len, stdout);"
        " return (int)((uintptr_t)net % 16); }\n"
    )
    out = tmp_path / "a.out"
    subprocess.run([compiler, "-Wall", "-Werror", str(program), "-o", str(out)], check=True)
    done = subprocess.run([str(out)], capture_output=True)
    assert (done.returncode, done.stdout) == (0, content)


@pytest.mark.parametrize("name", ["1net", "a-b", "", "int", 3])
def test_c_array_needs_an_identifier(name):
    with pytest.raises(ParameterError, match="name must"):
        c_source(b"", name, [])
