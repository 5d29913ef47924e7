from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skopt_wrap._keras import predict_raw
from skopt_wrap.compression import LiteRTModel
from skopt_wrap.exceptions import ConversionError, DataError, ParameterError


@pytest.fixture
def rows():
    return np.random.default_rng(0).random((600, 64), dtype=np.float32)


def test_runtime_agrees_with_the_network(float_file, network, rows):
    np.testing.assert_allclose(
        float_file.predict(rows), predict_raw(network.model_, rows), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("n", [0, 1, 2, 255, 256, 257, 600])
def test_runtime_takes_any_number_of_rows(compressed, rows, n):
    out = compressed.runtime_(rows[:n])
    assert out.shape == (n, 10)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, compressed.runtime_(rows)[:n])


def test_runtime_outputs_are_copies(compressed, rows):
    first = compressed.runtime_(rows[:1])
    kept = first.copy()
    compressed.runtime_(rows[1:2])
    np.testing.assert_array_equal(first, kept)


def test_runtime_gives_the_same_in_many_threads(compressed, rows):
    expected = compressed.runtime_(rows)
    with ThreadPoolExecutor(6) as pool:
        for i, out in pool.map(lambda i: (i, compressed.runtime_(rows[i : i + 3])), range(300)):
            np.testing.assert_array_equal(out, expected[i : i + 3])


def test_runtime_pickles_as_the_file(compressed, rows):
    data = pickle.dumps(compressed.runtime_)
    assert len(data) < len(compressed.tflite_model_) + 500
    np.testing.assert_array_equal(pickle.loads(data)(rows), compressed.runtime_(rows))


def test_runtime_casts_other_dtypes(float_file, rows):
    np.testing.assert_array_equal(
        float_file.predict(rows.astype("float64")), float_file.predict(rows)
    )


def test_runtime_refuses_rows_of_another_shape(compressed):
    with pytest.raises(DataError, match=r"\(64,\).*\(3, 5\)"):
        compressed.runtime_(np.zeros((3, 5)))


def test_runtime_refuses_a_foreign_file():
    with pytest.raises(ConversionError, match=r"not a \.tflite file"):
        LiteRTModel(b"PK\x03\x04 a zip, it seems")


def test_runtime_refuses_a_truncated_file(compressed):
    with pytest.raises(ConversionError):
        LiteRTModel(compressed.tflite_model_[:40])


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_runtime_refuses_a_number_of_threads(compressed, threads):
    with pytest.raises(ParameterError, match="num_threads"):
        LiteRTModel(compressed.tflite_model_, num_threads=threads)


def test_runtime_reads_and_writes_integer_tensors():
    """A file whose input and output are int8, as microcontrollers use them."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    x = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    holder = tf.Module()
    holder.kept = [v.value for v in model.variables]
    concrete = tf.function(lambda z: model(z)).get_concrete_function(tf.TensorSpec((None, 8)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None]] for row in x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    runtime = LiteRTModel(converter.convert())
    assert runtime.input_dtype == np.int8
    expected = predict_raw(model, x)
    assert np.abs(runtime(x) - expected).max() < 0.05 * np.abs(expected).max()
    np.testing.assert_array_equal(runtime(x[:1]), runtime(x)[:1])
