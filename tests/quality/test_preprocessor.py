"""make_preprocessor: what is chosen for which column, and that nothing leaks."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skopt_wrap import make_preprocessor

N = 200
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, N)


def table(library=pd):
    rng = np.random.default_rng(1)
    return library.DataFrame({
        "size": rng.normal(size=N), "income": rng.lognormal(sigma=1.5, size=N),
        "city": rng.choice(["Oslo", "Rome", "Bonn"], N).tolist(),
        "street": [f"street{v}" for v in rng.integers(0, 60, N)],
        "smoker": rng.choice(["yes", "no"], N).tolist(), "web": ["x"] * N,
        "text": [f"a {w} day in {c} number {i}" for i, (w, c) in enumerate(
            zip(rng.choice(["good", "bad", "long", "short"], N),
                rng.choice(["may", "june", "july", "winter"], N), strict=True))],
    })  # fmt: skip


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("estimator", ["network", "linear", "trees"])
def test_every_sort_of_column_becomes_numbers(library, estimator):
    X = table(library)
    preprocessor = make_preprocessor(X, Y, estimator=estimator)
    out = preprocessor.fit_transform(X, Y)
    assert out.shape[0] == N and np.isfinite(np.asarray(out, dtype=float)).all()
    assert out.shape[1] == 1 + 1 + (1 if estimator == "trees" else 3) + 1 + 1 + 10
    again = preprocessor.transform(X[:7])
    assert again.shape == (7, out.shape[1])
    told = preprocessor.explain()
    assert "web: dropped" in told and "size: number" in told and "income: skewed" in told
    assert "street: many categories" in told and "text: free text" in told


def test_arrays():
    X = table().to_numpy(dtype=object)
    out = make_preprocessor(X, Y).fit_transform(X, Y)
    assert out.shape == make_preprocessor(table(), Y).fit_transform(table(), Y).shape


@pytest.mark.filterwarnings("ignore::skopt_wrap.exceptions.DataChangedWarning")  # rare levels
def test_a_planted_target_copy_made_by_encoding_does_not_score():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"code": [f"c{v}" for v in rng.permutation(N) // 2]})  # 100 random levels
    y = rng.integers(0, 2, N)
    for encoding in ("auto", "target"):
        model = make_pipeline(make_preprocessor(X, y, encoding=encoding), LogisticRegression())
        assert cross_val_score(model, X, y, cv=5).mean() < 0.62


@pytest.mark.parametrize("selection", [3, "mutual_info", "l1", "auto"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_selection_keeps_what_tells(selection):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 8)), columns=list("abcdefgh"))
    X["told"] = Y + 0.3 * X["a"]
    preprocessor = make_preprocessor(X, Y, selection=selection)
    out = preprocessor.fit_transform(X, Y)
    assert 1 <= out.shape[1] < 9
    assert np.abs([np.corrcoef(column, Y)[0, 1] for column in out.T]).max() > 0.8


@pytest.mark.parametrize("reduction", ["pca", "svd", "target"])
@pytest.mark.parametrize("classes", [True, False])
def test_reduction(reduction, classes):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 6)), columns=list("abcdef"))
    y = Y if classes else X["a"].to_numpy() * 1.5
    out = make_preprocessor(X, y, reduction=reduction).fit_transform(X, y)
    assert out.shape[0] == N and 1 <= out.shape[1] <= 6


def test_clone_pickle_and_search():
    X = table()[["size", "income", "city"]]
    preprocessor = make_preprocessor(X, Y, selection=2)
    assert clone(preprocessor).explain() == preprocessor.explain()
    fitted = preprocessor.fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    model = make_pipeline(preprocessor, LogisticRegression())
    search = GridSearchCV(model, {"preprocessor__select__k": [1, 3]}, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"estimator": "tree"}, "Did you mean 'trees'"),
        ({"scaling": "standart"}, "Did you mean 'standard'"),
        ({"encoding": "one-hot"}, "Did you mean 'onehot'"),
        ({"selection": "mutual"}, "Did you mean 'mutual_info'"),
        ({"selection": 0}, "at least 1"),
        ({"reduction": "pcs"}, "Did you mean 'pca'"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_preprocessor(table(), Y, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"encoding": "target"}, {"selection": 3}, {"reduction": "target"}]
)
def test_parts_that_need_a_target_say_so(arguments):
    with pytest.raises(ValueError, match="pass y"):
        make_preprocessor(table(), **arguments)
