"""Sketches and effect sizes, beside SciPy on all rows."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from skopt_wrap.exceptions import ParameterError, UnknownParameterError
from skopt_wrap.monitoring._columns import CATEGORY, NUMERIC, Column, make_column
from skopt_wrap.monitoring._statistics._effects import (
    THRESHOLDS,
    check_thresholds,
    cramers_v,
    effect_sizes,
    exceeded,
    share_effects,
)
from skopt_wrap.monitoring._statistics._sketch import (
    N_EDGES,
    choose_edges,
    edge_rows,
    make_sketch,
    numeric_cells,
    sorted_cell_counts,
)

LAWS = {
    "normal": lambda rng, n, s: rng.normal(s, 1 + s, n),
    "lognormal": lambda rng, n, s: rng.lognormal(s, 1.5, n),
    "Cauchy": lambda rng, n, s: rng.standard_cauchy(n) + s,
    "two peaks": lambda rng, n, s: rng.normal(np.where(rng.random(n) < 0.3 + s, 8, 0), 0.1),
    "counts": lambda rng, n, s: rng.poisson(3 + s, n).astype(float),
    "rounded": lambda rng, n, s: np.round(rng.normal(s, 1, n), 2),
    "mostly zero": lambda rng, n, s: np.where(rng.random(n) < 0.9 - s, 0, rng.exponential(1, n)),
    "constant": lambda rng, n, s: np.full(n, 3.0),
}
ONE = np.ones(1)


def sketch_of(values, seed=0, kind=NUMERIC, group=None, n_groups=1):
    rng = np.random.default_rng(seed)
    group = np.zeros(len(values), np.intp) if group is None else group
    return make_sketch(
        Column("a", kind, str(values.dtype), values), edge_rows(len(values), rng), group, n_groups
    )


def effects_of(sketch, values):
    return effect_sizes(sketch, Column("a", sketch.kind, "", values), ONE)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n_batch", [30, 2000, 30_000])
def test_ks_distance_of_the_sketch_is_that_of_all_rows(law, n_batch):
    rng = np.random.default_rng(len(law))
    reference = LAWS[law](rng, 200_000, 0.0)
    sketch = sketch_of(reference)
    for shift in (0.0, 0.05, 0.5):
        batch = LAWS[law](rng, n_batch, shift)
        exact = stats.ks_2samp(reference, batch, method="asymp").statistic
        assert effects_of(sketch, batch)["ks"] == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("law", ["normal", "lognormal", "counts", "mostly zero"])
def test_wasserstein_and_mean_shift_beside_scipy(law):
    rng = np.random.default_rng(1)
    reference, batch = LAWS[law](rng, 50_000, 0.0), LAWS[law](rng, 3000, 0.3)
    found = effects_of(sketch_of(reference), batch)
    exact = stats.wasserstein_distance(reference, batch) / reference.std()
    assert found["wasserstein"] == pytest.approx(exact, rel=0.05, abs=0.01)
    shift = (batch.mean() - reference.mean()) / reference.std()
    assert found["mean_shift"] == pytest.approx(shift, abs=1e-9)


def test_small_references_are_kept_exactly():
    reference = np.array([3.0, 1.0, 2.0, 2.0, 5.0, np.nan, 4.0, 9.0])
    sketch = sketch_of(reference)
    counts = sketch.weighted_counts(ONE)
    assert counts.sum() == 8 and counts[-1] == 1
    batch = np.array([2.0, 6.0])
    exact = stats.ks_2samp(reference[~np.isnan(reference)], batch).statistic
    assert abs(effects_of(sketch, batch)["ks"] - exact) <= 0.5  # one edge only: coarse, not wrong
    assert sketch.low == 1 and sketch.high == 9
    mean, std = sketch.mean_and_std(ONE)
    present = reference[~np.isnan(reference)]
    assert (mean, std) == pytest.approx((present.mean(), present.std()))


def test_cells_agree_however_they_are_counted():
    rng = np.random.default_rng(0)
    edges = np.unique(np.round(rng.normal(size=50), 1))
    values = np.concatenate([np.round(rng.normal(size=5000), 1), [np.nan] * 7, rng.normal(size=90)])
    many = np.bincount(numeric_cells(edges, values), minlength=2 * len(edges) + 2)
    few = sum(
        np.bincount(numeric_cells(edges, part), minlength=2 * len(edges) + 2)
        for part in np.array_split(values, 10)
    )
    ordered = np.sort(values[~np.isnan(values)])
    assert (many == few).all()
    assert (many == sorted_cell_counts(edges, ordered, 7)).all()


def test_edges_are_few_and_stand_beside_gaps():
    rng = np.random.default_rng(0)
    values = np.sort(np.concatenate([rng.normal(0, 0.1, 7777), rng.normal(50, 0.1, 1234)]))
    edges = choose_edges(values)
    assert len(edges) <= N_EDGES
    assert {values[7776], values[7777]} & set(edges)
    upto = np.searchsorted(values, edges, side="right") / len(values)
    exact = np.arange(1, len(values) + 1) / len(values)
    assert np.abs(np.interp(values, edges, upto) - exact).max() < 1e-3


def test_size_of_twenty_features():
    rng = np.random.default_rng(0)
    sketches = [sketch_of(rng.normal(size=30_000), seed=j) for j in range(20)]
    assert len(pickle.dumps(sketches)) <= 165_000


def test_rows_that_fix_cells_are_not_counted_with_the_others():
    chosen = edge_rows(1000, np.random.default_rng(0))
    assert chosen.sum() == 200
    assert edge_rows(2, np.random.default_rng(0)).sum() == 1
    assert edge_rows(10**6, np.random.default_rng(0)).sum() == 20_000
    sketch = sketch_of(np.arange(1000.0))
    assert sketch.counts.sum() == 800 and sketch.edge_counts.sum() == 200


def test_groups_are_weighted_by_the_rows_of_the_batch():
    group = np.repeat([0, 1], [800, 200])
    values = np.where(group == 0, 0.0, 1.0)
    sketch = sketch_of(values, group=group, n_groups=2)
    mean, _ = sketch.mean_and_std(np.array([0.5, 0.5]))
    assert mean == pytest.approx(0.5)
    half = effect_sizes(
        sketch, Column("a", NUMERIC, "", np.repeat([0.0, 1.0], 50)), ONE / 2 * [1, 1]
    )
    assert half["ks"] == pytest.approx(0, abs=1e-9)


def test_categories_by_hand():
    values = np.array(["a"] * 60 + ["b"] * 30 + [None] * 10, dtype=object)
    sketch = sketch_of(values, kind=CATEGORY)
    assert list(sketch.categories) == ["a", "b"]
    batch = np.array(["a", "a", "b", "b", "new", None, None, None], dtype=object)
    found = effects_of(sketch, batch)
    assert found["new"] == ["new"]
    assert found["new_values"] == pytest.approx(1 / 5)
    assert found["missing_rate"] == pytest.approx(3 / 8)
    assert found["missing"] == pytest.approx(3 / 8 - 1 / 10)
    table = np.array([[60, 30, 0], [2, 2, 1]])
    chi2 = stats.chi2_contingency(table, correction=False).statistic
    assert found["chi2"] == pytest.approx(chi2)
    assert found["cramers_v"] == pytest.approx(np.sqrt(chi2 / 95))


def test_share_effects_beside_scipy():
    a, b = np.array([10, 0, 30, 60]), np.array([5, 5, 20, 20])
    found = share_effects(a, b)
    assert found["jensen_shannon"] == pytest.approx(jensenshannon(a / 100, b / 50, base=2))
    p, q = np.maximum(a / 100, 1e-4), b / 50
    assert found["psi"] == pytest.approx(((p - q) * np.log(p / q)).sum())
    assert cramers_v(np.array([5, 0]), np.array([7, 0])) == (0.0, 0.0)


def test_range_and_missing_of_numbers():
    sketch = sketch_of(np.linspace(0, 1, 500))
    found = effects_of(sketch, np.array([-1.0, 0.5, 2.0, np.nan]))
    assert found["out_of_range"] == pytest.approx(2 / 3)
    assert found["missing_rate"] == pytest.approx(1 / 4)
    empty = effects_of(sketch, np.full(5, np.nan))
    assert empty["missing_rate"] == 1 and "ks" not in empty


def test_single_rows_do_not_make_a_share_matter():
    sketch = sketch_of(np.linspace(0, 1, 500))
    limits = check_thresholds(None)
    one_out = effects_of(sketch, np.concatenate([np.linspace(0, 1, 99), [5.0]]))
    assert "out_of_range" not in exceeded(one_out, limits)
    many = effects_of(sketch, np.concatenate([np.linspace(0, 1, 90), [5.0] * 10]))
    assert "out_of_range" in exceeded(many, limits)


def test_thresholds_have_sources_and_are_checked():
    assert all(value > 0 and source for value, source in THRESHOLDS.values())
    assert check_thresholds({"psi": 0.1})["psi"] == 0.1
    with pytest.raises(UnknownParameterError, match="Did you mean 'psi'"):
        check_thresholds({"pssi": 0.1})
    for bad in (0, -1.0, "x", True):
        with pytest.raises(ParameterError, match="positive number"):
            check_thresholds({"psi": bad})


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1, 2, 3]), NUMERIC),
        (np.array([True, False]), NUMERIC),
        (np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"), NUMERIC),
        (np.array([1, None, 2.5], dtype=object), NUMERIC),
        (np.array(["a", None], dtype=object), CATEGORY),
        (np.array(["a", "b"]), CATEGORY),
    ],
)
def test_kinds_of_columns(values, kind):
    assert make_column("a", values).kind == kind


def test_kinds_of_frames():
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    times = pd.Series(pd.to_datetime(["2026-01-01", None]))
    values = {
        "integer": (pd.Series([1, None], dtype="Int64"), pl.Series([1, None])),
        "text": (pd.Series(["a", None]), pl.Series(["a", None])),
        "category": (
            pd.Series([1, 2], dtype="category"),
            pl.Series(["a", "b"], dtype=pl.Categorical),
        ),
        "time": (times, pl.Series([None], dtype=pl.Datetime)),
        "boolean": (pd.Series([True, None], dtype="boolean"), pl.Series([True, None])),
    }
    for name, pair in values.items():
        for column in pair:
            kind = CATEGORY if name in ("text", "category") else NUMERIC
            assert make_column(name, column).kind == kind, (name, type(column))
