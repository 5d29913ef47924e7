"""The residual network for images: counts of weights, sizes, learning, joint training, files."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skopt_wrap import CompressedModel, KerasClassifier
from skopt_wrap.architectures import ARCHITECTURES, cnn
from skopt_wrap.exceptions import ParameterError

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def meta(*shape):
    return {"X_shape_": (5, *shape), "n_outputs_expected_": 3, "X_dtype_": np.dtype("float32")}


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]


def test_blocks_have_the_weights_that_they_should():
    network = cnn(meta(8, 8, 1), filters=4)
    # 3 x 3 kernels; four values of batch normalization a filter; 1 x 1 where the width doubles.
    first = 9 * 4 + 4 * 4 + 2 * (9 * 4 * 4 + 4 * 4)
    second = 9 * 4 * 8 + 9 * 8 * 8 + 4 * 8 + 3 * 4 * 8
    assert network.count_params() == first + second + 8 * 3 + 3
    assert kinds(network).count("Add") == 2 and "Flatten" not in kinds(network)
    bare = cnn(meta(8, 8, 1), filters=4, batch_norm=False)
    assert "BatchNormalization" not in kinds(bare)
    assert kinds(cnn(meta(40, 2))).count("Add") == 0  # series have plain blocks
    assert kinds(cnn(meta(40, 2), residual=True, n_layers=2)).count("Add") == 2


@pytest.mark.parametrize(
    "shape,last",
    [
        ((1, 1, 3), (1, 1)),
        ((4, 9, 1), (2, 4)),
        ((8, 8, 1), (4, 4)),
        ((28, 28, 1), (7, 7)),
        ((32, 32, 3), (8, 8)),
        ((64, 64, 3), (4, 4)),
        ((224, 224, 3), (7, 7)),
    ],
)
def test_images_of_every_size(shape, last):
    network = cnn(meta(*shape), filters=2)
    pooled = next(x for x in network.layers if type(x).__name__ == "GlobalAveragePooling2D")
    assert pooled.input.shape[1:3] == last


def test_an_identity_stays_where_blocks_add_nothing():
    """With kernels of 0 in the block, its input passes; then averages are those of the input."""
    network = cnn(meta(8, 8, 1), filters=(2,), pool_size=1, batch_norm=False)
    kernel, *rest = network.get_weights()
    assert [w.shape for w in rest[:5]] == [(2,), (3, 3, 2, 2), (2,), (3, 3, 2, 2), (2,)]
    kernel = np.zeros_like(kernel)
    kernel[1, 1, 0] = [1, 2]
    head = [np.eye(2, 3, dtype="float32"), np.zeros(3, "float32")]
    network.set_weights([kernel, *(np.zeros_like(w) for w in rest[:5]), *head])
    X = np.random.default_rng(0).uniform(size=(5, 8, 8, 1)).astype("float32")
    means = X.mean(axis=(1, 2, 3))
    found = np.asarray(network(X))
    np.testing.assert_allclose(found, np.stack([means, 2 * means, 0 * means], 1), rtol=1e-5)


def test_steps_that_were_added_count_nowhere():
    X = np.random.default_rng(0).normal(size=(5, 12, 3)).astype("float32")
    X[..., 2] = np.arange(12) < np.array([[12], [9], [7], [6], [3]])  # which steps are there
    X *= X[..., 2:]
    options = {"residual": True, "filters": 4, "pool_size": 1}
    first, longer = (
        cnn({**meta(steps, 3), "sequence_length_": steps}, **options) for steps in (12, 20)
    )
    longer.set_weights(first.get_weights())
    found = np.asarray(longer(np.pad(X, [(0, 0), (0, 8), (0, 0)])))
    np.testing.assert_allclose(found, np.asarray(first(X)), atol=1e-5)


@pytest.fixture(scope="module")
def fitted(digits):
    X, y = digits[0][:300].reshape(-1, 8, 8, 1), digits[1][:300]
    model = KerasClassifier("cnn", model__filters=16, epochs=12, random_state=0)
    return model.fit(X, y), X, y, digits[0][300:800].reshape(-1, 8, 8, 1), digits[1][300:800]


def test_few_images_are_learned_pickled_and_predicted_by_numpy(fitted):
    model, X, _, X_test, y_test = fitted
    assert model.score(X_test, y_test) > 0.85
    assert (model.epochs, model.batch_size_) == (12, 18)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    few = np.concatenate([model.predict_proba(X[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(few, model.predict_proba(X)[:3], atol=1e-5)


def test_files_answer_as_the_network_does(fitted):
    model, X, y, X_test, y_test = fitted
    for mode, drop in ((None, 0.0), ("int8", 0.02)):
        file = CompressedModel(FrozenEstimator(model), quantization=mode).fit(X, y)
        assert file.score(X_test, y_test) >= model.score(X_test, y_test) - drop
    assert len(file.runtime_.content) < 0.6 * 4 * model.model_.count_params()


def test_members_are_trained_together_and_equal_single_networks(fitted):
    model, X, y, X_test, _ = fitted
    members = clone(model).set_params(members=2, epochs=1, model__filters=4).fit(X[:60], y[:60])
    assert members.fit_path_ == "joint"
    assert members.predict_proba(X_test[:5]).shape == (5, 10)


def test_settings_of_the_recipe_and_of_the_user():
    recipe = ARCHITECTURES["cnn"].recipe
    assert [recipe.rows_per_step(n) for n in (50, 300, 5000)] == [8, 18, 32]
    for options in ({"residual": "yes"}, {"residual": 1}, {"dense_units": "many"}):
        with pytest.raises(ParameterError, match=f"model__{next(iter(options))}"):
            cnn(meta(8, 8, 1), **options)
