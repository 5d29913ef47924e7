"""Bets, conformal p-values, e-values of a batch, averages and e-BH: by hand and by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from skopt_wrap.monitoring._statistics._betting import (
    BLOCK_ROWS,
    N_BINS,
    STREAM,
    Wealth,
    bets_for,
    block_sums,
    log_bets,
    start_portion,
    start_reserve,
)
from skopt_wrap.monitoring._statistics._change_point import change_point
from skopt_wrap.monitoring._statistics._conformal import growing_p_values, log_batch_e_values
from skopt_wrap.monitoring._statistics._multiple import e_bh, log_average


@pytest.mark.parametrize("bets", [STREAM, bets_for(30), bets_for(10_000)])
def test_every_bet_has_mean_one_under_uniform_ranks(bets):
    z = np.linspace(-14, 14, 40_001)
    weights = stats.norm.pdf(z) * (z[1] - z[0])
    bins = np.eye(N_BINS)[np.minimum((ndtr(z) * N_BINS).astype(int), N_BINS - 1)]
    means = weights @ np.exp(log_bets(1, z, z * z, bins, bets))
    assert means == pytest.approx(np.ones(bets.n_bets), rel=2e-3)


def test_bets_over_a_block_are_products_of_bets_on_rows():
    ranks = np.random.default_rng(0).random((7, 3))
    z = ndtri(ranks)
    whole = log_bets(7, *block_sums(z, ranks))
    single = sum(log_bets(1, *block_sums(z[i : i + 1], ranks[i : i + 1])) for i in range(7))
    assert whole == pytest.approx(single)


@pytest.mark.parametrize("one_sided", [False, True])
def test_shares_of_the_bets_sum_to_one(one_sided):
    for bets in (STREAM, bets_for(5), bets_for(10**6)):
        shares = np.exp(bets.log_shares(one_sided))
        assert shares.sum() == pytest.approx(1) and len(shares) == bets.n_bets
        if one_sided:  # nothing on smaller values
            assert shares[: len(bets.shifts)][bets.shifts < 0].sum() == 0


def test_portions_of_start_times_sum_to_one():
    assert sum(start_portion(r) for r in range(50)) + start_reserve(50) == pytest.approx(1)
    assert all(start_portion(r) > start_portion(r + 1) > 0 for r in range(50))


def test_wealth_by_hand():
    wealth = Wealth(STREAM.log_shares()[None])
    assert wealth.log_values() == pytest.approx([0])
    first = (5, np.array([1.0]), np.array([4.0]), np.eye(N_BINS)[[0]] * 5)
    wealth.advance(*first)
    by_hand = start_portion(0) * np.exp(STREAM.log_shares() + log_bets(*first)[0]).sum()
    assert np.exp(wealth.log_values()) == pytest.approx([by_hand + start_reserve(1)])
    # The second start comes with the next call after 32 rows, not before.
    for _ in range(6):
        wealth.advance(*first)
    assert (wealth.n_starts, wealth.rows_since_start, wealth.n_rows) == (1, 35, 35)
    wealth.advance(*first)
    assert (wealth.n_starts, wealth.rows_since_start) == (2, 5)
    assert BLOCK_ROWS == 32


def test_shiryaev_roberts_grows_by_one_a_row_in_the_mean():
    rng = np.random.default_rng(0)
    values = []
    for _ in range(2000):
        wealth = Wealth(STREAM.log_shares()[None], restarting=True)
        for _ in range(3):
            ranks = rng.random((4, 1))
            z = ndtri(ranks)
            wealth.advance(4, *block_sums(z, ranks))
        values.append(float(np.exp(wealth.log_values()[0])))
    error = np.std(values) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(12, abs=5 * error + 0.3)


def slow_p_values(cells, counts, uniforms):
    """The definition, row by row."""
    counts, found = counts.copy(), np.empty(cells.shape)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            larger, same = counts[j, cell + 1 :].sum(), counts[j, cell] + 1
            found[i, j] = (larger + uniforms[i, j] * same) / (counts[j].sum() + 1)
            counts[j, cell] += 1
    return found, counts


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(1, 150), n_cells=st.integers(2, 9))
def test_growing_p_values_follow_their_definition(seed, n_rows, n_cells):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, n_cells, (n_rows, 3))
    counts = rng.integers(0, 20, (3, n_cells))
    counts[:, 0] += 200 - counts.sum(axis=1)  # as many rows of each item
    kept = counts.copy()
    uniforms = rng.random(cells.shape)
    found, grown = growing_p_values(cells, counts, uniforms)
    wanted, wanted_counts = slow_p_values(cells, counts, uniforms)
    assert found == pytest.approx(wanted)
    assert (grown == wanted_counts).all() and (counts == kept).all()
    fixed, same = growing_p_values(cells, counts, uniforms, grow=False)
    assert (same == counts).all() and fixed[0] == pytest.approx(found[0])


def test_p_values_of_a_tiny_reference_are_uniform_and_independent():
    rng = np.random.default_rng(0)
    first, second = [], []
    for _ in range(8000):
        values = rng.random(8)  # five reference rows, three new ones
        edges = rng.random(2)
        cells = np.searchsorted(np.sort(edges), values)
        counts = np.bincount(cells[:5], minlength=3)[None]
        p, _ = growing_p_values(cells[5:, None], counts, rng.random((3, 1)))
        first.append(p[0, 0])
        second.append(p[2, 0])
    assert stats.kstest(first, "uniform").pvalue > 0.01
    assert stats.kstest(second, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


@pytest.mark.parametrize(("n_reference", "n_batch"), [(6, 2), (5, 3), (2, 6), (1, 7), (4, 4)])
def test_e_values_of_a_batch_have_mean_at_most_one_exactly(n_reference, n_batch):
    cells = np.array([0, 0, 1, 2, 2, 2, 3, 4])  # the two together, with ties
    values = []
    for chosen in combinations(range(8), n_batch):
        batch = np.bincount(cells[list(chosen)], minlength=5)
        reference = np.bincount(cells, minlength=5) - batch
        assert reference.sum() == n_reference
        values.append(np.exp(log_batch_e_values(reference, batch, bets_for(n_batch))))
    means = np.mean(values, axis=0)
    assert (means <= 1 + 1e-9).all()
    assert means.max() > 0.3


def test_e_values_of_a_batch_point_the_right_way():
    reference = np.full(20, 50)
    larger = np.repeat([0, 5], 10)
    up, down = (log_batch_e_values(reference, x, STREAM) for x in (larger, larger[::-1]))
    assert up[:8] == pytest.approx(down[:8][::-1])  # mirrored
    assert up[6] > 5 > 0 > up[1]
    # The reference takes the part of the subset when it is the smaller of the two.
    swapped = log_batch_e_values(np.full(20, 2), larger * 20, STREAM)
    assert swapped[6] > 1 > 0 > swapped[1]


def test_small_changes_of_many_rows_are_shown():
    rng = np.random.default_rng(0)
    edges = np.linspace(-3, 3, 300)
    reference, batch = rng.normal(size=80_000), rng.normal(0.05, 1, 50_000)
    counts = [np.bincount(np.searchsorted(edges, x), minlength=301) for x in (reference, batch)]
    bets = bets_for(50_000)
    log_e = np.logaddexp.reduce(log_batch_e_values(*counts, bets) + bets.log_shares())
    assert log_e > 10


@settings(max_examples=100, deadline=None)
@given(
    e=st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=12),
    alpha=st.floats(0.01, 0.5),
)
def test_e_bh_follows_its_definition(e, alpha):
    log_e = np.log(e)
    found = e_bh(log_e, alpha)
    n = len(e)
    ordered = np.sort(e)[::-1]
    ks = [k for k in range(1, n + 1) if ordered[k - 1] >= n / (alpha * k) * (1 + 1e-9)]
    loose = [k for k in range(1, n + 1) if ordered[k - 1] >= n / (alpha * k) * (1 - 1e-9)]
    assert max(ks, default=0) <= found.sum() <= max(loose, default=0)
    if found.any() and not found.all():
        assert log_e[found].min() >= log_e[~found].max()


def test_average_of_e_values():
    assert np.exp(log_average(np.log([2.0, 4.0, 0.0 + 1e-300]))) == pytest.approx(2)
    assert log_average(np.array([5000.0, -5000.0])) == pytest.approx(5000 - np.log(2))


@pytest.mark.parametrize("kind", ["shift", "spread", "heap"])
def test_change_point_is_found_near_the_truth(kind):
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(30):
        z = rng.normal(size=(60, 32))
        if kind == "shift":
            z[40:] += 0.7
        elif kind == "spread":
            z[40:] *= 1.8
        else:
            z[40:, ::4] = 0.05
        bins = [block_sums(block[:, None], ndtr(block)[:, None])[2][0] for block in z]
        sums = z.sum(axis=1), (z * z).sum(axis=1), np.array(bins)
        found = change_point(np.full(60, 32), *sums, STREAM.log_shares())
        errors.append(abs(found - 40))
    assert np.median(errors) <= 1 and max(errors) <= 6
