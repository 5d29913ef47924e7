"""The migration pages agree with what happens: their tables are read and tried, line by line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor, TunedClassifier
from skopt_wrap._aliases import known_as
from skopt_wrap.exceptions import UnknownParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

PAGES = Path(__file__).parents[1] / "docs" / "migration"


def tables(page):
    """Return {title: rows} of the list-tables of a page; cells as text."""
    found, title = {}, ""
    lines = (PAGES / f"{page}.rst").read_text(encoding="utf-8").splitlines()
    rows = None
    for number, line in enumerate(lines):
        if number + 1 < len(lines) and re.fullmatch(r"[-=]{4,}", lines[number + 1]):
            title, rows = line, None
        elif line.startswith(".. list-table::"):
            rows = found[title] = []
        elif rows is not None and line.startswith("   * -"):
            rows.append([line[6:].strip()])
        elif rows and line.startswith("     -"):
            rows[-1].append(line[6:].strip())
        elif rows and line.startswith("       ") and line.strip():
            rows[-1][-1] += " " + line.strip()
    return {name: rows[1:] for name, rows in found.items()}


def names(cell):
    return re.findall(r"``([A-Za-z_]\w*)``", cell)


def pairs(page, title):
    return [
        (old, new[0])
        for row in tables(page)[title]
        for old in names(row[0])
        if len(new := names(row[1])) == 1
    ]


SCIKERAS = pairs("scikeras", "Constructor parameters")
TUNER = pairs("keras_tuner", "What maps to what")


def test_pages_have_the_tables_that_are_tried():
    assert len(SCIKERAS) >= 15 and len(TUNER) >= 6


@pytest.mark.parametrize("old,new", SCIKERAS)
def test_constructor_parameters_of_scikeras(old, new):
    params = KerasClassifier().get_params()
    if old == new:
        assert new in params
        return
    with pytest.raises(UnknownParameterError, match=f"Did you mean '{new}'"):
        KerasClassifier(**{old: None})
    KerasClassifier(**{new: None})  # the name is accepted


@pytest.mark.parametrize("old,new", TUNER)
def test_arguments_of_keras_tuner(old, new):
    params = TunedClassifier().get_params(deep=False)
    assert new in params
    assert old == new or known_as(old, params) == new


@pytest.fixture(scope="module")
def fitted():
    X = np.arange(24.0).reshape(12, 2)
    return KerasClassifier(epochs=1, random_state=0).fit(X, np.arange(12) % 2)


@pytest.mark.parametrize("page", ["scikeras", "keras_wrappers"])
def test_attributes(page, fitted):
    tried = 0
    for row in tables(page)["Attributes"]:
        found = names(row[0] if row[1] == "the same" else row[1])
        for name in [name for name in found if name.endswith("_")]:
            assert hasattr(fitted, name), row
            tried += 1
    assert tried >= 5


@pytest.mark.parametrize("page", ["scikeras", "keras_wrappers"])
def test_methods(page):
    for row in tables(page)["Methods"]:
        cell = row[0] if row[1] == "the same" else row[1]
        for name in re.findall(r"``([a-z_]+)(?:\(|``)", cell):
            if name not in ("clone", "model", "scoring"):
                assert hasattr(KerasClassifier, name), row


@pytest.mark.parametrize(
    "option",
    [
        {"model__units": 3},
        {"optimizer__learning_rate": 0.1},
        {"loss": "huber", "loss__delta": 0.5},
        {"metrics": [keras.metrics.RootMeanSquaredError], "metrics__name": "mine"},
        {"compile__run_eagerly": True},
        {"fit__shuffle": False},
        {"predict__batch_size": 8},
        {"callbacks": keras.callbacks.EarlyStopping, "callbacks__monitor": "loss"},
        {"callbacks": [keras.callbacks.EarlyStopping], "callbacks__0__monitor": "loss"},
        {"callbacks": {"a": keras.callbacks.EarlyStopping}, "callbacks__a__monitor": "loss"},
    ],
)
def test_routed_parameters_of_scikeras(option):
    X = np.arange(16.0).reshape(8, 2) / 16
    assert KerasRegressor(epochs=1, **option).fit(X, X[:, 0]).predict(X).shape == (8,)


@pytest.mark.parametrize("name", ["fit__callbacks", "predict__callbacks", "score__x"])
def test_routed_parameters_that_the_page_says_are_not_taken(name):
    with pytest.raises(UnknownParameterError):
        KerasRegressor(**{name: None})


def test_builder_of_the_page_works_unchanged():
    code = (PAGES / "scikeras.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", code)
    builders = [block for block in blocks if "def build(meta" in block and "Input(" in block]
    assert len(builders) >= 2
    X = np.arange(24.0).reshape(12, 2) / 24
    for block in builders:
        space = {"keras": keras}
        exec(re.sub(r"^   ", "", block, flags=re.MULTILINE), space)
        classifier = KerasClassifier(
            space["build"], model__units=4, optimizer="sgd", optimizer__learning_rate=0.25, epochs=1
        ).fit(X, np.arange(12) % 2)
        assert classifier.model_.optimizer.name == "sgd"
        assert float(classifier.model_.optimizer.learning_rate) == 0.25
