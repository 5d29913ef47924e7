"""Whitened SVD: hand-made ranks, tails of singular values, errors on correlated inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skopt_wrap.factorization._low_rank import (
    rank_for_energy,
    refitted,
    regularized,
    root_and_inverse,
    weighted_loss,
    whitened_svd,
)

RNG = np.random.default_rng(0)


def covariance(n, seed=0):
    x = np.random.default_rng(seed).normal(size=(5 * n, n)) * np.geomspace(1, 0.01, n)
    return regularized(x.T @ x / len(x), 1e-6)


def low_rank(rank, shape=(12, 9), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))


@pytest.mark.parametrize("weights", ["none", "covariance", "both", "diagonal"])
def test_whitened_svd_recovers_a_matrix_of_low_rank(weights):
    matrix = low_rank(3)
    given = {
        "none": (None, None),
        "covariance": (covariance(12), None),
        "both": (covariance(12), covariance(9, 1)),
        "diagonal": (np.linspace(1, 2, 12), None),
    }[weights]
    left, right, values = whitened_svd(matrix, *given)
    assert left.shape == (12, 9) and right.shape == (9, 9)
    assert np.allclose(left[:, :3] @ right[:3], matrix)
    assert values[3] < 1e-7 * values[0]


@settings(max_examples=20, deadline=None)
@given(rank=st.integers(1, 9), seed=st.integers(0, 5))
def test_whitened_svd_loss_is_the_tail_of_singular_values(rank, seed):
    matrix = np.random.default_rng(seed).normal(size=(12, 9))
    c, m = covariance(12, seed), covariance(9, seed + 1)
    left, right, values = whitened_svd(matrix, c, m)
    loss = weighted_loss(matrix, left[:, :rank] @ right[:rank], c, m)
    assert loss == pytest.approx(np.square(values[rank:]).sum() / np.square(values).sum(), abs=1e-9)


def test_plain_svd_error_is_the_tail_of_singular_values():
    matrix = RNG.normal(size=(12, 9))
    left, right, _ = whitened_svd(matrix)
    values = np.linalg.svd(matrix, compute_uv=False)
    error = np.linalg.norm(matrix - left[:, :4] @ right[:4])
    assert error == pytest.approx(np.sqrt(np.square(values[4:]).sum()))


def test_whitened_svd_beats_plain_svd_on_correlated_inputs():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 12)) * np.geomspace(1, 0.01, 12) @ rng.normal(size=(12, 12))
    matrix = rng.normal(size=(12, 9))
    c = x.T @ x / len(x)
    plain, white = whitened_svd(matrix), whitened_svd(matrix, c)
    errors = [
        np.linalg.norm(x @ (matrix - left[:, :3] @ right[:3])) for left, right, _ in (plain, white)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_weighted_loss_equals_its_definition():
    matrix, other = RNG.normal(size=(2, 12, 9))
    c, m = covariance(12), covariance(9)
    d = matrix - other
    expected = np.trace(m @ d.T @ c @ d) / np.trace(m @ matrix.T @ c @ matrix)
    assert weighted_loss(matrix, other, c, m) == pytest.approx(expected)
    assert weighted_loss(matrix, matrix, c, m) == 0


def test_root_is_a_square_root():
    root, inverse = root_and_inverse(covariance(6))
    assert np.allclose(root @ root, covariance(6))
    assert np.allclose(root @ inverse, np.eye(6))


@pytest.mark.parametrize(
    ("energy", "rank"), [(0.5, 1), (0.9, 2), (13 / 14, 2), (0.95, 3), (1.0, 3)]
)
def test_rank_for_energy_by_hand(energy, rank):
    assert rank_for_energy(np.array([3.0, 2.0, 1.0]), energy) == rank  # squares 9, 4, 1


def test_rank_for_energy_of_nothing_is_one():
    assert rank_for_energy(np.zeros(3), 0.9) == 1


def test_refitted_undoes_a_linear_change_of_the_inputs():
    rng = np.random.default_rng(0)
    x, change = rng.normal(size=(500, 6)), rng.normal(size=(6, 6))
    z, matrix = x @ change, rng.normal(size=(6, 4))
    found = refitted(matrix, z.T @ z / 500, z.T @ x / 500, 1e-9)
    assert np.allclose(z @ found, x @ matrix, atol=1e-5)


def test_refitted_keeps_the_matrix_where_inputs_did_not_change():
    c, matrix = covariance(6), RNG.normal(size=(6, 4))
    assert np.allclose(refitted(matrix, c, c, 1e-2), matrix)
