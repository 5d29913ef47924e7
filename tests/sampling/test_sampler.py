"""Counts, order, alignment, containers and seeds of AugmentingSampler."""

from __future__ import annotations

import pickle
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import Pipeline
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import FunctionTransformer

from skopt_wrap.exceptions import SkoptWrapWarning
from skopt_wrap.sampling import (
    AugmentingSampler,
    BackTranslation,
    CutMix,
    Jitter,
    MixUp,
    RandomSwap,
    Rotation,
    _row_blocks,
)
from skopt_wrap.sampling._row_blocks import block_rows, blocks
from skopt_wrap.sampling._transform import Policy

RNG = np.random.default_rng(0)
Y = np.array([0] * 9 + [1] * 5 + [2] * 2)
DATA = {
    "image": RNG.integers(0, 256, size=(16, 8, 8, 3), dtype=np.uint8),
    "series": RNG.standard_normal((16, 20, 2)),
    "tabular": RNG.standard_normal((16, 4)).astype(np.float32),
    "text": [f"the text number {i} is about this and that" for i in range(16)],
}


def resample(kind, **params):
    sampler = AugmentingSampler(kind, random_state=0, **params)
    X, y = sampler.fit_resample(DATA[kind], Y)
    return sampler, X, y


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize(
    ("params", "counts"),
    [
        ({}, [9, 9, 9]),
        ({"sampling_strategy": "all"}, [9, 9, 9]),
        ({"sampling_strategy": "minority"}, [9, 5, 9]),
        ({"sampling_strategy": {2: 7}}, [9, 5, 7]),
        ({"sampling_strategy": lambda y: {1: 6}}, [9, 6, 2]),
        ({"factor": 3}, [27, 15, 6]),
        ({"factor": 1.5}, [14, 8, 3]),
        ({"sampling_strategy": "all", "factor": 2}, [18, 18, 18]),
        ({"keep_original": False}, [9, 9, 9]),
        ({"keep_original": False, "factor": 2}, [18, 10, 4]),
        ({"factor": 1}, [9, 5, 2]),
    ],
)
def test_sampler_counts_follow_strategy_and_factor(kind, params, counts):
    _, X, y = resample(kind, **params)
    assert np.bincount(y).tolist() == counts
    assert len(X) == len(y)


def test_sampler_float_strategy_is_a_ratio():
    y = np.array([0] * 12 + [1] * 4)
    sampler = AugmentingSampler(sampling_strategy=0.5, random_state=0)
    assert np.bincount(sampler.fit_resample(DATA["tabular"], y)[1]).tolist() == [12, 6]


@pytest.mark.parametrize("kind", DATA)
def test_sampler_originals_come_first_unchanged(kind):
    sampler, X, y = resample(kind, sampling_strategy="all", factor=2)
    np.testing.assert_array_equal(np.asarray(X)[:16], np.asarray(DATA[kind]))
    np.testing.assert_array_equal(sampler.sample_indices_[:16], np.arange(16))
    np.testing.assert_array_equal(y, Y[sampler.sample_indices_])
    changed = np.asarray(X)[16:] != np.asarray(DATA[kind])[sampler.sample_indices_[16:]]
    assert changed.reshape(len(changed), -1).any(axis=1).mean() > 0.8


@pytest.mark.parametrize("kind", DATA)
def test_sampler_uses_sources_equally(kind):
    sampler, _, _ = resample(kind, factor=3)
    assert np.bincount(sampler.sample_indices_).tolist() == [3] * 16


def test_sampler_sources_differ_by_one_at_most():
    sampler, _, _ = resample("tabular", sampling_strategy="all", factor=1.7)
    times = np.bincount(sampler.sample_indices_)
    for label in range(3):
        assert np.ptp(times[label == Y]) <= 1


@pytest.mark.parametrize("kind", DATA)
def test_sampler_leaves_input_alone(kind):
    before = pickle.dumps(DATA[kind])
    resample(kind, factor=2)
    assert pickle.dumps(DATA[kind]) == before


def test_sampler_aligns_further_arrays():
    weight, names = np.arange(16.0), pd.Series([f"g{i}" for i in range(16)])
    sampler = AugmentingSampler("image", factor=2, random_state=0)
    _, _, w, groups, nothing = sampler.fit_resample(
        DATA["image"], Y, sample_weight=weight, groups=names, other=None
    )
    np.testing.assert_array_equal(w, weight[sampler.sample_indices_])
    assert groups.tolist() == [f"g{i}" for i in sampler.sample_indices_]
    assert groups.index.tolist() == list(range(32))
    assert nothing is None


@pytest.mark.parametrize("kind", DATA)
def test_sampler_same_seed_same_result(kind):
    first, second = resample(kind, factor=2)[1], resample(kind, factor=2)[1]
    np.testing.assert_array_equal(first, second)
    other = AugmentingSampler(kind, factor=2, random_state=1).fit_resample(DATA[kind], Y)[0]
    assert (np.asarray(other) != np.asarray(first)).any()


def test_sampler_random_state_instance_advances():
    sampler = AugmentingSampler("tabular", random_state=np.random.RandomState(0))
    first = sampler.fit_resample(DATA["tabular"], Y)[0]
    second = sampler.fit_resample(DATA["tabular"], Y)[0]
    assert (first != second).any()


@pytest.mark.parametrize("seed", [None, 0])
@pytest.mark.parametrize("transforms", ["default", "smote"])
def test_sampler_leaves_global_random_state(seed, transforms):
    X, y = np.repeat(DATA["tabular"], 4, axis=0), np.repeat(Y, 4)
    before = np.random.get_state()[1].copy()
    AugmentingSampler("tabular", transforms, random_state=seed).fit_resample(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_blocks_do_not_depend_on_their_order():
    seed = np.random.SeedSequence(3)
    first = {tuple(p): s.generate_state(2).tolist() for p, s in blocks(150, 64, seed)}
    again = list(blocks(150, 64, np.random.SeedSequence(3)))[::-1]
    assert first == {tuple(p): s.generate_state(2).tolist() for p, s in again}
    assert sorted(np.concatenate([p for p, _ in again])) == list(range(150))


@pytest.mark.parametrize(
    ("kind", "shape", "rows"),
    [
        ("image", (9, 8, 8), 256),
        ("image", (9, 32, 32, 3), 85),
        ("image", (9, 64, 64, 3), 64),
        ("image", (9, 96, 96, 3), 37),
        ("image", (9, 9000, 9000), 8),
        ("text", (9,), 256),
    ],
)
def test_block_rows_bound_the_memory(kind, shape, rows):
    assert block_rows(kind, shape) == rows


def test_sampler_result_does_not_depend_on_block_schedule(monkeypatch):
    X, y = np.repeat(DATA["image"], 20, axis=0), np.repeat(Y, 20)
    sampler = AugmentingSampler("image", factor=2, random_state=0)
    expected = sampler.fit_resample(X, y)[0]
    monkeypatch.setattr(
        "skopt_wrap.sampling._row_blocks.blocks", lambda *args: list(blocks(*args))[::-1]
    )
    np.testing.assert_array_equal(sampler.fit_resample(X, y)[0], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_sampler_images_keep_dtype_and_range(dtype):
    X = (DATA["image"] // 2).astype(dtype)
    if np.dtype(dtype).kind == "f":
        X /= X.max()
    names = ["rotation", "zoom", "brightness", "contrast", "noise", "cutout", "random_crop"]
    sampler = AugmentingSampler("image", names, magnitude=3, factor=4, random_state=0)
    result = sampler.fit_resample(X, Y)[0]
    low, high = {"u": (0, 255), "f": (0, 1)}.get(np.dtype(dtype).kind, (X.min(), X.max()))
    assert result.dtype == dtype
    assert min(low, 0) <= result.min() and result.max() <= high


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (DATA["image"], "image"),
        (DATA["tabular"], "tabular"),
        (DATA["text"], "text"),
        (np.array(DATA["text"]), "text"),
        (pd.Series(DATA["text"]), "text"),
        (pd.DataFrame(DATA["tabular"]), "tabular"),
    ],
)
def test_auto_kind_goes_by_shape(X, kind):
    assert AugmentingSampler(random_state=0).fit(X, Y).kind_ == kind


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [((16, 8, 8), float, "image"), ((16, 6, 9), np.uint8, "image"), ((16, 20, 2), float, "series")],
)
def test_auto_kind_says_what_it_assumed_in_three_dimensions(shape, dtype, kind):
    with pytest.warns(SkoptWrapWarning, match=f"that is kind='{kind}'"):
        sampler = AugmentingSampler(random_state=0).fit(np.zeros(shape, dtype=dtype), Y)
    assert sampler.kind_ == kind


def test_sampler_text_containers_come_back():
    texts = DATA["text"]
    sampler = AugmentingSampler(random_state=0)
    assert isinstance(sampler.fit_resample(texts, Y)[0], list)
    assert sampler.fit_resample(np.array(texts), Y)[0].dtype.kind == "U"
    assert sampler.fit_resample(np.array(texts, dtype=object), Y)[0].dtype == object
    column = pd.Series(texts, name="t", dtype="str")
    series = sampler.fit_resample(column, Y)[0]
    assert series.name == "t" and series.dtype == column.dtype and len(series) == 27
    categories = sampler.fit_resample(pd.Series(texts, dtype="category"), Y)[0]
    assert not categories.isna().any()
    column = sampler.fit_resample(pl.Series("t", texts), Y)[0]
    assert isinstance(column, pl.Series) and column.name == "t"


def test_sampler_mixed_frame_keeps_dtypes_and_leaves_categories():
    frame = pd.DataFrame(
        {
            "f": DATA["tabular"][:, 0],
            "i": np.arange(16),
            "b": np.arange(16) % 2 == 0,
            "c": pd.Categorical(["u", "v"] * 8),
            "n": pd.array(range(16), dtype="Int64"),
            "s": [f"s{i}" for i in range(16)],
        }
    )
    sampler = AugmentingSampler(random_state=0)
    X, y = sampler.fit_resample(frame, pd.Series(Y, name="y").astype("category"))
    assert X.dtypes.equals(frame.dtypes)
    assert y.dtype == "category" and y.name == "y"
    pd.testing.assert_frame_equal(X.iloc[:16], frame)
    rows = sampler.sample_indices_
    for name in "bcs":
        assert X[name].tolist() == frame[name].iloc[rows].tolist()
    assert (X["f"].to_numpy() != frame["f"].to_numpy()[rows]).sum() == 11


def test_sampler_polars_frame_comes_back():
    frame = pl.DataFrame({"f": DATA["tabular"][:, 0], "i": np.arange(16), "s": ["a", "b"] * 8})
    sampler = AugmentingSampler(random_state=0)
    X, y = sampler.fit_resample(frame, pl.Series("y", Y))
    assert X.schema == frame.schema and X[:16].equals(frame)
    assert y.to_list() == Y[sampler.sample_indices_].tolist()


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sampler_sparse_stays_sparse(make):
    dense = DATA["tabular"] * (RNG.random((16, 4)) < 0.5)
    X = AugmentingSampler(random_state=0).fit_resample(make(dense), Y)[0]
    assert sparse.issparse(X) and X.format == make(dense).format and X.dtype == np.float32
    rows = AugmentingSampler(random_state=0).fit(dense, Y)
    assert rows.kind_ == "tabular"
    assert X.nnz < X.shape[0] * X.shape[1]


def test_sampler_regression_target_grows_by_factor():
    y = np.linspace(0, 1, 16)
    sampler = AugmentingSampler(factor=2, random_state=0)
    X, y_new = sampler.fit_resample(DATA["tabular"], y)
    assert X.shape == (32, 4) and sampler.sampling_strategy_ == {None: 16}
    np.testing.assert_array_equal(y_new, np.tile(y, 2))


def test_sampler_multilabel_target_grows_by_factor():
    y = np.tile([[1, 1, 0], [0, 0, 0]], (8, 1))
    _, y_new = AugmentingSampler(factor=2, random_state=0).fit_resample(DATA["tabular"], y)
    np.testing.assert_array_equal(y_new, np.tile(y, (2, 1)))


def test_sampler_one_class_grows_by_factor():
    y = AugmentingSampler(factor=2, random_state=0).fit_resample(DATA["tabular"], ["a"] * 16)[1]
    assert y == ["a"] * 32


def test_sampler_empty_transforms_make_copies():
    sampler = AugmentingSampler("image", [], random_state=0)
    X, _ = sampler.fit_resample(DATA["image"], Y)
    np.testing.assert_array_equal(X, DATA["image"][sampler.sample_indices_])


def test_sampler_magnitude_zero_changes_nothing():
    for kind in DATA:
        sampler, X, _ = resample(kind, magnitude=0)
        np.testing.assert_array_equal(
            np.asarray(X), np.asarray(DATA[kind])[sampler.sample_indices_]
        )


def test_sampler_magnitude_multiplies_within_the_legal_range():
    sampler = AugmentingSampler("image", [Rotation(100), "zoom"], magnitude=2, random_state=0)
    rotation, zoom = sampler.fit(DATA["image"], Y).transforms_
    assert (rotation.magnitude, zoom.magnitude) == (180, 0.2)


def test_sampler_callable_sees_the_dtype_of_x():
    seen = []

    def invert(batch, rng):
        seen.append((batch.dtype, type(rng)))
        return 255 - batch

    sampler = AugmentingSampler("image", ["brightness", invert, np.copy], random_state=0)
    sampler.fit_resample(DATA["image"], Y)
    assert seen == [(np.uint8, np.random.Generator)]


def test_sampler_clone_and_pickle_keep_the_result():
    sampler = AugmentingSampler("image", [Rotation(20)], random_state=0)
    expected = sampler.fit_resample(DATA["image"], Y)[0]
    for copy in (clone(sampler), pickle.loads(pickle.dumps(sampler))):
        np.testing.assert_array_equal(copy.fit_resample(DATA["image"], Y)[0], expected)


class Counting(ClassifierMixin, BaseEstimator):
    """Remembers how many rows it was given."""

    def fit(self, X, y):
        self.classes_, self.fitted_rows_ = np.unique(y), len(X)
        return self

    def predict(self, X):
        self.predicted_rows_ = len(X)
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("kind", DATA)
def test_sampler_in_pipeline_acts_only_while_fitting(kind):
    pipeline = Pipeline(
        [("augment", AugmentingSampler(kind, factor=2, random_state=0)), ("count", Counting())]
    )
    pipeline.fit(DATA[kind], Y).predict(DATA[kind])
    assert pipeline[-1].fitted_rows_ == 32
    assert pipeline[-1].predicted_rows_ == 16


def flatten(X):
    return X.reshape(len(X), -1)


def test_sampler_magnitude_is_searchable_in_a_grid():
    images, y = load_digits(return_X_y=True)
    images, y = images[:120].reshape(-1, 8, 8), y[:120]
    pipeline = Pipeline(
        [
            ("augment", AugmentingSampler("image", factor=2, random_state=0)),
            ("flat", FunctionTransformer(flatten)),
            ("model", LogisticRegression(max_iter=200, tol=1e-2)),
        ]
    )
    grid = {
        "augment__magnitude": [0.0, 1.0],
        "augment__transforms": ["default", [Rotation(15)], ["translation", "noise"]],
    }
    search = GridSearchCV(pipeline, grid, cv=StratifiedKFold(2), error_score="raise")
    search.fit(images, y)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores.round(6))) > 1 and scores.min() > 0.5
    # Magnitude 0 makes plain copies whatever the transform.
    assert np.ptp(scores[:3]) < 1e-9


def test_sampler_soft_labels_are_probabilities():
    X = DATA["image"]
    labels = np.array(["a", "b", "c"])[Y]
    sampler = AugmentingSampler(
        "image", [MixUp(1.0, soft_labels=True)], sampling_strategy="all", factor=2, random_state=0
    )
    _, y = sampler.fit_resample(X, labels)
    assert y.shape == (54, 3) and sampler.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(y[:16], np.eye(3)[Y])
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert ((y > 0).sum(axis=1) > 1).any()
    source = np.take(Y, sampler.sample_indices_)
    assert (y[np.arange(54), source] >= 0.5).all()


def test_sampler_mixup_keeps_hard_labels_within_a_class():
    sampler = AugmentingSampler("image", [MixUp(1.0, same_class=True)], random_state=0)
    X = np.broadcast_to(Y[:, None, None] * 100.0, (16, 4, 4))
    X_new, y_new = sampler.fit_resample(X, Y)
    np.testing.assert_allclose(X_new, np.broadcast_to(y_new[:, None, None] * 100.0, X_new.shape))


def test_sampler_mixup_mixes_regression_targets_as_the_data():
    y = pd.Series(np.linspace(0, 1, 16), name="target")
    X = np.broadcast_to(y.to_numpy()[:, None, None], (16, 4, 4))
    sampler = AugmentingSampler("image", [MixUp(1.0)], factor=3, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert y_new.name == "target" and y_new.nunique() > 20
    np.testing.assert_allclose(X_new[:, 0, 0], y_new)


def test_sampler_verbose_prints_the_numbers(capsys):
    AugmentingSampler("tabular", random_state=0, verbose=1).fit_resample(DATA["tabular"], Y)
    assert "16 originals and 11 new rows" in capsys.readouterr().out


def test_sampler_object_array_changes_its_numeric_columns_only():
    X = np.array([[i, i / 3, f"s{i}", i % 2 == 0] for i in range(16)], dtype=object)
    sampler = AugmentingSampler("tabular", random_state=0)
    result, _ = sampler.fit_resample(X, Y)
    rows = sampler.sample_indices_
    np.testing.assert_array_equal(result[:16], X)
    np.testing.assert_array_equal(result[:, 2:], X[rows][:, 2:])
    assert all(isinstance(value, int | np.integer) for value in result[:, 0])
    assert (result[16:, 1] != X[rows[16:], 1]).all()


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_sampler_series_in_a_frame_come_back_in_one(frame):
    steps = {f"t{j}": DATA["series"][:, j, 0] for j in range(20)}
    result, _ = AugmentingSampler("series", random_state=0).fit_resample(frame(steps), Y)
    assert isinstance(result, frame) and result.shape == (27, 20)
    np.testing.assert_array_equal(result.to_numpy()[:16], DATA["series"][:, :, 0])


def test_sampler_user_callable_on_sparse_rows():
    X = sparse.csr_array(np.diag(np.arange(1.0, 17)))
    sampler = AugmentingSampler("tabular", [lambda batch: batch * 2], random_state=0)
    result, _ = sampler.fit_resample(X, Y)
    expected = X.toarray()[sampler.sample_indices_]
    expected[16:] *= 2
    np.testing.assert_array_equal(result.toarray(), expected)


def test_sampler_mixes_float_label_matrices_without_asking():
    y = pd.DataFrame(np.eye(3)[Y] * 0.9 + 0.05, columns=["a", "b", "c"])
    sampler = AugmentingSampler("image", [MixUp(1.0)], factor=2, random_state=0)
    _, y_new = sampler.fit_resample(DATA["image"], y)
    assert list(y_new.columns) == ["a", "b", "c"] and len(y_new) == 32
    np.testing.assert_allclose(y_new[:16], y)


@pytest.mark.parametrize("kind", DATA)
def test_sampler_result_does_not_depend_on_n_jobs(kind, monkeypatch):
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    repeated = {
        k: list(v) * 40 if k == "text" else np.concatenate([v] * 40) for k, v in DATA.items()
    }
    y, results = np.tile(Y, 40), []
    for n_jobs in (None, 1, 3, -1):
        sampler = AugmentingSampler(kind, factor=2, n_jobs=n_jobs, random_state=0)
        results.append(np.asarray(sampler.fit_resample(repeated[kind], y)[0]))
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_sampler_threads_serve_sparse_tables_and_soft_labels(monkeypatch):
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    table, y = (
        sparse.random_array((3000, 5), density=0.3, rng=0, format="csr"),
        np.tile([0, 1], 1500),
    )
    one, three = (
        AugmentingSampler("tabular", factor=2, n_jobs=n, random_state=0).fit_resample(table, y)[0]
        for n in (1, 3)
    )
    np.testing.assert_array_equal(one.toarray(), three.toarray())
    images = np.random.default_rng(0).random((400, 8, 8), dtype=np.float32)
    (X1, y1), (X3, y3) = (
        AugmentingSampler(
            "image", [MixUp(soft_labels=True)], factor=2, n_jobs=n, random_state=0
        ).fit_resample(images, y[:400])
        for n in (1, 3)
    )
    np.testing.assert_array_equal(X1, X3)
    np.testing.assert_array_equal(y1, y3)


def test_sampler_uses_threads_where_the_data_are_large(monkeypatch):
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    seen = set()

    def note(batch):
        seen.add(threading.get_ident())
        time.sleep(0.01)
        return batch

    table = np.zeros((20000, 2))
    for n_jobs, many in ((1, False), (3, True)):
        seen.clear()
        sampler = AugmentingSampler(transforms=note, factor=2, n_jobs=n_jobs)
        sampler.fit_resample(table, np.arange(20000) % 2)
        assert (len(seen) > 1) == many


def test_sampler_uses_threads_for_few_large_rows():
    images, seen = np.zeros((40, 360, 400), np.uint8), set()

    def note(batch):
        seen.add(threading.get_ident())
        time.sleep(0.01)
        return batch

    AugmentingSampler("image", note, factor=2, n_jobs=2).fit_resample(images, np.arange(40) % 2)
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("kind", "shape", "steps", "threads"),
    [
        ("image", (9, 32, 32, 3), [Rotation()], 1),
        ("image", (9, 32, 32, 3), [lambda batch: batch], 2),
        ("image", (9, 96, 96, 3), [Rotation()], 2),
        ("text", (9,), [RandomSwap()], 1),
        ("text", (9,), [BackTranslation(list, list)], 2),
        ("series", (9, 50), [Jitter()], 2),
    ],
)
def test_threads_are_started_where_they_pay(kind, shape, steps, threads):
    job = _row_blocks.Job(kind, np.empty(shape), np.arange(9), Policy(steps))
    assert _row_blocks.count_threads(job, 40, 64, 2) == threads
    assert (
        _row_blocks.count_threads(job, 40, 64, None)
        == _row_blocks.count_threads(job, 1, 64, 2)
        == 1
    )


@pytest.mark.parametrize("cls", [MixUp, CutMix])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_partners_come_from_all_rows_with_their_own_labels(cls, n_jobs, monkeypatch):
    monkeypatch.setattr(_row_blocks, "THREAD_ELEMENTS", 1)
    monkeypatch.setattr(_row_blocks, "BLOCKS_PER_THREAD", 1)
    y = np.repeat([0, 1], 1000)
    images = np.ones((1, 32, 32)) * y[:, None, None]
    mixing = cls(1.0, soft_labels=True)
    sampler = AugmentingSampler(
        "image", [mixing], factor=1, keep_original=False, random_state=0, n_jobs=n_jobs
    )
    X_new, y_new = sampler.fit_resample(images, y)
    np.testing.assert_allclose(X_new.mean(axis=(1, 2)), y_new[:, 1], atol=1e-9)
    # New rows come class by class, in many blocks: half of the partners are of the other class.
    assert abs((y_new.max(axis=1) < 1).mean() - 0.5) < 0.05
    within = AugmentingSampler("image", [cls(1.0, same_class=True)], factor=2, random_state=0)
    X_new, y_new = within.fit_resample(images, y)
    np.testing.assert_array_equal(X_new.mean(axis=(1, 2)).round(9), y_new)
