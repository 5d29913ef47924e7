"""Data that do not fit in memory."""

from __future__ import annotations

import operator
import warnings

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataError, ParameterError

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.keras

FAST = {"epochs": 20, "optimizer__learning_rate": 0.02, "random_state": 0}


class Batches(keras.utils.PyDataset):
    def __init__(self, X, y, weights=None):
        super().__init__()
        self.parts = (X, y) if weights is None else (X, y, weights)

    def __len__(self):
        return -(-len(self.parts[0]) // 32)

    def __getitem__(self, index):
        return tuple(part[index * 32 : index * 32 + 32] for part in self.parts)


def test_tf_data_trains_a_classifier_of_text_labels(blobs):
    X, y = blobs
    y = np.array(["a", "b", "c"])[y]
    dataset = tf.data.Dataset.from_tensor_slices((X, y)).batch(32)
    classifier = KerasClassifier(metrics=["accuracy"], **FAST)
    classifier.fit_dataset(dataset, validation_data=dataset)
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    assert classifier.score(X, y) > 0.9
    assert classifier.history_["val_accuracy"][-1] == pytest.approx(classifier.score(X, y))
    assert classifier.fit_path_.startswith("fit: ")


def test_infinite_dataset_needs_classes_and_steps(blobs):
    X, y = blobs
    dataset = tf.data.Dataset.from_tensor_slices((X, y)).batch(32).repeat()
    with pytest.raises(DataError, match="infinite; give classes"):
        KerasClassifier(**FAST).fit_dataset(dataset)
    classifier = KerasClassifier(**FAST).fit_dataset(dataset, [0, 1, 2], steps_per_epoch=3)
    assert classifier.score(X, y) > 0.9


def test_pydataset_with_weights_equals_class_weight(blobs):
    X, y = blobs
    weights = np.where(y == 0, 3.0, 1.0)
    given = KerasClassifier(**FAST).fit_dataset(Batches(X, y, weights))
    by_class = KerasClassifier(class_weight={0: 3.0}, **FAST).fit_dataset(Batches(X, y))
    np.testing.assert_allclose(given.predict_proba(X), by_class.predict_proba(X), rtol=1e-5)


def test_dataset_in_order_equals_arrays_in_order(blobs):
    X, y = blobs
    # A first fit of a dataset prepares no table.
    from_arrays = KerasClassifier(fit__shuffle=False, model__normalize=False, **FAST).fit(X, y)
    from_batches = KerasClassifier(**FAST).fit_dataset(Batches(X, y))
    np.testing.assert_allclose(
        from_batches.predict_proba(X), from_arrays.predict_proba(X), rtol=1e-5
    )


def test_pydataset_trains_a_regressor(line):
    X, y = line
    regressor = KerasRegressor(**{**FAST, "epochs": 60}).fit_dataset(Batches(X, y))
    assert regressor.score(X, y) > 0.8


def test_datasets_that_cannot_serve_are_refused(blobs):
    X, y = blobs
    dataset = tf.data.Dataset.from_tensor_slices((X, y))
    with pytest.raises(DataError, match=r"a tf\.data\.Dataset, a keras.*got ndarray"):
        KerasClassifier().fit_dataset(X)
    with pytest.raises(DataError, match="batch the dataset"):
        KerasClassifier().fit_dataset(dataset)
    with pytest.raises(ParameterError, match="validation_split"):
        KerasClassifier(validation_split=0.1).fit_dataset(dataset.batch(8))
    with pytest.raises(ParameterError, match="balanced"):
        KerasClassifier(class_weight="balanced").fit_dataset(dataset.batch(8))
    with pytest.raises(DataError, match="early_stopping=True"):
        KerasClassifier(early_stopping=True).fit_dataset(dataset.batch(8))
    with pytest.raises(DataError, match="must yield batches"):
        KerasClassifier().fit_dataset(dataset.map(lambda a, b: a).batch(8))


def value_heads(meta):
    inputs = keras.Input(meta["X_shape_"][1:])
    hidden = keras.layers.Dense(8, "relu")(inputs)
    place = keras.layers.Dense(2, name="place")(hidden)
    price = keras.layers.Dense(1, name="price")(hidden)
    return keras.Model(inputs, {"place": place, "price": price})


def class_heads(meta):
    inputs = keras.Input(meta["X_shape_"][1:])
    units = meta["n_outputs_expected_"]
    names = ("color", "size")
    return keras.Model(
        inputs, [keras.layers.Dense(u, name=n)(inputs) for u, n in zip(units, names, strict=True)]
    )


def sources(parts):
    """Return the batches of X and nested targets in every form that fit_dataset takes."""
    X, y = parts
    tf_data = tf.data.Dataset.from_tensor_slices((X, y)).batch(32)

    def generate():
        for start in range(0, len(X), 32):
            rows = slice(start, start + 32)
            yield X[rows], tf.nest.map_structure(operator.itemgetter(rows), y)

    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return -(-len(X) // 32)

        def __getitem__(self, index):
            rows = slice(32 * index, 32 * index + 32)
            return X[rows], tf.nest.map_structure(operator.itemgetter(rows), y)

    return {"tf.data": tf_data, "generator": generate, "PyDataset": Sequence()}


@pytest.mark.parametrize("source", ["tf.data", "generator", "PyDataset"])
@pytest.mark.parametrize("form", ["dict", "table"])
def test_several_values_from_batches_equal_those_from_arrays(source, form):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(96, 3)).astype("float32")
    table = np.column_stack([X @ [1.0, 2, 3], X[:, 0], X[:, 1] - X[:, 2]])
    # A dict names the outputs, so that its order does not matter.
    y = {"price": table[:, 0], "place": table[:, 1:]} if form == "dict" else table[:, [1, 2, 0]]
    settings = {**FAST, "epochs": 3, "fit__shuffle": False}
    regressor = KerasRegressor(value_heads, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras warns of the end of a generator
        regressor.fit_dataset(sources((X, y))[source])
    arrays = KerasRegressor(value_heads, **settings).fit(X, table[:, [1, 2, 0]])
    places = [0, 1, 2] if form == "table" else [1, 2, 0]
    np.testing.assert_allclose(
        regressor.predict(X)[:, places], arrays.predict(X), rtol=1e-4, atol=1e-5
    )
    assert int(regressor.model_.optimizer.iterations) == 9  # three batches in three epochs
    assert {"place_loss", "price_loss"} <= set(regressor.history_)


@pytest.mark.parametrize("source", ["tf.data", "generator", "PyDataset"])
def test_several_columns_of_classes_from_batches(source):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(96, 2)).astype("float32")
    size = np.array(["big", "small"])[(X[:, 0] > 0).astype(int)]
    size[:32] = "big"  # the first batch lacks a class
    color = np.digitize(X[:, 1], [-0.5, 0.5])
    batches = sources((X, {"color": color, "size": size}))[source]
    classifier = KerasClassifier(class_heads, **FAST)
    classifier.fit_dataset(batches, validation_data=sources((X, (color, size)))["tf.data"])
    assert [list(c) for c in classifier.classes_] == [[0, 1, 2], ["big", "small"]]
    predicted = classifier.predict(X)
    assert predicted.shape == (96, 2)
    assert np.mean(predicted[:, 0].astype(int) == color) > 0.8
    assert np.mean(predicted[32:, 1] == size[32:]) > 0.6
    assert [p.shape for p in classifier.predict_proba(X)] == [(96, 3), (96, 2)]


def test_targets_of_unequal_length_in_a_batch():
    def unequal():
        yield np.zeros((4, 2)), {"price": np.zeros(4), "place": np.zeros((3, 2))}

    with pytest.raises(DataError, match=r"rows|shape"):
        KerasRegressor(value_heads, **FAST).fit_dataset(unequal)
