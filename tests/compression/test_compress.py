from __future__ import annotations

import json

import numpy as np
import pytest

from skopt_wrap._keras import dtype_scope, predict_raw
from skopt_wrap.compression import Pruning, compress
from skopt_wrap.compression._stages._losses import portable_loss
from skopt_wrap.exceptions import (
    BudgetError,
    ConversionError,
    DataError,
    ModelError,
    ParameterError,
    UnsupportedLayerError,
)

keras = pytest.importorskip("keras")
L = keras.layers


def _build(shape, *layers, dtype="float32"):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def _rows(model, n=40):
    rng = np.random.default_rng(0)
    shape = (n, *model.inputs[0].shape[1:])
    if "int" in model.inputs[0].dtype:
        return rng.integers(0, 20, shape).astype("int32")
    return rng.normal(size=shape).astype("float32")


def _itself(z):
    return z


def _residual():
    """Two branches, normalization, a merge, depthwise and separable kernels."""
    keras.utils.set_random_seed(0)
    start = keras.Input((8, 8, 2))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(start)))
    a = L.DepthwiseConv2D(3, padding="same")(x)
    b = L.SeparableConv2D(4, 3, padding="same", activation="silu")(x)
    x = L.Concatenate()([L.Add()([a, b]), x])
    x = L.GlobalAveragePooling2D()(L.ZeroPadding2D(1)(x))
    return keras.Model(start, L.Dense(3, activation="softmax")(x))


def _text():
    keras.utils.set_random_seed(0)
    start = keras.Input((6,), dtype="int32")
    x = L.Embedding(20, 4, mask_zero=True)(start)
    x = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
    return keras.Model(start, L.Dense(3)(L.GRU(4)(x)))


NETWORKS = {
    "dense": lambda: _build(
        (8,), L.Rescaling(0.5, 0.1), L.Dense(8, "gelu"), L.LayerNormalization(), L.Dropout(0.1),
        L.Dense(8, "relu6"), L.Dense(2),
    ),
    "cnn": lambda: _build(
        (8, 8, 1), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.AveragePooling2D(2),
        L.Flatten(), L.Reshape((4,)), L.Dense(3), L.Softmax(),
    ),
    "conv1d": lambda: _build(
        (12, 2), L.Conv1D(4, 3, activation="elu"), L.MaxPooling1D(), L.Activation("tanh"),
        L.GlobalMaxPooling1D(), L.Dense(2),
    ),
    "lstm": lambda: _build((5, 3), L.LSTM(6), L.Dense(2)),
    "masked rnn": lambda: _build((5, 3), L.Masking(), L.SimpleRNN(4), L.Dense(2)),
    "residual": _residual,
    "text": _text,
}  # fmt: skip


@pytest.mark.tfmot
@pytest.mark.parametrize("name", NETWORKS)
def test_pruning_goes_through_keras_2_and_back(name):
    """The bridge compares predictions after each hop; here the result is looked at."""
    model = NETWORKS[name]()
    before = model.get_weights()
    spec = Pruning(0.5, schedule="constant" if name == "dense" else "polynomial")
    result = compress(
        model, _rows(model), pruning=spec, quantization=None, fine_tune_epochs=1, random_state=0
    )
    row = result.report["prune"]
    assert row.done
    assert row.nonzero < result.report["trained"].nonzero
    for layer in result.model._flatten_layers():
        for weight in layer.weights:
            if layer.name in row.done and "kernel" in weight.name and weight.name[:5] != "depth":
                zeros = 1 - np.count_nonzero(weight) / np.size(weight)
                assert zeros == pytest.approx(0.5, abs=0.09), weight.path
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new, "the model that was given is not changed")
    x = _rows(model)
    np.testing.assert_allclose(result.predict(x), predict_raw(result.model, x), atol=1e-5)


@pytest.mark.parametrize("quantization", ["dynamic", "float16", "int8", "int16x8"])
@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_every_mode_gives_a_file_near_the_network(name, quantization):
    model = NETWORKS[name]()
    x = _rows(model)
    result = compress(model, x, quantization=quantization, random_state=0)
    expected = predict_raw(model, x)
    assert np.abs(result.predict(x) - expected).max() < 0.15 * np.abs(expected).max()
    assert result.runtime.dynamic_batch
    np.testing.assert_array_equal(result.predict(x[:1]), result.predict(x)[:1])


def test_long_sequences_run_row_by_row_without_memory():
    model = _build((70, 2), L.GRU(4), L.Dense(2))
    x = _rows(model, 8)
    result = compress(model, x, quantization="float16", random_state=0)
    assert not result.runtime.dynamic_batch
    assert "one row at a time" in result.report["convert"].notes[0]
    once = result.predict(x)
    np.testing.assert_array_equal(result.predict(x[::-1]), once[::-1])
    with pytest.raises(UnsupportedLayerError, match=r"'gru.*'.*Use quantization='float16'"):
        compress(model, x, quantization="int8")


def test_metric_and_promise():
    model = NETWORKS["dense"]()
    x = _rows(model)
    y = predict_raw(model, x)

    def minus_error(y_true, raw):
        return -float(np.abs(y_true - raw).max())

    result = compress(model, x, y, metric=minus_error, quantization="float16", random_state=0)
    scores = result.report.to_dict()["score"]
    assert scores[0] == 0.0
    assert scores[-1] == minus_error(y, result.predict(x)) < 0
    with pytest.raises(BudgetError, match="max_score_drop=0: reached") as raised:
        compress(model, x, y, metric=minus_error, quantization="float16", max_score_drop=0)
    assert raised.value.result.quantization == "float16"
    assert raised.value.result.report.to_dict()["score"][-1] < 0
    with pytest.raises(ParameterError, match="needs a metric"):
        compress(model, x, max_score_drop=0.1)
    with pytest.raises(ParameterError, match="metric needs y"):
        compress(model, x, metric=minus_error)


def test_late_failure_carries_the_result_of_the_earlier_stages(monkeypatch, tmp_path):
    from skopt_wrap.compression._stages._quantization import Quantize

    def fail(self, model, context):
        convert = "skopt_wrap.compression._conversion._convert:convert"
        context.run_in_process(convert, {"quantization": self.spec})

    monkeypatch.setattr(Quantize, "run", fail)
    model = _build((4,), L.Dense(6), L.Dense(1, activation=_itself))
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    x = _rows(model)
    y = (x[:, :1] > 0).astype("float32")
    with pytest.raises(ConversionError, match="stage 'quantize' failed") as raised:
        compress(model, x, y, pruning=0.5, fine_tune_epochs=2, random_state=0)
    result = raised.value.result
    assert result.report.to_dict()["stage"] == ["trained", "convert", "prune"]
    assert result.quantization is None
    assert result.predict(x).shape == (40, 1)
    # The loss tells what the outputs are, and a network that was pruned has none.
    described = json.loads(result.export(tmp_path / "a").with_suffix(".json").read_text())
    assert described["output_kind"] == "logits"


def test_half_precision_and_float64_networks_become_float32_files():
    for dtype in ("float64", "mixed_float16"):
        with dtype_scope(dtype):
            model = _build((8,), L.Dense(8, "relu"), L.Dense(2))
        x = _rows(model)
        result = compress(model, x, quantization=None)
        assert result.runtime.input_dtype == np.float32
        expected = predict_raw(model, x)
        assert np.abs(result.predict(x) - expected).max() < 2e-3


def test_layers_of_the_users_own_reach_the_conversion_process():
    class Doubled(L.Layer):
        def call(self, x):
            return 2 * x

    model = _build((4,), Doubled(), L.Lambda(lambda z: z + 1), L.Dense(2, activation=_swing))
    x = _rows(model)
    result = compress(model, x, quantization=None)
    np.testing.assert_allclose(result.predict(x), predict_raw(model, x), atol=1e-6)
    sparse = compress(model, x, pruning=0.5, quantization=None, fine_tune_epochs=1)
    assert "(Doubled) has no counterpart in Keras 2" in sparse.report["prune"].notes[0]
    assert np.mean(sparse.model.layers[-1].kernel.numpy() == 0) == 0.5
    assert isinstance(result.model, keras.Model)


def _swing(x):
    return keras.ops.tanh(x) * 0.5


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: L.Dense(2, activation="hard_sigmoid"), "activation='hard_sigmoid'"),
        (lambda: L.UnitNormalization(), r"\(UnitNormalization\) has no counterpart"),
        (lambda: L.Dense(2, kernel_constraint="non_neg"), "kernel_constraint"),
    ],
)
def test_layer_that_tf_keras_lacks_is_named(layer, message):
    model = _build((4,), layer(), L.Dense(2))
    pytest.importorskip("tf_keras")
    from skopt_wrap.compression._conversion._tf_keras import to_tf_keras

    with pytest.raises(UnsupportedLayerError, match=message):
        to_tf_keras(model)


@pytest.mark.parametrize("wrapped", [False, True])
def test_layer_whose_copy_answers_otherwise_is_named(wrapped):
    tf_keras = pytest.importorskip("tf_keras")
    from skopt_wrap.compression._conversion._tf_keras import check_copy, to_tf_keras

    def wrap(layer, copied):
        return tf_keras.layers.TimeDistributed(copied) if wrapped else copied

    model = _build((3, 4), L.Dense(3, name="one"), L.Dense(3, name="two"), L.Dense(2))
    copy, layers = to_tf_keras(model, wrap)
    check_copy(model, copy, layers, _rows(model))
    changed = layers[model.get_layer("two")]
    changed.kernel.assign(changed.kernel + 0.1)
    with pytest.raises(
        UnsupportedLayerError, match=r"layer 'two' \(Dense\) has no exact counterpart"
    ):
        check_copy(model, copy, layers, _rows(model))


def test_network_without_kernels_cannot_be_pruned():
    model = _build((4,), L.BatchNormalization())
    with pytest.raises(UnsupportedLayerError, match="no layer that can be pruned"):
        compress(model, _rows(model), pruning=0.5)


def test_models_that_cannot_be_taken_are_refused():
    x = np.zeros((3, 4), "float32")
    a, b = keras.Input((4,)), keras.Input((4,))
    cases = {
        "not built": keras.Sequential([L.Dense(2)]),
        "one input": keras.Model([a, b], L.Add()([a, b])),
        "one output": keras.Model(a, [L.Dense(2)(a), L.Dense(2)(a)]),
        "fixed": keras.Sequential([keras.Input((None, 4)), L.LSTM(2)]),
        "not a keras.Model": object(),
    }
    for message, model in cases.items():
        with pytest.raises(ModelError, match=message):
            compress(model, x)
    quantized = _build((4,), L.Dense(4))
    quantized.quantize("int8")
    with pytest.raises(ModelError, match="quantized already"):
        compress(quantized, x)
    with pytest.raises(DataError, match=r"rows of shape \(8,\)"):
        compress(NETWORKS["dense"](), x)
    with pytest.raises(DataError, match="no rows"):
        compress(_build((4,), L.Dense(2)), x[:0])
    with pytest.raises(ModelError, match="activation of layer 'odd' is a lambda"):
        compress(_build((4,), L.Dense(2, activation=lambda z: z, name="odd")), np.ones((4, 4)))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"fine_tune_epochs": 0}, ParameterError, "fine_tune_epochs"),
        ({"calibration_samples": 0}, ParameterError, "calibration_samples"),
        ({"batch_size": 2.5}, ParameterError, "batch_size"),
        ({"num_threads": 0}, ParameterError, "num_threads"),
        ({"max_score_drop": -1}, ParameterError, "max_score_drop"),
        ({"y": np.zeros(2)}, DataError, "as many rows"),
    ],
)
def test_bad_parameter_is_refused_before_conversion(params, error, message, monkeypatch):
    monkeypatch.setattr("skopt_wrap.compression._compress.conversion_process", None)
    with pytest.raises(error, match=message):
        compress(_build((4,), L.Dense(2)), np.zeros((3, 4), "float32"), **params)


def test_rows_that_the_network_cannot_take_are_refused():
    model = _build((3,), L.Dense(2))
    X = _rows(model)
    y = np.zeros(len(X))
    with pytest.raises(DataError, match=r"X_val must have rows of shape \(3,\), got .*40, 2"):
        compress(model, X, y, X_val=X[:, :2], y_val=y, metric=lambda a, b: 0.0)
    with pytest.raises(DataError, match="y must hold numbers"):
        compress(model, X, y.astype(str), pruning=0.5)
    X[3] = np.nan
    with pytest.raises(DataError, match="outputs for rows of X are not finite"):
        compress(model, X)


def test_file_that_differs_is_refused():
    """Representative rows that say nothing about the rows to come."""
    from skopt_wrap.compression._conversion._convert import verify

    model = _build((4,), L.Dense(2))
    x = _rows(model)
    content = compress(model, x, quantization=None).tflite_model
    raw = predict_raw(model, x)
    assert verify(content, 1e-4, x, raw) < 1e-5
    with pytest.raises(ConversionError, match="differ from the network's by"):
        verify(content, 1e-4, x, raw * 1.01)
    with pytest.raises(ConversionError, match="shape"):
        verify(content, 1e-4, x, raw[:, :1])


def test_losses_that_keras_2_has():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert portable_loss(loss) == {
        "kind": "CategoricalCrossentropy",
        "settings": {"from_logits": True, "label_smoothing": 0.1},
    }
    assert portable_loss("mse")["kind"] == "MeanSquaredError"
    assert portable_loss("mean_absolute_error")["kind"] == "MeanAbsoluteError"
    assert portable_loss(lambda y, p: p) is None
    assert portable_loss(keras.losses.Dice()) is None
    assert portable_loss(None) is None


def test_what_a_file_cannot_hold_is_refused_with_the_way_out():
    start = keras.Input(batch_shape=(4, 3, 2))
    stateful = keras.Model(start, L.LSTM(3, stateful=True)(start))
    with pytest.raises(ModelError, match=r"is stateful.*stateful=False"):
        compress(stateful, np.zeros((4, 3, 2), "float32"))
    start = keras.Input((1,), dtype="string")
    ids = L.TextVectorization(10, output_sequence_length=4, vocabulary=["a", "b"])(start)
    with pytest.raises(ModelError, match=r"TextVectorization\) works on texts.*in front"):
        compress(keras.Model(start, L.Embedding(12, 3)(ids)), np.array([["a"]]))


def test_full_temporary_folder_is_named(monkeypatch):
    import errno
    from pathlib import Path

    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    model = _build((3,), L.Dense(2))
    with pytest.raises(ConversionError, match=r"temporary folder .*No space left.*TMPDIR"):
        compress(model, _rows(model))
