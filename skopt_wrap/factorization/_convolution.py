"""Tucker-2 and CP of a convolution kernel, fitted to the patches that the layer sees.

A kernel W of shape (k, c_in, c_out), its k positions flattened, is applied to patches of k c_in
numbers. Decompositions start from those of tensorly on the kernel alone and are then fitted by
alternating least squares to ``trace(M (W - V)' C (W - V))``, C being the covariance of the patches
and M the metric of the outputs. Every factor enters linearly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from ._low_rank import weighted_loss, whitened_svd

Array = np.ndarray

# Unknowns of a factor up to which its normal equations are solved.
_MAX_UNKNOWNS = 4000


class TuckerFactors(NamedTuple):
    """Tucker-2 factors of a convolution kernel.

    Parameters
    ----------
    inputs : ndarray of shape (c_in, r_in)
        1x1 convolution in front.
    core : ndarray of shape (k, r_in, r_out)
        Convolution between fewer channels.
    outputs : ndarray of shape (r_out, c_out)
        1x1 convolution behind.
    """

    inputs: Array
    core: Array
    outputs: Array

    def kernel(self) -> Array:
        """Return the kernel of shape (k, c_in, c_out)."""
        return np.einsum("ia,kab,bo->kio", *self, optimize=True)


class CPFactors(NamedTuple):
    """CP factors of a convolution kernel.

    Parameters
    ----------
    inputs : ndarray of shape (c_in, r)
        1x1 convolution in front.
    positions : ndarray of shape (k, r)
        Depthwise convolution.
    outputs : ndarray of shape (r, c_out)
        1x1 convolution behind.
    """

    inputs: Array
    positions: Array
    outputs: Array

    def kernel(self) -> Array:
        """Return the kernel of shape (k, c_in, c_out)."""
        return np.einsum("ir,kr,ro->kio", *self, optimize=True)


def tensorly_numpy() -> Any:
    """Return the decompositions of tensorly and a context in which they run on NumPy.

    tensorly's backend is a global choice of its user's; it is left as it is.
    """
    import tensorly
    from tensorly import decomposition

    return decomposition, tensorly.backend_context("numpy", local_threadsafe=True)


def tucker2(
    kernel: Array,
    ranks: tuple[int, int],
    covariance: Array | None = None,
    output_metric: Array | None = None,
    max_sweeps: int = 3,
) -> TuckerFactors:
    """Return the Tucker-2 factors of a kernel [1]_.

    Parameters
    ----------
    kernel : ndarray of shape (k, c_in, c_out)
        W.
    ranks : tuple of two int
        Channels of the core, in and out.
    covariance : ndarray of shape (k * c_in, k * c_in), default=None
        C, positive definite; None is the identity.
    output_metric : ndarray of shape (c_out, c_out), default=None
        M, positive definite; None is the identity.
    max_sweeps : int, default=3
        Alternations at most, when `covariance` is given.

    References
    ----------
    .. [1] Y.-D. Kim, E. Park, S. Yoo, T. Choi, L. Yang, D. Shin, "Compression of deep
       convolutional neural networks for fast and low power mobile applications", ICLR, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._convolution import tucker2
    >>> rng = np.random.default_rng(0)
    >>> factors = [rng.normal(size=shape) for shape in [(6, 2), (9, 2, 3), (3, 8)]]
    >>> kernel = np.einsum("ia,kab,bo->kio", *factors)
    >>> bool(np.allclose(tucker2(kernel, (2, 3)).kernel(), kernel))
    True
    """
    decomposition, on_numpy = tensorly_numpy()
    with on_numpy:
        (core, (inputs, outputs)), _ = decomposition.partial_tucker(
            np.asarray(kernel, float), rank=list(ranks), modes=[1, 2]
        )
    best = TuckerFactors(inputs, core, outputs.T)
    if covariance is None:
        return best
    k, c_in, c_out = kernel.shape
    matrix = np.reshape(kernel, (k * c_in, c_out))
    target = covariance @ matrix
    c4 = covariance.reshape(k, c_in, k, c_in)

    def loss(factors: TuckerFactors) -> float:
        return weighted_loss(matrix, factors.kernel().reshape(-1, c_out), covariance, output_metric)

    last = loss(best)
    for sweep in range(max(1, max_sweeps)):
        now = _best_behind(inputs, c4, target, ranks[1], output_metric)
        error = loss(now)
        if not error < last:
            break
        gain, best, last = 1 - error / last, now, error
        if gain < 1e-3 or sweep == max_sweeps - 1 or c_in * ranks[0] > _MAX_UNKNOWNS:
            break
        behind = np.einsum("kab,bo->kao", now.core, now.outputs, optimize=True)
        inputs = _best_inputs(behind, c4, target, output_metric)
    return best


def _best_behind(
    inputs: Array, c4: Array, target: Array, rank: int, output_metric: Array | None
) -> TuckerFactors:
    """Return core and output factor for a given input factor: reduced-rank regression."""
    inputs = linalg.qr(inputs, mode="economic")[0]
    k, c_in, r = c4.shape[0], c4.shape[1], inputs.shape[1]
    gram = np.einsum("ia,kilj,jb->kalb", inputs, c4, inputs, optimize=True).reshape(k * r, k * r)
    right = np.einsum("ia,kio->kao", inputs, target.reshape(k, c_in, -1)).reshape(k * r, -1)
    gram[np.diag_indices_from(gram)] += 1e-10 * np.trace(gram) / len(gram)
    best = linalg.solve(gram, right, assume_a="pos")
    front, back, _ = whitened_svd(best, gram, output_metric)
    return TuckerFactors(inputs, front[:, :rank].reshape(k, r, -1), back[:rank])


def _best_inputs(behind: Array, c4: Array, target: Array, output_metric: Array | None) -> Array:
    """Return the input factor for what stands behind it, an array of shape (k, r, c_out)."""
    k, c_in = c4.shape[:2]
    r = behind.shape[1]
    weighted = behind if output_metric is None else behind @ output_metric
    outer = np.einsum("kao,lbo->kalb", behind, weighted, optimize=True)
    normal = np.einsum("kilj,kalb->iajb", c4, outer, optimize=True).reshape(c_in * r, c_in * r)
    right = np.einsum("kio,kao->ia", target.reshape(k, c_in, -1), weighted, optimize=True)
    normal[np.diag_indices_from(normal)] += 1e-9 * np.trace(normal) / len(normal)
    return linalg.solve(normal, right.ravel(), assume_a="pos").reshape(c_in, r)


def cp(
    kernel: Array,
    rank: int,
    covariance: Array | None = None,
    output_metric: Array | None = None,
    max_sweeps: int = 10,
    seed: int = 0,
) -> CPFactors:
    """Return the CP factors of a kernel [1]_.

    Parameters
    ----------
    kernel : ndarray of shape (k, c_in, c_out)
        W.
    rank : int
        Number of terms.
    covariance : ndarray of shape (k * c_in, k * c_in), default=None
        C, positive definite; None is the identity.
    output_metric : ndarray of shape (c_out, c_out), default=None
        M, positive definite; None is the identity.
    max_sweeps : int, default=10
        Alternations at most, when `covariance` is given.
    seed : int, default=0
        Of the start, drawn at random where `rank` is above the kernel's smallest size.

    References
    ----------
    .. [1] V. Lebedev, Y. Ganin, M. Rakhuba, I. Oseledets, V. Lempitsky, "Speeding-up convolutional
       neural networks using fine-tuned CP-decomposition", ICLR, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._convolution import cp
    >>> kernel = np.einsum("k,i,o->kio", np.arange(1.0, 10), np.ones(4), np.arange(5.0))
    >>> bool(np.allclose(cp(kernel, 1).kernel(), kernel))
    True
    """
    decomposition, on_numpy = tensorly_numpy()
    start = "svd" if rank <= min(kernel.shape) else "random"  # no more singular vectors than that
    with on_numpy:
        weights, (positions, inputs, outputs) = decomposition.parafac(
            np.asarray(kernel, float), rank, n_iter_max=100, init=start, tol=1e-9,
            random_state=np.random.RandomState(seed),
        )  # fmt: skip
    best = CPFactors(inputs, positions, (weights * outputs).T)
    if covariance is None:
        return best
    k, c_in, c_out = kernel.shape
    matrix = np.reshape(kernel, (k * c_in, c_out))
    target = covariance @ matrix
    c4 = covariance.reshape(k, c_in, k, c_in)

    def loss(factors: CPFactors) -> float:
        return weighted_loss(matrix, factors.kernel().reshape(-1, c_out), covariance, output_metric)

    def solve(normal: Array, right: Array) -> Array:
        normal = normal.copy()
        normal[np.diag_indices_from(normal)] += 1e-9 * np.trace(normal) / len(normal)
        return linalg.solve(normal, right, assume_a="pos")

    last = loss(best)
    inputs, positions, outputs = best
    for _ in range(max_sweeps):
        design = np.einsum("kr,ir->kir", positions, inputs).reshape(k * c_in, rank)
        outputs = solve(design.T @ covariance @ design, design.T @ target)
        weighted = outputs if output_metric is None else outputs @ output_metric
        outer = weighted @ outputs.T
        pulled = (target @ weighted.T).reshape(k, c_in, rank)
        if max(k, c_in) * rank <= _MAX_UNKNOWNS:
            normal = np.einsum(
                "kr,kilj,ls,rs->irjs", positions, c4, positions, outer, optimize=True
            )
            right = np.einsum("kir,kr->ir", pulled, positions).ravel()
            inputs = solve(normal.reshape(c_in * rank, -1), right).reshape(c_in, rank)
            normal = np.einsum("ir,kilj,js,rs->krls", inputs, c4, inputs, outer, optimize=True)
            right = np.einsum("kir,ir->kr", pulled, inputs).ravel()
            positions = solve(normal.reshape(k * rank, -1), right).reshape(k, rank)
        now = CPFactors(*_balanced(inputs, positions, outputs))
        error = loss(now)
        if not error < last:
            break
        gain, best, last = 1 - error / last, now, error
        if gain < 1e-3:
            break
    return best


def _balanced(inputs: Array, positions: Array, outputs: Array) -> tuple[Array, Array, Array]:
    """Return the factors with equal norms within each term."""
    norms = [np.linalg.norm(part, axis=0) for part in (inputs, positions, outputs.T)]
    mean = np.cbrt(norms[0] * norms[1] * norms[2])
    scales = [np.where(n > 0, mean / np.where(n > 0, n, 1), 1.0) for n in norms]
    return inputs * scales[0], positions * scales[1], outputs * scales[2][:, None]
