"""Estimators as ONNX files, which ONNX Runtime alone runs with the same answers."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from skopt_wrap import CompressedModel, KerasClassifier, KerasRegressor
from skopt_wrap.compression import LiteRTModel, export_onnx
from skopt_wrap.compression._onnx import _export, _packages
from skopt_wrap.compression._onnx._columns import reads_texts
from skopt_wrap.compression._process import conversion_process
from skopt_wrap.exceptions import ConversionError, ParameterError

keras = pytest.importorskip("keras")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
SMALL = {"epochs": 1, "random_state": 0}


def _session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _described(path):
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def _feed(path, frame):
    """Return each column as the file reads it, by what its description says."""
    feed = {}
    for column in _described(path)["columns"]:
        if column["input"] is None:
            continue
        values = frame[column["name"]]
        if column["kind"] == "category":
            values = values.fillna("").to_numpy(object)
        else:
            values = values.to_numpy("float32")
        feed[column["input"]] = values[:, None]
    return feed


@pytest.fixture(scope="module", autouse=True)
def warm():
    """Keep the process that converts for the whole file."""
    with conversion_process().lease():
        yield


@pytest.fixture(scope="module")
def table():
    n = 120
    X = pd.DataFrame(
        {
            "age": np.where(RNG.random(n) < 0.2, np.nan, RNG.integers(18, 90, n)),
            "label": RNG.choice(["Rome", "Oslo", "Bern"], n),  # also the name of an output
            "income": RNG.lognormal(8, 1, n),
            "plan": RNG.choice(["a", "b", None], n),
        }
    )
    return X, np.where((X["income"] > 3_000) ^ (X["label"] == "Rome"), "yes", "no")


@pytest.fixture(scope="module")
def pipeline(table):
    prepared = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age"]),
        (OneHotEncoder(handle_unknown="ignore"), ["label", "plan"]),
    )
    return make_pipeline(prepared, KerasClassifier("dense", **SMALL)).fit(*table)


def _branches(n_inputs):
    row = keras.Input((n_inputs,))
    left = keras.layers.Dense(6, activation="gelu")(row)
    right = keras.layers.Dense(6, activation="swish")(keras.layers.LayerNormalization()(row))
    joined = keras.layers.Concatenate()([left * 2.0 + right, row])
    model = keras.Model(row, keras.layers.Dense(1)(joined))
    model.compile("adam", "mse")
    return model


def test_columns_with_texts_are_read_as_they_are(pipeline, table, tmp_path):
    X, _ = table
    path = export_onnx(pipeline, tmp_path / "people", X)
    assert path.name == "people.onnx"
    session = _session(path)
    # Income reaches no step: the file does not ask for it.
    assert [end.name for end in session.get_inputs()] == ["age", "label_column", "plan"]
    new = X.assign(label=["Kiel", *X["label"][1:]])  # fit did not see it
    for rows in (X, new, X[:1]):
        probabilities, label = session.run(None, _feed(path, rows))
        expected = pipeline.predict_proba(rows)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        assert (pipeline.classes_[label] == pipeline.predict(rows)).all()
    about = json.loads(session.get_modelmeta().custom_metadata_map["skopt_wrap"])
    assert about["classes"] == ["no", "yes"] and about["folded"]
    assert about["preprocessing"] == [
        {"class": "sklearn.compose.ColumnTransformer", "in_file": True}
    ]
    assert "LabelEncoder" in about["operators"]


def test_network_that_prepares_its_table_reads_it_raw(table, tmp_path):
    X, y = table
    network = KerasClassifier("realmlp", **SMALL).fit(X, y)
    path = export_onnx(network, tmp_path / "table.onnx", X)
    probabilities, label = _session(path).run(None, _feed(path, X))
    np.testing.assert_allclose(probabilities, network.predict_proba(X), atol=1e-5)
    assert (network.classes_[label] == network.predict(X)).all()


def test_networks_own_categories_are_codes_of_a_litert_file(table, tmp_path):
    X, y = table
    network = KerasClassifier("dense", **SMALL).fit(X, y)
    model = CompressedModel(FrozenEstimator(network), quantization=None).fit(X, y)
    read = LiteRTModel(model.export(tmp_path / "table.tflite", preprocessing="fold"))
    np.testing.assert_allclose(read.predict_proba(X), network.predict_proba(X), atol=1e-5)
    assert (read.predict(X) == network.predict(X)).all()


def _images():
    X, y = load_digits(return_X_y=True)
    return KerasClassifier("cnn", **SMALL), X[:60].reshape(-1, 8, 8, 1), y[:60].astype(str)


def _series():
    X = RNG.normal(size=(50, 9, 2))
    return KerasRegressor("lstm", **SMALL), X, 2000 + X.sum(axis=(1, 2))


def _several_labels():
    X = RNG.normal(size=(60, 4))
    return KerasClassifier("dense", **SMALL), X, (X[:, :3] > 0).astype(int)


def _scaled_target():
    X = RNG.normal(size=(60, 4)) * [1, 10, 100, 1000]
    network = KerasRegressor(_branches, model__n_inputs=3, target_scaling=True, **SMALL)
    inner = make_pipeline(StandardScaler(), PCA(3), network)
    return TransformedTargetRegressor(inner, transformer=StandardScaler()), X, 5000 + X[:, 2]


def _threshold():
    X = RNG.normal(size=(60, 4))
    network = KerasClassifier("dense", **SMALL)
    return FixedThresholdClassifier(network, threshold=0.3), X, np.where(X[:, 0] > 0, "b", "a")


@pytest.mark.parametrize("case", [_images, _series, _several_labels, _scaled_target, _threshold])
def test_answers_are_those_of_the_estimator(case, tmp_path):
    estimator, X, y = case()
    estimator.fit(X, y)
    path = export_onnx(estimator, tmp_path / "model.onnx", X)
    session = _session(path)
    found = session.run(None, {"row": X.astype("float32")})
    expected = estimator.predict(X)
    if hasattr(estimator, "classes_"):
        assert [end.name for end in session.get_outputs()] == ["probabilities", "label"]
        np.testing.assert_allclose(found[0], estimator.predict_proba(X), atol=1e-5)
        several = expected.ndim == 2
        labels = found[1] if several else np.asarray(estimator.classes_)[found[1]]
        assert (labels == expected).all()
    else:
        np.testing.assert_allclose(found[0][:, 0], expected, rtol=1e-5)


def test_step_that_stays_is_named(tmp_path):
    X = RNG.normal(size=(60, 3))
    steps = (QuantileTransformer(n_quantiles=20), StandardScaler())
    pipeline = make_pipeline(*steps, KerasClassifier("dense", **SMALL)).fit(X, X[:, 0] > 0)
    path = export_onnx(pipeline, tmp_path / "model.onnx", X)
    first, second = _described(path)["preprocessing"]
    assert not first["in_file"] and "QuantileTransformer" in first["reason"]
    assert first["learned"]["quantiles_"] and second["in_file"]
    behind = pipeline[0].transform(X).astype("float32")
    probabilities, _ = _session(path).run(None, {"row": behind})
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(X), atol=1e-5)


def test_compressed_model_writes_its_network(pipeline, table, tmp_path):
    X, y = table
    model = CompressedModel(FrozenEstimator(pipeline), quantization=None).fit(X, y)
    path = model.export(tmp_path / "kept.onnx", units=None)
    about = _described(path)
    assert about["report"] and not about["folded"] and not about["preprocessing"][0]["in_file"]
    rows = pipeline[0].transform(X).astype("float32")
    (raw,) = _session(path).run(None, {"row": rows})
    np.testing.assert_allclose(raw, pipeline[-1].network_output(rows), atol=1e-5)
    path = model.export(tmp_path / "whole.onnx", preprocessing="fold")
    probabilities, _ = _session(path).run(None, _feed(path, X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-5)


def test_quantized_model_is_refused(table, tmp_path):
    X = RNG.normal(size=(40, 3))
    model = CompressedModel(KerasClassifier("dense", **SMALL)).fit(X, X[:, 0] > 0)
    with pytest.raises(ParameterError, match=r"quantization='int8'.*quantization=None"):
        model.export(tmp_path / "model.onnx")
    path = export_onnx(model.estimator_, tmp_path / "model.onnx", X)
    assert _described(path)["quantization"] is None


def test_file_that_answers_something_else_is_not_written(pipeline, table, tmp_path, monkeypatch):
    honest = _export.to_payload

    def wrong(model):
        payload = honest(model)
        payload["weights"][-1] = payload["weights"][-1] + 0.01
        return payload

    monkeypatch.setattr(_export, "to_payload", wrong)
    for preprocessing in ("keep", "fold"):
        with pytest.raises(ConversionError, match="differ from the model's"):
            export_onnx(pipeline, tmp_path / "wrong.onnx", table[0], preprocessing=preprocessing)
    assert list(tmp_path.iterdir()) == []


def test_operation_that_onnx_lacks_is_named(tmp_path):
    row = keras.Input((3,))
    model = keras.Model(row, keras.layers.Dense(1)(keras.ops.erfinv(keras.ops.tanh(row))))
    model.compile("adam", "mse")
    X = RNG.normal(size=(20, 3))
    network = KerasRegressor(model, **SMALL).fit(X, X[:, 0])
    with pytest.raises(ConversionError, match=r"'Erfinv'.*ONNX has no such operation"):
        export_onnx(network, tmp_path / "model.onnx", X)


def test_faults_are_named(pipeline, table, tmp_path, monkeypatch):
    X, _ = table
    with pytest.raises(ParameterError, match="preprocessing must be 'keep' or 'fold'"):
        export_onnx(pipeline, tmp_path / "model.onnx", X, preprocessing="skip")
    with pytest.raises(ParameterError, match="X must have rows"):
        export_onnx(pipeline, tmp_path / "model.onnx", X[:0])
    with pytest.raises(ParameterError, match="found PCA"):
        export_onnx(PCA(), tmp_path / "model.onnx", X)
    found = importlib.util.find_spec
    monkeypatch.setattr(_packages, "find_spec", lambda n: None if n == "tf2onnx" else found(n))
    with pytest.raises(ParameterError, match=r"needs tf2onnx: pip install 'skopt_wrap\[onnx\]'"):
        export_onnx(pipeline, tmp_path / "model.onnx", X)
    assert list(tmp_path.iterdir()) == []


def test_codes_stay_numbers_where_a_category_is_no_text():
    number = {"name": "n", "kind": "number"}
    assert not reads_texts(None) and not reads_texts([number])
    assert reads_texts([number, {"name": "t", "kind": "category", "categories": ["a", "b"]}])
    assert not reads_texts([{"name": "t", "kind": "category", "categories": ["a", 1]}])
