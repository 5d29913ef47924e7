"""The short way of prediction gives what the long one gives."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skopt_wrap import CompressedModel, KerasClassifier, KerasRegressor


def _long(model, X):
    return model.runtime_(model._fast().network.network_input(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_short_way_equals_the_long_one(compressed, digits, dtype, n):
    X = digits[0][:n].astype(dtype)
    fast = compressed._fast()
    assert fast.short(X) is not None
    np.testing.assert_array_equal(fast.short(X), _long(compressed, X))
    labels = compressed.predict(X)
    np.testing.assert_array_equal(labels, compressed.predict(X.tolist()))
    assert labels.dtype == compressed.classes_.dtype
    np.testing.assert_array_equal(
        compressed.predict_proba(X), compressed.predict_proba(X.astype(object).astype(float))
    )


@pytest.mark.parametrize("names", [("no", "yes"), ("a", "b", "c")])
def test_short_way_gives_labels_of_their_own(blobs, names):
    X, y = blobs
    X, y = X[y < len(names)], np.array(names)[y[y < len(names)]]
    network = KerasClassifier(epochs=15, optimizer__learning_rate=1e-2, random_state=0)
    model = CompressedModel(network, quantization=None).fit(X, y)
    expected = model.predict(X)
    single = np.concatenate([model.predict(row[None]) for row in X])
    np.testing.assert_array_equal(single, expected)
    first = model.predict(X[:1])
    first[0] = "?"  # what is returned belongs to the caller
    np.testing.assert_array_equal(model.predict(X[:1]), expected[:1])
    assert model.score(X, y) > 0.9


def test_short_way_of_a_regressor(line):
    X, y = line
    model = CompressedModel(KerasRegressor(epochs=5, random_state=0)).fit(X, y)
    assert model.predict(X[:1]).shape == (1,)
    np.testing.assert_array_equal(model.predict(X[:1]), model.predict(X.tolist()[:1]))


def test_odd_rows_go_the_long_way_to_their_errors(compressed, digits):
    X = digits[0][:1].copy()
    X[0, 3] = np.nan  # which the network fills
    np.testing.assert_array_equal(compressed.predict(X), compressed.estimator_.predict(X))
    for bad in (np.inf, 1e300):
        X[0, 3] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            compressed.predict(X)
    with pytest.raises(ValueError, match="features"):
        compressed.predict(X[:, :5])
    with pytest.raises(ValueError, match="1D"):
        compressed.predict(X[0])
    with pytest.raises(ValueError, match="0 sample"):
        compressed.predict(digits[0][:0])
    X[0, 3] = 1e25  # finite, and too large for the check of the short way
    assert compressed.predict(X).shape == (1,)


def test_frames_keep_their_warning(blobs):
    pandas = pytest.importorskip("pandas")
    X, y = blobs
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = CompressedModel(KerasClassifier(epochs=1), quantization=None).fit(frame, y)
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(X[:1])


def test_prediction_changes_nothing_and_survives_pickling(compressed, digits):
    X = digits[0][:3]
    before = dict(vars(compressed))
    expected = compressed.predict(X)
    assert vars(compressed) == before
    copied = pickle.loads(pickle.dumps(compressed))
    assert "_fast_path" in vars(copied)
    assert "_fast_path" not in compressed.__getstate__()
    np.testing.assert_array_equal(copied.predict(X), expected)


def test_estimator_predicts_in_many_threads(compressed, digits):
    X = digits[0]
    expected = compressed.predict(X)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda i: compressed.predict(X[i : i + 1])[0], range(200)))
    np.testing.assert_array_equal(found, expected[:200])
