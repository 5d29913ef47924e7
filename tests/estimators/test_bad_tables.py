"""Tables as people have them: a sane result, or words that help, of every architecture."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap.exceptions import DataChangedWarning, DataError, InputWarning, ParameterError

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

# Without a graph, of which every network here would need one of its own.
EAGER = {"compile__run_eagerly": True, "epochs": 1, "batch_size": 4096, "random_state": 0}
MODELS = {
    "dense": {"model__units": 4, "model__n_layers": 1},
    "realmlp": {"model__units": 4, "model__n_layers": 1, "early_stopping": False},
    "tabm": {
        "model__units": 4,
        "model__n_layers": 1,
        "model__n_members": 2,
        "model__n_bins": 4,
        "early_stopping": False,
    },
}
N = 60


@pytest.fixture(params=MODELS)
def classifier(request):
    return KerasClassifier(request.param, **EAGER, **MODELS[request.param])


def frame(n=N, **columns):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"size": rng.normal(size=n), "town": rng.choice(list("abc"), n), **columns})


def labels(n=N):
    return np.arange(n) % 2


def one_value_a_row():
    return frame(code=pd.Categorical([f"c{i}" for i in range(N)]))


def missing_and_constant():
    return frame(
        gap=np.nan,
        empty=None,
        none=pd.Categorical([None] * N),
        same=3.0,
        word="always",
        large=1e30,
        tiny=np.full(N, 1e-38),
        whole=pd.array([1, None] * (N // 2), dtype="Int64"),
        flag=pd.array([True, None] * (N // 2), dtype="boolean"),
    )


@pytest.mark.parametrize("make", [one_value_a_row, missing_and_constant])
def test_odd_columns_are_taken(classifier, make):
    X = make()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", InputWarning)
        classifier.fit(X, labels())
    told = [str(w.message) for w in found if w.category is InputWarning]
    assert len(told) == (make is one_value_a_row)
    assert not told or ("'code'" in told[0] and "do not repeat" in told[0])
    p = classifier.predict_proba(X)
    assert p.shape == (N, 2) and np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    # Rows with a gap where training rows had none, and values that no training row had.
    other = X.assign(size=np.nan, town="new")
    with pytest.warns(DataChangedWarning, match=r"'town'.*'new'"):
        assert np.isfinite(classifier.predict_proba(other)).all()


def test_ten_thousand_categories_are_taken(classifier):
    n = 20_000
    X = pd.DataFrame(
        {"size": np.random.default_rng(0).normal(size=n), "code": pd.Categorical(np.arange(n) // 2)}
    )
    classifier.fit(X, labels(n))
    assert len(classifier.table_encoder_.categories[1]) == 10_000
    assert np.isfinite(classifier.predict_proba(X[:50])).all()
    last = classifier.model_.count_params()
    assert 80_000 < last < 120_000  # 8 numbers for each category


@pytest.mark.parametrize(
    "columns,words",
    [
        ({"note": [f"text no {i}" for i in range(N)]}, ["'note'", "text no 0", "TfidfVectorizer"]),
        ({"bad": [np.inf] * N}, ["infinity"]),
        ({"bad": [-np.inf, *[0.0] * (N - 1)]}, ["infinity"]),
        ({"day": pd.date_range("2024-01-01", periods=N)}, ["day"]),
        ({"cell": [{"a": 1}] * N}, ["dict"]),
    ],
)
def test_what_is_no_table_is_refused_before_training(classifier, columns, words):
    with pytest.raises((ValueError, TypeError)) as error:
        classifier.fit(frame(**columns), labels())
    assert all(word in str(error.value) for word in words)
    assert not hasattr(classifier, "model_")


def test_a_table_that_changed_since_fit_is_refused_by_name(classifier):
    X = frame()
    classifier.fit(X, labels())
    with pytest.raises(ValueError, match=r"(?s)feature names.*width"):
        classifier.predict(X.rename(columns={"size": "width"}))
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(X[["size"]])
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(X[["town", "size"]])
    with pytest.raises(DataError, match=r"'size' held numbers in fit.*'big'"):
        classifier.predict(X.assign(size="big"))
    with pytest.raises(DataError, match="'town' held categories such as 'a' in fit"):
        classifier.predict(X.assign(town=3.5))


@pytest.mark.parametrize("members", [0, -1, 2.0, True, "many"])
@pytest.mark.parametrize("name", MODELS)
def test_members_must_be_a_count(name, members):
    with pytest.raises(ParameterError, match="members must be None or an int >= 1"):
        KerasClassifier(name, members=members).fit(frame(), labels())
    with pytest.raises(ParameterError, match="members must be None or an int >= 1"):
        KerasRegressor(name, members=members).fit(frame(), labels())
