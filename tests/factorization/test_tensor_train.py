"""Tensor-Train: against tensorly, against definitions, and fitted to correlated inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import check_grad

from skopt_wrap.factorization import _tensor_train as tt
from skopt_wrap.factorization._low_rank import regularized, weighted_loss

SHAPES = [((3, 4), (5, 2)), ((2, 3, 4), (3, 2, 2)), ((2, 2, 3, 2), (1, 3, 2, 2))]


def kernel(inputs, outputs, seed=0):
    return np.random.default_rng(seed).normal(size=(np.prod(inputs), np.prod(outputs)))


def covariance(n):
    x = np.random.default_rng(1).normal(size=(4 * n, n)) @ np.diag(np.geomspace(1, 0.03, n))
    x = x @ np.random.default_rng(2).normal(size=(n, n))
    return regularized(x.T @ x / len(x), 1e-4)


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_tt_svd_of_full_rank_is_exact(inputs, outputs):
    matrix = kernel(inputs, outputs)
    cores = tt.tt_svd(matrix, inputs, outputs)
    assert np.allclose(tt.contract(cores), matrix)
    ranks = tt.full_ranks(inputs, outputs)
    assert tuple(core.shape[3] for core in cores[:-1]) == ranks
    assert sum(core.size for core in cores) == tt.count_parameters(inputs, outputs, ranks)


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_contract_equals_the_definition(inputs, outputs):
    ranks = [2] * (len(inputs) - 1)
    cores = tt.tt_svd(kernel(inputs, outputs), inputs, outputs, ranks)
    matrix = tt.contract(cores)
    for i, j in itertools.product(np.ndindex(*inputs), np.ndindex(*outputs)):
        product = np.eye(1)
        for core, a, b in zip(cores, i, j, strict=True):
            product = product @ core[:, a, b]
        row, column = np.ravel_multi_index(i, inputs), np.ravel_multi_index(j, outputs)
        assert matrix[row, column] == pytest.approx(product.item())


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_tt_svd_equals_tensorly(inputs, outputs):
    tensorly = pytest.importorskip("tensorly")
    from tensorly.decomposition import tensor_train_matrix

    d = len(inputs)
    matrix = kernel(inputs, outputs)
    ranks = [1, *(min(3, r) for r in tt.full_ranks(inputs, outputs)), 1]
    with tensorly.backend_context("numpy", local_threadsafe=True):
        theirs = tensor_train_matrix(matrix.reshape(*inputs, *outputs), ranks).to_matrix()
    ours = tt.contract(tt.tt_svd(matrix, inputs, outputs, ranks[1:d]))
    assert np.allclose(ours, theirs.reshape(matrix.shape), atol=1e-10)


def test_tt_svd_of_two_cores_loses_the_tail_of_singular_values():
    inputs, outputs = SHAPES[0]
    matrix = kernel(inputs, outputs)
    values = np.linalg.svd(tt.to_tensor(matrix, inputs, outputs), compute_uv=False)
    error = matrix - tt.contract(tt.tt_svd(matrix, inputs, outputs, (4,)))
    assert np.square(error).sum() == pytest.approx(np.square(values[4:]).sum())


@pytest.mark.parametrize("energy", [0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_tt_svd_keeps_the_energy_asked_for(inputs, outputs, energy):
    matrix = kernel(inputs, outputs)
    error = matrix - tt.contract(tt.tt_svd(matrix, inputs, outputs, energy=energy))
    assert np.square(error).sum() <= (1 - energy) * np.square(matrix).sum() + 1e-9


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_tensor_and_matrix_are_inverse(inputs, outputs):
    matrix = kernel(inputs, outputs)
    tensor = tt.to_tensor(matrix, inputs, outputs)
    assert tensor.shape == tuple(i * j for i, j in zip(inputs, outputs, strict=True))
    assert np.array_equal(tt.to_matrix(tensor, inputs, outputs), matrix)


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_fit_cores_lowers_the_error_on_correlated_inputs(inputs, outputs):
    matrix, c = kernel(inputs, outputs), covariance(np.prod(inputs))
    start = tt.tt_svd(matrix, inputs, outputs, [2] * (len(inputs) - 1))
    copies = [core.copy() for core in start]
    fitted = tt.fit_cores(matrix, start, c, max_sweeps=10)
    assert [core.shape for core in fitted] == [core.shape for core in start]
    assert all(np.array_equal(a, b) for a, b in zip(start, copies, strict=True))
    before, after = (weighted_loss(matrix, tt.contract(cores), c) for cores in (start, fitted))
    assert after < 0.8 * before


def test_fit_cores_of_two_reaches_what_descent_reaches():
    inputs, outputs = (4, 5), (3, 6)
    matrix, c = kernel(inputs, outputs), covariance(20)
    start = tt.tt_svd(matrix, inputs, outputs, (3,))
    alternated = tt.fit_cores(matrix, start, c, max_sweeps=300, tol=0)
    descended = tt._descend(matrix, start, c, 3000, 1e-9)
    losses = [weighted_loss(matrix, tt.contract(cores), c) for cores in (alternated, descended)]
    assert losses[0] < 1.1 * losses[1]


def test_fit_cores_of_the_right_rank_is_exact():
    inputs, outputs = (4, 5), (3, 6)
    truth = tt.contract(tt.tt_svd(kernel(inputs, outputs), inputs, outputs, (2,)))
    start = tt.tt_svd(truth + 0.1 * kernel(inputs, outputs, 5), inputs, outputs, (2,))
    fitted = tt.fit_cores(truth, start, covariance(20), max_sweeps=200, tol=0)
    assert weighted_loss(truth, tt.contract(fitted), covariance(20)) < 1e-6


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_core_gradients_equal_differences(inputs, outputs):
    matrix = kernel(inputs, outputs)
    start = tt.tt_svd(matrix, inputs, outputs, [2] * (len(inputs) - 1))
    shapes = [core.shape for core in start]
    splits = np.cumsum([core.size for core in start])[:-1]

    def unpack(v):
        return [p.reshape(s) for p, s in zip(np.split(v, splits), shapes, strict=True)]

    def value(v):
        return np.square(tt.contract(unpack(v)) - matrix).sum()

    def gradient(v):
        slope = tt.to_tensor(2 * (tt.contract(unpack(v)) - matrix), inputs, outputs)
        return np.concatenate([g.ravel() for g in tt._core_gradients(unpack(v), slope)])

    point = np.random.default_rng(0).normal(size=sum(core.size for core in start))
    assert check_grad(value, gradient, point) < 1e-4 * np.linalg.norm(gradient(point))


@pytest.mark.parametrize("size", [1, 7, 12, 64, 784, 1000])
@pytest.mark.parametrize("n", [2, 3])
def test_balanced_factors_multiply_to_the_size(size, n):
    factors = tt.balanced_factors(size, n)
    assert len(factors) == n and np.prod(factors) == size
