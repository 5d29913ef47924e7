"""A small fitted pipeline, and the file that it was saved to."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap
from skopt_wrap import KerasClassifier


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def flow(iris):
    network = KerasClassifier("dense", model__units=4, epochs=2, random_state=0)
    return make_pipeline(StandardScaler(), network).fit(*iris)


@pytest.fixture(scope="session")
def saved(flow, tmp_path_factory):
    """The bytes of the saved pipeline."""
    path = tmp_path_factory.mktemp("saved") / "flow.skw"
    return skopt_wrap.save(flow, path, licence="MIT", description="A flower.").read_bytes()


@pytest.fixture
def file(saved, tmp_path):
    path = tmp_path / "flow.skw"
    path.write_bytes(saved)
    return path
