"""What was saved is what is loaded: every kind of estimator, in this process and in a fresh one."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import warnings
from collections import OrderedDict, defaultdict

import keras
import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import skopt_wrap
from skopt_wrap import (
    AugmentingSampler,
    CompressedModel,
    ImbalanceAwareScorer,
    KerasClassifier,
    KerasRegressor,
    PriorCorrectedClassifier,
    TunedClassifier,
)
from skopt_wrap.exceptions import LoadError, ParameterError, SaveError, VersionWarning
from skopt_wrap.persistence._load import check_versions
from skopt_wrap.persistence._manifest import installed_versions
from tools.mutate_saved_files import parts_of, with_checksums, zip_of

FAST = {"model__units": 4, "epochs": 1, "random_state": 0}
NETWORK = KerasClassifier(**FAST)
TRAINED = KerasClassifier(model__units=16, epochs=30, random_state=0)
ESTIMATORS = {
    "network": NETWORK,
    "double precision": KerasClassifier(**FAST, dtype="float64"),
    "keras objects": KerasClassifier(
        **FAST,
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 10)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        callbacks=[keras.callbacks.TerminateOnNaN()],
    ),
    "focal loss": KerasClassifier(**FAST, loss="focal"),
    "columns": make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2])]), NETWORK
    ),
    "union": make_pipeline(
        FeatureUnion([("log", FunctionTransformer(np.log1p)), ("same", StandardScaler())]), NETWORK
    ),
    "grid": GridSearchCV(make_pipeline(NETWORK), {"kerasclassifier__epochs": [1]}, cv=2),
    "calibrated": CalibratedClassifierCV(NETWORK, cv=2),
    "stacked": StackingClassifier([("n", NETWORK), ("l", LogisticRegression())], cv=2),
    "bagged": BaggingClassifier(NETWORK, n_estimators=2, random_state=0),
    "frozen": FrozenEstimator(KerasClassifier(**FAST)),
    "prior": PriorCorrectedClassifier(NETWORK),
    "tuned": TunedClassifier(
        "dense", max_trials=1, cv=2, epochs=1, random_state=0,
        scoring=ImbalanceAwareScorer("matthews_corrcoef"),
    ),
    "compressed": CompressedModel(TRAINED, quantization="int8", random_state=0),
}  # fmt: skip


def without_addresses(value: object) -> str:
    """Return an object's text without the addresses that Keras' objects show."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.keras
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_predictions_are_the_same_to_the_bit(kind, iris, tmp_path):
    X, y = iris
    estimator = ESTIMATORS[kind]
    if kind == "frozen":
        estimator.estimator.fit(X, y)
    estimator.fit(X, y)
    path = skopt_wrap.save(estimator, tmp_path / "file")
    assert skopt_wrap.inspect(path).trust == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = skopt_wrap.load(path)
    assert type(loaded) is type(estimator)
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))
    assert without_addresses(loaded) == without_addresses(estimator)
    assert loaded.fit(X, y) is loaded


@pytest.mark.keras
def test_thresholds_and_regressors_come_back(iris, tmp_path):
    X, y = iris
    tuned = TunedThresholdClassifierCV(NETWORK, cv=2).fit(X, y > 0)
    loaded = skopt_wrap.load(skopt_wrap.save(tuned, tmp_path / "threshold"))
    assert loaded.best_threshold_ == tuned.best_threshold_
    np.testing.assert_array_equal(loaded.predict(X), tuned.predict(X))
    scaled = TransformedTargetRegressor(KerasRegressor(**FAST), transformer=StandardScaler())
    scaled.fit(X, y * 100.0)
    loaded = skopt_wrap.load(skopt_wrap.save(scaled, tmp_path / "regressor"))
    np.testing.assert_array_equal(loaded.predict(X), scaled.predict(X))


@pytest.mark.keras
@pytest.mark.slow
def test_predictions_are_the_same_in_a_fresh_process(flow, file, iris, tmp_path):
    code = (
        "import sys, numpy as np, skopt_wrap\n"
        "from sklearn.datasets import load_iris\n"
        "loaded = skopt_wrap.load(sys.argv[1])\n"
        "np.save(sys.argv[2], loaded.predict_proba(load_iris().data))\n"
    )
    out = tmp_path / "out.npy"
    subprocess.run([sys.executable, "-c", code, file, out], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(out), flow.predict_proba(iris[0]))


def test_samplers_scorers_and_forests_come_back(iris, tmp_path):
    X, y = iris
    sampler = AugmentingSampler("tabular", random_state=0)
    loaded = skopt_wrap.load(skopt_wrap.save(sampler, tmp_path / "sampler"))
    rows = np.r_[:50, 50:60]
    for ours, theirs in zip(
        loaded.fit_resample(X[rows], y[rows]), sampler.fit_resample(X[rows], y[rows]), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    path = skopt_wrap.save(forest, tmp_path / "forest")
    tree = "sklearn.tree._tree.Tree"
    assert skopt_wrap.inspect(path).trust == (tree,)
    with pytest.raises(LoadError, match=r"trusted=\['sklearn.tree._tree.Tree'\]"):
        skopt_wrap.load(path)
    loaded = skopt_wrap.load(path, trusted=[tree])
    np.testing.assert_array_equal(loaded.predict_proba(X), forest.predict_proba(X))
    encoder = OneHotEncoder().fit(np.array([["a"], ["b"]], dtype=object))
    loaded = skopt_wrap.load(skopt_wrap.save(encoder, tmp_path / "encoder"))
    assert loaded.categories_[0].tolist() == ["a", "b"]


def test_unfitted_estimators_say_so(tmp_path):
    path = skopt_wrap.save(KerasClassifier("dense", epochs=3), tmp_path / "file")
    summary = skopt_wrap.inspect(path)
    assert summary.manifest["estimator"]["fitted"] is False
    assert "fitted             no" in str(summary)
    assert skopt_wrap.load(path).epochs == 3


VALUES = [
    None, True, 3, -(2**80), 0.1, float("inf"), "ü", b"bytes", (1, 2), [1, [2]], {1, 2},
    frozenset("ab"), slice(1, None, 2), range(3), 1 + 2j, ..., datetime.date(2026, 11, 27),
    datetime.datetime(2026, 11, 27, 1, 2, 3), datetime.timedelta(1, 2, 3), {"a": 1, 2: (3,)},
    OrderedDict(b=1, a=2), defaultdict(list, a=[1]), list(range(40)), [0.5] * 40,
    [True] * 40, np.float32(0.1), np.int64(3), np.datetime64("2026-11-27"), np.str_("x"),
    np.dtype("float32"), np.dtype("datetime64[ns]"), np.arange(6).reshape(2, 3),
    np.asfortranarray(np.ones((3, 2))), np.array(["a", "bc"]), np.array([1, "a", None], object),
    np.array([[1, 2], [3]], dtype=object), np.zeros((0, 3)), np.array(3.5),
    np.array(["2026-01-01"], dtype="datetime64[D]"), np.float64, np.log1p, int,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)  # sets: no order
def test_values_keep_type_and_content(value, tmp_path):
    holder = FunctionTransformer(kw_args={"value": value})
    holder.kept_ = KerasClassifier()  # so that it is not left to skops
    loaded = skopt_wrap.load(skopt_wrap.save(holder, tmp_path / "file")).kw_args["value"]
    assert type(loaded) is type(value)
    if isinstance(value, np.ndarray):
        assert loaded.dtype == value.dtype
        assert loaded.shape == value.shape
        assert loaded.flags.f_contiguous == value.flags.f_contiguous
        assert loaded.flags.writeable
        assert loaded.tolist() == value.tolist()
    else:
        assert loaded == value
        assert repr(loaded) == repr(value)


def test_special_values_keep_their_state(tmp_path):
    rng, old = np.random.default_rng(3), np.random.RandomState(4)
    rng.normal()
    value = {
        "nan": float("nan"),
        "masked": np.ma.array([1.0, 2.0], mask=[True, False]),
        "rng": rng,
        "old": old,
        "matrix": sparse.csr_matrix(np.eye(3)),
        "array": sparse.coo_array(np.eye(2)),
    }
    value["itself"] = value
    value["shared"] = [shared := np.arange(3), shared]
    holder = FunctionTransformer(kw_args=value)
    holder.kept_ = KerasClassifier()
    loaded = skopt_wrap.load(skopt_wrap.save(holder, tmp_path / "file")).kw_args
    assert np.isnan(loaded["nan"])
    assert loaded["masked"].mask.tolist() == [True, False]
    assert loaded["rng"].normal() == rng.normal()
    assert loaded["old"].normal() == old.normal()
    assert loaded["itself"] is loaded
    assert loaded["shared"][0] is loaded["shared"][1]
    for name in ("matrix", "array"):
        assert type(loaded[name]) is type(value[name])
        assert (loaded[name] != value[name]).nnz == 0


def test_saving_changes_nothing_and_equal_estimators_make_equal_parts(flow, tmp_path, saved):
    before = json.dumps(skopt_wrap.inspect(skopt_wrap.save(flow, tmp_path / "a")).parts)
    assert before == json.dumps(skopt_wrap.inspect(skopt_wrap.save(flow, tmp_path / "b")).parts)
    ours, theirs = parts_of(saved), parts_of((tmp_path / "a").read_bytes())
    assert ours["estimator.json"] == theirs["estimator.json"]


class Local:
    """A class that a fresh process would find in this module only."""

    def fit(self, X, y=None):
        return self


def module_builder(units: int = 3):
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(units)])


def test_parts_that_cannot_be_saved_are_named_by_their_place(tmp_path):
    flow = make_pipeline(FunctionTransformer(lambda X: X), KerasClassifier())
    with pytest.raises(SaveError, match=r"pipeline\.steps\[0\]\[1\]\.func: .*lambda"):
        skopt_wrap.save(flow, tmp_path / "file")
    with pytest.raises(SaveError, match=r"kerasclassifier\.callbacks\[0\]: .*generator"):
        skopt_wrap.save(KerasClassifier(callbacks=[(i for i in ())]), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_builders_travel_by_name_and_have_to_be_trusted(iris, tmp_path):
    fitted = KerasClassifier(module_builder, epochs=1, random_state=0).fit(*iris)
    path = skopt_wrap.save(fitted, tmp_path / "file")
    name = f"{__name__}.module_builder"
    assert skopt_wrap.inspect(path).trust == (name,)
    with pytest.raises(LoadError, match="module_builder"):
        skopt_wrap.load(path)
    loaded = skopt_wrap.load(path, trusted=[module_builder])
    assert loaded.model is module_builder
    np.testing.assert_array_equal(loaded.predict(iris[0]), fitted.predict(iris[0]))


class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def swapped(x):
    return -x


@pytest.mark.keras
def test_layers_and_functions_of_the_user_have_to_be_trusted(iris, tmp_path):
    network = keras.Sequential(
        [keras.layers.Input((4,)), Doubled(), keras.layers.Dense(3, activation=swapped)]
    )
    fitted = KerasClassifier(network, epochs=1, random_state=0).fit(*iris)
    path = skopt_wrap.save(fitted, tmp_path / "file")
    needed = skopt_wrap.inspect(path).trust
    assert {name.rpartition(".")[2] for name in needed} == {"Doubled", "swapped"}
    with pytest.raises(LoadError, match="Doubled"):
        skopt_wrap.load(path)
    with pytest.raises(LoadError, match="swapped"):
        skopt_wrap.load(path, trusted=[Doubled])
    loaded = skopt_wrap.load(path, trusted=[Doubled, swapped])
    np.testing.assert_array_equal(loaded.predict_proba(iris[0]), fitted.predict_proba(iris[0]))


@pytest.mark.parametrize("trusted", ["Doubled", 3, [3], [None]])
def test_trusted_must_be_a_sequence_of_names(file, trusted):
    with pytest.raises(ParameterError, match="trusted must"):
        skopt_wrap.load(file, trusted=trusted)


def test_trusted_names_that_are_missing_say_so(tmp_path, iris):
    path = skopt_wrap.save(KerasClassifier(module_builder), tmp_path / "file")
    parts = parts_of(path.read_bytes())
    text = parts["estimator.json"].decode().replace("module_builder", "missing_builder")
    path.write_bytes(zip_of(with_checksums({**parts, "estimator.json": text.encode()})))
    with pytest.raises(LoadError, match="is trusted, but cannot be found"):
        skopt_wrap.load(path, trusted=[f"{__name__}.missing_builder"])


def test_manifest_tells_versions_data_and_training(file):
    manifest = skopt_wrap.inspect(file).manifest
    assert manifest["licence"] == "MIT"
    assert manifest["versions"] == installed_versions()
    assert manifest["estimator"]["class"] == "sklearn.pipeline.Pipeline"
    assert manifest["data"]["classes"] == [0, 1, 2]
    assert manifest["data"]["n_features_in"] == 4
    assert manifest["training"]["n_iter"] == 2
    assert " at 0x" not in json.dumps(manifest)


def test_other_versions_are_warned_of_by_name(file):
    manifest = skopt_wrap.inspect(file).manifest
    manifest["versions"] = {**manifest["versions"], "keras": "3.99.0"}
    with pytest.warns(VersionWarning, match=r"keras 3\.99\.0 \(installed: 3\.\d+"):
        check_versions(manifest)


def test_parameters_of_save_are_checked(tmp_path, flow):
    with pytest.raises(SaveError, match="is a folder"):
        skopt_wrap.save(flow, tmp_path)
    with pytest.raises(SaveError, match="cannot write to"):
        skopt_wrap.save(flow, tmp_path / "missing" / "file")
    with pytest.raises(ParameterError, match="licence must be a text"):
        skopt_wrap.save(flow, tmp_path / "file", licence=3)
    with pytest.raises(LoadError, match="is a folder"):
        skopt_wrap.load(tmp_path)
    with pytest.raises(LoadError, match="cannot be read"):
        skopt_wrap.load(tmp_path / "missing")


def test_summary_shows_as_text_and_table(file):
    summary = skopt_wrap.inspect(file)
    assert "has to be trusted  nothing" in str(summary)
    assert "<table>" in summary._repr_html_()
    assert "A flower." in summary._repr_html_()
