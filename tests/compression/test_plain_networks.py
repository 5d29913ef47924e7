"""Keras networks and builders without an estimator around them; searches inside."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_score

from skopt_wrap import CompressedModel, KerasClassifier, KerasRegressor, TunedClassifier
from skopt_wrap.exceptions import ModelError


def _network(units=3, activation=None, loss=None, n_features=4):
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    if loss is not None:
        model.compile(keras.optimizers.Adam(1e-2), loss)
    return model


def _builder(meta):
    return _network(meta["n_outputs_expected_"])


def test_frozen_plain_network_is_used_as_it_is(blobs):
    X, y = blobs
    network = _network(loss="sparse_categorical_crossentropy", activation="softmax")
    network.fit(X, y, epochs=30, verbose=0)
    expected = network.predict(X, verbose=0)
    model = CompressedModel(FrozenEstimator(network), quantization=None).fit(X, y)
    assert isinstance(model.estimator_.estimator, KerasClassifier)
    assert is_classifier(model)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), expected.argmax(axis=1))
    for mine, yours in zip(model.model_.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_labels_of_a_plain_network_follow_its_outputs(blobs):
    X, y = blobs
    names = np.array(["a", "b", "c"])[y]
    network = _network(loss="sparse_categorical_crossentropy", activation="softmax")
    network.fit(X, y, epochs=30, verbose=0)
    model = CompressedModel(FrozenEstimator(network), quantization=None).fit(X, names)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.score(X, names) > 0.9


def test_plain_network_is_trained_as_a_copy(blobs):
    X, y = blobs
    network = _network(loss="sparse_categorical_crossentropy", activation="softmax")
    before = network.get_weights()
    model = CompressedModel(network, quantization="float16", random_state=0)
    assert is_classifier(model) and hasattr(model, "predict_proba")
    assert clone(model).fit(X, y).score(X, y) > 0.9
    for mine, yours in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_plain_regressor_is_told_by_its_loss(line):
    X, y = line
    model = CompressedModel(_network(1, loss="mse", n_features=X.shape[1]), random_state=0)
    assert is_regressor(model) and not hasattr(model, "predict_proba")
    model.fit(X, np.round(y))  # whole numbers, and no labels
    assert isinstance(model.estimator_, KerasRegressor)
    assert model.predict(X).dtype == np.float64


def test_builder_is_told_by_the_target(blobs, line):
    X, y = blobs
    model = CompressedModel(_builder, quantization=None, random_state=0)
    assert not is_classifier(model) and not is_regressor(model)
    assert is_classifier(model.fit(X, y))
    assert model.score(X, y) > 0.6
    again = CompressedModel(_builder, quantization=None, random_state=0).fit(X, y)
    assert again.tflite_model_ == model.tflite_model_


def test_plain_network_works_in_cross_validation(blobs):
    X, y = blobs
    network = _network(loss="sparse_categorical_crossentropy", activation="softmax")
    network.fit(X, y, epochs=30, verbose=0)
    model = CompressedModel(FrozenEstimator(network), random_state=0)
    assert cross_val_score(model, X, y, cv=2, error_score="raise").min() > 0.8


def test_plain_networks_that_cannot_be_compressed_are_refused_before_training(blobs):
    import keras

    class Mine(keras.Model):
        pass

    with pytest.raises(ModelError, match="subclassed"):
        CompressedModel(Mine()).fit(*blobs)
    with pytest.raises(ValueError, match="Got FrozenEstimator"):
        CompressedModel(FrozenEstimator(_builder)).fit(*blobs)
    start = [keras.Input((2,)), keras.Input((2,))]
    joined = keras.layers.Dense(3)(keras.layers.Concatenate()(start))
    with pytest.raises(ModelError, match="input"):
        CompressedModel(keras.Model(start, joined)).fit(*blobs)
    with pytest.raises(ModelError, match="output units"):
        CompressedModel(FrozenEstimator(_network(5))).fit(*blobs)


def test_tuned_estimator_is_compressed(blobs):
    X, y = blobs
    search = TunedClassifier(
        KerasClassifier("dense", epochs=8, optimizer__learning_rate=1e-2),
        tuner="random", space={"model__units": [8, 16]}, max_trials=1, cv=2, random_state=0,
    )  # fmt: skip
    model = CompressedModel(search, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.model_ is model.estimator_.best_estimator_.model_
