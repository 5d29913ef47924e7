"""Data with a planted fault: each is named, with its numbers; clean data give no such finding."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap.diagnostics import diagnose
from skopt_wrap.diagnostics._data_checks import row_keys
from skopt_wrap.diagnostics._kinds import KINDS
from skopt_wrap.diagnostics._signal import confident_joint

MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
ABOUT_DATA = {
    "leakage", "duplicates", "time_order", "no_signal", "label_noise", "imbalance", "too_few_rows"
}  # fmt: skip


def linear(n=300, p=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return rng, X, (X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n) > 0).astype(int)


def found_in(X, y, model=MODEL):
    diagnosis = diagnose(model, X, y, train_sizes=())
    return diagnosis, {finding.kind: finding for finding in diagnosis.findings}


def test_row_number_of_rows_sorted_by_class_is_a_leak():
    rng, _, y = linear()
    X = np.column_stack([rng.normal(size=(300, 4)), np.arange(300)])
    order = rng.permutation(300)
    _, found = found_in(X[order], np.sort(y)[order])
    assert found["leakage"].evidence["feature"] == 4


def test_column_that_nearly_copies_the_label_is_a_leak_with_its_name():
    pd = pytest.importorskip("pandas")
    rng, X, y = linear()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame["status"] = np.where(rng.random(300) < 0.05, 1 - y, y)
    diagnosis, found = found_in(frame, y)
    assert found["leakage"].evidence["feature"] == 6
    assert "'status'" in found["leakage"].message
    assert diagnosis.remedies()[-1].name == "look where feature 6 comes from"


def test_identical_rows_across_folds_are_counted():
    rng, X, y = linear()
    again = rng.integers(0, 300, 100)
    _, found = found_in(np.vstack([X, X[again]]), np.concatenate([y, y[again]]))
    assert found["duplicates"].evidence["n_duplicates"] > 80
    assert "optimistic" in found["duplicates"].message


def test_tables_of_few_values_repeat_rows_by_nature():
    _, X, _ = linear()
    assert row_keys((X > 0).astype(int)) is None
    assert len(np.unique(row_keys(X))) == 300
    assert row_keys(["a", "b"]) is None


def test_order_in_time_under_shuffled_folds():
    rng = np.random.default_rng(0)
    X = 0.3 * np.cumsum(rng.normal(size=(400, 5)), axis=0) + 0.2 * rng.normal(size=(400, 5))
    y = np.repeat(rng.integers(0, 2, 20), 20)
    _, found = found_in(X, y)
    assert found["time_order"].evidence["drop"] > 0.1
    assert "TimeSeriesSplit" in found["time_order"].action


def test_a_third_of_wrong_labels():
    X, y = make_classification(
        500, 6, n_informative=4, n_redundant=0, class_sep=2, flip_y=0, random_state=0
    )
    wrong = np.random.default_rng(0).random(500) < 0.35
    _, found = found_in(X, np.where(wrong, 1 - y, y))
    assert 0.25 < found["label_noise"].evidence["estimated_noise"] < 0.45


def test_rare_class_gets_weights_sampler_and_threshold():
    X, y = make_classification(
        700, 6, n_informative=4, weights=[0.97], flip_y=0, class_sep=1.5, random_state=1
    )
    diagnosis, found = found_in(X, y, LogisticRegression())
    assert found["imbalance"].evidence["share"] < 0.05
    chosen = [r for r in diagnosis.remedies() if r.finding == "imbalance"]
    assert [r.name for r in chosen] == ["class weights", "oversampling", "tuned threshold"]
    table = diagnosis.try_remedies(remedies=chosen).to_dict()
    assert len(table["gain"]) == 3 and max(table["gain"]) > 0


def test_nothing_to_learn_is_said_and_no_larger_network_is_proposed():
    rng = np.random.default_rng(1)
    _, found = found_in(rng.normal(size=(200, 8)), rng.integers(0, 2, 200))
    assert found["no_signal"].evidence["p_value"] > 0.05
    assert not {"underfitting", "plateau", "unfinished", "baseline_wins"} & set(found)
    _, found = found_in(rng.normal(size=(200, 8)), rng.normal(size=200), Ridge())
    assert "no_signal" in found


def test_24_rows_are_too_few():
    _, X, y = linear(24)
    _, found = found_in(X, y)
    assert found["too_few_rows"].evidence["n_rows"] == 24


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris, load_diabetes])
def test_clean_data_give_no_finding_about_the_data(load):
    X, y = load(return_X_y=True)
    model = Ridge() if load is load_diabetes else MODEL
    assert not ABOUT_DATA & set(found_in(X, y, model)[1])


@pytest.mark.parametrize("seed", range(4))
def test_drawn_clean_data_give_no_finding_about_the_data(seed):
    _, X, y = linear(200, 4, seed)
    assert not ABOUT_DATA & set(found_in(X, y)[1])


def test_every_kind_says_what_it_means_and_what_to_do():
    for kind in KINDS.values():
        assert kind.meaning.endswith(".") and kind.action.endswith(".") and kind.source
    _, X, y = linear(24)
    diagnosis, found = found_in(X, y)
    assert found["too_few_rows"].meaning in str(diagnosis)


def test_confident_joint_counts_by_hand():
    stated = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.85, 0.15]])
    # least: mean of column 0 over rows 0, 1 is 0.8; of column 1 over rows 2, 3 is 0.475
    np.testing.assert_array_equal(confident_joint(np.array([0, 0, 1, 1]), stated), [[1, 0], [1, 1]])
