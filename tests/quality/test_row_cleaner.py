"""RowCleaner: planted duplicates, conflicts, wrong labels and outliers."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_blobs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from skopt_wrap import RowCleaner
from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.quality._rows._label_errors import confident_joint, find_label_errors
from skopt_wrap.quality._rows._repeats import row_groups
from skopt_wrap.quality._tables._read import open_table


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(120, centers=3, n_features=4, random_state=0)


def flipped(y, share=0.05, seed=0):
    """Return labels of which some are wrong, and a mask of those."""
    rng = np.random.default_rng(seed)
    classes = np.unique(y)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[rng.choice(len(y), int(share * len(y)), replace=False)] = True
    shift = rng.integers(1, len(classes), len(y))
    other = classes[(np.searchsorted(classes, y) + shift) % len(classes)]
    return np.where(wrong, other, y), wrong


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_wine])
def test_planted_label_errors_are_found(load):
    X, y = load(return_X_y=True)
    X, y = X[:600], y[:600]
    noisy, wrong = flipped(y)
    cleaner = RowCleaner(["labels"], random_state=0, cv=3).fit(X, noisy)
    found = cleaner.flags_["labels"]
    assert found[wrong].mean() >= 0.9
    assert found[~wrong].mean() <= 0.1


def test_the_confident_joint_is_that_of_cleanlab():
    cleanlab = pytest.importorskip("cleanlab")
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 5):
        labels = rng.integers(0, n_classes, 400)
        probabilities = rng.dirichlet(np.ones(n_classes), 400) + 1.5 * np.eye(n_classes)[
            flipped(labels, 0.2)[0]]  # fmt: skip
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        theirs = cleanlab.count.compute_confident_joint(labels, probabilities)
        np.testing.assert_allclose(confident_joint(labels, probabilities), theirs, atol=1.01)
        flags = cleanlab.filter.find_label_issues(labels, probabilities)
        ours = find_label_errors(labels, probabilities)[0]
        assert (flags != ours).mean() <= 0.01


def test_cleanlab_judges_where_it_is_asked_for(blobs):
    X, y = blobs
    noisy, wrong = flipped(y)
    cleaner = RowCleaner(["labels"], label_method="cleanlab", random_state=0)
    try:
        import cleanlab  # noqa: F401
    except ImportError:
        with pytest.raises(ParameterError, match=r"skopt_wrap\[quality\]"):
            cleaner.fit(X, noisy)
    else:
        assert cleaner.fit(X, noisy).flags_["labels"][wrong].mean() >= 0.9


@pytest.mark.parametrize("library", ["array", "pandas", "polars"])
def test_duplicates_and_conflicts(blobs, library):
    X, y = blobs
    X = np.vstack([X, X[3], X[5], X[5], X[7]])
    y = np.append(y, [y[3], (y[5] + 1) % 3, y[5], (y[7] + 1) % 3])
    frame = {"array": X, "pandas": pd.DataFrame(X, columns=list("abcd")),
             "polars": pl.DataFrame(X, schema=list("abcd"))}[library]  # fmt: skip
    cleaner = RowCleaner(["duplicates", "conflicts"])
    X_new, y_new = cleaner.fit_resample(frame, y)
    assert type(X_new) is type(frame)
    assert np.flatnonzero(cleaner.flags_["duplicates"]).tolist() == [120, 122]
    assert np.flatnonzero(cleaner.flags_["conflicts"]).tolist() == [7, 121, 123]  # 7, 123: a tie
    stay = np.setdiff1d(np.arange(124), [7, 120, 121, 122, 123])
    np.testing.assert_array_equal(cleaner.sample_indices_, stay)
    np.testing.assert_array_equal(np.asarray(X_new), X[stay])
    np.testing.assert_array_equal(y_new, y[stay])
    assert "equal to row 3" in str(cleaner.report_)


def test_equal_rows_of_mixed_columns():
    X = pd.DataFrame({
        "a": [1.0, 1.0, np.nan, np.nan, 1.0], "b": ["x", "x", None, None, "y"],
        "c": pd.to_datetime(["2020-01-01", "2020-01-01", None, None, "2020-01-01"]),
    })  # fmt: skip
    assert row_groups(open_table(X)).tolist() == [0, 0, 2, 2, 4]


def test_outlying_rows(blobs):
    X, y = blobs
    X = X.copy()
    X[[4, 50]] = [[90, -90, 90, -90], [-80, 80, -80, 80]]
    cleaner = RowCleaner(["outliers"], random_state=0).fit(X, y)
    assert np.flatnonzero(cleaner.flags_["outliers"]).tolist() == [4, 50]


@pytest.mark.parametrize("fraction", [0.0, 0.02, 0.05, 0.3])
def test_never_more_than_the_fraction_and_no_class_disappears(fraction):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    y[:3] = 2
    cleaner = RowCleaner(max_fraction=fraction, random_state=0)
    _, y_new = cleaner.fit_resample(X, y)
    assert 200 - len(y_new) <= fraction * 200
    assert set(y_new) == {0, 1, 2}
    assert sum(cleaner.sampling_strategy_.values()) == 200 - len(y_new)


def test_the_most_suspect_labels_go_first(blobs):
    X, y = blobs
    noisy, _ = flipped(y, 0.1)
    cleaner = RowCleaner(["labels"], max_fraction=0.05, random_state=0)
    cleaner.fit_resample(X, noisy)
    gone = np.setdiff1d(np.arange(120), cleaner.sample_indices_)
    chances = cleaner.label_probabilities_
    margin = chances.max(axis=1) - chances[np.arange(120), noisy]
    rest = cleaner.flags_["labels"].copy()
    rest[gone] = False
    assert margin[gone].min() >= margin[rest].max()
    assert "max_fraction=0.05 is reached" in str(cleaner.report_)


def test_coarse_data_keep_their_repeated_rows():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (200, 2)), rng.integers(0, 2, 200)
    cleaner = RowCleaner(["duplicates", "conflicts"])
    assert len(cleaner.fit_resample(X, y)[1]) == 200
    assert cleaner.flags_["duplicates"].sum() == 192
    assert "repetition is usual" in str(cleaner.report_)


def test_flagging_removes_nothing(blobs):
    X, y = blobs
    noisy, wrong = flipped(y)
    cleaner = RowCleaner(action="flag", random_state=0)
    X_new, _ = cleaner.fit_resample(X, noisy)
    np.testing.assert_array_equal(X_new, X)
    assert cleaner.flags_["labels"][wrong].all()
    assert not any(cleaner.report_.to_dict()["removed"])
    assert cleaner.report_.to_frame().shape[1] == 4
    assert "<table>" in cleaner.report_._repr_html_()


def test_aligned_arrays_and_lists_follow(blobs):
    X, y = blobs
    noisy, _ = flipped(y)
    weights = np.arange(120.0)
    cleaner = RowCleaner(random_state=0)
    X_new, y_new, w_new = cleaner.fit_resample(X.tolist(), noisy.tolist(), sample_weight=weights)
    assert isinstance(X_new, list) and isinstance(y_new, list)
    np.testing.assert_array_equal(w_new, weights[cleaner.sample_indices_])
    with pytest.raises(DataError, match="groups has 3 entries"):
        cleaner.fit_resample(X, y, groups=[1, 2, 3])


def test_only_training_rows_are_touched(blobs):
    X, y = blobs
    pipeline = make_pipeline(RowCleaner(random_state=0), LogisticRegression())
    assert len(cross_val_score(pipeline, X, y, cv=3)) == 3
    pipeline.fit(X, flipped(y)[0])
    assert len(pipeline.predict(X)) == len(X)


def test_numbers_as_target_allow_two_checks(blobs):
    X = np.vstack([blobs[0], blobs[0][0]])
    y = np.append(np.linspace(0, 1, 120), 0.0)
    cleaner = RowCleaner(["duplicates", "outliers"], random_state=0)
    assert len(cleaner.fit_resample(X, y)[1]) == 120
    with pytest.raises(DataError, match="pass checks="):
        RowCleaner().fit(X, y)


def test_an_own_classifier_sees_the_data_as_they_are(blobs):
    X, y = blobs
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=pd.Categorical(["u", "v"] * 60))
    noisy, wrong = flipped(y)
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype")
    cleaner = RowCleaner(["labels"], label_estimator=model, random_state=0, cv=3).fit(frame, noisy)
    assert cleaner.flags_["labels"][wrong].mean() >= 0.8


def test_same_seed_same_rows_and_the_global_state_stays(blobs):
    X, y = blobs
    noisy, _ = flipped(y)
    before = np.random.get_state()[1].copy()
    first = RowCleaner(random_state=3).fit(X, noisy)
    again = pickle.loads(pickle.dumps(RowCleaner(random_state=3))).fit(X, noisy)
    np.testing.assert_array_equal(first.label_probabilities_, again.label_probabilities_)
    np.testing.assert_array_equal(first.sample_indices_, again.sample_indices_)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"checks": ["label"]}, None, "Did you mean 'labels'"),
        ({"max_fraction": 1.0}, None, "max_fraction"),
        ({"action": "drop"}, None, "action"),
        ({"checks": ["labels"]}, np.zeros(120), "at least two classes"),
        ({"checks": ["labels"]}, np.append(np.arange(119) % 2, 5), "at least two rows"),
        ({}, np.ones((120, 3), dtype=int), "Multilabel and multioutput"),
        ({}, np.zeros(7), "inconsistent numbers of samples"),
        ({}, np.append([np.nan], np.zeros(119)), "NaN"),
    ],
)
def test_bad_input(blobs, parameters, y, message):
    X, labels = blobs
    with pytest.raises(ValueError, match=message):
        RowCleaner(**parameters).fit(X, labels if y is None else y)


def test_a_target_is_needed(blobs):
    with pytest.raises(DataError, match="requires y"):
        RowCleaner().fit(blobs[0], None)
