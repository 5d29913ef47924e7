"""Raw texts for model="text": every form of a column, ids, and files that begin at the ids."""

from __future__ import annotations

import pickle
import zlib

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skopt_wrap
from skopt_wrap import CompressedModel, KerasClassifier, KerasRegressor, TunedClassifier
from skopt_wrap._texts import TextEncoder, as_texts, is_text_column
from skopt_wrap.architectures import Architecture, text
from skopt_wrap.exceptions import DataError, ModelError, ParameterError

pd = pytest.importorskip("pandas")
pytest.importorskip("keras")
pytestmark = pytest.mark.keras
SMALL = {"model__n_buckets": 256, "model__embedding_dim": 8, "epochs": 5, "random_state": 0}


@pytest.fixture(scope="module")
def texts():
    """First lines of the docstrings of scikit-learn and pandas, and where each is from."""
    import sklearn

    found = {}
    for module in (np, pd, sklearn.utils, pd.Series, np.ndarray, pd.DataFrame):
        for name in dir(module):
            lines = (getattr(getattr(module, name, None), "__doc__", None) or "").split("\n")
            line = next((line.strip() for line in lines if line.strip()), "")
            if line and line not in found and not name.startswith("_"):
                found[line] = "pandas" if "pandas" in repr(module) else "numpy"
    X, y = list(found), np.array(list(found.values()))
    kept = np.random.default_rng(0).permutation(len(X))[:300]
    return [X[k] for k in kept], y[kept]


@pytest.fixture(scope="module")
def fitted(texts):
    return KerasClassifier("text", **SMALL).fit(*texts)


def test_ids_by_hand():
    encoder = TextEncoder.learn(["b a b", "b c"], n_buckets=10, part_lengths=(2,), pairs=True)
    assert encoder.places == {"b": 3, "a": 4, "c": 5}  # most texts first, then the alphabet
    assert (encoder.n_ids, encoder.n_words) == (3 + 3 + 10, 3)

    def bucket(part):
        return 6 + zlib.crc32(part.encode()) % 10

    (row,) = encoder.encode(["B d"])
    parts = [bucket(part) for part in ("b d", " b", "b ", " d", "d ")]
    assert row.tolist() == [3, 2, 0, *parts, *[0] * (encoder.n_more - 5)]
    assert encoder.encode([None, ""])[:, 0].tolist() == [1, 1]
    same = TextEncoder.from_description(encoder.describe())
    assert (same.encode(["c a x"]) == encoder.encode(["c a x"])).all()


def test_words_that_no_row_has_are_forgotten():
    encoder = TextEncoder.learn(["a b", "c"], n_buckets=4, part_lengths=(2,))
    before = encoder.encode(["a b", "c"])
    new = encoder.forget(before[:1])
    assert list(encoder.places) == ["a", "b"]
    assert (new[before] == encoder.encode(["a b", "c"])).all()


@pytest.mark.parametrize(
    "form",
    [
        lambda X: np.array(X, dtype=object),
        np.array,
        pd.Series,
        lambda X: pd.Series(X, dtype="string"),
        lambda X: pd.DataFrame({"said": X}),
        lambda X: np.array(X)[:, None],
        lambda X: [[item] for item in X],
        lambda X: [item.encode() for item in X],
    ],
)
def test_every_form_of_a_column(texts, fitted, form):
    X = texts[0][:20]
    np.testing.assert_allclose(fitted.predict_proba(form(X)), fitted.predict_proba(X), atol=1e-6)
    assert as_texts(form(X)) == X


def test_missing_texts(texts, fitted):
    some = [None, np.nan, pd.NA, ""]
    p = fitted.predict_proba(some)
    assert (p == p[0]).all()
    X = np.array(texts[0], dtype=object)
    X[::7] = None
    frame = pd.DataFrame({"said": X})
    again = clone(fitted).set_params(epochs=15).fit(frame, texts[1])
    assert again.score(frame, texts[1]) > 0.8
    assert again.feature_names_in_.tolist() == ["said"] and again.n_features_in_ == 1
    assert np.isfinite(fitted.predict_proba([None])).all()


def test_scikit_learn_takes_it(texts, fitted):
    X, y = texts
    one = clone(fitted).set_params(epochs=1)
    assert len(cross_validate(one, X, y, cv=2, error_score="raise")["test_score"]) == 2
    grid = {"model__filters": [4]}
    found = GridSearchCV(one, grid, cv=2, error_score="raise").fit(X, y)
    assert found.best_estimator_.model_.count_params() > fitted.model_.count_params()
    upper = FunctionTransformer(lambda X: [item.upper() for item in X])
    piped = make_pipeline(upper, clone(fitted)).fit(X, y)
    np.testing.assert_allclose(piped.predict_proba(X), fitted.predict_proba(X), atol=1e-5)
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert fitted.__sklearn_tags__().input_tags.string
    before = fitted.text_encoder_
    went_on = pickle.loads(pickle.dumps(fitted)).partial_fit(["quite new words"] * 2, y[:2])
    assert went_on.text_encoder_.places == before.places


def test_it_reaches_tfidf_and_logistic_regression(texts):
    X, X_test, y, y_test = train_test_split(*texts, stratify=texts[1], random_state=0)
    peer = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, y)
    network = KerasClassifier("text", model__n_buckets=2048, random_state=0).fit(X, y)
    assert network.score(X_test, y_test) >= peer.score(X_test, y_test)


def test_numbers_are_learned_from_texts(texts):
    lengths = np.array([len(item) for item in texts[0]], float)
    assert KerasRegressor("text", **SMALL).fit(texts[0], lengths).score(texts[0], lengths) > 0.3


def test_files_begin_at_the_ids(texts, tmp_path):
    X, y = pd.DataFrame({"said": texts[0]}), texts[1]
    small = CompressedModel(KerasClassifier("text", **SMALL), quantization="int8").fit(X, y)
    for preprocessing in ("keep", "fold"):
        path = small.export(tmp_path / "m", preprocessing=preprocessing)
        file = skopt_wrap.LiteRTModel(path)
        encoder = small.estimator_.text_encoder_
        assert TextEncoder.from_description(file.metadata["text"]).places == encoder.places
        assert file.input_dtype == np.int32
        assert (file.predict(X) == small.predict(X)).all()
        np.testing.assert_allclose(file.predict_proba(X), small.predict_proba(X), atol=1e-5)


def test_a_step_in_front_of_texts_stays_in_front(texts, tmp_path):
    X, y = texts
    strip = FunctionTransformer(lambda X: [item.strip() for item in X])
    model = make_pipeline(strip, KerasClassifier("text", **SMALL))
    path = (
        CompressedModel(model, quantization=None)
        .fit(X, y)
        .export(tmp_path / "m", preprocessing="fold")
    )
    (step,) = skopt_wrap.LiteRTModel(path).metadata["preprocessing"]
    assert not step["in_file"] and "ids" in step["reason"]


def test_saved_and_loaded(fitted, texts, tmp_path):
    skopt_wrap.save(fitted, tmp_path / "m.zip")
    again = skopt_wrap.load(tmp_path / "m.zip")
    assert (again.predict_proba(texts[0]) == fitted.predict_proba(texts[0])).all()


def test_auto_takes_texts(texts):
    X, y = texts
    tuned = TunedClassifier("auto", tuner="random", max_trials=1, cv=2, epochs=1, random_state=0)
    assert tuned.fit(X, y).best_params_["model"] == "text"
    assert not is_text_column([[1.0]]) and not is_text_column(np.array([["a"], ["b"]] * 9))


@pytest.mark.parametrize(
    "X,told",
    [
        ([1, 2, 3], "holds 1 (int) in row 0"),
        (["a", 3, "b"], "holds 3 (int) in row 1"),
        (np.zeros((3, 2)), "has 2 columns"),
        (pd.DataFrame({"a": ["x"] * 3, "b": ["y"] * 3}), "has 2 columns (a, b)"),
        ([None] * 3, "missing values only"),
        ([], "0 sample"),
        ("one", "is one text"),
        ([b"\xff", b"a", b"c"], "no UTF-8, in row 0"),
        ([{"a": 1}] * 3, "(dict)"),
    ],
)
def test_what_is_no_text_is_told(X, told):
    with pytest.raises(DataError) as error:
        KerasClassifier("text").fit(X, [0, 1, 0])
    assert told in str(error.value)


def test_settings_that_cannot_be_are_told(texts):
    X, y = texts
    bad = {"max_words": 0, "n_buckets": -1, "part_lengths": "3", "max_length": 0, "filters": -1}
    for name, value in bad.items():
        with pytest.raises(ParameterError, match=f"model__{name}"):
            KerasClassifier("text", **{f"model__{name}": value}).fit(X, y)
    with pytest.raises(DataError, match="partial_fit"):
        KerasClassifier("text").fit_dataset(lambda: iter([(np.array(X[:4]), y[:4])]))
    with pytest.raises(ModelError, match="number of ids"):
        text({"X_shape_": (3, 4), "n_outputs_expected_": 1})
    augment = skopt_wrap.AugmentingSampler("auto")
    with pytest.raises(ParameterError, match="in front"):
        KerasClassifier("text", augment=augment).fit(X, y)


def test_a_builder_of_the_users_reads_texts(texts):
    import keras

    def bag(meta, *, max_words=50):
        ids = keras.Input(meta["X_shape_"][1:], dtype="int32")
        vectors = keras.layers.Embedding(meta["n_ids_"], 4)(ids)
        hidden = keras.layers.GlobalAveragePooling1D()(vectors)
        return keras.Model(ids, keras.layers.Dense(meta["n_outputs_expected_"])(hidden))

    model = KerasClassifier(Architecture("bag", bag, texts=True), epochs=1).fit(*texts)
    assert len(model.text_encoder_.places) <= 50
    assert as_texts(["a"]) == ["a"] and model.predict(["a"]).shape == (1,)
