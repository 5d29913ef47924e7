"""Tables as people have them: gaps, categories, text, and columns that change."""

from __future__ import annotations

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils import get_tags

from skopt_wrap import KerasClassifier, KerasRegressor
from skopt_wrap._keras import shareable_key
from skopt_wrap.architectures import dense
from skopt_wrap.estimators import FitJob, fit_together
from skopt_wrap.estimators._tables._encoder import TableEncoder
from skopt_wrap.estimators._tables._statistics import center_and_factor, weighted_quantiles
from skopt_wrap.exceptions import DataChangedWarning, DataError, InputWarning, ParameterError

N = 120


def frame(n=N, seed=0):
    """Return a table with numbers of any scale, gaps, and categories of every kind."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "income": rng.normal(5e4, 1e4, n),
            "share": rng.beta(1, 9, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "town": rng.choice([f"town {k}" for k in range(12)], n),
            "member": rng.random(n) > 0.5,
            "sex": pd.Categorical(rng.choice(["f", "m"], n)),
        }
    )
    table["colour"] = table["colour"].astype(object)
    y = ((table["colour"] == "red") ^ table["member"]).astype(int).to_numpy()
    table.loc[::7, "income"] = np.nan
    table.loc[::11, "colour"] = None
    return table, y


def classifier(**settings):
    return KerasClassifier(**{"epochs": 3, "random_state": 0, "model__units": 16, **settings})


@pytest.fixture(scope="module")
def fitted():
    table, y = frame()
    return classifier(epochs=60, optimizer__learning_rate=0.01).fit(table, y)


def test_weighted_quantiles_are_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values, weights = rng.normal(size=9).round(1), rng.integers(1, 4, 9)
        given = (0.25, 0.5, 0.75)
        expected = np.quantile(np.repeat(values, weights), given, method="inverted_cdf")
        np.testing.assert_array_equal(weighted_quantiles(values, weights, given), expected)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1.0, 2.0, 3.0, 4.0], (2.0, 0.5)),
        ([5.0, 5.0, 5.0, 5.0, 9.0], (5.0, 0.5)),  # no interquartile range: half of the whole range
        ([5.0, 5.0, np.nan], (5.0, 0.0)),
        ([np.nan, np.nan], (0.0, 0.0)),
        ([0.1 + 0.2, 0.3, 0.3], (0.3, 0.0)),
    ],
)
def test_center_and_factor_by_hand(column, expected):
    found = center_and_factor(np.array(column), np.ones(len(column)))
    np.testing.assert_allclose(found, expected)


def test_prepared_columns_by_hand():
    X = pd.DataFrame({"x": [0.0, 2.0, 4.0, 8.0, np.nan], "c": list("abcab"), "d": list("uvuvu")})
    network = classifier(epochs=1).fit(X, [0, 1, 0, 1, 0])
    prepared = network.model_.layers[1](network.network_input(X)).numpy()
    z = (np.array([0.0, 2.0, 4.0, 8.0, 2.0]) - 2) / 4
    np.testing.assert_allclose(prepared[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6)
    assert prepared[:, 1:4].tolist() == np.eye(3)[[0, 1, 2, 0, 1]].tolist()
    assert prepared[:, 4].tolist() == [-1, 1, -1, 1, -1]
    assert prepared[:, 5].tolist() == [0, 0, 0, 0, 1]


def test_a_frame_with_gaps_and_categories_is_learned(fitted):
    table, y = frame()
    assert fitted.score(table, y) > 0.9
    assert fitted.table_encoder_.categories[2] == ["blue", "green", "red"]
    assert [type(layer).__name__ for layer in fitted.model_.layers].count("Embedding") == 1


def test_predictions_survive_pickle_and_other_containers(fitted):
    table, _ = frame()
    expected = fitted.predict_proba(table)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(table), expected)
    columns = {name: table[name].astype(object).where(table[name].notna(), None) for name in table}
    polars = pl.DataFrame({name: values.to_list() for name, values in columns.items()})
    np.testing.assert_array_equal(fitted.predict_proba(polars), expected)
    text = table.astype({"colour": "string", "town": "category", "member": "boolean"})
    np.testing.assert_array_equal(fitted.predict_proba(text), expected)


def test_an_array_of_objects_is_a_table_too():
    table, y = frame()
    cells = table.drop(columns="sex").to_numpy(dtype=object)
    network = classifier().fit(cells, y)
    assert sorted(network.table_encoder_.categories) == [2, 3]  # bools are numbers in an array
    assert network.predict(cells.tolist()).shape == y.shape


def test_unseen_and_missing_categories_have_a_place(fitted):
    table, _ = frame()
    new = table.head(3).copy()
    new["colour"], new["town"] = ["violet", None, "red"], ["Rome", None, "town 1"]
    with pytest.warns(DataChangedWarning, match=r"'colour' \('violet'\), 'town' \('Rome'\)"):
        found = fitted.predict_proba(new)
    new.loc[0, ["colour", "town"]] = None
    np.testing.assert_array_equal(fitted.predict_proba(new), found)


def test_scale_and_offset_of_a_column_do_not_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    changed = X * [1.0, 1e4, 1e-4] + [0.0, 1e5, 0.0]
    expected = classifier().fit(X, y).predict_proba(X)
    found = classifier().fit(changed, y).predict_proba(changed)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_fits_on_other_rows_share_a_traced_graph():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = (X[:, 0] > 0).astype(int)
    keys = {shareable_key(classifier(epochs=1).fit(X[rows], y[rows]).model_)
            for rows in (slice(0, 60), slice(20, 80))}  # fmt: skip
    assert len(keys) == 1 and None not in keys


def test_normalize_false_is_the_network_without_the_layer():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.arange(40) % 2
    network = classifier(model__normalize=False).fit(X, y)
    assert [type(layer).__name__ for layer in network.model_.layers] == [
        *("InputLayer", "Dense", "Activation", "Dense", "Activation", "Dense")
    ]
    with pytest.raises(ValueError, match="NaN"):
        network.fit(np.where(X > 2, np.nan, X), y)
    with pytest.raises(DataError, match="Column 'colour' holds text"):
        network.fit(*frame())


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        (sp.random(40, 3, density=0.5, format="csr", random_state=0), {}),
        (np.ones((40, 3, 2)), {}),
        (np.ones((40, 3)), {"model": dense}),
    ],
    ids=["sparse", "three dimensions", "builder"],
)
def test_what_is_not_prepared(rows, settings):
    network = classifier(**settings).fit(rows, np.arange(40) % 2)
    assert network.table_ is None
    assert "PreparedTable" not in [type(layer).__name__ for layer in network.model_.layers]


def test_tags_depend_on_the_model():
    kinds = [("dense", True, False), (dense, False, True), ("cnn", False, False)]
    for model, tables, text in kinds:
        tags = get_tags(KerasClassifier(model)).input_tags
        assert (tags.allow_nan, tags.categorical, tags.string) == (tables, tables, text)
    assert not get_tags(KerasClassifier(model__normalize=False)).input_tags.allow_nan


def test_weights_count_as_repeated_rows_in_what_is_learned():
    table, y = frame(40)
    weights = np.random.default_rng(0).integers(0, 3, 40)
    rows = np.repeat(np.arange(40), weights)
    weighted = classifier(epochs=1).fit(table, y, sample_weight=weights)
    repeated = classifier(epochs=1).fit(table.iloc[rows], y[rows])
    assert weighted.table_encoder_.categories == repeated.table_encoder_.categories
    assert weighted.table_.columns == repeated.table_.columns
    np.testing.assert_array_equal(weighted.table_.center, repeated.table_.center)
    np.testing.assert_array_equal(weighted.table_.factor, repeated.table_.factor)


def test_only_training_rows_are_learned_from():
    X = np.arange(100.0).reshape(-1, 1)
    y = np.arange(100) % 2
    alone = classifier(epochs=1).fit(X[:50], y[:50])
    validated = classifier(epochs=1).fit(X[:50], y[:50], X_val=1e3 * X[50:], y_val=y[50:])
    np.testing.assert_array_equal(alone.table_.factor, validated.table_.factor)
    frame = pd.DataFrame({"c": ["a", "b"] * 30 + ["only held out"]})
    split = classifier(epochs=1, validation_split=0.5)
    found = {tuple(split.set_params(random_state=s).fit(frame, y[:61]).table_encoder_.categories[0])
             for s in range(4)}  # fmt: skip
    assert ("a", "b") in found


def test_training_goes_on_with_what_the_first_fit_learned():
    table, y = frame()
    network = classifier(warm_start=True).fit(table, y)
    first, layout = network.table_, network.table_encoder_.categories
    network.fit(table.assign(income=table["income"] * 100), y)
    network.partial_fit(table.head(20), y[:20])
    assert network.table_ is first and network.table_encoder_.categories == layout
    assert network.n_iter_ == 7


def test_datasets_go_on_with_numbers_and_start_unprepared():
    import tensorflow as tf

    X = np.random.default_rng(0).normal(5, 3, (40, 3)).astype("float32")
    y = np.arange(40) % 2
    batches = tf.data.Dataset.from_tensor_slices((X, y)).batch(20)
    fresh = classifier(epochs=1).fit_dataset(batches, classes=[0, 1])
    assert fresh.table_ is None
    network = classifier(warm_start=True).fit(X, y)
    network.fit_dataset(batches)
    assert network.table_ is not None and network.n_iter_ == 6
    table, labels = frame(40)
    with pytest.raises(DataError, match="partial_fit"):
        classifier(warm_start=True).fit(table, labels).fit_dataset(batches)


@pytest.mark.parametrize("mixed", [False, True], ids=["numbers", "categories"])
def test_fits_together_give_what_single_fits_give(mixed):
    table, y = frame()
    X = table if mixed else table[["income", "share"]]
    parts = [np.arange(0, 80), np.arange(30, 120)]
    jobs = [FitJob(classifier(), X, y, rows=rows) for rows in parts]
    outcomes = fit_together(jobs)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert {outcome.path for outcome in outcomes} == ({"fused"} if mixed else {"joint"})
    for job, rows in zip(jobs, parts, strict=True):
        alone = clone(job.estimator).fit(X.iloc[rows], y[rows])
        np.testing.assert_allclose(
            job.estimator.predict_proba(X), alone.predict_proba(X), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("from_dtype", [2, 3, 4, 5]),
        (["colour", "share"], [1, 2]),
        ([3, 4], [3, 4]),
        ([False, False, True, False, False, True], [2, 5]),
    ],
)
def test_declared_categories(given, found):
    table, _ = frame()
    numbers = {"colour": "red", "town": "town 3", "sex": "f"}
    if not isinstance(given, str):  # columns that are not declared have to be numbers
        for number, name in enumerate(table):
            if name in numbers and number not in found:
                table[name] = 1.0
    if 1 in found:
        table["share"] = (table["share"] * 5).astype(int)
    assert sorted(TableEncoder.learn(table, given)[0].categories) == found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["colours"], "Did you mean 'colour'"),
        ([9], "X has 6 columns"),
        ([True], "holds 1 bools"),
        ([1.5], "categorical_features must be"),
    ],
)
def test_categories_that_are_not_there(given, message):
    with pytest.raises(ParameterError, match=message):
        classifier(categorical_features=given).fit(*frame())


def test_categories_without_effect_are_refused():
    with pytest.raises(ParameterError, match=r"categorical_features=.* has no effect"):
        classifier(model=dense, categorical_features=[0]).fit(np.ones((4, 2)), [0, 1, 0, 1])


def test_a_builder_with_a_parameter_of_that_name_is_told_how_to_write_it():
    import keras

    def build(meta, categorical_features=3):
        inputs = keras.Input(meta["X_shape_"][1:])
        return keras.Model(inputs, keras.layers.Dense(1)(inputs))

    X, y = np.ones((4, 2)), [0, 1, 0, 1]
    with pytest.raises(ParameterError, match=r"model__categorical_features=\.\.\."):
        KerasClassifier(build).fit(X, y)
    KerasClassifier(build, model__categorical_features=2, epochs=1).fit(X, y)


def bad(name):
    """Return a table that cannot be used, or one that can and looks as if it could not."""
    table, y = frame()
    if name == "one value a row":
        table["town"] = [f"customer {k}" for k in range(N)]
    elif name == "sentences":
        table["town"] = [f"The parcel {k} was late." for k in range(N)]
    elif name == "dates":
        table["day"] = pd.Timestamp("2026-01-01")
    elif name == "dates as objects":
        table["day"] = pd.Series([datetime.date(2026, 1, 1)] * N, dtype=object)
    elif name == "infinite":
        table.loc[5, "income"] = np.inf
    elif name == "dict":
        table["town"] = pd.Series([{"name": "Rome"}] * N, dtype=object)
    return table, y


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("one value a row", DataError, r"'town' has 120 different values in 120 rows"),
        ("sentences", DataError, "TfidfVectorizer"),
        ("dates", DataError, r"dates or times in the column 'day'.*dt\.days"),
        ("dates as objects", DataError, "dates or times in the column 'day'"),
        ("infinite", ValueError, "Input X contains infinity"),
        ("dict", TypeError, "argument must be a string or a real number, not 'dict'"),
    ],
)
def test_tables_that_cannot_be_used(name, error, message):
    with pytest.raises(error, match=message):
        classifier().fit(*bad(name))


def test_columns_without_information_are_harmless():
    table, y = frame()
    table["missing"], table["constant"], table["one"] = np.nan, 3.0, "same"
    table["none"] = None
    network = classifier().fit(table, y)
    assert np.isfinite(network.predict_proba(table)).all()


def test_ten_thousand_declared_categories():
    n = 12_000
    table = pd.DataFrame({"id": pd.Categorical(np.arange(n) % 10_000)})
    with pytest.warns(InputWarning, match="10000 different values in 12000 rows"):
        network = classifier(epochs=1, batch_size=4096).fit(table, np.arange(n) % 2)
    assert network.table_.columns.codes == ((0, 10_001),)
    assert np.isfinite(network.predict_proba(table.head())).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(colour=1.5), "'colour' held categories such as 'blue' in fit"),
        (lambda t: t.assign(income="high"), "'income' held numbers in fit"),
        (lambda t: t.rename(columns={"town": "city"}), "feature names should match"),
        (lambda t: t.drop(columns="sex"), "feature names should match"),
        (lambda t: t[list(t)[::-1]], "feature names.*order"),
    ],
)
def test_a_table_that_changed_is_refused(fitted, change, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        fitted.predict(change(frame()[0]))


def test_regression_on_a_raw_table():
    table, _ = frame()
    y = 1e3 + table["share"].to_numpy() * 100 + 20 * (table["colour"] == "red")
    network = KerasRegressor(epochs=60, random_state=0, optimizer__learning_rate=0.01)
    assert network.fit(table, y).score(table, y) > 0.8
