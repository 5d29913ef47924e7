"""The documentation follows the code: migration pages, guide pages, public names."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import pytest

import skopt_wrap

DOCS = Path(__file__).resolve().parent.parent / "docs"


def literals(page):
    """Return every name that appears inside double backquotes of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"``([^`]+)``", text))))


def public_members(cls, stop):
    """Return the public methods and properties that `cls` adds to those of `stop`."""
    return {name for name in dir(cls) if not name.startswith("_")} - set(dir(stop))


def documented_attributes(cls):
    """Return the names ending in an underscore in the docstring's section Attributes."""
    section = inspect.getdoc(cls).partition("Attributes\n")[2]
    return set(re.findall(r"^(\w+_) :", section, re.M))


@pytest.mark.keras
@pytest.mark.parametrize("name", ["KerasClassifier", "KerasRegressor"])
def test_scikeras_migration_page_names_everything(name):
    from sklearn.base import BaseEstimator

    wrappers = pytest.importorskip("scikeras.wrappers")
    cls = getattr(wrappers, name)
    parameters = set(inspect.signature(cls).parameters) - {"kwargs"}
    wanted = parameters | public_members(cls, BaseEstimator) | documented_attributes(cls)
    assert {"build_fn", "initialize", "X_shape_"} <= wanted
    assert wanted - literals("migration/scikeras.rst") == set()
    page = (DOCS / "migration" / "scikeras.rst").read_text(encoding="utf-8")
    missing = {prefix for prefix in cls._routing_prefixes if f"``{prefix}__…``" not in page}
    assert missing == set()


@pytest.mark.keras
@pytest.mark.parametrize("name", ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"])
def test_keras_wrappers_migration_page_names_everything(name):
    from keras import wrappers
    from sklearn.base import BaseEstimator, TransformerMixin

    cls = getattr(wrappers, name)
    wanted = {name} | set(inspect.signature(cls).parameters)
    wanted |= public_members(cls, BaseEstimator) - public_members(TransformerMixin, object)
    wanted |= documented_attributes(cls) | {"model_", "history_"}
    assert {"model_kwargs", "fit_kwargs", "epoch_", "predict"} <= wanted
    assert wanted - literals("migration/keras_wrappers.rst") == set()


def test_migration_tables_name_only_parameters_that_exist():
    parameters = set(inspect.signature(skopt_wrap.KerasClassifier).parameters)
    for page in ("migration/scikeras.rst", "migration/keras_wrappers.rst"):
        rows = (DOCS / page).read_text(encoding="utf-8")
        section = rows.partition("Constructor parameters\n")[2].partition("\n\n\n")[0]
        table = section.partition("\nRouted parameters\n")[0].partition("\nMethods\n")[0]
        targets = re.findall(r"^   \* - [^\n]*\n     - ``(\w+?)(?:__\w+)?(?:=\w+)?``$", table, re.M)
        assert len(targets) >= 3
        assert set(targets) - parameters <= {"compile", "fit", "model"}


@pytest.mark.keras
@pytest.mark.parametrize("page", ["scikeras", "keras_wrappers"])
def test_migration_code_for_this_package_trains(page):
    import keras
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import scale

    text = (DOCS / "migration" / f"{page}.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.M)
    foreign = ("from scikeras", "from keras.wrappers", "embedding_model", "    ...")
    ours = [textwrap.dedent(b) for b in blocks if not any(word in b for word in foreign)]
    assert ours, "the page shows no complete code for this package"
    X, y = load_breast_cancer(return_X_y=True)
    for block in ours:
        names = {"keras": keras}
        exec(block, names)
        clf = names.get("clf") or skopt_wrap.KerasClassifier(names["build"], model__units=32)
        clf.set_params(epochs=5, random_state=0).fit(scale(X), y)
        assert clf.score(scale(X), y) > 0.8


def test_user_guide_lists_every_page_and_names_every_class():
    folder = DOCS / "user_guide"
    index = (folder / "index.rst").read_text(encoding="utf-8")
    pages = {path.stem for path in folder.glob("*.rst")} - {"index"}
    listed = set(re.findall(r"^   (\w+)$", index.partition("toctree::")[2], re.M))
    assert listed == pages
    text = "".join((folder / f"{page}.rst").read_text(encoding="utf-8") for page in pages)
    assert [name for name in skopt_wrap._EXPORTS if name not in text] == []


@pytest.mark.keras
def test_keras_tuner_migration_page_names_everything():
    keras_tuner = pytest.importorskip("keras_tuner")
    classes = ("RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband", "SklearnTuner")
    wanted = {*classes, "Tuner", "HyperModel", "HyperParameters", "Objective", "oracle"}
    for name in ("RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband", "Tuner"):
        cls = getattr(keras_tuner, name)
        wanted |= set(inspect.signature(cls).parameters) - {"kwargs"}
        wanted |= public_members(cls, object)
    wanted |= {"Int", "Float", "Choice", "Boolean", "Fixed", "conditional_scope"}
    # Called by Keras Tuner itself.
    wanted -= {
        "get_state", "set_state", "on_batch_begin", "on_batch_end", "on_epoch_begin",
        "on_epoch_end", "pre_create_trial", "remaining_trials", "save_model",
    }  # fmt: skip
    assert {"executions_per_trial", "results_summary", "max_retries_per_trial"} <= wanted
    assert wanted - literals("migration/keras_tuner.rst") == set()


def test_keras_tuner_migration_page_maps_to_parameters_that_exist():
    text = (DOCS / "migration" / "keras_tuner.rst").read_text(encoding="utf-8")
    named = set(inspect.signature(skopt_wrap.TunedClassifier).parameters)
    assert {"storage", "study", "resume", "objectives", "scoring", "n_jobs"} <= named
    cells = re.findall(r"^   \* - [^\n]*(?:\n       [^\n]*)*\n     - ([^\n]*)$", text, re.M)
    used = {name for cell in cells for name in re.findall(r"``(\w+)(?:=|``)", cell)}
    used -= {"TunedClassifier", "KerasClassifier", "pickle"}
    assert used - named <= {"best_params_", "best_estimator_", "model_", "space_", "oracle_"}
    assert len(used & named) >= 8
