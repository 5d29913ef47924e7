"""Data that do not fit in memory."""

from __future__ import annotations

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
