"""FineTuned: the head first, frozen layers stay, parameters of the estimator, small backbones."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skopt_wrap import FineTuned, KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import ModelError, ParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def backbone(input_shape, filters=8):
    """Return a small stand-in for a function of keras.applications."""
    inputs = keras.Input(input_shape)
    tensor = keras.layers.Conv2D(filters, 3, activation="relu", name="first")(inputs)
    tensor = keras.layers.BatchNormalization(name="norm")(tensor)
    tensor = keras.layers.Conv2D(filters, 3, activation="relu", name="last")(tensor)
    return keras.Model(inputs, tensor, name="backbone")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8, 8, 1)).astype("float32"), np.arange(60) % 2
    X[y == 1, 2:6, 2:6] += 2
    return X, y


def test_the_head_learns_and_a_frozen_backbone_stays(images):
    X, y = images
    given = backbone((8, 8, 3))
    before = [np.array(w) for w in given.weights]
    model = KerasClassifier(FineTuned(given, head_epochs=60, head_rate=0.01), random_state=0)
    model.set_params(epochs=1).fit(X, y)
    assert model.score(X, y) > 0.9  # one epoch at 0.0001 would not do
    after = model.model_.get_layer("backbone").weights
    assert all((old == np.array(new)).all() for old, new in zip(before, after, strict=True))
    np.testing.assert_allclose(
        pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X), atol=1e-6
    )


def test_some_layers_are_trained(images):
    X, y = images
    model = KerasClassifier(FineTuned(backbone, filters=4), random_state=0, epochs=1)
    model.set_params(model__freeze=3, optimizer__learning_rate=0.01).fit(X[..., 0], y)
    layers = model.model_.get_layer("backbone").layers
    assert [layer.trainable for layer in layers] == [False, False, False, True]
    statistics = layers[2].moving_mean  # batch normalization keeps its statistics
    assert not np.array(statistics).any()
    assert layers[1].filters == 4


def test_a_grid_over_its_parameters(images):
    X, y = images
    model = KerasClassifier(FineTuned(backbone, head_epochs=1), epochs=1, random_state=0)
    assert clone(model).model is model.model
    assert model.get_params()["model__freeze"] == "all"
    grid = GridSearchCV(model, {"model__head": [(4,)]}, cv=2, error_score="raise").fit(X, y)
    dense = [x for x in grid.best_estimator_.model_.layers if isinstance(x, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [4, 1]


def test_numbers_are_learned_too(images):
    X, y = images
    tuned = FineTuned(backbone, head_epochs=80, head_rate=0.01, dropout=0.0)
    model = KerasRegressor(tuned, epochs=1, random_state=0).fit(X, y.astype(float))
    assert model.score(X, y) > 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"freeze": 9},
        {"freeze": "some"},
        {"head": 0},
        {"dropout": 1.0},
        {"head_epochs": -1},
        {"head_rate": 0},
        {"image_size": 8},
        {"rescale": "x"},
    ],
)
def test_bad_parameters_are_told(options):
    meta = {"X_shape_": (5, 8, 8, 3), "n_outputs_expected_": 1}
    with pytest.raises(ParameterError, match=f"model__{next(iter(options))}"):
        FineTuned(backbone, **options)(meta)


def test_what_is_no_backbone_and_no_image_is_told():
    with pytest.raises(ParameterError, match="backbone must be"):
        FineTuned("MobileNet")
    with pytest.raises(ModelError, match="takes images"):
        FineTuned(backbone)({"X_shape_": (5, 8), "n_outputs_expected_": 1})
    with pytest.raises(ModelError, match="returned int"):
        FineTuned(lambda input_shape: 3)({"X_shape_": (5, 8, 8, 3), "n_outputs_expected_": 1})


def test_keras_applications_and_sizes():
    function = keras.applications.MobileNetV2
    tuned = FineTuned(function, alpha=0.35, image_size=(32, 32), rescale=(2, -1))
    network = tuned({"X_shape_": (5, 8, 8), "n_outputs_expected_": 3})
    assert network.input_shape == (None, 8, 8) and network.output_shape == (None, 3)
    names = [type(layer).__name__ for layer in network.layers]
    assert {"Reshape", "Resizing", "Rescaling"} <= set(names)
    assert repr(tuned) == "FineTuned(MobileNetV2)"


def test_backbones_for_grey_images_and_for_other_images(images):
    X, _ = images
    meta = {"X_shape_": X.shape, "n_outputs_expected_": 2}
    grey = FineTuned(backbone((8, 8, 1)))
    assert grey(meta).get_layer("backbone").input_shape == (None, 8, 8, 1)
    assert np.asarray(grey(meta)(X[:3])).shape == (3, 2)
    assert np.asarray(FineTuned(backbone((None, None, 1)))(meta)(X[:3])).shape == (3, 2)
    for shape in ((8, 8, 3), (12, 12, 1)):
        with pytest.raises(ModelError, match=r"takes images of shape \(8, 8, 1\).*image_size"):
            grey({**meta, "X_shape_": (5, *shape)})
    resized = FineTuned(backbone((8, 8, 1)), image_size=(8, 8))
    assert resized({**meta, "X_shape_": (5, 12, 12, 1)}).output_shape == (None, 2)
