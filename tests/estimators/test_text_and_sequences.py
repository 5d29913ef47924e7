"""X that holds text, or sequences of unequal length; networks that take any number of steps."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.estimators._inputs._sequences import sequences, text_rows
from skopt_wrap.exceptions import DataError, InputWarning, ParameterError

keras = pytest.importorskip("keras")
pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.keras
layers = keras.layers

FAST = {"epochs": 25, "optimizer__learning_rate": 0.05, "random_state": 0}
TEXTS = np.random.default_rng(0).choice(["good film", "bad film", "so so"], 64)
GOOD = (TEXTS == "good film").astype(int)


def words():
    vectorize = layers.TextVectorization(output_mode="multi_hot", vocabulary=["good", "bad", "so"])
    return keras.Sequential([keras.Input((), dtype="string"), vectorize, layers.Dense(1)])


def lookup():
    layer = layers.StringLookup(vocabulary=sorted(set(TEXTS)), output_mode="one_hot")
    return keras.Sequential([keras.Input((1,), dtype="string"), layer, layers.Dense(1)])


def hashed():
    layer = layers.Hashing(32, output_mode="one_hot")
    return keras.Sequential([keras.Input((1,), dtype="string"), layer, layers.Dense(1)])


def category_codes():
    table = layers.StringLookup(vocabulary=sorted(set(TEXTS)))
    code = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")
    return keras.Sequential([keras.Input((1,), dtype="string"), table, code, layers.Dense(1)])


@pytest.mark.parametrize("build", [words, lookup, hashed, category_codes])
def test_layers_for_text_train(build):
    classifier = KerasClassifier(build, **FAST).fit(TEXTS, GOOD)
    assert classifier.fit_path_ == "fused" and classifier.score(TEXTS, GOOD) == 1.0
    assert classifier.n_features_in_ == 1
    other = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(other.predict_proba(TEXTS), classifier.predict_proba(TEXTS))


FORMS = {
    "list": lambda texts: texts.tolist(),
    "array": lambda texts: texts,
    "object array": lambda texts: texts.astype(object),
    "column": lambda texts: texts[:, None],
    "Series": pd.Series,
    "frame": lambda texts: pd.DataFrame({"text": texts}),
    "categorical": lambda texts: pd.Series(texts, dtype="category"),
    "bytes": lambda texts: texts.astype("S"),
}


@pytest.mark.parametrize("form", FORMS)
def test_text_comes_in_every_form(form):
    rows = text_rows(FORMS[form](TEXTS))
    assert rows.shape == (64, 1) and rows.dtype == object
    same = rows[0, 0].decode() if form == "bytes" else rows[0, 0]
    assert same == TEXTS[0]


@pytest.mark.parametrize("X", [[[1.0]], np.eye(2), ["a", 1], pd.DataFrame({"a": ["x"], "b": [1]})])
def test_other_data_are_no_text(X):
    assert text_rows(X) is None


def test_missing_text_is_named():
    with pytest.raises(DataError, match="missing values, the first in row 1"):
        KerasClassifier(words).fit(["good", None, "bad"], [0, 1, 0])


def test_text_trains_by_fit_of_keras_too():
    settings = {**FAST, "epochs": 2, "compile__run_eagerly": True}
    classifier = KerasClassifier(words, **settings).fit(TEXTS, GOOD)
    assert classifier.fit_path_ == "fit: run_eagerly=True"


def test_instance_that_takes_text_is_copied():
    classifier = KerasClassifier(words(), validation_split=0.2, **FAST).fit(list(TEXTS), GOOD)
    assert classifier.score(list(TEXTS), GOOD) == 1.0


def test_text_and_numbers_are_not_mistaken():
    numbers = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    with pytest.raises(DataError, match="holds text such as"):
        KerasClassifier(numbers).fit(TEXTS, GOOD)
    with pytest.raises(DataError, match="takes text there"):
        KerasClassifier(words).fit(GOOD[:, None], GOOD)
    written = np.array([["1"], ["2"]] * 8, dtype=object)
    assert KerasRegressor(numbers, epochs=1).fit(written, np.arange(16.0)).n_iter_ == 1
    with pytest.raises(DataError, match="must hold numbers"):
        KerasClassifier("cnn").fit(TEXTS[:, None], GOOD)


@pytest.fixture(scope="module")
def steps():
    """Return sequences of 2 to 8 steps, and whether their features sum to more than 0."""
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(rng.integers(2, 9), 2)) for _ in range(64)]
    return rows, np.array([int(row.sum() > 0) for row in rows])


@pytest.mark.parametrize("name", ["lstm", "cnn"])
def test_sequences_of_unequal_length_train_named_networks(steps, name):
    X, y = steps
    classifier = KerasClassifier(name, **{**FAST, "optimizer__learning_rate": 0.02}).fit(X, y)
    longest = max(map(len, X))
    assert classifier.score(X, y) > 0.9 and classifier.sequence_length_ == longest
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(classifier.predict_proba(X[:3]), expected[:3], atol=1e-6)
    cells = np.empty(len(X), dtype=object)
    cells[:] = X
    np.testing.assert_array_equal(classifier.predict_proba(cells), expected)
    other = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(other.predict_proba(X), expected, atol=1e-6)
    with pytest.warns(InputWarning, match="1 sequence of more than"):
        long = classifier.predict_proba([np.vstack([X[0], np.zeros((longest, 2))])])
    cut = np.vstack([X[0], np.zeros((longest - len(X[0]), 2))])
    np.testing.assert_allclose(long, classifier.predict_proba([cut]), atol=1e-6)


def test_steps_that_were_added_do_not_count(steps):
    X, y = steps
    fits = [
        KerasClassifier("lstm", model__max_length=n, **{**FAST, "epochs": 2}).fit(X, y)
        for n in (8, 20)
    ]
    assert fits[1].X_shape_ == (64, 20, 3)
    np.testing.assert_allclose(fits[1].predict_proba(X), fits[0].predict_proba(X), atol=1e-5)


def test_token_ids_of_unequal_length():
    rng = np.random.default_rng(0)
    X = [rng.integers(0, 9, rng.integers(2, 6)).tolist() for _ in range(64)]
    y = np.array([int(max(row) > 6) for row in X])
    classifier = KerasClassifier("lstm", **FAST).fit(X, y)
    assert classifier.score(X, y) > 0.9
    embedding = next(x for x in classifier.model_.layers if isinstance(x, layers.Embedding))
    assert embedding.mask_zero and embedding.input_dim == 10
    with pytest.raises(DataError, match="ids begin at 0"):
        classifier.predict([[-1, 2]])
    limited = KerasClassifier("lstm", model__max_length=3, epochs=1).fit(X, y)
    assert limited.X_shape_ == (64, 3) and limited.predict([[1] * 9]).shape == (1,)


def test_max_length_is_checked(steps):
    X, y = steps
    with pytest.raises(ParameterError, match="model__max_length must be an int"):
        KerasClassifier("lstm", model__max_length=0).fit(X, y)
    with pytest.raises(ParameterError, match="is for sequences"):
        KerasClassifier("cnn", model__max_length=4).fit(np.zeros((64, 4, 4, 1)), y)
    with pytest.raises(DataError, match="unlike shapes"):
        KerasClassifier("lstm").fit([np.zeros((2, 2)), np.zeros((3, 1))], [0, 1])
    with pytest.raises(DataError, match=r"samples of unequal length.*'lstm'"):
        KerasClassifier("dense").fit(X, y)
    with pytest.raises(DataError, match="NaN"):
        KerasClassifier("lstm").fit([[1.0, np.nan], [1.0]], [0, 1])


def test_own_network_gets_zeros_behind_the_end(steps):
    X, y = steps

    def builder(mask=True):
        parts = [layers.Masking()] if mask else []
        return keras.Sequential([keras.Input((None, 2)), *parts, layers.LSTM(4), layers.Dense(1)])

    classifier = KerasClassifier(builder, **FAST).fit(X, y)
    assert classifier.score(X, y) > 0.8
    longer = [np.vstack([row, np.zeros((20, 2))]) for row in X]
    np.testing.assert_allclose(
        classifier.predict_proba(longer), classifier.predict_proba(X), atol=1e-5
    )
    with pytest.warns(InputWarning, match="no layer of .* masks them"):
        KerasClassifier(builder, mask=False, epochs=1).fit(X, y)


def test_network_that_takes_any_number_of_steps():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(32, 5, 2)), np.arange(32) % 2

    def builder():
        return keras.Sequential([keras.Input((None, 2)), layers.LSTM(4), layers.Dense(1)])

    classifier = KerasClassifier(builder, epochs=1, random_state=0)
    classifier.fit(X, y, X_val=np.zeros((4, 9, 2)), y_val=[0, 1, 0, 1])
    longer = np.zeros((3, 9, 2))
    expected = classifier.model_.predict(longer, verbose=0)[:, 0]
    np.testing.assert_allclose(classifier.decision_function(longer), expected, atol=1e-6)
    assert classifier.partial_fit(longer, [0, 1, 1]).n_iter_ == 2
    with pytest.raises(DataError, match="rows of shape"):
        classifier.predict(np.zeros((3, 9, 3)))

    def tokens():
        parts = [keras.Input((None,), dtype="int32"), layers.Embedding(10, 2), layers.LSTM(2)]
        return keras.Sequential([*parts, layers.Dense(1)])

    classifier = KerasClassifier(tokens, epochs=1).fit(rng.integers(0, 10, (32, 5)), y)
    assert classifier.predict(np.ones((3, 7), int)).shape == (3,)


def test_ragged_tensors_are_sequences():
    tf = pytest.importorskip("tensorflow")
    rows = sequences(tf.ragged.constant([[1, 2], [3]]), always=False)
    assert rows == [[1, 2], [3]]


def test_stateful_network_with_a_fixed_batch():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 5, 2)), np.arange(64) % 2

    def builder():
        parts = [keras.Input(batch_shape=(32, 5, 2)), layers.LSTM(4, stateful=True)]
        return keras.Sequential([*parts, layers.Dense(1)])

    for eager in (False, True):
        settings = {"compile__run_eagerly": True} if eager else {}
        classifier = KerasClassifier(builder, epochs=2, fit__shuffle=False, **settings).fit(X, y)
        raw = classifier.decision_function(X)
        classifier.model_.layers[0].reset_state()
        expected = classifier.model_.predict(X, batch_size=32, verbose=0)[:, 0]
        np.testing.assert_allclose(raw, expected, atol=1e-5)
        np.testing.assert_array_equal(classifier.decision_function(X), raw)
        assert classifier.predict(X[:5]).shape == (5,)
    with pytest.raises(ParameterError, match="give batch_size=32"):
        KerasClassifier(builder, batch_size=16).fit(X, y)
    with pytest.raises(DataError, match="give 32 or 64 rows"):
        KerasClassifier(builder).fit(X[:40], y[:40])
