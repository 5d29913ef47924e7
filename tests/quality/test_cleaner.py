"""DataCleaner: each operation alone, all together, and what new rows may bring."""

from __future__ import annotations

import datetime
import decimal
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import (
    check_param_validation,
    check_set_output_transform,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
)

from skopt_wrap.exceptions import DataChangedWarning, DataError, ParameterError
from skopt_wrap.quality import (
    Categories,
    Constants,
    DataCleaner,
    DateParts,
    Duplicates,
    Identifiers,
    Infinities,
    Missing,
    Operation,
    Outliers,
    Sentinels,
    TextNumbers,
    TextSentinels,
)
from skopt_wrap.quality._operations._list import OPERATIONS, Step
from skopt_wrap.quality._operations._outliers import medcouple

N = 40
RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=N)
ADULTS = RNG.integers(18, 80, N)
SIZES = [f"{v:.1f} kg" if v > 0.3 else f"{v * 1000:.0f} g" for v in RNG.uniform(0.1, 3, N)]


def dirty(library=pd):
    """Return a frame with one column a kind of dirt, 40 rows."""
    columns = {
        "row": np.arange(N),
        "age": np.where(np.arange(N) % 10 == 3, -999, ADULTS),
        "size": SIZES,
        "city": (["Oslo", "oslo ", "Bergen", "?"] * 10),
        "smoker": ["yes", "No"] * 20,
        "seen": [f"{day:02d}/03/2020" for day in range(1, 21)] * 2,
        "always": ["web"] * N,
        "normal": NORMAL,
        "copy": NORMAL.copy(),
    }
    return library.DataFrame(columns)


def values_of(frame):
    return {name: frame[name].to_list() for name in frame.columns}


@pytest.mark.parametrize("library", [pd, pl])
def test_a_dirty_frame_is_mended(library):
    X = dirty(library)
    before = X.clone() if library is pl else X.copy(deep=True)
    cleaner = DataCleaner()
    out = cleaner.fit_transform(X)
    assert isinstance(out, library.DataFrame)
    assert list(out.columns) == cleaner.get_feature_names_out().tolist()
    assert list(out.columns) == [
        "age", "age_missing", "size", "city", "smoker", "seen_days", "seen_day", "seen_weekday",
        "normal",
    ]  # fmt: skip
    got = values_of(out)
    assert got["age_missing"] == [float(i % 10 == 3) for i in range(N)]
    assert min(got["age"]) >= 18
    assert max(got["size"]) < 3.1
    assert set(got["city"]) == {"Oslo", "Bergen", "missing"}
    assert got["smoker"] == [1.0, 0.0] * 20
    assert got["seen_day"] == [float(day) for day in range(1, 21)] * 2
    assert got["normal"] == NORMAL.tolist()
    assert X.equals(before)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert out.equals(cleaner.transform(X))
    report = cleaner.report_.to_dict()
    assert report["column"] == list(X.columns)
    assert [b for b in report["becomes"] if not b] == [""] * 3
    for word in ("index", "-999", "kg", "spellings", "yes", "dates", "always", "equal to"):
        assert word in str(cleaner.report_)
    assert cleaner.report_.to_frame().shape == (len(X.columns), 7)
    assert "<table>" in cleaner.report_._repr_html_()


def test_pandas_polars_and_arrays_are_mended_alike():
    a, b = DataCleaner().fit_transform(dirty(pd)), DataCleaner().fit_transform(dirty(pl))
    assert values_of(a) == values_of(b)
    array = DataCleaner().fit_transform(dirty(pd).to_numpy(dtype=object))
    assert array.dtype == object
    assert array.tolist() == a.to_numpy(dtype=object).tolist()


def test_the_index_of_pandas_stays():
    X = dirty().set_index(pd.Index(np.arange(N) % 7, name="house"))  # values occur twice
    out = DataCleaner().fit_transform(X)
    pd.testing.assert_index_equal(out.index, X.index)


PANDAS = {
    **{t: np.arange(N) % 7 for t in ("int8", "uint16", "int64", "float16", "float32", "float64")},
    **{t: [None, *range(1, N)] for t in ("Int64", "UInt8", "Float32", "Float64")},
    "bool": np.arange(N) % 2 == 0,
    "boolean": [None] + [True, False, True] * 13,
    "str": ["x", "y"] * 20,
    "string": [None] + ["x", "y", "z"] * 13,
    "category": [None] + ["x", "y", "z"] * 13,
    "datetime64[ns]": pd.date_range("2020", periods=N),
    "datetime64[s]": [pd.NaT, *pd.date_range("2020", periods=N - 1)],
    "datetime64[us, Europe/Oslo]": pd.date_range("2020", periods=N, tz="Europe/Oslo"),
    "timedelta64[ns]": pd.to_timedelta(np.arange(N) % 9, unit="h"),
    "period[M]": pd.period_range("2020", periods=N, freq="M"),
    "interval[int64, right]": pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2)] * 20),
    "Sparse[float64, nan]": [0.0, 1.0] * 20,
}
OBJECTS = {
    "texts": ["x", "y"] * 20,
    "numbers": [1, 2.5] * 20,
    "integers": [1, 2] * 20,
    "decimals": [decimal.Decimal("1.5"), None] * 10 + [decimal.Decimal(2)] * 20,
    "booleans": [True, False, None, True] * 10,
    "dates": [datetime.date(2020, 1, 1 + i % 28) for i in range(N)],
    "moments": [datetime.datetime(2020, 1, 1 + i % 28, tzinfo=datetime.UTC) for i in range(N)],
    "times": [datetime.time(i % 24) for i in range(N)],
    "spans": [datetime.timedelta(hours=i % 5) for i in range(N)],
    "mixed": [1, "2", None, 2.5] * 10,
    "mixed words": [1, "red", None, True] * 10,
    "nothing but one": [None] * (N - 1) + ["x"],
}
POLARS = {
    **{str(t): (t, [None, *range(1, N)]) for t in (
        pl.Int8, pl.Int64, pl.Int128, pl.UInt32, pl.Float32, pl.Float64, pl.Decimal(10, 2))},
    "Boolean": (pl.Boolean, [None] + [True, False, True] * 13),
    "String": (pl.String, [None] + ["x", "y", "z"] * 13),
    "Categorical": (pl.Categorical, ["x", "y"] * 20),
    "Enum": (pl.Enum(["x", "y"]), ["x", "y", None, "x"] * 10),
    "Date": (pl.Date, [datetime.date(2020, 1, 1 + i % 28) for i in range(N)]),
    "Datetime": (pl.Datetime, [None, *(datetime.datetime(2020, 1, 1 + i % 28) for i in range(39))]),
    "Datetime UTC": (pl.Datetime("ms", "UTC"), [datetime.datetime(2020, 1, 1 + i % 28)
                                                for i in range(N)]),
    "Duration": (pl.Duration, [datetime.timedelta(hours=i % 5) for i in range(N)]),
    "Time": (pl.Time, [datetime.time(i % 24) for i in range(N)]),
    "Null": (pl.Null, [None] * N),
}  # fmt: skip
FRAMES = (
    [
        pytest.param(pd.DataFrame({"normal": NORMAL, "x": pd.Series(v, dtype=t)}), id=f"pandas {t}")
        for t, v in PANDAS.items()
    ]
    + [
        pytest.param(
            pd.DataFrame({"normal": NORMAL, "x": pd.Series(v, dtype=object)}), id=f"object {k}"
        )
        for k, v in OBJECTS.items()
    ]
    + [
        pytest.param(pl.DataFrame({"normal": NORMAL, "x": pl.Series(v, dtype=t)}), id=f"polars {k}")
        for k, (t, v) in POLARS.items()
    ]
)


@pytest.mark.parametrize("X", FRAMES)
def test_every_dtype_is_taken_and_nothing_is_missing_afterwards(X):
    cleaner = DataCleaner()
    out = cleaner.fit_transform(X)
    assert out.equals(cleaner.transform(X))
    assert "normal" in out.columns
    for name in out.columns:
        column = out[name]
        empty = column.isna() if isinstance(X, pd.DataFrame) else column.is_null()
        assert not empty.any()
        values = column.to_numpy()
        assert values.dtype.kind in "iufb" or all(isinstance(v, str) for v in column.to_list())
    # A few rows, and rows one by one, give the same as all of them.
    part = cleaner.transform(X[5:9])
    assert part.equals(out[5:9]) or values_of(part) == values_of(out[5:9])


def test_unchanged_columns_keep_their_dtype():
    X = pd.DataFrame({
        "a": pd.Series(np.arange(N) % 7, dtype="int8"), "b": pd.Categorical(["x", "y"] * 20),
        "c": np.arange(N) % 2 == 0, "d": NORMAL.astype("float32"),
    })  # fmt: skip
    pd.testing.assert_frame_equal(DataCleaner().fit_transform(X), X)
    # New rows with a missing value are filled in the same dtype.
    cleaner = DataCleaner().fit(X)
    new = X.astype({"a": "float64"})
    new.loc[0, "a"] = np.nan
    with pytest.warns(DataChangedWarning, match="missing where fit saw none"):
        assert cleaner.transform(new).dtypes.tolist() == X.dtypes.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "bool"])
def test_arrays_keep_their_dtype(dtype):
    X = (np.random.default_rng(0).normal(size=(30, 3)) > 0) * 3 if dtype == "bool" else (
        np.random.default_rng(0).normal(size=(30, 3)) * 3)  # fmt: skip
    X = X.astype(dtype)
    assert DataCleaner({"outliers": False}).fit_transform(X).dtype == dtype


# -- operations ----------------------------------------------------------------------------------


def alone(operation, values, dtype=None):
    cleaner = DataCleaner([operation])
    out = cleaner.fit_transform(pd.DataFrame({"x": pd.Series(values, dtype=dtype)}))
    return out, cleaner.report_.rows[0]


@pytest.mark.parametrize(
    "word", ["", " ", "?", "N/A", "na", "NULL", "None", "-", "#N/A", "missing"]
)
def test_words_for_missing(word):
    out, row = alone("text_sentinels", ["red", word, "blue", "red"])
    assert out["x"].isna().tolist() == [False, True, False, False]
    assert row.n_values == 1


def test_words_can_be_kept_and_added():
    out, _ = alone(TextSentinels(words=("Gone",), keep=("none",)), ["none", "gone", "red"])
    assert out["x"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([21, 35, -999, 48], [-999]),
        ([21.5, 35, -99, -999, 48], [-99, -999]),
        ([-20.0, 15, 30, -9999, 2], [-9999]),
        ([21, 35, 999, 999, 48, 50], [999]),
        ([995, 998, 999, 999, 1003, 1001], []),
        ([-1000, -999, -998, -997, -996], []),
        ([1, 2, 3, 4], []),
        ([1, 2, 3, 2147483647], [2147483647]),
        ([0.5, 1e20, 0.7, 0.9], [1e20]),
    ],
)
def test_numbers_for_missing(values, found):
    out, _ = alone(Sentinels(), values)
    assert np.isnan(out["x"]).tolist() == [v in found for v in values]


def test_sentinels_of_the_caller_need_not_lie_apart():
    out, _ = alone(Sentinels(values=(0,), detect=False), [0, 1, 2])
    assert np.isnan(out["x"]).tolist() == [True, False, False]


def test_infinities():
    X = np.array([[1.0], [np.inf], [-np.inf], [4.0]])
    got = DataCleaner([Infinities()]).fit_transform(X).ravel()
    np.testing.assert_array_equal(got, [1, np.nan, np.nan, 4])
    got = DataCleaner([Infinities("clip")]).fit_transform(X).ravel()
    np.testing.assert_array_equal(got, [1, 4, 1, 4])


@pytest.mark.parametrize(
    "values", [[5.0] * 4, ["a"] * 4, [True] * 4, [None] * 4, [np.nan] * 4,
               [datetime.datetime(2020, 1, 1)] * 4],
)  # fmt: skip
def test_constants_are_dropped(values):
    X = pd.DataFrame({"x": values, "y": [1, 2, 3, 5]})
    assert list(DataCleaner([Constants()]).fit_transform(X).columns) == ["y"]


def test_a_constant_with_gaps_tells_where_there_is_a_value():
    out, _ = alone("constants", ["yes", None, "yes", None])
    assert out["x"].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_duplicates_of_any_spelling_and_dtype_are_dropped():
    X = pd.DataFrame({
        "a": [1.0, 2.0, np.nan], "b": [1.0, 2.0, np.nan], "c": [1.0, 2.0, 3.0],
        "d": ["1", "2", "3"],
        "e": ["x", "y", "x"], "f": ["X ", "Y ", "X "], "g": ["y", "x", "y"],
    })  # fmt: skip
    out = DataCleaner(["text_numbers", "categories", "duplicates"]).fit_transform(X)
    assert list(out.columns) == [
        "a",
        "c",
        "e",
        "f",
        "g",
    ]  # X and x are two spellings of two columns
    ints = pd.DataFrame({"a": [1, 2, 3], "b": [1.0, 2.0, 3.0], "c": [True, False, True]})
    assert list(DataCleaner([Duplicates()]).fit_transform(ints).columns) == ["a", "c"]


@pytest.mark.parametrize(
    ("name", "values", "dropped"),
    [
        ("x", np.arange(30), True),
        ("x", np.arange(30)[::-1] + 100, True),
        ("x", np.arange(30.0), True),
        ("x", np.arange(30) * 2, False),
        ("x", RNG.permutation(1000)[:30], False),
        ("customer_id", RNG.permutation(1000)[:30], True),
        ("CustomerID", RNG.permutation(1000)[:30], True),
        ("id", [f"{v:x}" for v in RNG.permutation(10**6)[:30]], True),
        ("x", [f"C{v:05d}" for v in RNG.permutation(1000)[:30]], True),
        ("x", [f"name{v} of a thing" for v in range(30)], False),
        ("id", [1, 2] * 15, False),
        ("x", RNG.normal(size=30), False),
    ],
)
def test_identifiers(name, values, dropped):
    X = pd.DataFrame({name: values, "y": [1.5, 2.5] * 15})
    out = DataCleaner([Identifiers()]).fit_transform(X)
    assert (name not in out.columns) is dropped


def test_categories_are_joined_as_the_most_frequent_spelling():
    values = ["Germany"] * 30 + ["germany", "GERMANY ", "Germny", "Gremany"] + ["France"] * 25
    out, row = alone(Categories(), values)
    assert out["x"].tolist() == ["Germany"] * 34 + ["France"] * 25
    assert row.n_values == 4
    out, _ = alone(Categories(max_distance=0), values)
    assert set(out["x"]) == {"Germany", "Germny", "Gremany", "France"}


def test_free_text_is_left_alone():
    texts = [f"This is sentence number {i} of the text" for i in range(50)]
    out, row = alone(Categories(), texts)
    assert out["x"].tolist() == texts
    assert row.found == ""


@pytest.mark.parametrize("method", ["iqr", "mad", "isolation_forest"])
def test_outliers_are_found_and_the_rest_stays(method):
    values = np.append(np.random.default_rng(1).normal(size=300), [80.0, -70.0])
    clipped = DataCleaner([Outliers(method)]).fit_transform(values[:, None]).ravel()
    np.testing.assert_array_equal(clipped[:300], values[:300])
    assert np.abs(clipped[300:]).max() < 12
    gone = DataCleaner([Outliers(method, "missing")]).fit_transform(values[:, None]).ravel()
    assert np.isnan(gone).tolist() == [False] * 300 + [True] * 2
    both = DataCleaner([Outliers(method, "flag")]).fit_transform(values[:, None])
    np.testing.assert_array_equal(both[:, 0], values)
    assert both[:, 1].tolist() == [0.0] * 300 + [1.0] * 2


@pytest.mark.parametrize("draw", ["normal", "uniform", "exponential", "lognormal", "laplace"])
def test_what_a_distribution_usually_gives_is_no_outlier(draw):
    values = getattr(np.random.default_rng(0), draw)(size=(3000, 1))
    changed = DataCleaner([Outliers()]).fit_transform(values) != values
    assert changed.mean() < 0.006


def test_integers_are_clipped_to_integers():
    X = np.append(np.arange(100) % 50, 100_000)[:, None]
    out = DataCleaner([Outliers()]).fit_transform(X)
    assert out.dtype == X.dtype
    assert out.max() < 1000


def test_heavy_tails_are_left_alone_and_told():
    values = np.append(np.random.default_rng(0).normal(size=80), np.full(20, 500.0))
    cleaner = DataCleaner([Outliers(max_fraction=0.05)])
    np.testing.assert_array_equal(cleaner.fit_transform(values[:, None]).ravel(), values)
    assert "heavy tail" in str(cleaner.report_)


def test_medcouple_by_hand():
    # Median 3, above 1 and 3, below -1 and -2: (1-1)/2, (1-2)/3, (3-1)/4, (3-2)/5.
    assert medcouple(np.array([1.0, 2.0, 3.0, 4.0, 6.0])) == pytest.approx((0 + 0.2) / 2)


def test_missing_values_are_filled_by_kind():
    X = pd.DataFrame({
        "number": [1.0, np.nan, 3.0, 9.0], "text": ["a", None, "b", "a"],
        "flag": pd.array([True, None, True, False], dtype="boolean"),
        "date": pd.to_datetime(["2020-01-01", None, "2020-01-03", "2021-01-01"]),
    })  # fmt: skip
    out = DataCleaner([Missing()]).fit_transform(X)
    assert out.iloc[1].to_dict() == {
        "number": 3.0, "number_missing": 1.0, "text": "missing", "flag": True, "flag_missing": 1.0,
        "date": pd.Timestamp("2020-01-03"), "date_missing": 1.0,
    }  # fmt: skip
    names = DataCleaner([Missing(indicator="never")]).fit(X).get_feature_names_out()
    assert names.tolist() == list(X.columns)
    names = DataCleaner([Missing(indicator="always")]).fit(X[:1]).get_feature_names_out()
    assert "number_missing" in names


def test_dates_become_numbers():
    X = pd.DataFrame({"x": pd.to_datetime(["2024-02-29 06:00", "1969-12-31 18:00"])})
    out = DataCleaner([DateParts()]).fit_transform(X)
    assert out.iloc[0].tolist() == [19782.25, 2024.0, 2.0, 29.0, 3.0, 6.0]
    assert out.iloc[1].tolist() == [-0.25, 1969.0, 12.0, 31.0, 2.0, 18.0]


def test_skrub_can_make_numbers_of_dates():
    skrub = pytest.importorskip("skrub")
    X = pd.DataFrame({"x": pd.to_datetime(["2024-02-29", "2023-01-31"] * 5), "y": range(10)})
    cleaner = DataCleaner([DateParts(skrub.DatetimeEncoder(resolution="day"))])
    out = cleaner.fit_transform(X)
    assert {"x_year", "x_month", "x_day"} <= set(out.columns)
    pd.testing.assert_frame_equal(out, cleaner.transform(X))


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_each_operation_can_be_switched_off_and_asked_for_alone(cls):
    without = DataCleaner({cls.name: False}).fit(dirty())
    assert cls.name not in [operation.name for operation in without.operations_]
    assert len(without.operations_) == len(OPERATIONS) - 1
    alone = DataCleaner([cls.name]).fit(dirty())
    assert [type(operation) for operation in alone.operations_] == [cls]
    assert all(step.operation == cls.name for plan in alone._plans for step in plan.steps)


def test_operations_act_in_their_own_order():
    names = [operation.name for operation in DataCleaner(["missing", "sentinels"]).fit(
        dirty()).operations_]  # fmt: skip
    assert names == ["sentinels", "missing"]


def test_an_operation_of_the_caller_is_one_class():
    class Rounded(Operation):
        name = "rounded"
        kinds = ("number",)

        def learn_column(self, column):
            class Round(Step):
                def apply(self, column, log):
                    return column.changed(np.rint(column.values))

            return Round(self.name, "number", "fractions", "rounded", column.n)

    X = np.array([[1.4], [2.6]])
    assert DataCleaner([Rounded()]).fit_transform(X).tolist() == [[1.0], [3.0]]


# -- what fit did not see ------------------------------------------------------------------------


@pytest.fixture
def fitted():
    return DataCleaner().fit(dirty())


def changed_frames():
    X = dirty()
    yield "other order", X[list(X.columns)[::-1]], "columns", "other order", None
    yield "further column", X.assign(new=1), "new", "further column", N
    yield "missing column", X.drop(columns="city"), "city", "column is missing", N
    yield "new category", X.assign(city=["Rome"] + ["Oslo"] * 39), "city", "new category", 1
    yield "no number", X.assign(size=["heavy"] + ["1 kg"] * 39), "size", "text that is no number", 1
    yield (
        "no date",
        X.assign(seen=["soon"] + ["01/03/2020"] * 39),
        "seen",
        "text that is no date",
        1,
    )
    yield "number for text", X.assign(size=1.5), "size", "number instead of text", N
    yield "text for number", X.assign(age=["33"] * N), "age", "text instead of number", N
    yield "unreadable number", X.assign(age=["33"] * 39 + ["old"]), "age", "no number", 1
    yield "date for text", X.assign(seen=pd.Timestamp("2020-03-05")), "seen", "date instead", N
    yield "new gaps", X.assign(normal=[np.nan, *NORMAL[1:]]), "normal", "missing where fit", 1
    yield "infinity", X.assign(normal=[np.inf, *NORMAL[1:]]), "normal", "infinite value", 1


@pytest.mark.parametrize(
    ("X", "column", "change", "n"),
    [pytest.param(*case[1:], id=case[0]) for case in changed_frames()],
)
def test_changes_are_handled_counted_and_told(fitted, X, column, change, n):
    names = fitted.get_feature_names_out()
    state = pickle.dumps(fitted)
    with pytest.warns(DataChangedWarning, match=change):
        out = fitted.transform(X)
    assert list(out.columns) == names.tolist()
    assert not out.isna().any().any()
    report = fitted.compare(X).to_dict()
    hits = [i for i, c in enumerate(report["change"]) if change in c]
    assert [report["column"][i] for i in hits] == [column]
    assert n is None or report["n_values"][hits[0]] == n
    assert all(report["rule"])
    assert pickle.dumps(fitted) == state
    strict = DataCleaner(on_change="raise").fit(dirty())
    with pytest.raises(DataError, match=change):
        strict.transform(X)


def test_columns_are_taken_by_name(fitted):
    X = dirty()
    with pytest.warns(DataChangedWarning):
        out = fitted.transform(X[list(X.columns)[::-1]])
    pd.testing.assert_frame_equal(out, fitted.transform(X))


def test_new_spellings_are_joined_without_a_word(fitted):
    X = dirty().assign(city=["OSLO", "bergen"] * 20)
    assert set(fitted.transform(X)["city"]) == {"Oslo", "Bergen"}
    assert len(fitted.compare(X)) == 0
    assert str(fitted.compare(X)) == "nothing that fit did not see"


def test_new_categories_can_be_set_missing():
    cleaner = DataCleaner({"categories": {"unseen": "missing"}}).fit(dirty())
    with pytest.warns(DataChangedWarning, match="set missing"):
        out = cleaner.transform(dirty().assign(city=["Rome"] + ["Oslo"] * 39))
    assert out["city"][0] == "missing"


def test_polars_frames_suit_a_cleaner_fitted_on_pandas(fitted):
    out = fitted.transform(dirty(pl))
    assert isinstance(out, pl.DataFrame)
    assert values_of(out) == values_of(fitted.transform(dirty()))


def test_dropped_columns_may_be_missing(fitted):
    out = fitted.transform(dirty().drop(columns=["row", "always", "copy"]))
    pd.testing.assert_frame_equal(out, fitted.transform(dirty()))


# -- scikit-learn --------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:X (has|does not have) (valid )?feature names")
@pytest.mark.parametrize(
    "check",
    [check_set_output_transform, check_transformer_get_feature_names_out, check_param_validation,
     check_transformer_get_feature_names_out_pandas],
)  # fmt: skip
def test_further_checks_of_sklearn(check):
    check("DataCleaner", DataCleaner())


@pytest.mark.parametrize("given", [pd, pl])
@pytest.mark.parametrize(("wanted", "cls"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output(given, wanted, cls):
    X = pd.DataFrame({"a": NORMAL, "b": ADULTS}) if given is pd else pl.DataFrame(
        {"a": NORMAL, "b": ADULTS})  # fmt: skip
    out = DataCleaner().set_output(transform=wanted).fit_transform(X)
    assert isinstance(out, cls)
    np.testing.assert_array_equal(out["b"].to_numpy(), ADULTS)


def test_pickle_clone_and_search():
    X, y = dirty()[["age", "normal", "smoker"]], np.arange(N) % 2
    cleaner = DataCleaner({"outliers": Outliers("mad")}).fit(X)
    again = pickle.loads(pickle.dumps(cleaner))
    pd.testing.assert_frame_equal(again.transform(X), cleaner.transform(X))
    assert clone(cleaner).operations["outliers"].method == "mad"
    assert clone(cleaner).operations["outliers"] is not cleaner.operations["outliers"]
    grid = {
        "datacleaner__operations": [
            "all",
            {"outliers": False},
            ["sentinels", "text_booleans", "missing"],
        ]
    }
    search = GridSearchCV(make_pipeline(DataCleaner(), LogisticRegression()), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 3
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_passthrough_columns_are_left_alone():
    X = dirty()
    out = DataCleaner(passthrough=["row", "city"]).fit_transform(X)
    pd.testing.assert_series_equal(out["row"], X["row"])
    pd.testing.assert_series_equal(out["city"], X["city"])


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
        (pl.DataFrame({"a": []}), r"0 sample\(s\)"),
        (pd.DataFrame(index=[1, 2]), r"0 feature\(s\)"),
        (np.empty((0, 3)), r"0 sample\(s\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns of one name: 'a'"),
        (pd.DataFrame({"a": [[1], [2]]}), "'a' holds objects of type list"),
        (pd.DataFrame({"a": [{"b": 1}, {}]}), "'a' holds objects of type dict"),
        (pd.DataFrame({"a": [b"x", b"y"]}), "'a' holds objects of type bytes"),
        (pd.DataFrame({"a": [object(), 1]}), "'a' holds objects of type object"),
        (pl.DataFrame({"a": [[1], [2]]}), "'a' holds objects of type list"),
        (pl.DataFrame({"a": [{"b": 1}]}), "'a' holds objects of type dict"),
        (pd.DataFrame({"a": [1j, 2]}), "Complex data not supported"),
        (
            pd.DataFrame({"a": [np.nan] * 3, "b": [None] * 3}),
            "No column of X holds any information",
        ),
        (pl.DataFrame({"a": [1, 2]}).lazy(), "collect"),
        (np.zeros(3), "Expected 2D array"),
        (None, "Expected 2D array"),
    ],
)
def test_bad_data_are_refused_with_a_way_out(X, message):
    with pytest.raises(ValueError, match=message):
        DataCleaner().fit(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"operations": "outliers"}, "a list of one"),
        ({"operations": ["outlier"]}, "Did you mean 'outliers'"),
        ({"operations": {"outlier": False}}, "Did you mean 'outliers'"),
        ({"operations": {"outliers": {"factr": 2}}}, "Did you mean 'factor'"),
        ({"operations": {"outliers": Missing()}}, "must be an operation of that name"),
        ({"operations": {"outliers": 3}}, "got 3"),
        ({"operations": ["missing", Missing()]}, "more than once"),
        ({"operations": [TextNumbers(min_share=2)]}, "min_share"),
        ({"passthrough": ["agee"]}, "Did you mean 'age'"),
        ({"passthrough": [99]}, "place 99"),
        ({"on_change": "ignore"}, "on_change"),
    ],
)
def test_bad_parameters_are_refused_with_a_way_out(parameters, message):
    with pytest.raises(ValueError, match=message) as caught:
        DataCleaner(**parameters).fit(dirty())
    assert isinstance(caught.value, ParameterError) or "parameter of" in str(caught.value)


def test_one_row_and_few_rows():
    out = DataCleaner().fit_transform(pd.DataFrame({"a": [1.0], "b": ["x"]}))
    assert out.to_dict("records") == [{"a": 1.0, "b": "x"}]
    wide = RNG.normal(size=(3, 50))
    assert DataCleaner().fit_transform(wide).shape == (3, 50)


def test_none_of_the_columns(fitted):
    with pytest.raises(DataError, match="none of the columns"):
        fitted.transform(pd.DataFrame({"q": [1.0]}))
