"""quality_report: each planted fault is found, and clean data are left in peace."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import make_classification

from skopt_wrap import quality_report
from skopt_wrap.quality._checks._leakage import target_order
from skopt_wrap.quality._checks._list import CHECKS
from skopt_wrap.quality._checks._order import target_drift

N = 400


def clean():
    rng = np.random.default_rng(0)
    X, y = make_classification(N, n_features=4, n_informative=4, n_redundant=0, class_sep=1.5,
                               flip_y=0, random_state=0)  # fmt: skip
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["city"] = rng.choice(["Oslo", "Rome", "Bonn"], N)
    return frame, y


def planted():
    """Yield kind, column, X, y."""
    rng = np.random.default_rng(1)
    X, y = clean()
    yield "leakage suspect", "copy", X.assign(copy=y * 3.0 + 1), y
    yield "leakage suspect", "code", X.assign(code=np.where(y == 1, "u", "v")), y
    yield "identifier", "row", X.assign(row=np.arange(N)), y
    yield "numbers for missing", "a", X.assign(a=X["a"].where(rng.random(N) > 0.1, -999)), y
    yield "words for missing", "city", X.assign(city=X["city"].where(rng.random(N) > 0.1, "?")), y
    yield "numbers as text", "w", X.assign(w=[f"{v:.1f} kg" for v in rng.uniform(1, 9, N)]), y
    yield "dates as text", "t", X.assign(t=[f"2024-01-{d:02d}" for d in rng.integers(1, 28, N)]), y
    yield "booleans as text", "f", X.assign(f=rng.choice(["yes", "no"], N)), y
    yield "infinite values", "b", X.assign(b=X["b"].where(rng.random(N) > 0.01, np.inf)), y
    yield "constant column", "k", X.assign(k=1), y
    yield "duplicate column", "e", X.assign(e=X["a"]), y
    yield "near-constant column", "k", X.assign(k=[1.0] + [0.0] * (N - 1)), y
    yield "highly correlated columns", "e", X.assign(e=X["a"] * 3 + 1e-3 * X["b"]), y
    yield (
        "inconsistent categories",
        "city",
        X.assign(city=["oslo "] * 9 + X["city"].tolist()[9:]),
        y,
    )
    yield "missing values", "a", X.assign(a=X["a"].where(rng.random(N) > 0.4)), y
    gone = rng.random(N) < 0.2
    both = X.assign(a=X["a"].mask(gone), b=X["b"].mask(gone))
    yield "missing together", "b", both, y
    telling = X.assign(a=X["a"].mask((y == 1) & (rng.random(N) < 0.5)))
    yield "missing values tell the target", "a", telling, y
    yield "duplicate rows", None, pd.concat([X, X[:40]]), np.append(y, y[:40])
    yield "conflicting labels", None, pd.concat([X, X[:40]]), np.append(y, 1 - y[:40])
    rare = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:12]]
    yield "class imbalance", None, X.iloc[rare], y[rare]
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:4]]
    yield "class with few rows", None, X.iloc[few], y[few]
    order = np.argsort(y, kind="stable")
    yield "target drifts along the rows", None, X.iloc[order], y[order]
    yield "rows in time", "t", X.assign(t=pd.date_range("2024", periods=N)), y
    wrong = np.where(rng.random(N) < 0.08, 1 - y, y)
    yield "label noise", None, X, wrong


CASES = [pytest.param(*case, id=f"{case[0]} {case[1] or ''}") for case in planted()]


@pytest.mark.parametrize(("kind", "column", "X", "y"), CASES)
def test_planted_faults_are_found(kind, column, X, y):
    report = quality_report(X, y)
    assert report.has(kind, column)
    finding = next(f for f in report.findings if f.kind == kind)
    assert finding.message.endswith((".", "?")) and finding.evidence and finding.code
    assert finding.severity in ("high", "medium", "low")
    compile(finding.code, "code", "exec")


def test_clean_data_are_left_in_peace():
    X, y = clean()
    kinds = {finding.kind for finding in quality_report(X, y).findings}
    assert kinds <= {"more rows would help", "label noise", "outliers"}
    assert not quality_report(X).has("leakage suspect")


def test_every_severity_comes_in_order_and_every_form_is_complete():
    X, y = clean()
    report = quality_report(X.assign(copy=y, k=1, **{"<b>": "n/a"}), y, X_test=X.assign(
        copy=y, k=1, **{"<b>": "n/a"})[:5])  # fmt: skip
    severities = [finding.severity for finding in report.findings]
    assert severities == sorted(severities, key=["high", "medium", "low"].index)
    assert report.has("rows in train and test")
    text, page = str(report), report.to_html()
    for finding in report.findings:
        assert finding.message in text
    assert "&lt;b&gt;" in page and "<b>:" not in page
    assert "<svg" in page and "http" not in page and "<script" not in page
    assert report.to_frame().shape == (len(report.findings), 6)
    table = report.to_frame("columns")
    assert table["column"].tolist() == [*X.columns, "copy", "k", "<b>"]
    with pytest.raises(ValueError, match="Did you mean 'columns'"):
        report.to_dict("column")


def test_polars_arrays_and_numbers_as_target():
    X, y = clean()
    frames = (X, pl.DataFrame(X.to_dict("list")))
    first, second = (quality_report(frame, y) for frame in frames)
    assert [f.message for f in first.findings] == [f.message for f in second.findings]
    target = X["a"].to_numpy() * 2.0
    report = quality_report(X.drop(columns="city").to_numpy(), target)
    assert report.has("leakage suspect", "x0")
    assert not report.has("class imbalance")


def test_the_same_seed_gives_the_same_report():
    X, y = clean()
    before = np.random.get_state()[1].copy()
    assert str(quality_report(X, y, random_state=3)) == str(quality_report(X, y, random_state=3))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_drift_and_order_by_hand():
    assert target_drift(np.repeat([0, 1], 100), True) == 1.0
    assert target_drift(np.tile([0, 1], 100), True) == 0.0
    assert target_drift(np.arange(100.0), False) == pytest.approx(1.0)
    # Levels 0, 1, 2 and missing have mean targets 1, 0, 0.5 and 0.2: places 3, 0, 2 and 1.
    codes, y = np.array([0, 1, 2, 2, -1]), np.array([1.0, 0.0, 0.0, 1.0, 0.2])
    assert target_order(codes, y).tolist() == [3, 0, 2, 2, 1]


def test_checks_are_functions_of_a_sample():
    assert len(CHECKS) == len({check.__name__ for check in CHECKS})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": pd.DataFrame({"a": []})}, "0 sample"),
        ({"X": pd.DataFrame({"a": [[1]]})}, "objects of type list"),
        ({"y": np.zeros(3)}, "inconsistent numbers of samples"),
        ({"max_rows": 5}, "at least 100"),
        ({"X_test": np.zeros((2, 2))}, "X_test has 2 columns"),
        ({"y": np.full(N, np.nan)}, "NaN"),
        ({"y": np.ones((N, 2))}, "not supported"),
    ],
)
def test_bad_input(arguments, message):
    X, y = clean()
    with pytest.raises(ValueError, match=message):
        quality_report(**{"X": X, "y": y, **arguments})


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_and_more_columns_than_rows(rows):
    X = np.random.default_rng(0).normal(size=(rows, 20))
    assert quality_report(X, np.arange(rows) % 2).n_samples == rows
    assert quality_report(X).n_samples == rows


def test_nothing_but_missing_values():
    report = quality_report(pd.DataFrame({"a": [np.nan] * 5}), [0, 1, 0, 1, 0])
    assert report.has("no information")
