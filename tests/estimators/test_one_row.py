"""Few rows are computed without TensorFlow, and nothing else changes."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.datasets import make_classification, make_regression

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import predict_raw
from skopt_wrap.exceptions import DivergedError

X, Y = make_classification(120, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)


def fitted(**params: object) -> KerasClassifier:
    return KerasClassifier(epochs=2, random_state=0, model__units=8, **params).fit(X, Y)


def twin(estimator: object) -> object:
    return vars(estimator.model_)["_skopt_wrap_numpy"][0]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def classifier() -> KerasClassifier:
    return fitted()


def test_rows_alone_and_together(classifier: KerasClassifier) -> None:
    whole = classifier.predict_proba(X)
    assert twin(classifier) is not None
    for i in range(5):
        np.testing.assert_array_equal(classifier.predict_proba(X[i : i + 1]), whole[i : i + 1])
    raw = predict_raw(classifier.model_, X.astype("float32"))
    np.testing.assert_allclose(classifier.network_output(X), raw, atol=1e-6 * np.abs(raw).max())
    # A fixed number of rows is a matter of TensorFlow.
    asked = copy.copy(classifier).set_params(predict__batch_size=32)
    np.testing.assert_array_equal(asked.network_output(X), predict_raw(asked.model_, X, rows=32))


@pytest.mark.parametrize("kind", ["regressor", "two values", "two classes", "labels", "float64"])
def test_other_targets(kind: str) -> None:
    if kind in ("regressor", "two values"):
        rows, y = make_regression(80, 4, n_targets=2 if kind == "two values" else 1, random_state=0)
        y = 1000 * y + 5e4
        estimator = KerasRegressor(epochs=2, random_state=0, model__units=8).fit(rows, y)
    else:
        rows, y = X[:80], (Y[:80] > 0).astype(int)
        y = np.eye(3, dtype=int)[Y[:80]] | y[:, None] if kind == "labels" else y
        dtype = "float64" if kind == "float64" else None
        estimator = KerasClassifier(epochs=2, random_state=0, model__units=8, dtype=dtype)
        estimator.fit(rows, y)
    found = estimator.network_output(rows)
    assert twin(estimator) is not None
    raw = predict_raw(estimator.model_, rows.astype(found.dtype))
    np.testing.assert_allclose(found, raw, rtol=2e-6, atol=1e-6 * np.abs(raw).max())
    alone = np.concatenate([estimator.predict(rows[i : i + 1]) for i in range(6)])
    np.testing.assert_allclose(alone, estimator.predict(rows)[:6], rtol=1e-12)


def test_other_rows(classifier: KerasClassifier) -> None:
    expected = classifier.predict_proba(X[:3])
    for rows in (X[:3].tolist(), sp.csr_matrix(X[:3]), np.asfortranarray(X[:3])):
        np.testing.assert_array_equal(classifier.predict_proba(rows), expected)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    named = KerasClassifier(epochs=1, random_state=0, model__units=8).fit(frame, Y)
    with pytest.warns(UserWarning, match="valid feature names"):
        named.predict(X[:1])
    np.testing.assert_array_equal(named.predict_proba(frame[:1]), named.predict_proba(frame)[:1])


def test_bad_rows_are_refused_as_ever() -> None:
    estimator = fitted(model__normalize=False)
    estimator.predict(X)
    for rows, message in [
        (np.full((1, 6), np.nan), "NaN"),
        (np.full((1, 6), np.inf), "infinity"),
        (np.full((1, 6), 1e300), "float32"),
        (X[:1, :5], "5 features"),
        (X[0], "2D array"),
        (X[:0], "minimum of 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            estimator.predict(rows)
    with pytest.raises(DivergedError):
        estimator.predict(np.full((1, 6), 3e38))


def test_it_follows_the_network() -> None:
    estimator = fitted(warm_start=True)

    def assert_follows(changed: KerasClassifier) -> np.ndarray:
        found = changed.network_output(X[:4])
        assert twin(changed) is not None
        raw = predict_raw(changed.model_, X[:4].astype("float32"))
        np.testing.assert_allclose(found, raw, atol=2e-6 * np.abs(raw).max())
        return found

    first = assert_follows(estimator)
    sent = pickle.loads(pickle.dumps(estimator))
    assert "_skopt_wrap_numpy" not in vars(sent.model_)
    np.testing.assert_array_equal(assert_follows(sent), first)
    second = assert_follows(estimator.partial_fit(X, Y))
    third = assert_follows(estimator.fit(X, Y))
    weights = [weight * 0.5 for weight in estimator.model_.get_weights()]
    estimator.model_.set_weights(weights)
    fourth = assert_follows(estimator)
    assert len({part.tobytes() for part in (first, second, third, fourth)}) == 4
    np.testing.assert_array_equal(assert_follows(sent), first)
    np.testing.assert_array_equal(assert_follows(copy.deepcopy(estimator)), fourth)


def test_several_inputs_and_outputs() -> None:
    def build() -> keras.Model:
        left, right = keras.Input((2,), name="left"), keras.Input((4,), name="right")
        hidden = keras.layers.Dense(4, "relu")(keras.layers.Concatenate()([left, right]))
        outputs = [keras.layers.Dense(1, name=name)(hidden) for name in ("a", "b")]
        model = keras.Model([left, right], outputs)
        model.compile("adam", ["mse", "mse"])
        return model

    inputs = {"right": [2, 3, 4, 5], "left": [0, 1]}
    y = np.column_stack([Y, X[:, 0]])
    estimator = KerasRegressor(build, inputs=inputs, epochs=1, random_state=0).fit(X, y)
    found = estimator.predict(X[:5])
    assert twin(estimator) is not None
    expected = estimator.model_([X[:5, :2], X[:5, 2:]])
    np.testing.assert_allclose(found, np.hstack(expected), atol=1e-5)


def test_threads(classifier: KerasClassifier) -> None:
    expected = classifier.predict_proba(X)
    with ThreadPoolExecutor(8) as pool:
        rows = [X[i : i + 1] for i in range(len(X))] * 3
        found = np.concatenate(list(pool.map(classifier.predict_proba, rows)))
    np.testing.assert_array_equal(found, np.concatenate([expected] * 3))
