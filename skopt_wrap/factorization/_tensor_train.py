"""Tensor-Train of a Dense kernel: decomposition, contraction and the fit to a layer's inputs.

A kernel W of shape (I1 ... Id, J1 ... Jd) is written as

    W[(i1 .. id), (j1 .. jd)] = G1[i1, j1] G2[i2, j2] ... Gd[id, jd],

with ``Gk[ik, jk]`` a matrix of shape (r(k-1), rk), r0 = rd = 1 (Novikov et al., 2015). Core k is
kept as an array of shape (r(k-1), Ik, Jk, rk).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from scipy import linalg, optimize

from ._low_rank import rank_for_energy

Array = np.ndarray

# Unknowns of a core up to which its normal equations are solved directly.
_MAX_UNKNOWNS = 6000


def balanced_factors(size: int, n_factors: int) -> tuple[int, ...]:
    """Return whole factors of `size` that are as near to each other as can be.

    Examples
    --------
    >>> from skopt_wrap.factorization._tensor_train import balanced_factors
    >>> balanced_factors(784, 2), balanced_factors(1000, 3), balanced_factors(7, 2)
    ((28, 28), (10, 10, 10), (1, 7))
    """
    if n_factors == 1:
        return (size,)
    best: tuple[int, ...] | None = None
    for first in range(round(size ** (1 / n_factors)), 0, -1):
        if size % first == 0:
            rest = balanced_factors(size // first, n_factors - 1)
            found = tuple(sorted((first, *rest)))
            if best is None or sum(found) < sum(best):
                best = found
    assert best is not None
    return best


def full_ranks(input_factors: Sequence[int], output_factors: Sequence[int]) -> tuple[int, ...]:
    """Return the ranks between the cores at which any kernel is represented exactly.

    Examples
    --------
    >>> from skopt_wrap.factorization._tensor_train import full_ranks
    >>> full_ranks((4, 4), (3, 5))
    (12,)
    """
    sizes = [i * j for i, j in zip(input_factors, output_factors, strict=True)]
    return tuple(min(prod(sizes[:k]), prod(sizes[k:])) for k in range(1, len(sizes)))


def count_parameters(
    input_factors: Sequence[int], output_factors: Sequence[int], ranks: Sequence[int]
) -> int:
    """Return the number of entries of all cores.

    Examples
    --------
    >>> from skopt_wrap.factorization._tensor_train import count_parameters
    >>> count_parameters((4, 4), (3, 5), (2,))
    64
    """
    edges = (1, *ranks, 1)
    triples = zip(edges[:-1], input_factors, output_factors, edges[1:], strict=True)
    return sum(a * i * j * b for a, i, j, b in triples)


def to_tensor(matrix: Array, input_factors: Sequence[int], output_factors: Sequence[int]) -> Array:
    """Return a kernel as a tensor of shape (I1 J1, ..., Id Jd)."""
    d = len(input_factors)
    tensor = np.reshape(matrix, (*input_factors, *output_factors))
    tensor = tensor.transpose([axis for k in range(d) for axis in (k, d + k)])
    return tensor.reshape([i * j for i, j in zip(input_factors, output_factors, strict=True)])


def to_matrix(tensor: Array, input_factors: Sequence[int], output_factors: Sequence[int]) -> Array:
    """Undo :func:`to_tensor`."""
    d = len(input_factors)
    pairs = [size for pair in zip(input_factors, output_factors, strict=True) for size in pair]
    tensor = np.reshape(tensor, pairs).transpose([*range(0, 2 * d, 2), *range(1, 2 * d, 2)])
    return tensor.reshape(prod(input_factors), prod(output_factors))


def tt_svd(
    matrix: Array,
    input_factors: Sequence[int],
    output_factors: Sequence[int],
    ranks: Sequence[int] | None = None,
    energy: float | None = None,
) -> list[Array]:
    """Return the cores of a kernel by successive truncated SVDs [1]_.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        Kernel.
    input_factors, output_factors : sequence of int
        Their products are n_inputs and n_outputs.
    ranks : sequence of int, default=None
        Largest ranks between the cores; None keeps all.
    energy : float, default=None
        Fraction in (0, 1] of the squared entries to keep: the loss is shared out evenly.

    Returns
    -------
    cores : list of ndarray of shape (r(k-1), Ik, Jk, rk)
        float64.

    References
    ----------
    .. [1] I. Oseledets, "Tensor-train decomposition", SIAM Journal on Scientific Computing, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._tensor_train import contract, tt_svd
    >>> kernel = np.kron(np.arange(6.0).reshape(2, 3), np.ones((3, 2)))
    >>> cores = tt_svd(kernel, (2, 3), (3, 2), ranks=(1,))
    >>> [core.shape for core in cores]
    [(1, 2, 3, 1), (1, 3, 2, 1)]
    >>> bool(np.allclose(contract(cores), kernel))
    True
    """
    rest = to_tensor(np.asarray(matrix, float), input_factors, output_factors)
    limits = full_ranks(input_factors, output_factors)
    ranks = limits if ranks is None else [min(r, m) for r, m in zip(ranks, limits, strict=True)]
    total = float(np.square(rest).sum())
    allowed = None if energy is None else (1 - energy) * total / max(1, len(ranks))
    cores, before = [], 1
    for k, (i, j) in enumerate(zip(input_factors, output_factors, strict=True)):
        if k == len(ranks):
            cores.append(rest.reshape(before, i, j, 1))
            break
        left, values, right = linalg.svd(
            rest.reshape(before * i * j, -1), full_matrices=False, check_finite=False
        )
        rank = min(ranks[k], len(values))
        if allowed is not None and total > 0:
            present = float(np.square(values).sum())
            if present > 0:
                rank = min(rank, rank_for_energy(values, max(1 - allowed / present, 1e-12)))
        scale = np.sqrt(np.maximum(values[:rank], np.finfo(float).tiny))
        last = k == len(ranks) - 1  # the scale is shared by the last two cores
        share = scale if last else np.ones(rank)
        cores.append((left[:, :rank] * share).reshape(before, i, j, rank))
        rest = (values[:rank] / share)[:, None] * right[:rank]
        before = rank
    return cores


def contract(cores: Sequence[Array]) -> Array:
    """Return the kernel of shape (I1 ... Id, J1 ... Jd) that the cores stand for."""
    tensor = np.ones((1, 1))
    for core in cores:
        before, after = core.shape[0], core.shape[-1]
        tensor = tensor @ core.reshape(before, -1)
        tensor = tensor.reshape(-1, after)
    shapes = [core.shape[1:3] for core in cores]
    return to_matrix(tensor, [i for i, _ in shapes], [j for _, j in shapes])


def fit_cores(
    matrix: Array,
    cores: Sequence[Array],
    covariance: Array,
    *,
    max_sweeps: int = 20,
    tol: float = 5e-3,
) -> list[Array]:
    """Return cores fitted to what the layer puts out for its own inputs.

    Minimizes ``trace((W - V)' C (W - V))`` over the cores of V, one core after the other. A core
    enters linearly, so each step is a least-squares problem: solved exactly for two cores,
    and by conjugate gradients in sweeps of all cores for more.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        W.
    cores : sequence of ndarray of shape (r(k-1), Ik, Jk, rk)
        Where to start; not changed.
    covariance : ndarray of shape (n_inputs, n_inputs)
        C, positive definite.
    max_sweeps : int, default=20
        Passes over all cores at most.
    tol : float, default=5e-3
        Stop when a sweep lowers the loss by less than this fraction.

    Returns
    -------
    cores : list of ndarray
        Shapes as before; the loss is never higher.
    """
    cores = [np.array(core, float) for core in cores]
    unknowns = max(core.shape[0] * core.shape[1] * core.shape[3] for core in cores)
    if len(cores) == 2 and unknowns <= _MAX_UNKNOWNS:
        return _alternate(matrix, cores, covariance, max_sweeps, tol)
    return _descend(matrix, cores, covariance, 8 * max_sweeps, tol)


def _loss_of(matrix: Array, covariance: Array) -> Callable[[Array], float]:
    def loss(approximation: Array) -> float:
        difference = matrix - approximation
        return float(np.vdot(difference, covariance @ difference))

    return loss


def _alternate(
    matrix: Array, cores: list[Array], covariance: Array, max_sweeps: int, tol: float
) -> list[Array]:
    """Alternating least squares of two cores."""
    (_, i1, j1, _), (_, i2, j2, _) = cores[0].shape, cores[1].shape
    first = cores[0][0].transpose(2, 0, 1)  # (r, I1, J1)
    second = cores[1][:, :, :, 0]  # (r, I2, J2)
    c4 = covariance.reshape(i1, i2, i1, i2)
    by_first = c4.transpose(0, 2, 1, 3).reshape(i1 * i1, i2 * i2)  # (i1 i1', i2 i2')
    target = (covariance @ matrix).reshape(i1, i2, j1, j2)
    loss = _loss_of(matrix, covariance)
    kept, last = (first, second), loss(contract(cores))
    # Half the bytes and half the time, until rounding gets in the way.
    dtypes = [np.float64, np.float32] if tol > 0 else [np.float64]
    dtype = dtypes.pop()
    for _ in range(max_sweeps):
        c, t = by_first.astype(dtype), target.astype(dtype)
        second = _solve_core(kept[0].astype(dtype), c, t.transpose(1, 3, 0, 2)).astype(float)
        first = _solve_core(second.astype(dtype), c.T, t.transpose(0, 2, 1, 3)).astype(float)
        now = loss(contract(scaled_cores(first, second)))
        if now < last:
            kept, gain, last = (first, second), 1 - now / last, now
            if gain < tol:
                break
        elif dtypes:
            dtype = dtypes.pop()
        else:
            break
    return scaled_cores(*kept)


def scaled_cores(first: Array, second: Array) -> list[Array]:
    # Equal norms of what belongs to one rank, so that gradients later have one scale.
    norms = [np.sqrt(np.square(part).sum(axis=(1, 2))) for part in (first, second)]
    ratio = np.sqrt(norms[1] / np.maximum(norms[0], np.finfo(float).tiny))
    ratio = np.where((ratio > 0) & np.isfinite(ratio), ratio, 1.0)[:, None, None]
    return [(first * ratio).transpose(1, 2, 0)[None], (second / ratio)[..., None]]


def _solve_core(other: Array, metric: Array, target: Array) -> Array:
    """Return the core, of shape (r, I, J), that fits best to the one beside it.

    Parameters
    ----------
    other : ndarray of shape (r, I', J')
        The core beside it.
    metric : ndarray of shape (I' I', I I)
        Covariance, the indices of the other core first.
    target : ndarray of shape (I, J, I', J')
        Covariance times the kernel.
    """
    rank, i_other, j_other = other.shape
    i, j = target.shape[:2]
    flat = other.reshape(rank * i_other, j_other)
    gram = (flat @ flat.T).reshape(rank, i_other, rank, i_other).transpose(0, 2, 1, 3)
    normal = gram.reshape(rank * rank, -1) @ metric
    normal = normal.reshape(rank, rank, i, i).transpose(0, 2, 1, 3).reshape(rank * i, rank * i)
    right = target.reshape(i * j, -1) @ other.reshape(rank, -1).T
    right = right.reshape(i, j, rank).transpose(2, 0, 1).reshape(rank * i, j)
    jitter = 10 * np.finfo(normal.dtype).eps
    normal[np.diag_indices_from(normal)] += jitter * np.trace(normal)
    try:
        factor = linalg.cho_factor(normal, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        return np.full((rank, i, j), np.nan)  # too few digits; the caller takes more
    return linalg.cho_solve(factor, right, check_finite=False).reshape(rank, i, j)


def _descend(
    matrix: Array, cores: list[Array], covariance: Array, max_iter: int, tol: float
) -> list[Array]:
    """Quasi-Newton descent over all cores together."""
    shapes = [core.shape for core in cores]
    splits = np.cumsum([prod(shape) for shape in shapes])[:-1]
    scale = float(np.vdot(matrix, covariance @ matrix)) or 1.0
    inputs, outputs = [s[1] for s in shapes], [s[2] for s in shapes]

    def unpack(vector: Array) -> list[Array]:
        return [p.reshape(s) for p, s in zip(np.split(vector, splits), shapes, strict=True)]

    def value_and_gradient(vector: Array) -> tuple[float, Array]:
        parts = unpack(vector)
        difference = contract(parts) - matrix
        weighted = covariance @ difference
        slope = to_tensor(weighted, inputs, outputs) * (2 / scale)
        gradient = np.concatenate([g.ravel() for g in _core_gradients(parts, slope)])
        return float(np.vdot(difference, weighted)) / scale, gradient

    start = np.concatenate([core.ravel() for core in cores])
    found = optimize.minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iter, "maxcor": 20, "ftol": tol * 1e-3, "gtol": 0.0},
    )
    return unpack(found.x)


def _core_gradients(cores: list[Array], slope: Array) -> list[Array]:
    """Return the gradient of each core, given that of the kernel as a tensor."""
    lefts = [np.ones((1, 1))]
    for core in cores[:-1]:
        before, _, _, after = core.shape
        lefts.append((lefts[-1] @ core.reshape(before, -1)).reshape(-1, after))
    gradients, rest = [], slope.reshape(-1, 1)
    for core, left in zip(cores[::-1], lefts[::-1], strict=True):
        before, i, j, after = core.shape
        rest = rest.reshape(len(left), i * j * after)
        gradients.append((left.T @ rest).reshape(core.shape))
        rest = rest @ core.reshape(before, -1).T
    return gradients[::-1]
