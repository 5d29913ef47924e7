"""Tables keep the dtype of every column, whatever stands beside it; missing values are copied."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.over_sampling import SMOTENC, RandomOverSampler
from scipy import sparse

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    GaussianNoise,
    TabularMixUp,
    available_transforms,
)

N = 40
Y = np.array([0] * 28 + [1] * 12)
RNG = np.random.default_rng(0)
GROUPS = RNG.integers(0, 4, N)


def columns():
    """Return 20 columns and more, one for each type that a DataFrame may hold."""
    made = {
        "float64": RNG.normal(size=N),
        "float32": RNG.normal(size=N).astype("float32"),
        "int64": GROUPS * 10 + 20,
        "uint8": GROUPS.astype("uint8"),
        "bool": GROUPS > 1,
        "object": pd.Series(np.array(list("abcd"))[GROUPS], dtype=object),
        "str": pd.Series(np.array(list("abcd"))[GROUPS], dtype="str"),
        "string": pd.Series(np.array(list("abcd"))[GROUPS], dtype="string"),
        "category": pd.Categorical(np.array(list("abcd"))[GROUPS]),
        "ordered": pd.Categorical(np.array(list("abcd"))[GROUPS], list("dcba"), ordered=True),
        "category of int": pd.Categorical(GROUPS),
        "Int64": pd.array(GROUPS * 3, dtype="Int64"),
        "Float64": pd.array(RNG.normal(size=N), dtype="Float64"),
        "boolean": pd.array(GROUPS > 1, dtype="boolean"),
        "datetime": pd.date_range("2020", periods=N),
        "datetime with zone": pd.date_range("2020", periods=N, tz="Europe/Berlin"),
        "timedelta": pd.to_timedelta(np.arange(N), "h"),
        "period": pd.period_range("2020", periods=N, freq="D"),
        "interval": pd.arrays.IntervalArray.from_breaks(np.arange(N + 1)),
        "sparse": pd.arrays.SparseArray(np.where(GROUPS > 1, GROUPS + 0.5, 0.0)),
        "sparse bool": pd.arrays.SparseArray(GROUPS > 2),
        "complex": RNG.normal(size=N) * 1j,
    }
    try:
        import pyarrow as pa
    except ImportError:
        return made
    return made | {
        "arrow int": pd.array(GROUPS * 2, dtype=pd.ArrowDtype(pa.int32())),
        "arrow float": pd.array(RNG.normal(size=N), dtype=pd.ArrowDtype(pa.float64())),
        "arrow string": pd.array(np.array(list("abcd"))[GROUPS], dtype=pd.ArrowDtype(pa.string())),
        "arrow time": pd.array(
            pd.date_range("2020", periods=N), dtype=pd.ArrowDtype(pa.timestamp("us"))
        ),
        "arrow bool": pd.array(GROUPS > 1, dtype=pd.ArrowDtype(pa.bool_())),
    }


COLUMNS = {name: pd.Series(values) for name, values in columns().items()}
#: Columns that hold numbers, which the transforms may change.
NUMBERS = {
    "float64", "float32", "int64", "uint8", "Int64", "Float64", "sparse", "arrow int",
    "arrow float",
}  # fmt: skip
FLAGS = {"bool", "boolean", "sparse bool", "arrow bool"}
INTEGERS = {"int64", "uint8", "Int64", "arrow int"}
PAIRS = list(itertools.combinations(COLUMNS, 2))
#: Over-samplers that interpolate numbers only.
INTERPOLATING = set(available_transforms("tabular")) - {
    "gaussian_noise", "tabular_mixup", "smotenc", "smoten",
}  # fmt: skip
OVER_SAMPLERS = ["smotenc", "smoten", *sorted(INTERPOLATING)]


def frame_of(names):
    return pd.DataFrame({name: COLUMNS[name] for name in names})


def check(frame, new, sources):
    """Check dtypes, and that what is no number comes from its source, or from the column."""
    assert isinstance(new, pd.DataFrame)
    assert new.dtypes.equals(frame.dtypes)
    assert new.iloc[:N].equals(frame)
    for name in frame.columns:
        fresh, known = new[name].iloc[N:], frame[name]
        if name in INTEGERS:
            assert fresh.between(known.min(), known.max()).all()
            step = np.gcd.reduce(known.to_numpy(dtype="int64") - int(known.min()))
            assert ((fresh.to_numpy(dtype="int64") - int(known.min())) % step == 0).all()
        elif name not in NUMBERS:
            if sources is None:
                assert set(fresh.astype(object)) <= set(known.astype(object))
            else:
                assert fresh.reset_index(drop=True).equals(
                    known.iloc[sources].reset_index(drop=True)
                )


def transform(name):
    return TabularMixUp(1.0, same_class=True) if name == "tabular_mixup" else name


@pytest.mark.parametrize("name", ["copies", "gaussian_noise", "tabular_mixup"])
def test_pairs_of_columns_keep_their_dtypes(name):
    sampler = AugmentingSampler(
        "tabular", [] if name == "copies" else [transform(name)], random_state=0
    )
    for pair in PAIRS:
        frame = frame_of(pair)
        new, _ = sampler.fit_resample(frame, Y)
        check(frame, new, sampler.sample_indices_[N:])
        if name == "copies":
            assert new.equals(frame.iloc[sampler.sample_indices_].reset_index(drop=True))
        assert frame.equals(frame_of(pair)), "the caller's frame is not changed"


@pytest.mark.parametrize(("place", "name"), enumerate(OVER_SAMPLERS))
def test_over_samplers_take_pairs_of_columns_or_name_the_culprit(place, name):
    # An eighth of the pairs for each; all eight together take every pair.
    for pair in PAIRS[place::8]:
        frame = frame_of(pair)
        numbers = [column for column in pair if column in NUMBERS]
        other = [column for column in pair if column not in NUMBERS]
        sampler = AugmentingSampler("tabular", name, random_state=0)
        refused = None
        if name == "smotenc" and not (numbers and other):
            refused = "all of one sort"
        elif name in INTERPOLATING and set(other) - FLAGS:
            refused = "smotenc"
        if refused:
            with pytest.raises(DataError, match=refused):
                sampler.fit_resample(frame, Y)
            continue
        try:
            new, _ = sampler.fit_resample(frame, Y)
        except DataError as error:  # too little to learn from in columns of few values
            assert "could not" in str(error) or "dropped every row" in str(error)
            assert name not in ("smote", "smotenc", "smoten")
            continue
        if name not in ("smote_enn", "smote_tomek"):  # those drop rows
            check(frame, new, None)
        assert new.dtypes.equals(frame.dtypes)


def test_random_over_sampler_copies_every_column():
    frame = frame_of(COLUMNS)
    sampler = AugmentingSampler("tabular", RandomOverSampler(), random_state=0)
    new, _ = sampler.fit_resample(frame, Y)
    check(frame, new, sampler.sample_indices_[N:])


def test_polars_columns_keep_their_types():
    frame = pl.DataFrame(
        {
            "f": RNG.normal(size=N),
            "i": GROUPS.astype("int16"),
            "b": GROUPS > 1,
            "s": np.array(list("abcd"))[GROUPS],
            "c": pl.Series(np.array(list("abcd"))[GROUPS], dtype=pl.Categorical),
            "d": pl.Series(pd.date_range("2020", periods=N)),
            "n": pl.Series([None, *RNG.normal(size=N - 1)]),
            "l": [[1, 2]] * N,
        }
    )
    for policy in ([], "gaussian_noise", [TabularMixUp(1.0, same_class=True)]):
        sampler = AugmentingSampler("tabular", policy, random_state=0)
        new, _ = sampler.fit_resample(frame, Y)
        assert new.schema == frame.schema and new[:N].equals(frame)
        rows = sampler.sample_indices_[N:]
        for name in ("b", "s", "c", "d", "l"):
            assert new[name][N:].to_list() == frame[name][rows].to_list()
        assert new["i"].min() == frame["i"].min() and new["i"].max() == frame["i"].max()
    part = frame.drop("n", "l")
    new, _ = AugmentingSampler("tabular", "smotenc", random_state=0).fit_resample(part, Y)
    assert new.schema == part.schema and set(new["d"]) == set(frame["d"])


# Missing values --------------------------------------------------------------------------------


def with_missing():
    frame = frame_of(
        ["float64", "Int64", "Float64", "boolean", "string", "category", "datetime", "period"]
    )
    for place, name in enumerate(frame.columns):
        frame.loc[[place, place + 1, 30 + place % 5], name] = None
    return frame


@pytest.mark.parametrize("policy", [[], "gaussian_noise", "tabular_mixup", "smoten"])
def test_missing_values_are_copied_with_the_row(policy):
    frame = with_missing()
    policy = transform(policy) if isinstance(policy, str) else policy
    sampler = AugmentingSampler("tabular", policy, random_state=0)
    new, _ = sampler.fit_resample(frame, Y)
    assert new.dtypes.equals(frame.dtypes)
    pd.testing.assert_frame_equal(new.iloc[:N], frame)
    if policy != "smoten":
        missing = frame.isna().to_numpy()[sampler.sample_indices_]
        np.testing.assert_array_equal(new.isna().to_numpy(), missing)


@pytest.mark.parametrize("container", ["array", "objects", "list", "sparse", "polars"])
def test_missing_numbers_are_copied_in_other_containers(container):
    X = RNG.normal(size=(N, 3))
    X[::5, 1] = np.nan
    make = {
        "array": lambda a: a,
        "objects": lambda a: np.where(np.isnan(a), None, a.astype(object)),
        "list": lambda a: a.tolist(),
        "sparse": sparse.csr_array,
        "polars": lambda a: pl.DataFrame(a, schema=list("abc"), nan_to_null=True),
    }[container]
    sampler = AugmentingSampler("tabular", random_state=0)
    new, _ = sampler.fit_resample(make(X), Y)
    assert type(new) is type(make(X))
    if container == "objects":
        found = np.array([[value is None for value in row] for row in new])
    elif container == "polars":
        found = np.stack([new[name].is_null().to_numpy() for name in "abc"], axis=1)
    else:
        found = np.isnan(new.toarray() if container == "sparse" else np.asarray(new))
    np.testing.assert_array_equal(found, np.isnan(X)[sampler.sample_indices_])


@pytest.mark.parametrize("name", sorted(INTERPOLATING))
def test_over_samplers_name_the_columns_with_missing_numbers(name):
    frame = with_missing()[["float64", "Float64"]].assign(whole=1.0 * GROUPS)
    message = r"columns \['float64', 'Float64'\] have some.*SimpleImputer"
    with pytest.raises(DataError, match=message):
        AugmentingSampler("tabular", name, random_state=0).fit_resample(frame, Y)


def test_smotenc_copies_missing_categories_and_names_missing_numbers():
    frame = with_missing()[["string", "category", "datetime"]].assign(f=COLUMNS["float64"])
    new, _ = AugmentingSampler("tabular", "smotenc", random_state=0).fit_resample(frame, Y)
    assert new.dtypes.equals(frame.dtypes)
    frame.loc[3, "f"] = np.nan
    with pytest.raises(DataError, match=r"columns \['f'\] have some"):
        AugmentingSampler("tabular", "smotenc", random_state=0).fit_resample(frame, Y)


@pytest.mark.parametrize("features", [["object"], "auto", [1], [False, True, True]])
def test_smotenc_objects_find_their_columns(features):
    frame = frame_of(["float64", "category", "object"])
    if features == ["object"] or features == [1]:
        frame["object" if features == [1] else "category"] = GROUPS * 1.0
    elif features == "auto":
        frame["object"] = GROUPS * 1.0
    sampler = AugmentingSampler("tabular", SMOTENC(features), random_state=0)
    new, _ = sampler.fit_resample(frame, Y)
    assert new.dtypes.equals(frame.dtypes)
    with pytest.raises(DataError, match=r"does not have: \['none'\]"):
        AugmentingSampler("tabular", SMOTENC(["none"])).fit_resample(frame, Y)


def test_infinity_is_refused_by_column():
    frame = frame_of(["float64", "category"])
    frame.loc[2, "float64"] = np.inf
    with pytest.raises(DataError, match=r"infinity .*\['float64'\]"):
        AugmentingSampler("tabular").fit_resample(frame, Y)


@pytest.mark.keras
def test_flow_refuses_missing_values():
    frame = with_missing()[["float64", "Float64"]]
    with pytest.raises(DataError, match=r"no missing values; the columns \['float64', 'Float64'\]"):
        AugmentingSampler("tabular").flow(frame, Y)
    batches = AugmentingSampler("tabular", random_state=0).flow(frame_of(["float32", "Int64"]), Y)
    assert batches[0][0].dtype.kind == "f"


# Integers --------------------------------------------------------------------------------------


def integer_tables(values):
    table = np.column_stack([values, np.arange(N)])
    return {
        "array": table,
        "frame": pd.DataFrame(table, columns=["id", "b"]),
        "mixed": pd.DataFrame({"id": values, "c": COLUMNS["category"]}),
        "nullable": pd.DataFrame({"id": pd.array(values, dtype="Int64"), "f": COLUMNS["float64"]}),
        "polars": pl.DataFrame({"id": values, "b": np.arange(N)}),
        "objects": np.column_stack([values, COLUMNS["object"].to_numpy()]).astype(object),
    }


def first_column(table):
    column = table[:, 0] if isinstance(table, np.ndarray) else table["id"]
    return [int(value) for value in column]


@pytest.mark.parametrize("container", integer_tables(np.arange(N)))
@pytest.mark.parametrize("policy", [[], "gaussian_noise", [GaussianNoise(0.1, probability=0.5)]])
def test_large_integers_keep_their_value(container, policy):
    values = 2**60 + 1 + 1000 * np.arange(N, dtype=np.int64) ** 2
    table = integer_tables(values)[container]
    sampler = AugmentingSampler("tabular", policy, factor=3, random_state=0)
    new, _ = sampler.fit_resample(table, Y)
    found = first_column(new)
    assert found[:N] == values.tolist()
    assert values.min() <= min(found) and max(found) <= values.max()
    sources = values[sampler.sample_indices_].tolist()
    same = [a == b for a, b in zip(found[N:], sources[N:], strict=True)]
    if policy == []:
        assert all(same)
    elif isinstance(policy, list):
        assert 0.3 < np.mean(same) < 0.9, "unchanged rows keep their value"


@pytest.mark.parametrize("container", integer_tables(np.arange(N)))
def test_integers_stay_in_their_range_and_on_their_steps(container):
    ages = np.clip(RNG.integers(0, 10, N) * 5, 0, 40)
    table = integer_tables(ages)[container]
    params = {"transforms": [GaussianNoise(1.0)], "factor": 20, "random_state": 0}
    new, _ = AugmentingSampler("tabular", **params).fit_resample(table, Y)
    found = np.array(first_column(new))
    assert found.min() >= ages.min() and found.max() <= ages.max() and (found % 5 == 0).all()
    free, _ = AugmentingSampler("tabular", clip=False, **params).fit_resample(table, Y)
    found = np.array(first_column(free))
    assert found.min() < 0 and found.max() > 45 and (found % 5 != 0).any()


def test_sparse_integers_stay_in_their_range():
    table = sparse.csr_array(np.where(RNG.random((N, 4)) < 0.5, RNG.integers(1, 6, (N, 4)) * 3, 0))
    params = {"transforms": [GaussianNoise(2.0)], "factor": 10, "random_state": 0}
    new = AugmentingSampler("tabular", **params).fit_resample(table, Y)[0].toarray()
    assert new.min() >= 0 and new.max() <= table.max() and (new % 3 == 0).all()
    free = AugmentingSampler("tabular", clip=False, **params).fit_resample(table, Y)[0]
    assert free.toarray().min() < 0


def test_smote_and_batches_keep_integers_in_their_steps():
    frame = pd.DataFrame({"a": RNG.normal(size=N), "i": GROUPS * 10})
    new, _ = AugmentingSampler("tabular", "smote", random_state=0).fit_resample(frame, Y)
    assert set(new["i"]) <= {0, 10, 20, 30} and new.dtypes.equals(frame.dtypes)


@pytest.mark.keras
def test_batches_keep_integers_in_their_range():
    table = np.column_stack([GROUPS * 10, np.arange(N)])
    noise = GaussianNoise(3.0)
    batches = AugmentingSampler("tabular", noise, factor=5, random_state=0).flow(table, Y, 100)
    X = np.concatenate([batches[i][0] for i in range(len(batches))])
    assert X.dtype == table.dtype and set(X[:, 0]) <= {0, 10, 20, 30}


def test_clip_is_for_tables():
    with pytest.raises(ParameterError, match="clip=False is for the integer columns of tables"):
        AugmentingSampler("series", clip=False).fit_resample(np.zeros((N, 10)), Y)


# Other containers ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["image", "series", "tabular"])
def test_list_of_arrays_comes_back_as_one(kind):
    shape = {"image": (8, 8, 3), "series": (20, 2), "tabular": (4,)}[kind]
    dtype = np.uint8 if kind == "image" else np.float32
    X = [(RNG.random(shape) * 255).astype(dtype) for _ in range(N)]
    new, _ = AugmentingSampler(kind, random_state=0).fit_resample(X, Y)
    assert type(new) is list and len(new) == 56
    assert all(type(item) is np.ndarray for item in new)
    assert {(item.shape, item.dtype) for item in new} == {(shape, np.dtype(dtype))}
    nested, _ = AugmentingSampler(kind, random_state=0).fit_resample([x.tolist() for x in X], Y)
    assert type(nested[0]) is list


@pytest.mark.parametrize("dtype", ["object", "str", "string"])
def test_frame_with_one_column_of_text_is_text(dtype):
    texts = [f"the text number {i} is about this and that" for i in range(N)]
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=dtype, index=np.arange(N) + 7)})
    sampler = AugmentingSampler(random_state=0)
    new, _ = sampler.fit_resample(frame, Y)
    assert sampler.kind_ == "text" and new.dtypes.equals(frame.dtypes)
    assert list(new.columns) == ["text"] and new["text"].tolist()[:N] == texts
    changed = [a != texts[i] for a, i in zip(new["text"], sampler.sample_indices_, strict=True)]
    assert all(changed[N:])
    expected = AugmentingSampler(random_state=0).fit_resample(texts, Y)[0]
    assert new["text"].tolist() == expected


def test_other_tables_with_one_column_of_text():
    texts = np.array([f"text {i} of many" for i in range(N)])
    for X in (texts[:, None], texts.astype(object)[:, None], pl.DataFrame({"t": texts})):
        sampler = AugmentingSampler(random_state=0)
        new, _ = sampler.fit_resample(X, Y)
        assert sampler.kind_ == "text" and type(new) is type(X) and new.shape == (56, 1)
    as_table = AugmentingSampler("tabular", random_state=0)
    new, _ = as_table.fit_resample(pd.DataFrame({"t": texts}), Y)
    assert as_table.kind_ == "tabular" and set(new["t"]) == set(texts)
    cities = pd.DataFrame({"c": COLUMNS["category"]})
    assert AugmentingSampler(random_state=0).fit(cities, Y).kind_ == "tabular"
    with pytest.raises(DataError, match=r"Row 0 is .*; *|empty string"):
        AugmentingSampler().fit_resample(pd.DataFrame({"t": [None, *texts[1:]]}), Y)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(16, 16), (28, 20), (5, 9)])
def test_channels_first_images_are_refused(channels, size):
    images = np.zeros((N, channels, *size), dtype=np.float32)
    with pytest.raises(DataError, match=r"channels first; pass np.moveaxis\(X, 1, -1\)"):
        AugmentingSampler("image").fit_resample(images, Y)
    last = np.moveaxis(images, 1, -1)
    assert AugmentingSampler("image", random_state=0).fit_resample(last, Y)[0].ndim == 4


def test_pandas_and_polars_are_not_imported_for_arrays():
    assert "pandas" in sys.modules  # imported above; the public-API test covers the import itself
    new, _ = AugmentingSampler("tabular", random_state=0).fit_resample(np.eye(N), Y)
    assert type(new) is np.ndarray
