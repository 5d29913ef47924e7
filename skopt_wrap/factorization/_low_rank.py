"""Low-rank approximation of a matrix whose errors are weighed by what goes in and what matters.

A layer computes ``x @ W``. Replacing `W` by `V` costs, on the layer's own inputs and to first
order in the network's outputs,

    loss(V) = trace(M (W - V)' C (W - V)),

with `C` the covariance of the inputs and `M` the metric of the outputs (how strongly the network
reacts to each direction of the layer's output). Both are identities when nothing is known.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

Array = np.ndarray


def regularized(metric: Array, ridge: float) -> Array:
    """Return `metric` plus `ridge` times its mean eigenvalue on the diagonal.

    A direction that the data never took keeps a small weight, so that it is not given up.

    Parameters
    ----------
    metric : ndarray of shape (n, n)
        Symmetric, positive semi-definite.
    ridge : float
        Not negative.
    """
    scale = float(np.trace(metric)) / len(metric)
    return metric + (ridge * scale if scale > 0 else 1.0) * np.eye(len(metric))


def root_and_inverse(metric: Array) -> tuple[Array, Array]:
    """Return the symmetric square root of a positive definite matrix, and its inverse.

    A vector stands for a diagonal matrix.
    """
    if metric.ndim == 1:
        return np.sqrt(metric), 1 / np.sqrt(metric)
    values, vectors = linalg.eigh(metric)
    roots = np.sqrt(np.maximum(values, values[-1] * 1e-14))
    return (vectors * roots) @ vectors.T, (vectors / roots) @ vectors.T


def weighted_loss(
    matrix: Array,
    approximation: Array,
    covariance: Array | None = None,
    output_metric: Array | None = None,
) -> float:
    """Return ``trace(M D' C D) / trace(M W' C W)`` for the difference D of two matrices.

    Parameters
    ----------
    matrix, approximation : ndarray of shape (n_inputs, n_outputs)
        W, and what replaces it.
    covariance : ndarray of shape (n_inputs, n_inputs) or (n_inputs,), default=None
        C, or its diagonal; None is the identity.
    output_metric : ndarray of shape (n_outputs, n_outputs), default=None
        M; None is the identity.

    Returns
    -------
    loss : float
        Relative squared error, 0 for an exact copy.
    """

    def energy(difference: Array) -> float:
        left = difference if covariance is None else _times(covariance, difference)
        right = difference if output_metric is None else difference @ output_metric
        return float(np.vdot(left, right))

    return max(energy(matrix - approximation), 0.0) / max(energy(matrix), np.finfo(float).tiny)


def _times(metric: Array, matrix: Array) -> Array:
    """Return the product with a metric, of which a vector gives the diagonal."""
    return metric[:, None] * matrix if metric.ndim == 1 else metric @ matrix


def whitened_svd(
    matrix: Array,
    covariance: Array | None = None,
    output_metric: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Return factors of every rank at once: the SVD of ``C^(1/2) W M^(1/2)``, unwhitened.

    ``left[:, :r] @ right[:r]`` minimizes the loss above among matrices of rank r, and the loss
    is the tail of the squared singular values [1]_.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        W.
    covariance : ndarray of shape (n_inputs, n_inputs) or (n_inputs,), default=None
        C, positive definite, or its diagonal; None is the identity.
    output_metric : ndarray of shape (n_outputs, n_outputs), default=None
        M, positive definite; None is the identity.

    Returns
    -------
    left : ndarray of shape (n_inputs, k)
        First factor, for k = min(n_inputs, n_outputs).
    right : ndarray of shape (k, n_outputs)
        Second factor. Both have the scale of the root of the singular values.
    singular_values : ndarray of shape (k,)
        In decreasing order.

    References
    ----------
    .. [1] P.-H. Chen, H.-F. Yu, I. Dhillon, C.-J. Hsieh, "DRONE: Data-aware low-rank compression
       for large NLP models", NeurIPS, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._low_rank import whitened_svd
    >>> left, right, values = whitened_svd(np.diag([3.0, 2.0, 1.0]))
    >>> (left[:, :2] @ right[:2]).round(2)
    array([[3., 0., 0.],
           [0., 2., 0.],
           [0., 0., 0.]])
    >>> values
    array([3., 2., 1.])
    """
    weighted = np.asarray(matrix, dtype=float)
    unwhiten_left = unwhiten_right = np.empty(0)
    if covariance is not None:
        root, unwhiten_left = root_and_inverse(covariance)
        weighted = _times(root, weighted)
    if output_metric is not None:
        root, unwhiten_right = root_and_inverse(output_metric)
        weighted = weighted @ root
    left, values, right = linalg.svd(weighted, full_matrices=False, check_finite=False)
    scale = np.sqrt(values)
    left, right = left * scale, scale[:, None] * right
    if covariance is not None:
        left = _times(unwhiten_left, left)
    if output_metric is not None:
        right = right @ unwhiten_right
    return left, right, values


def rank_for_energy(singular_values: Array, energy: float) -> int:
    """Return the smallest rank that keeps the fraction `energy` of the squared singular values.

    Parameters
    ----------
    singular_values : ndarray of shape (k,)
        In decreasing order.
    energy : float
        In (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.factorization._low_rank import rank_for_energy
    >>> rank_for_energy(np.array([3.0, 2.0, 1.0]), 0.9)
    2
    """
    kept = np.cumsum(np.square(singular_values))
    if kept[-1] == 0:
        return 1
    return int(np.searchsorted(kept, energy * kept[-1] * (1 - 1e-12)) + 1)


def refitted(matrix: Array, covariance: Array, cross: Array, ridge: float) -> Array:
    """Return the matrix that does to changed inputs what `matrix` did to the original ones.

    Solves ``min E|x W - z V|^2 + ridge |W - V|^2`` for inputs x before and z after the layers in
    front were replaced.

    Parameters
    ----------
    matrix : ndarray of shape (n_inputs, n_outputs)
        W.
    covariance : ndarray of shape (n_inputs, n_inputs)
        E[z' z].
    cross : ndarray of shape (n_inputs, n_inputs)
        E[z' x].
    ridge : float
        In units of the mean eigenvalue of `covariance`.
    """
    weight = ridge * float(np.trace(covariance)) / len(covariance) or 1.0
    eye = np.eye(len(covariance))
    return linalg.solve(covariance + weight * eye, (cross + weight * eye) @ matrix, assume_a="pos")
