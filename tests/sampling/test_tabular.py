"""Gaussian noise, and over-samplers of imbalanced-learn by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse
from sklearn.datasets import make_classification

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import AugmentingSampler, GaussianNoise, TabularMixUp
from skopt_wrap.sampling._tabular import column_scale

X, Y = make_classification(
    300, 5, n_informative=4, n_redundant=0, weights=[0.8], flip_y=0, random_state=0
)


def test_column_scale_is_the_standard_deviation_but_zero_for_flags():
    table = np.array([[0, 1, 5, 2], [1, 2, 5, 2], [1, 6, 5, 4], [0, 3, 5, 4]], dtype=float)
    expected = [0, np.std([1, 2, 6, 3]), 0, 0]
    np.testing.assert_allclose(column_scale(table), expected)
    np.testing.assert_allclose(column_scale(sparse.csr_array(table)), expected)


def test_column_scale_of_sparse_equals_dense():
    rng = np.random.default_rng(0)
    for density in (0.2, 0.9):
        table = rng.integers(-2, 3, size=(30, 20)) * (rng.random((30, 20)) < density)
        table = np.hstack([table, np.tile([[-1.0], [0.0], [1.0]], (10, 1))]).astype(float)
        np.testing.assert_allclose(column_scale(sparse.csr_array(table)), column_scale(table))


def test_noise_has_the_spread_asked_for():
    noise = GaussianNoise(0.1)(X, rng=0) - X
    np.testing.assert_allclose(noise.std(axis=0) / X.std(axis=0), 0.1, rtol=0.15)


def test_noise_scale_is_learned_from_all_rows():
    sampler = AugmentingSampler(random_state=0).fit(X, Y)
    np.testing.assert_allclose(sampler.transforms_[0].scale, X.std(axis=0))


def test_noise_leaves_flags_and_sparse_zeros():
    table = np.column_stack([np.arange(20) % 2, np.arange(20.0), np.r_[0, 0, 5:23.0]])
    result = GaussianNoise(0.5)(table, rng=0)
    np.testing.assert_array_equal(result[:, 0], table[:, 0])
    assert (result[:, 1] != table[:, 1]).all()
    sampler = AugmentingSampler(factor=2, random_state=0)
    stored = sampler.fit_resample(sparse.csr_array(table), np.arange(20) % 2)[0].toarray()
    np.testing.assert_array_equal(stored != 0, table[sampler.sample_indices_] != 0)


def test_noise_keeps_integers_in_their_range():
    table = np.random.default_rng(0).integers(0, 256, size=(50, 3), dtype=np.uint8)
    result = GaussianNoise(3.0)(table, rng=0)
    assert result.dtype == np.uint8 and result.min() == 0 and result.max() == 255


def test_noise_probability_holds_for_sparse_rows():
    table = sparse.csr_array(X)
    noise = GaussianNoise(0.5, scale=np.ones(5), probability=0.5)
    changed = (noise._apply_some(table.copy(), np.random.default_rng(0)) != table).toarray()
    assert (changed.any(axis=1) == changed.all(axis=1)).all()
    assert 0.35 < changed.any(axis=1).mean() < 0.65


@pytest.mark.parametrize("name", ["smote", "adasyn", "borderline_smote", "svm_smote"])
def test_over_sampler_by_name_makes_rows_of_the_minority(name):
    sampler = AugmentingSampler("tabular", [name], random_state=0)
    X_new, y_new = sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(X_new[:300], X)
    added = np.bincount(y_new) - np.bincount(Y)
    assert added[0] == 0
    assert abs(added[1] - sampler.sampling_strategy_[1]) <= 0.05 * sampler.sampling_strategy_[1]
    np.testing.assert_array_equal(y_new, Y[sampler.sample_indices_])
    again = AugmentingSampler("tabular", [name], random_state=0).fit_resample(X, Y)[0]
    np.testing.assert_array_equal(X_new, again)


def test_smote_rows_are_those_of_imbalanced_learn():
    sampler = AugmentingSampler("tabular", "smote", random_state=0)
    _, inner, _ = sampler._seed().spawn(3)
    expected = SMOTE(random_state=int(inner.generate_state(1)[0])).fit_resample(X, Y)[0]
    np.testing.assert_array_equal(sampler.fit_resample(X, Y)[0], expected)


def test_smote_source_is_the_nearest_row_of_the_class():
    sampler = AugmentingSampler("tabular", "smote", random_state=0)
    X_new, _ = sampler.fit_resample(X, Y)
    minority, scale = np.flatnonzero(Y == 1), X.std(axis=0)
    for row, source in zip(X_new[300:320], sampler.sample_indices_[300:320], strict=True):
        distance = (((X[minority] - row) / scale) ** 2).sum(axis=1)
        assert minority[distance.argmin()] == source


def test_smote_then_noise_changes_the_new_rows_only():
    plain = AugmentingSampler("tabular", ["smote"], random_state=0).fit_resample(X, Y)[0]
    both = AugmentingSampler("tabular", ["smote", "gaussian_noise"], random_state=0)
    result = both.fit_resample(X, Y)[0]
    np.testing.assert_array_equal(result[:300], X)
    assert (result[300:] != plain[300:]).all()


def test_smote_grows_all_classes_and_can_replace_originals():
    sampler = AugmentingSampler(
        "tabular", "smote", sampling_strategy="all", factor=2, keep_original=False, random_state=0
    )
    X_new, y_new = sampler.fit_resample(X, Y)
    assert np.bincount(y_new).tolist() == [2 * (Y == 0).sum()] * 2
    assert len(X_new) == len(sampler.sample_indices_) == len(y_new)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_smote_keeps_frames(frame):
    table = frame({f"c{j}": X[:, j] for j in range(5)})
    result = AugmentingSampler("tabular", ["smote", "gaussian_noise"], random_state=0)
    new = result.fit_resample(table, Y)[0]
    assert isinstance(new, frame) and list(new.columns) == list(table.columns)
    np.testing.assert_array_equal(new.to_numpy()[:300], X)


def test_smotenc_object_respects_categories():
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"])
    frame["c"] = np.where(X[:, 2] > 0, "high", "low")
    sampler = AugmentingSampler(
        "tabular", [SMOTENC(categorical_features=["c"]), "gaussian_noise"], random_state=0
    )
    new, y_new = sampler.fit_resample(frame, Y)
    assert set(new["c"]) == {"high", "low"} and new.dtypes.equals(frame.dtypes)
    assert len(sampler.sample_indices_) == len(y_new) == 2 * (Y == 0).sum()


def test_random_over_sampler_tells_its_own_sources():
    sampler = AugmentingSampler("tabular", [RandomOverSampler()], random_state=0)
    X_new, _ = sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(X_new, X[sampler.sample_indices_])


def mixed_frame():
    frame = pd.DataFrame(X[:, :3], columns=list("abc"))
    frame["d"] = np.where(X[:, 3] > 0, "high", "low")
    return frame


@pytest.mark.parametrize("container", [mixed_frame, lambda: mixed_frame().to_numpy(dtype=object)])
def test_smotenc_by_name_finds_the_categories(container):
    table = container()
    sampler = AugmentingSampler("tabular", ["smotenc", "gaussian_noise"], random_state=0)
    new, y_new = sampler.fit_resample(table, Y)
    column = np.asarray(new)[:, 3]
    assert set(column) == {"high", "low"} and type(new) is type(table)
    assert np.bincount(y_new).tolist() == [(Y == 0).sum()] * 2
    categories = mixed_frame()[["d"]].assign(e="x").astype("str")
    only, y_new = AugmentingSampler("tabular", "smoten", random_state=0).fit_resample(categories, Y)
    assert set(only["d"]) == {"high", "low"} and len(only) == len(y_new) == 2 * (Y == 0).sum()


def test_smotenc_by_name_needs_both_sorts_of_columns():
    sampler = AugmentingSampler("tabular", "smotenc")
    with pytest.raises(DataError, match="Use 'smote'"):
        sampler.fit_resample(X, Y)
    with pytest.raises(DataError, match="Use 'smoten'"):
        sampler.fit_resample(mixed_frame()[["d"]].assign(e="x"), Y)


@pytest.mark.parametrize("name", ["smote_enn", "smote_tomek"])
@pytest.mark.parametrize("frame", [np.asarray, pd.DataFrame, sparse.csr_array])
def test_cleaning_combination_is_that_of_imbalanced_learn(name, frame):
    sampler = AugmentingSampler("tabular", name, random_state=0)
    weight, noisy = np.arange(300.0), np.where(np.arange(300) % 20 == 0, 1 - Y, Y)
    new, y_new, w = sampler.fit_resample(frame(X), noisy, sample_weight=weight)
    seed = int(sampler._seed().spawn(3)[1].generate_state(1)[0])
    cls = {"smote_enn": SMOTEENN, "smote_tomek": SMOTETomek}[name]
    X_ref, y_ref = cls(smote=SMOTE(random_state=seed)).fit_resample(X, noisy)
    new = new.toarray() if sparse.issparse(new) else np.asarray(new)
    rows, expected = ({tuple(row) for row in part} for part in (new, X_ref))
    assert rows == expected and len(new) < 2 * (noisy == 0).sum()
    assert np.bincount(y_new).tolist() == np.bincount(y_ref).tolist()
    np.testing.assert_array_equal(w, weight[sampler.sample_indices_])
    np.testing.assert_array_equal(y_new, noisy[sampler.sample_indices_])
    n_old = sum(tuple(row) in {tuple(r) for r in X} for row in new)
    np.testing.assert_array_equal(new[:n_old], X[sampler.sample_indices_[:n_old]])


def test_cleaning_combination_objects_and_transforms_after():
    sampler = AugmentingSampler(
        "tabular",
        [SMOTEENN(smote=SMOTE(k_neighbors=2)), "gaussian_noise"],
        keep_original=False,
        random_state=0,
    )
    new, y_new = sampler.fit_resample(X, Y)
    assert len(new) == len(y_new) == len(sampler.sample_indices_)
    with pytest.raises(ParameterError, match="step of its own"):
        AugmentingSampler("tabular", RandomUnderSampler()).fit_resample(X, Y)


@pytest.mark.parametrize("table", [X, sparse.csr_array(X), mixed_frame()])
def test_tabular_mixup_mixes_labels_and_keeps_categories(table):
    mixup = TabularMixUp(1.0, soft_labels=True)
    sampler = AugmentingSampler("tabular", [mixup], factor=2, random_state=0)
    new, y_new = sampler.fit_resample(table, Y)
    assert type(new) is type(table) and y_new.shape == (600, 2)
    np.testing.assert_allclose(y_new.sum(axis=1), 1)
    assert (y_new[300:].argmax(axis=1) == Y[sampler.sample_indices_[300:]]).mean() > 0.99
    if hasattr(table, "columns"):
        assert (new["d"].to_numpy() == table["d"].to_numpy()[sampler.sample_indices_]).all()
    else:
        dense = new.toarray() if sparse.issparse(new) else new
        assert dense.min() >= X.min() and dense.max() <= X.max() and (dense[300:] != X).any()


def test_tabular_mixup_is_a_weighted_mean_but_for_flags():
    table = np.column_stack([np.arange(50) % 2, np.arange(50.0)])
    sampler = AugmentingSampler("tabular", [TabularMixUp(1.0)], factor=2, random_state=0)
    new, target = sampler.fit_resample(table, table[:, 1] * 2.0 + 0.5)
    np.testing.assert_array_equal(new[:, 0], table[sampler.sample_indices_, 0])
    np.testing.assert_allclose(target, new[:, 1] * 2 + 0.5)
    with pytest.raises(ParameterError, match="soft_labels"):
        AugmentingSampler("tabular", "tabular_mixup").fit_resample(X, Y)
