"""A third party's architecture is used wherever ours are, without touching this package."""

from __future__ import annotations

import pickle

import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import KerasClassifier, KerasRegressor, TunedClassifier
from skopt_wrap.architectures import ARCHITECTURES, Architecture
from skopt_wrap.exceptions import ParameterError, UnknownParameterError
from skopt_wrap.tuning import default_space

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def residual(meta, *, width=8, n_blocks=1):
    """Build a network whose blocks add their input to their output."""
    inputs = keras.Input(meta["X_shape_"][1:])
    tensor = keras.layers.Dense(width)(inputs)
    for _ in range(n_blocks):
        hidden = keras.layers.Dense(width, activation="relu")(tensor)
        tensor = keras.layers.Add()([tensor, hidden])
    outputs = keras.layers.Dense(meta["n_outputs_expected_"])(tensor)
    return keras.Model(inputs, outputs, name="residual")


def full_space():
    return {"model__width": [4, 8, 16], "model__n_blocks": [1, 2, 3]}


RESIDUAL = Architecture("residual", residual, {"model__width": [4, 8]}, full_space)


def test_estimator_takes_it_and_its_parameters(blobs, line):
    classifier = KerasClassifier(RESIDUAL, model__width=5, epochs=1, random_state=0).fit(*blobs)
    assert classifier.model_.name == "residual"
    assert classifier.model_.layers[1].units == 5
    assert classifier.get_params()["model__n_blocks"] == 1
    assert clone(classifier).model is RESIDUAL
    with pytest.raises(UnknownParameterError, match="Did you mean 'model__width'"):
        KerasClassifier(RESIDUAL, model__widht=5)
    assert KerasRegressor(RESIDUAL, epochs=1).fit(*line).predict(line[0]).shape == (80,)
    copied = pickle.loads(pickle.dumps(classifier))
    assert (
        copied.model.name == "residual"
        and (copied.predict(blobs[0]) == classifier.predict(blobs[0])).all()
    )


def test_grid_search_searches_its_parameters(blobs):
    search = GridSearchCV(
        KerasClassifier(RESIDUAL, epochs=1, random_state=0), {"model__width": [3, 6]}, cv=2
    ).fit(*blobs)
    width = search.best_params_["model__width"]
    assert search.best_estimator_.model_.layers[1].units == width
    grid = {"model": ["dense", RESIDUAL]}
    search = GridSearchCV(KerasClassifier(epochs=1, random_state=0), grid, cv=2).fit(*blobs)
    assert set(search.cv_results_["param_model"].tolist()) == {"dense", RESIDUAL}


@pytest.mark.parametrize("space", [None, {"preset": "full"}])
def test_tuned_classifier_searches_its_own_spaces(blobs, space):
    if space is not None:
        space = {"preset": "full", "epochs": [1], "batch_size": [32]}
    tuned = TunedClassifier(
        RESIDUAL, space=space, tuner="random", max_trials=2, cv=2, epochs=1, random_state=0
    ).fit(*blobs)
    assert "model__width" in tuned.best_params_
    assert ("model__n_blocks" in tuned.best_params_) is (space is not None)
    assert tuned.model_.name == "residual"
    assert tuned.predict(blobs[0]).shape == (90,)


def test_default_space_takes_the_object():
    assert list(default_space(RESIDUAL)) == ["model__width", "optimizer__learning_rate"]
    full = default_space(RESIDUAL, full=True)
    assert full["model__n_blocks"] == [1, 2, 3] and "optimizer__beta_1" in full
    full["model__n_blocks"] = []
    assert default_space(RESIDUAL, full=True)["model__n_blocks"] == [1, 2, 3]
    with pytest.raises(ParameterError, match="'plain' has no default space"):
        default_space(Architecture("plain", residual))


def test_nothing_is_registered():
    known = "dense realmlp tabm cnn lstm lite inceptiontime text"
    assert set(ARCHITECTURES) == set(known.split())


@pytest.mark.parametrize(
    "name,builder,rule", [("", residual, "must be text"), ("x", None, "function")]
)
def test_what_is_no_architecture_is_refused(name, builder, rule):
    with pytest.raises(ParameterError, match=rule):
        Architecture(name, builder)
