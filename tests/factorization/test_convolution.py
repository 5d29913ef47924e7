"""Tucker-2 and CP of convolution kernels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skopt_wrap.factorization._convolution import cp, tucker2
from skopt_wrap.factorization._low_rank import regularized, weighted_loss


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def covariance(n, seed=1):
    x = random(4 * n, n, seed=seed) * np.geomspace(1, 0.03, n)
    return regularized(x.T @ x / len(x), 1e-4)


KERNEL = random(9, 6, 8)
METRICS = {"inputs": (covariance(54), None), "both": (covariance(54), covariance(8, 2))}


def loss(kernel, other, metrics):
    return weighted_loss(kernel.reshape(-1, 8), other.reshape(-1, 8), *metrics)


@pytest.mark.parametrize("metrics", [(None, None), *METRICS.values()], ids=["plain", *METRICS])
def test_tucker2_recovers_a_kernel_of_low_rank(metrics):
    kernel = np.einsum("ia,kab,bo->kio", random(6, 2), random(9, 2, 3), random(3, 8))
    found = tucker2(kernel, (2, 3), *metrics)
    assert [part.shape for part in found] == [(6, 2), (9, 2, 3), (3, 8)]
    assert np.allclose(found.kernel(), kernel)


@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
def test_tucker2_of_full_rank_is_exact(metrics):
    assert np.allclose(tucker2(KERNEL, (6, 8), *metrics).kernel(), KERNEL)


@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
def test_tucker2_fitted_to_inputs_beats_the_plain_one(metrics):
    plain = loss(KERNEL, tucker2(KERNEL, (3, 4)).kernel(), metrics)
    one = loss(KERNEL, tucker2(KERNEL, (3, 4), *metrics, max_sweeps=1).kernel(), metrics)
    many = loss(KERNEL, tucker2(KERNEL, (3, 4), *metrics, max_sweeps=20).kernel(), metrics)
    assert many < one < 0.8 * plain


@pytest.mark.parametrize("metrics", [(None, None), *METRICS.values()], ids=["plain", *METRICS])
def test_cp_recovers_a_kernel_of_rank_one(metrics):
    kernel = np.einsum("k,i,o->kio", random(9), random(6), random(8))
    assert np.allclose(cp(kernel, 1, *metrics).kernel(), kernel, atol=1e-6)


@pytest.mark.parametrize("metrics", METRICS.values(), ids=METRICS)
def test_cp_fitted_to_inputs_beats_the_plain_one(metrics):
    plain = loss(KERNEL, cp(KERNEL, 5).kernel(), metrics)
    fitted = loss(KERNEL, cp(KERNEL, 5, *metrics).kernel(), metrics)
    assert fitted < 0.8 * plain


def test_cp_above_the_smallest_size_is_seeded_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (cp(KERNEL, 9, seed=3).kernel() for _ in range(2))
    assert np.array_equal(first, second)


def test_decompositions_leave_the_backend_of_tensorly_alone():
    import tensorly

    before = tensorly.get_backend()
    tucker2(KERNEL, (2, 2))
    assert tensorly.get_backend() == before
