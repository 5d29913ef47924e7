"""Every public estimator of this package can be saved, with what it may be given as a parameter."""

from __future__ import annotations

import importlib
import inspect
import re

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold

import skopt_wrap
from skopt_wrap import (
    AugmentingSampler,
    CompressedModel,
    CompressionSearch,
    Distillation,
    Genetic,
    Halving,
    ImbalanceAwareScorer,
    KerasClassifier,
    KerasRegressor,
    PriorCorrectedClassifier,
    TunedClassifier,
    TunedRegressor,
)
from skopt_wrap.compression import Clustering, Pruning, Quantization
from skopt_wrap.factorization import SVD, FactorizationResult
from skopt_wrap.losses import SparseCategoricalFocalCrossentropy
from skopt_wrap.persistence import _names
from skopt_wrap.sampling import BackTranslation, Transform
from skopt_wrap.scoring import Metric, make_metric
from skopt_wrap.tuning import Conditional, PerLayer

FAST = {"model__units": 4, "epochs": 1, "random_state": 0}
SEARCH = {"max_trials": 2, "cv": 2, "epochs": 1, "random_state": 0}
NETWORK = KerasClassifier(**FAST)


def without_addresses(value: object) -> str:
    """Return an object's text without the addresses that Keras' objects show."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def own_metric(y_true, y_pred):
    return float(np.mean(y_true == y_pred))


def table(X):
    """Return rows as a frame with texts, dates and gaps."""
    rows = np.arange(len(X))
    return pd.DataFrame(X, columns=list("abcd")).assign(
        kind=np.where(X[:, 0] > 5, "x", "y"),
        day=pd.to_datetime("2026-01-01") + pd.to_timedelta(rows, "D"),
        amount=[f"1,{row:03d}.5" for row in rows],
        paid=["yes" if row % 2 else "no" for row in rows],
        date=[f"2026-01-{row % 28 + 1:02d}" for row in rows],
        code=np.where(rows % 7 == 0, -999, rows),
        colour=[("Red", "red", "red ", "blue")[row % 4] for row in rows],
        same=3,
    )


# How to fit public estimators that need parameters, or hold more with some.
FITTED = {
    "KerasClassifier": lambda X, y: KerasClassifier(
        **FAST, validation_split=0.2, early_stopping=True, class_weight="balanced",
        loss=SparseCategoricalFocalCrossentropy(gamma=1.0, from_logits=True), metrics=["accuracy"],
        learning_rate_schedule="cosine",
    ).fit(X, y),
    "KerasRegressor": lambda X, y: KerasRegressor(**FAST).fit(X, X[:, :2]),
    "PriorCorrectedClassifier": lambda X, y: PriorCorrectedClassifier(NETWORK).fit(X, y),
    "TunedClassifier": lambda X, y: TunedClassifier(
        "dense", tuner=Genetic(population_size=4), **SEARCH,
        scoring=ImbalanceAwareScorer("matthews_corrcoef"),
    ).fit(X, y),
    "TunedRegressor": lambda X, y: TunedRegressor(
        "dense", tuner=Halving(min_resource=1), **SEARCH
    ).fit(X, X[:, 0]),
    "CompressedModel": lambda X, y: CompressedModel(
        KerasClassifier(**{**FAST, "model__units": 16}), factorization=SVD(energy=0.9),
        distillation=Distillation(0.5, epochs=1),
        pruning=Pruning(0.5), clustering=Clustering(4), quantization=Quantization("float16"),
        random_state=0,
    ).fit(X, y),
    "CompressionSearch": lambda X, y: CompressionSearch(
        NETWORK, {"quantization": ["float16", None]}, cv=2, random_state=0
    ).fit(X, y),
    "AugmentingSampler": lambda X, y: AugmentingSampler("tabular", random_state=0).fit(X, y),
    "DataCleaner": lambda X, y: _package("quality").DataCleaner().fit(table(X), y),
    "DriftMonitor": lambda X, y: _package("monitoring")
    .DriftMonitor(LogisticRegression(max_iter=500).fit(X, y))
    .fit(X, y),
    "RetrainingClassifier": lambda X, y: _package("monitoring")
    .RetrainingClassifier(LogisticRegression(max_iter=500))
    .fit(X, y),
    "RetrainingRegressor": lambda X, y: _package("monitoring")
    .RetrainingRegressor(Ridge())
    .fit(X, X[:, 0]),
}  # fmt: skip


def public_estimators() -> set[str]:
    """Return the names of the public classes that are fitted."""
    found = set()
    for package in skopt_wrap._SUBPACKAGES:
        module = importlib.import_module(f"skopt_wrap.{package}")
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) and hasattr(item, "fit") and hasattr(item, "get_params"):
                found.add(name)
    return found


def made(name, X, y):
    """Return a fitted estimator: that of the table, or the class with its default parameters."""
    if name in FITTED:
        return FITTED[name](X, y)
    package = next(p for p in skopt_wrap._SUBPACKAGES if name in _package(p).__all__)
    cls = getattr(_package(package), name)
    parameters = inspect.signature(cls.__init__).parameters
    given = [LogisticRegression(max_iter=500)] if "estimator" in parameters else []
    return cls(*given).fit(X, y)


def _package(name):
    return importlib.import_module(f"skopt_wrap.{name}")


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("name", sorted(public_estimators()))
def test_every_public_estimator_is_saved_without_private_classes(name, iris, tmp_path):
    fitted = made(name, *iris)
    path = skopt_wrap.save(fitted, tmp_path / "file")
    assert skopt_wrap.inspect(path).trust == ()
    loaded = skopt_wrap.load(path)
    assert without_addresses(loaded) == without_addresses(fitted)
    for method in ("predict", "predict_proba"):
        if hasattr(fitted, method):
            X = iris[0]
            np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(fitted, method)(X))


def test_packages_and_private_classes_of_the_format_exist():
    assert set(skopt_wrap._SUBPACKAGES) - {"exceptions", "persistence"} <= set(_names.OWN_PACKAGES)
    for short, module in _names.PRIVATE_CLASSES.items():
        package, name = short.split(".", 1)
        assert f"{module}.".startswith(f"skopt_wrap.{package}.")
        if package in skopt_wrap._SUBPACKAGES:
            assert getattr(importlib.import_module(module), name).__module__ == module


def transforms():
    module = importlib.import_module("skopt_wrap.sampling")
    for name in module.__all__:
        item = getattr(module, name)
        if inspect.isclass(item) and issubclass(item, Transform) and item is not Transform:
            yield item(str.upper, str.lower) if item is BackTranslation else item()


PARAMETERS = {
    "transforms": lambda: list(transforms()),
    "strategies": lambda: [Genetic(), Halving()],
    "dimensions": lambda: [Conditional([1, 2], {"a": 1}), PerLayer([1, 2], "model__n_layers")],
    "stages": lambda: [Pruning(0.5, block="2:4"), Clustering(), Quantization(), SVD(energy=0.5)],
    "splitters": lambda: [StratifiedKFold(3, shuffle=True, random_state=0)],
    "methods of texts": lambda: [str.lower, str.strip],
    "results": lambda: [FactorizationResult(None, "svd", [], {}, 3, 2)],
}


@pytest.mark.parametrize("kind", PARAMETERS)
def test_objects_given_as_parameters_come_back(kind, tmp_path):
    value = PARAMETERS[kind]()
    path = skopt_wrap.save(KerasClassifier(callbacks=value), tmp_path / "file")
    assert skopt_wrap.inspect(path).trust == ()
    loaded = skopt_wrap.load(path).callbacks
    assert [type(item) for item in loaded] == [type(item) for item in value]
    assert without_addresses(loaded) == without_addresses(value)


def test_metrics_of_the_user_have_to_be_trusted(tmp_path):
    scorer = ImbalanceAwareScorer(make_metric(own_metric, needs="labels", name="own"))
    path = skopt_wrap.save(scorer, tmp_path / "file")
    assert f"{__name__}.own_metric" in skopt_wrap.inspect(path).trust
    loaded = skopt_wrap.load(path, trusted=[own_metric])
    assert isinstance(loaded.metric, Metric)


class Own:
    """An object of a third party: it goes by its class and its attributes."""

    def __init__(self, level):
        self.level = level


class Slotted:
    __slots__ = ("level",)


def test_objects_of_third_parties_have_to_be_trusted(tmp_path):
    slotted = Slotted()
    slotted.level = 4
    path = skopt_wrap.save(KerasClassifier(callbacks=[Own(3), slotted]), tmp_path / "file")
    assert set(skopt_wrap.inspect(path).trust) == {f"{__name__}.Own", f"{__name__}.Slotted"}
    loaded = skopt_wrap.load(path, trusted=[Own, Slotted]).callbacks
    assert (type(loaded[0]), loaded[0].level, loaded[1].level) == (Own, 3, 4)


@pytest.mark.keras
def test_callbacks_that_write_have_to_be_trusted(tmp_path):
    callbacks = [keras.callbacks.CSVLogger("log.csv"), keras.callbacks.TerminateOnNaN()]
    path = skopt_wrap.save(KerasClassifier(callbacks=callbacks), tmp_path / "file")
    needed = skopt_wrap.inspect(path).trust
    assert [name.rpartition(".")[2] for name in needed] == ["CSVLogger"]
    assert skopt_wrap.inspect(path).manifest["trust"] == list(needed)
    assert skopt_wrap.load(path, trusted=needed).callbacks[0].filename == "log.csv"
