"""One file that reads rows as the user has them and answers decisions, and says what it is."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, QuantileTransformer, StandardScaler

from skopt_wrap import CompressedModel, ImbalanceAwareScorer, KerasClassifier, KerasRegressor
from skopt_wrap.compression import LiteRTModel, Quantization, compress
from skopt_wrap.exceptions import ConversionError, DataError, ParameterError
from skopt_wrap.losses import PriorCorrectedClassifier

keras = pytest.importorskip("keras")
L = keras.layers
pytestmark = pytest.mark.keras


def _classifier(**settings):
    return KerasClassifier(model__units=(8,), epochs=3, random_state=0, **settings)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 160
    X = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.2, np.nan, rng.integers(18, 90, n)),
            "income": rng.lognormal(10, 1, n),
            "city": rng.choice(["Rome", "Oslo", "Bern"], n),
        }
    )
    return X, np.where((X["income"] > 20_000) ^ (X["city"] == "Rome"), "yes", "no")


@pytest.fixture(scope="module")
def fitted(table):
    """An int8 file behind imputer, scaler and encoder."""
    prepared = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
    )
    return CompressedModel(make_pipeline(prepared, _classifier()), random_state=0).fit(*table)


@pytest.fixture(scope="module")
def path(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("delivered")
    return fitted.export(folder / "whole", preprocessing="fold", units={"income": "EUR"})


def test_file_answers_what_the_model_predicts(fitted, path, table):
    X = table[0].copy()
    X.loc[3, "city"] = "Graz"
    file = LiteRTModel(path)
    np.testing.assert_allclose(file.predict_proba(X), fitted.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(file.predict(X), fitted.predict(X))
    for i in range(4):
        one = X.iloc[[i]]
        np.testing.assert_allclose(file.predict_proba(one), fitted.predict_proba(one), atol=1e-5)
    again = pickle.loads(pickle.dumps(file))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    rows = [[30.0, 2e4, "Oslo"], [None, 1e4, "Rome"]]
    frame = pd.DataFrame(rows, columns=list(X))
    np.testing.assert_array_equal(file.predict(rows), fitted.predict(frame))
    with pytest.raises(DataError, match="'income' must hold finite numbers"):
        file.predict(X.assign(income=np.inf))


def test_file_says_what_it_is(fitted, path):
    described = json.loads(path.with_suffix(".json").read_text())
    told = LiteRTModel(path.read_bytes()).metadata
    assert told == {key: described[key] for key in told}
    age, income, city = told["input"]["columns"]
    assert (age["name"], age["missing"], income["unit"]) == ("age", True, "EUR")
    assert sorted(city["categories"]) == ["Bern", "Oslo", "Rome"]
    assert told["classes"] == ["no", "yes"]
    assert told["report"]["stage"] == ["trained", "convert", "quantize"]
    assert [output["name"] for output in told["outputs"]] == ["probabilities", "label"]
    assert told["preprocessing"] == [
        {"class": "sklearn.compose.ColumnTransformer", "in_file": True}
    ]
    assert {"keras", "tensorflow", "scikit-learn"} <= set(told["versions"])
    assert all(operator["tflite_micro"] for operator in told["operators"])


def test_changed_file_is_refused(path):
    content = path.read_bytes()
    LiteRTModel(content)
    size = len(content)
    named = content.index(b'"sha256"')
    for place in (size // 3, size // 2, named + 15, content.index(b'"Oslo"') + 1, size - 20):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(ConversionError, match=r"changed after|not a whole|not a .tflite"):
            LiteRTModel(bytes(changed))


def test_path_is_read_and_faults_are_named(tmp_path, compressed):
    with pytest.raises(ParameterError, match=r"none.tflite' cannot be read"):
        LiteRTModel(tmp_path / "none.tflite")
    plain = LiteRTModel(compressed.tflite_model_)
    assert plain.metadata is None
    with pytest.raises(ParameterError, match="does not say what it reads"):
        plain.predict(np.zeros((1, 64)))


def test_network_of_images_answers_labels(compressed, digits, tmp_path):
    X = digits[0][800:900]
    kept = LiteRTModel(compressed.export(tmp_path / "kept"))
    whole = LiteRTModel(compressed.export(tmp_path / "whole", preprocessing="fold", X=X))
    for file in (kept, whole):
        np.testing.assert_allclose(
            file.predict_proba(X), compressed.predict_proba(X), rtol=0, atol=1e-6
        )
        np.testing.assert_array_equal(file.predict(X), compressed.predict(X))
    assert whole(X.astype("float32"))[1].dtype == np.int32


def test_rows_are_not_pickled(fitted, table, tmp_path):
    again = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ParameterError, match="needs rows to check"):
        again.export(tmp_path / "m", preprocessing="fold")
    file = LiteRTModel(again.export(tmp_path / "m", preprocessing="fold", X=table[0]))
    np.testing.assert_array_equal(file.predict(table[0]), fitted.predict(table[0]))
    kept = LiteRTModel(again.export(tmp_path / "kept"))
    with pytest.raises(ParameterError, match=r"ColumnTransformer.*preprocessing='fold'"):
        kept.predict(table[0])
    with pytest.raises(ParameterError, match="'keep' or 'fold', got 'all'"):
        again.export(tmp_path / "m", preprocessing="all")
    with pytest.raises(ParameterError, match=r"does not read: \['incme'\]"):
        again.export(tmp_path / "m", preprocessing="fold", X=table[0], units={"incme": "EUR"})


def test_target_scaler_is_in_the_file(tmp_path):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    y = 2000 + y / 100
    steps = make_pipeline(MinMaxScaler(), PCA(5, whiten=True))
    network = KerasRegressor(model__units=(8,), epochs=3, random_state=0)
    for transformer, in_file in (
        (StandardScaler(), True),
        (QuantileTransformer(n_quantiles=50), False),
    ):
        inner = make_pipeline(steps, network)
        wrapped = TransformedTargetRegressor(inner, transformer=transformer)
        model = CompressedModel(wrapped, random_state=0).fit(X, y)
        file = LiteRTModel(model.export(tmp_path / "m", preprocessing="fold"))
        told = file.metadata["target_transformers"]
        assert [step["in_file"] for step in told] == [in_file]
        if in_file:
            np.testing.assert_allclose(file.predict(X), model.predict(X), rtol=1e-6)
            with pytest.raises(ParameterError, match="has no probabilities"):
                file.predict_proba(X)
        else:
            assert len(told[0]["learned"]["references_"]) == 50
            with pytest.raises(ParameterError, match="QuantileTransformer"):
                file.predict(X)


def test_step_that_stays_is_named_with_its_numbers(table, tmp_path):
    X = table[0][["income"]].to_numpy()
    steps = [QuantileTransformer(n_quantiles=20), StandardScaler(), _classifier()]
    model = CompressedModel(make_pipeline(*steps), quantization=None, random_state=0)
    model.fit(X, table[1])
    file = LiteRTModel(model.export(tmp_path / "m", preprocessing="fold"))
    first, second = file.metadata["preprocessing"]
    assert (first["in_file"], second["in_file"]) == (False, True)
    assert first["reason"].startswith("QuantileTransformer")
    assert len(first["learned"]["quantiles_"]) == 20
    inside = model.estimator_[0].transform(X).astype("float32")
    np.testing.assert_allclose(file(inside)[0], model.predict_proba(X), atol=1e-5)
    with pytest.raises(ParameterError, match="QuantileTransformer"):
        file.predict(X)


def _rare(n=240):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, 3)).astype("float32")
    return X, np.where(X[:, 0] + 0.3 * rng.normal(size=n) > 1, "rare", "usual")


DECISIONS = {
    "threshold": lambda net: FixedThresholdClassifier(net, threshold=0.8),
    "searched": lambda net: TunedThresholdClassifierCV(net, cv="prefit", refit=False),
    "own search": lambda net: ImbalanceAwareScorer("f1", threshold="tuned", pos_label="rare").tune(
        net, cv="prefit", refit=False
    ),
    "prior": lambda net: PriorCorrectedClassifier(net, prior=[0.05, 0.95]),
    "both": lambda net: FixedThresholdClassifier(
        PriorCorrectedClassifier(net, prior=[0.3, 0.7]), threshold=0.6
    ),
}


@pytest.fixture(scope="module")
def rare():
    X, y = _rare()
    return _classifier().fit(X, y), X, y


@pytest.mark.parametrize("name", DECISIONS)
def test_decisions_are_in_the_file(name, rare, tmp_path):
    network, X, y = rare
    wrapped = DECISIONS[name](FrozenEstimator(network)).fit(X, y)
    model = CompressedModel(FrozenEstimator(wrapped), quantization=None).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), wrapped.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), wrapped.predict(X))
    for how in ("keep", "fold"):
        file = LiteRTModel(model.export(tmp_path / how, preprocessing=how))
        np.testing.assert_allclose(file.predict_proba(X), wrapped.predict_proba(X), atol=1e-5)
        np.testing.assert_array_equal(file.predict(X), wrapped.predict(X))


def test_integer_ends_cannot_be_folded(rare, tmp_path):
    _, X, y = rare
    network = KerasClassifier(model__normalize=False, epochs=2, random_state=0).fit(X, y)
    model = CompressedModel(
        FrozenEstimator(network), quantization=Quantization(integer_io=True)
    ).fit(X, y)
    with pytest.raises(ParameterError, match="integer_io=True"):
        model.export(tmp_path / "m", preprocessing="fold")
    told = LiteRTModel(model.export(tmp_path / "m")).metadata["scales"]
    assert sorted(told) == ["input", "output"]
    assert all(scale > 0 for scale, _ in told.values())
    header = model.to_c_array("net")
    scale, zero = model.runtime_.scales["input"]
    assert f"input: real = (integer - {zero}) * {scale:.9g}." in header
    assert "Microcontrollers has all of them" in header


def test_file_for_one_row_at_a_time_is_folded(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 70, 2)).astype("float32"), np.arange(60) % 3
    network = keras.Sequential([keras.Input((70, 2)), L.LSTM(4), L.Dense(3, "softmax")])
    network.compile("adam", "sparse_categorical_crossentropy")
    model = CompressedModel(FrozenEstimator(network), quantization=None).fit(X, y)
    assert not model.runtime_.dynamic_batch
    file = LiteRTModel(model.export(tmp_path / "m", preprocessing="fold"))
    np.testing.assert_allclose(file.predict_proba(X), model.predict_proba(X), atol=1e-5)


def test_file_of_compress_has_a_description_but_no_predictions(tmp_path):
    network = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    result = compress(network, X, quantization=None)
    file = LiteRTModel(result.export(tmp_path / "m"))
    assert file.metadata["input"]["shape"] == [None, 3]
    np.testing.assert_array_equal(file(X), result.predict(X))
    with pytest.raises(ParameterError, match=r"CompressedModel\.export wrote"):
        file.predict(X)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler of C")
def test_c_array_is_compiled_and_holds_the_file(fitted, tmp_path):
    (tmp_path / "net.h").write_text(fitted.to_c_array("net", preprocessing="fold"))
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "net.h"\n'
        "int main(void) {\n"
        "  return fwrite(net, 1, net_len, stdout) == net_len ? 0 : 1;\n"
        "}\n"
    )
    subprocess.run(
        ["gcc", "-std=c11", "-Wall", "-Werror", "main.c", "-o", "main"], cwd=tmp_path, check=True
    )
    found = subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout
    assert LiteRTModel(found).output_names == ["probabilities", "label"]
