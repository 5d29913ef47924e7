"""Fitted steps of a pipeline become operations of a file, with the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.feature_selection import (
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    f_classif,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from skopt_wrap.compression._delivery._columns import CannotFoldError, Column, RawColumn
from skopt_wrap.compression._delivery._fitted import fitted_numbers
from skopt_wrap.compression._delivery._numbers import inverse
from skopt_wrap.compression._delivery._operations import run
from skopt_wrap.compression._delivery._steps import fold_step, fold_steps
from skopt_wrap.compression._litert._table import encode
from skopt_wrap.exceptions import DataError

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.keras

WINE, KINDS = load_wine(return_X_y=True)
GAPS = np.where(np.random.default_rng(0).random(WINE.shape) < 0.2, np.nan, WINE)
CODES = np.random.default_rng(1).integers(0, 5, (200, 3)).astype(float)


def _people(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    people = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n).astype(float),
            "income": rng.lognormal(10, 1, n),
            "city": rng.choice(["Rome", "Oslo", "Bern", "Kiel"], n, p=[0.5, 0.3, 0.15, 0.05]),
            "plan": rng.choice(["a", "b", None], n),
            "grade": rng.integers(1, 5, n),
            "note": rng.choice(["free", "text"], n),
        }
    )
    people.loc[::6, "age"] = np.nan
    return people


PEOPLE = _people()
YES = np.where(PEOPLE["income"] > 20_000, "yes", "no")


def _columns(X):
    names = getattr(X, "columns", [f"x{i}" for i in range(np.shape(X)[1])])
    return [Column(RawColumn(str(name)), plain=True) for name in names]


def _folded(step, X):
    """Return what the operations of a fitted step make of rows, and the raw columns."""
    columns = _columns(X)
    operations, after = fold_step(step, columns)
    for column in after:
        column.use()
    described = [column.raw.describe() for column in columns]
    found = run(operations, tf, tf.constant(encode(X, described))).numpy()
    assert found.dtype == np.float32
    assert found.shape[1] == len(after)
    return found, described


def _same(step, X, y=None):
    step.fit(X, y)
    expected = step.transform(X)
    expected = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected, float)
    found, described = _folded(step, X)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-5)
    return described


NUMBERS = {
    "standard": StandardScaler(),
    "standard without mean": StandardScaler(with_mean=False),
    "standard without std": StandardScaler(with_std=False),
    "min-max": MinMaxScaler((-1, 2)),
    "min-max clipped": MinMaxScaler(clip=True),
    "robust": RobustScaler(quantile_range=(10, 90)),
    "robust without scaling": RobustScaler(with_scaling=False),
    "max-abs": MaxAbsScaler(),
    "l1": Normalizer("l1"),
    "l2": Normalizer(),
    "max": Normalizer("max"),
    "pca": make_pipeline(StandardScaler(), PCA(4)),
    "pca whitened": PCA(3, whiten=True),
    "svd": make_pipeline(StandardScaler(), TruncatedSVD(4)),
    "best": SelectKBest(f_classif, k=3),
    "percentile": SelectPercentile(percentile=30),
    "variance": VarianceThreshold(0.5),
    "from model": make_pipeline(StandardScaler(), SelectFromModel(LogisticRegression())),
    "binarizer": Binarizer(threshold=2.0),
    "function": FunctionTransformer(np.log1p),
    "identity": FunctionTransformer(),
    "yeo-johnson": make_pipeline(StandardScaler(), PowerTransformer()),
    "box-cox": PowerTransformer("box-cox", standardize=False),
    "union": FeatureUnion(
        [("pca", PCA(2)), ("best", SelectKBest(k=2))], transformer_weights={"pca": 2.0}
    ),
    "numbers of columns": ColumnTransformer(
        [("a", StandardScaler(), [0, -1]), ("b", "passthrough", slice(3, 5)), ("c", "drop", [2])],
        remainder=MinMaxScaler(),
    ),
    "mask of columns": make_column_transformer(
        (StandardScaler(), np.arange(WINE.shape[1]) % 2 == 0), remainder="drop"
    ),
    "deep": make_pipeline(make_pipeline(StandardScaler(), "passthrough"), MinMaxScaler()),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_transformers_of_numbers(name):
    _same(NUMBERS[name], WINE, KINDS)


GAPPED = {
    "mean": SimpleImputer(),
    "median": SimpleImputer(strategy="median", add_indicator=True),
    "constant": SimpleImputer(strategy="constant", fill_value=-7.0),
    "scaled before": make_pipeline(StandardScaler(), SimpleImputer(strategy="most_frequent")),
    "an empty column": make_pipeline(
        FunctionTransformer(), SimpleImputer(add_indicator=True), StandardScaler()
    ),
}


@pytest.mark.parametrize("name", GAPPED)
def test_missing_numbers(name):
    X = GAPS.copy()
    if name == "an empty column":
        X[:, 2] = np.nan
    described = _same(GAPPED[name], X)
    assert described[0]["missing"]


def test_number_that_stands_for_a_missing_one():
    X = np.where(np.isnan(GAPS), -999.0, GAPS)
    described = _same(SimpleImputer(missing_values=-999.0, add_indicator=True), X)
    assert not described[0]["missing"]


ENCODERS = {
    "one-hot": OneHotEncoder(),
    "dropped first": OneHotEncoder(drop="first", sparse_output=False),
    "dropped if binary": OneHotEncoder(drop="if_binary"),
    "infrequent": OneHotEncoder(min_frequency=0.22, handle_unknown="infrequent_if_exist"),
    "few": OneHotEncoder(max_categories=3, drop="first"),
    "ordinal": OrdinalEncoder(),
    "ordinal of chosen values": OrdinalEncoder(categories=[[0.0, 1, 2, 3, 4, 7]] * 3),
    "target": TargetEncoder(random_state=0),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_of_codes(name):
    described = _same(ENCODERS[name], CODES, CODES[:, 0] > 1 if name == "target" else None)
    assert {column["kind"] for column in described} == {"number"}


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(handle_unknown="ignore", drop="first"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(random_state=0),
    ],
)
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_values_that_are_new(encoder):
    for known, new in (
        (CODES, CODES[:20] + 3),
        (PEOPLE[["city", "plan"]], PEOPLE[["city", "plan"]].replace("Rome", "Graz")),
    ):
        encoder.fit(known, np.arange(len(known)) % 2)
        expected = encoder.transform(new)
        found, _ = _folded(encoder, new)
        expected = expected.toarray() if hasattr(expected, "toarray") else expected
        np.testing.assert_allclose(found, expected, atol=1e-5)


TABLES = {
    "usual": make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
            ),
            ["city", "plan"],
        ),
        remainder="drop",
    ),
    "missing is a category": make_column_transformer(
        (OneHotEncoder(), ["city", "plan"]), ("passthrough", ["income"])
    ),
    "filled with a new text": make_pipeline(
        make_column_transformer(
            (SimpleImputer(strategy="constant", fill_value="none"), ["plan", "city"])
        ),
        OrdinalEncoder(),
    ),
    "by kind": make_column_transformer(
        (OneHotEncoder(drop="if_binary"), make_column_selector(dtype_include=object)),
        (SimpleImputer(), make_column_selector(dtype_include="number")),
    ),
    "target": make_column_transformer(
        (TargetEncoder(random_state=0), ["city", "plan"]), (OneHotEncoder(), ["grade"])
    ),
    "slice of names": make_column_transformer(
        (SimpleImputer(), slice("age", "income")), (OrdinalEncoder(), ["grade", "note"])
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_with_texts(name):
    described = {column["name"]: column for column in _same(TABLES[name], PEOPLE, YES == "yes")}
    assert list(described) == list(PEOPLE)
    if name == "usual":
        assert described["note"]["kind"] == "ignored"
        assert described["city"]["kind"] == "category"
        assert not {"Rome", "Oslo", "Bern", "Kiel"} ^ set(described["city"]["categories"])
        assert described["plan"]["missing"]
        assert described["grade"]["kind"] == "ignored"


def test_far_from_zero_loses_no_digits():
    years = 2000 + np.random.default_rng(0).normal(size=(300, 2))
    years = years.astype("float32").astype("float64")  # as a file reads them
    for scaler in (StandardScaler(), MinMaxScaler(), RobustScaler()):
        _same(scaler, years)


class Own(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X) ** 2


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (QuantileTransformer(n_quantiles=10), "QuantileTransformer: no operations"),
        (KernelPCA(2), "KernelPCA: no operations"),
        (Own(), "Own: no operations"),
        (FunctionTransformer(lambda x: x + 1), "'<lambda>' is Python's"),
        (make_pipeline(StandardScaler(), KernelPCA(2)), "KernelPCA"),
        (
            ColumnTransformer([("q", QuantileTransformer(n_quantiles=9), [0])]),
            "QuantileTransformer",
        ),
    ],
)
def test_step_that_a_file_cannot_hold_is_named(step, reason):
    step.fit(WINE)
    with pytest.raises(CannotFoldError, match=reason):
        fold_step(step, _columns(WINE))


def test_steps_in_front_of_one_that_stays_stay_too():
    steps = [StandardScaler(), QuantileTransformer(n_quantiles=10), MinMaxScaler(), PCA(2)]
    tables = [WINE]
    for step in steps:
        tables.append(step.fit_transform(tables[-1]))
    operations, columns, n_kept, reasons = fold_steps(steps, lambda n: _columns(tables[n]))
    assert n_kept == 2
    assert reasons[0] == "it stands in front of a step that stays"
    assert reasons[1].startswith("QuantileTransformer")
    assert reasons[2:] == [None, None]
    found = run(operations, tf, tf.constant(tables[2].astype("float32")))
    np.testing.assert_allclose(found, tables[-1], atol=1e-5)
    assert len(columns) == WINE.shape[1]


def test_learned_numbers_are_json():
    import json

    steps = (*NUMBERS.values(), *ENCODERS.values(), TABLES["usual"])
    for step in steps:
        if step is TABLES["usual"]:
            step.fit(PEOPLE)
        elif step in NUMBERS.values():
            step.fit(WINE, KINDS)
        else:
            step.fit(CODES, CODES[:, 0] > 1)
        text = json.dumps(fitted_numbers(step), allow_nan=False)
        assert "<" not in text.replace("'<", "")
    scaler = fitted_numbers(StandardScaler().fit([[1.0], [3.0]]))
    assert scaler["class"] == "sklearn.preprocessing.StandardScaler"
    assert scaler["learned"]["mean_"] == [2.0]


@pytest.mark.parametrize(
    "step",
    [
        StandardScaler(),
        MinMaxScaler((-1, 1)),
        MaxAbsScaler(),
        RobustScaler(),
        FunctionTransformer(np.log, np.exp),
        FunctionTransformer(np.sqrt, np.square),
    ],
)
def test_target_transformers_are_undone(step):
    y = load_diabetes(return_X_y=True)[1][:, None]
    z = step.fit_transform(y)
    found = run(inverse(step), tf, tf.constant(z.astype("float32"))).numpy()
    np.testing.assert_allclose(found, y, rtol=1e-5)


def test_rows_are_encoded_by_name_and_faults_are_named():
    step = make_column_transformer((OneHotEncoder(), ["city"]), (StandardScaler(), ["income"]))
    step.fit(PEOPLE)
    _, described = _folded(step, PEOPLE)
    mixed = PEOPLE[list(PEOPLE)[::-1]]
    np.testing.assert_array_equal(encode(mixed, described), encode(PEOPLE, described))
    listed = PEOPLE.astype(object).to_numpy().tolist()
    np.testing.assert_array_equal(encode(listed, described), encode(PEOPLE, described))
    with pytest.raises(DataError, match="'city' holds 'Graz'"):
        encode(PEOPLE.replace("Rome", "Graz"), described)
    with pytest.raises(DataError, match=r"'income' must hold finite numbers, got nan in row 2"):
        encode(PEOPLE.assign(income=PEOPLE["income"].where(PEOPLE.index != 2)), described)
    with pytest.raises(DataError, match=r"lacks the columns \['city'\]"):
        encode(PEOPLE.drop(columns="city"), described)
    with pytest.raises(DataError, match="must have 6 columns"):
        encode(np.zeros((2, 3)), described)
    with pytest.raises(DataError, match=r"'x0' holds 9.0, which is not among its categories"):
        iris = load_iris().target[:, None]
        encode([[9]], _folded(OneHotEncoder().fit(iris), iris)[1])
