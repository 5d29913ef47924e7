"""Networks with several inputs: the parameter `inputs` and the columns that it picks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators._inputs._cells import column_array
from skopt_wrap.exceptions import DataError, ModelError, ParameterError

keras = pytest.importorskip("keras")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.keras
layers = keras.layers

FAST = {"epochs": 15, "optimizer__learning_rate": 0.05, "random_state": 0}
INPUTS = {"numbers": ["area", "rooms"], "text": "review", "image": "plan"}
WORDS = ["good", "bad", "flat"]


@pytest.fixture(scope="module")
def flats():
    """Return a frame with numbers, text and images in its cells, and labels."""
    rng = np.random.default_rng(0)
    n = 96
    frame = pd.DataFrame({"area": rng.normal(size=n), "rooms": rng.integers(1, 5, n)})
    frame["review"] = rng.choice(["good flat", "bad flat"], n)
    frame["plan"] = [rng.normal(size=(4, 4, 1)) for _ in range(n)]
    return frame, ((frame.area > 0) & (frame.review == "good flat")).to_numpy().astype(int)


def three_inputs(meta, as_dict=False, units=8):
    numbers = keras.Input((2,), name="numbers")
    text = keras.Input((), dtype="string", name="text")
    image = keras.Input((4, 4, 1), name="image")
    words = layers.TextVectorization(output_mode="multi_hot", vocabulary=WORDS)(text)
    joined = layers.Concatenate()([numbers, words, layers.Flatten()(image)])
    output = layers.Dense(meta["n_outputs_expected_"])(layers.Dense(units, "relu")(joined))
    given = {"text": text, "numbers": numbers, "image": image}
    return keras.Model(given if as_dict else [numbers, text, image], output)


def two_inputs(**options):
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    return keras.Model([a, b], layers.Dense(1, **options)(layers.Concatenate()([a, b])))


@pytest.mark.parametrize("as_dict", [False, True])
def test_numbers_text_and_images_of_one_frame_train_one_network(flats, as_dict):
    X, y = flats
    classifier = KerasClassifier(three_inputs, inputs=INPUTS, as_dict=as_dict, **FAST).fit(X, y)
    assert classifier.fit_path_ == "fused"
    assert classifier.score(X, y) > 0.95
    assert classifier.input_dtype_["text"] == "string"
    assert classifier.input_shapes_ == {"numbers": (2,), "text": (1,), "image": (4, 4, 1)}
    assert classifier.n_features_in_ == 4 and list(classifier.feature_names_in_) == list(X.columns)
    expected = classifier.predict_proba(X)
    np.testing.assert_array_equal(classifier.predict_proba(X[5:8]), expected[5:8])
    other = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(other.predict_proba(X), expected, atol=1e-6)
    assert clone(classifier).get_params()["inputs"] == INPUTS


def test_fit_of_keras_trains_to_the_same_weights(flats):
    X, y = flats
    fits = {}
    for eager in (False, True):
        model = KerasClassifier(
            three_inputs, inputs=INPUTS, **{**FAST, "epochs": 2}, compile__run_eagerly=eager
        )
        fits[model.fit(X, y, sample_weight=np.linspace(0, 1, len(y))).fit_path_] = model
    fused, by_fit = fits["fused"], fits["fit: run_eagerly=True"]
    np.testing.assert_allclose(fused.predict_proba(X), by_fit.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(fused.history_["loss"], by_fit.history_["loss"], rtol=1e-4)


def test_validation_early_stopping_and_partial_fit_take_the_same_rows(flats):
    X, y = flats
    classifier = KerasClassifier(three_inputs, inputs=INPUTS, early_stopping=2, **FAST)
    classifier.fit(X, y, X_val=X[:20], y_val=y[:20])
    assert len(classifier.history_["val_loss"]) == classifier.n_iter_
    assert "val_loss" in clone(classifier).set_params(epochs=1).fit(X, y).history_
    before = classifier.n_iter_
    assert classifier.partial_fit(X[:30], y[:30]).n_iter_ == before + 1


def test_search_and_pipeline(flats):
    X, y = flats
    network = KerasClassifier(three_inputs, inputs=INPUTS, **FAST)
    pipeline = Pipeline([("same", FunctionTransformer()), ("network", network)])
    search = GridSearchCV(pipeline, {"network__units": [1, 8]}, cv=2, error_score="raise")
    assert search.fit(X, y).best_score_ > 0.8
    assert search.predict(X[:3]).shape == (3,)


@pytest.mark.parametrize(
    "a, b",
    [
        (slice(0, 2), slice(2, None)),
        ([0, 1], [-2, -1]),
        ([True, True, False, False], np.array([2, 3])),
        (lambda X: [0, 1], slice(2, 4)),
    ],
)
def test_columns_of_an_array(a, b):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 4))
    y = X @ [1.0, 2.0, 3.0, 4.0]
    regressor = KerasRegressor(two_inputs, inputs={"a": a, "b": b}, **FAST).fit(X, y)
    assert {name: list(c) for name, c in regressor.input_columns_.items()} == {
        "a": [0, 1],
        "b": [2, 3],
    }
    kernel = regressor.model_.layers[-1].kernel.numpy()[:, 0]
    x = regressor.network_input(X)
    expected = np.hstack([x["a"], x["b"]]) @ kernel + regressor.model_.layers[-1].bias.numpy()
    np.testing.assert_allclose(regressor.predict(X), expected, rtol=1e-4, atol=1e-4)


def test_columns_of_a_frame_by_name_label_slice_and_selector(flats):
    X, y = flats
    inputs = {
        "numbers": make_column_selector(dtype_include="number"),
        "text": slice("review", "review"),
        "image": -1,
    }
    classifier = KerasClassifier(three_inputs, inputs=inputs, **{**FAST, "epochs": 1}).fit(X, y)
    columns = {name: list(c) for name, c in classifier.input_columns_.items()}
    assert columns == {"numbers": [0, 1], "text": [2], "image": [3]}


def test_instance_with_one_input_takes_some_of_the_columns():
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    regressor = KerasRegressor(model, inputs={"x": 1}, **FAST).fit(X, X[:, 1])
    changed = X.copy()
    changed[:, [0, 2]] = 9
    np.testing.assert_array_equal(regressor.predict(changed), regressor.predict(X))


def test_subclassed_network_gets_the_inputs_by_name():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)

        def call(self, inputs):
            return self.out(keras.ops.concatenate([inputs["left"], inputs["right"]], axis=1))

    X = np.random.default_rng(0).normal(size=(40, 3))
    inputs = {"left": [0], "right": [1, 2]}
    regressor = KerasRegressor(Net, inputs=inputs, **FAST).fit(X, X.sum(axis=1))
    assert regressor.fit_path_ == "fused" and regressor.predict(X).shape == (40,)


@pytest.mark.parametrize(
    "inputs, error, words",
    [
        (None, ModelError, r"several inputs, \['a', 'b'\].*inputs="),
        ({"a": [0, 1]}, ModelError, r"missing: \['b'\]"),
        ({"a": [0, 1], "b": [2, 3], "c": 0}, ModelError, r"not in the network: \['c'\]"),
        ({"a": [0, 1], "b": [2, 9]}, DataError, r"inputs\['b'\]=\[2, 9\] is not in X"),
        ({"a": "area", "b": [2, 3]}, DataError, r"inputs\['a'\]='area' is not in X.*no names"),
        ({"a": [], "b": [2, 3]}, DataError, "picks no column"),
        ({"a": [0, 1, 2], "b": [2, 3]}, ModelError, r"takes rows of shape \(2,\).*\(3,\)"),
        ([0, 1], ParameterError, "must be a dict"),
        ({}, ParameterError, "must be a dict"),
        ({0: [0, 1]}, ParameterError, "names"),
    ],
)
def test_columns_that_do_not_suit_the_network_are_named(inputs, error, words):
    X = np.zeros((8, 4))
    with pytest.raises(error, match=words):
        KerasRegressor(two_inputs, inputs=inputs).fit(X, np.arange(8.0))


def test_builder_with_a_parameter_of_that_name_is_told_to_write_it_with_the_prefix():
    def builder(inputs=4):
        return keras.Sequential([keras.Input((inputs,)), layers.Dense(1)])

    X = np.ones((8, 4))
    with pytest.raises(ParameterError, match="model__inputs"):
        KerasRegressor(builder, inputs=4).fit(X, X[:, 0])
    assert KerasRegressor(builder, model__inputs=4, epochs=1).fit(X, X[:, 0]).n_iter_ == 1


def test_named_architectures_refuse_inputs():
    with pytest.raises(ParameterError, match="networks of your own"):
        KerasRegressor("dense", inputs={"a": 0}).fit(np.ones((8, 2)), np.arange(8.0))


def test_other_rows_than_those_of_fit_are_refused(flats):
    X, y = flats
    classifier = KerasClassifier(three_inputs, inputs=INPUTS, **{**FAST, "epochs": 1}).fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(X[["rooms", "area", "review", "plan"]])
    smaller = X.assign(plan=[np.zeros((2, 2, 1))] * len(X))
    with pytest.raises(DataError, match=r"inputs\['image'\] has rows of shape \(2, 2, 1\)"):
        classifier.predict(smaller)
    with pytest.raises(DataError, match=r"inputs\['numbers'\], column 'area', contains NaN"):
        classifier.predict(X.assign(area=np.nan))
    with pytest.raises(DataError, match="contains NaN"):
        classifier.predict(X.assign(review=[None, *X.review[1:]]))
    with pytest.raises(DataError, match="cells of several kinds"):
        classifier.predict(X.assign(review=np.array([1, *X.review[1:]], dtype=object)))
    with pytest.raises(DataError, match=r"holds numbers.*takes text"):
        classifier.predict(X.assign(review=1.0))


def test_fractions_do_not_become_whole_numbers_unseen():
    def builder():
        ids, x = keras.Input((1,), dtype="int32", name="ids"), keras.Input((1,), name="x")
        code = layers.Flatten()(layers.Embedding(5, 2)(ids))
        return keras.Model([ids, x], layers.Dense(1)(layers.Concatenate()([code, x])))

    X = np.column_stack([np.arange(20) % 5, np.linspace(0, 1, 20)])
    regressor = KerasRegressor(builder, inputs={"ids": 0, "x": 1}, epochs=1).fit(X, X[:, 0])
    with pytest.raises(DataError, match=r"fractions such as 0\.5"):
        regressor.predict(X + 0.5)


@pytest.mark.parametrize(
    "cells, expected",
    [
        ([1, 2], [1, 2]),
        ([True, False], [1, 0]),
        (["a", "b"], ["a", "b"]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([[1, 2, 3], [4]], [[1, 2, 3], [4, 0, 0]]),
        ([np.ones((1, 2)), np.ones((2, 2))], [[[1, 1], [0, 0]], [[1, 1], [1, 1]]]),
    ],
)
def test_cells_become_one_array(cells, expected):
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    assert column_array(column, "x").tolist() == expected


@pytest.mark.parametrize(
    "cells", [[1, "a"], [[1, 2], "a"], [[1], [[1, 2]]], [np.ones((2, 2, 1)), np.ones((3, 2, 1))]]
)
def test_cells_of_unlike_kinds_are_refused(cells):
    column = np.empty(len(cells), dtype=object)
    for number, cell in enumerate(cells):
        column[number] = cell
    with pytest.raises(DataError):
        column_array(column, "x")
