"""Which weights are set to zero, and which values weights share: functions of arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Block = Any  # None, "2:4" or (rows, columns)


def pattern_problem(shape: tuple[int, ...], block: Block) -> str | None:
    """Return why a kernel cannot be pruned in a pattern, or None.

    Parameters
    ----------
    shape : tuple of int
        Of the kernel, as Keras has it: inputs before units.
    block : {"2:4"}, (rows, columns) or None
        The pattern.

    Examples
    --------
    >>> from skopt_wrap.compression._stages._masks import pattern_problem
    >>> pattern_problem((64, 10), (4, 4))
    'its kernel of shape (64, 10) is not divisible into blocks of (4, 4)'
    """
    if block is None:
        return None
    if block == "2:4":
        if len(shape) in (2, 4) and shape[-2] % 4 == 0:
            return None
        return f"its kernel of shape {shape} has no groups of 4 inputs"
    if len(shape) != 2:
        return f"its kernel of shape {shape} is no matrix"
    if shape[0] % block[0] or shape[1] % block[1]:
        return f"its kernel of shape {shape} is not divisible into blocks of {tuple(block)}"
    return None


def keep_largest(values: np.ndarray, sparsity: float, block: Block = None) -> np.ndarray:
    """Return the mask of the weights that stay.

    Parameters
    ----------
    values : ndarray
        A kernel.
    sparsity : float
        Fraction that becomes zero; for "2:4" always one half.
    block : {"2:4"}, (rows, columns) or None
        Pattern of the zeros; the shape must allow it.

    Returns
    -------
    mask : ndarray of the shape of `values`, bool
        True where a weight stays.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._stages._masks import keep_largest
    >>> keep_largest(np.array([0.1, -3.0, 2.0, 0.5]), 0.5).tolist()
    [False, True, True, False]
    """
    size = np.abs(values)
    if block is None:
        return _largest(size, sparsity)
    if block == "2:4":
        groups = np.moveaxis(size, -2, -1)
        groups = groups.reshape(*groups.shape[:-1], -1, 4)
        rank = np.argsort(np.argsort(-groups, axis=-1, kind="stable"), axis=-1, kind="stable")
        kept = (rank < 2).reshape(np.moveaxis(size, -2, -1).shape)
        return np.moveaxis(kept, -1, -2)
    rows, columns = block
    shape = (size.shape[0] // rows, rows, size.shape[1] // columns, columns)
    kept = _largest(size.reshape(shape).mean(axis=(1, 3)), sparsity)
    return np.repeat(np.repeat(kept, rows, axis=0), columns, axis=1)


def has_pattern(values: np.ndarray, block: Block) -> bool:
    """Return whether the zeros of a kernel lie in a pattern.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._stages._masks import has_pattern
    >>> has_pattern(np.array([[0.0], [1.0], [2.0], [0.0]]), "2:4")
    True
    """
    if block is None:
        return True
    if block == "2:4":
        groups = np.moveaxis(values, -2, -1)
        return bool((np.count_nonzero(groups.reshape(-1, 4), axis=1) <= 2).all())
    rows, columns = block
    shape = (values.shape[0] // rows, rows, values.shape[1] // columns, columns)
    filled = np.count_nonzero(values.reshape(shape), axis=(1, 3))
    return bool(((filled == 0) | (filled > rows * columns // 2)).all())


def _largest(size: np.ndarray, sparsity: float) -> np.ndarray:
    n_zero = math.floor(sparsity * size.size + 0.5)
    mask = np.ones(size.size, dtype=bool)
    mask[np.argsort(size, axis=None, kind="stable")[:n_zero]] = False
    return mask.reshape(size.shape)


def share_values(
    values: np.ndarray, n_clusters: int, init: str, keep_zeros: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return few values, and which of them stands for each weight, by k-means.

    Parameters
    ----------
    values : ndarray
        A kernel.
    n_clusters : int
        How many values.
    init : {"linear", "random", "density", "kmeans++"}
        Where they start.
    keep_zeros : bool
        Whether zeros of the kernel stay: zero is one of the values then.
    seed : int
        Of random starts.

    Returns
    -------
    centers : ndarray of shape (n_found,), n_found <= n_clusters
        The values.
    labels : ndarray of the shape of `values`, int
        Indices into `centers`.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.compression._stages._masks import share_values
    >>> centers, labels = share_values(np.array([0.0, 1.0, 1.2, -2.0]), 3, "linear", True, 0)
    >>> centers[labels].round(2).tolist()
    [0.0, 1.1, 1.1, -2.0]
    """
    from sklearn.cluster import KMeans

    flat = values.astype(float).ravel()
    fixed = keep_zeros and bool((flat == 0).any())
    rest = flat[flat != 0] if fixed else flat
    n_free = min(n_clusters - fixed, len(np.unique(rest)))
    centers = np.zeros(0)
    if n_free:
        low, high = rest.min(), rest.max()
        starts = {
            "linear": np.linspace(low, high, n_free),
            "random": np.random.default_rng(seed).uniform(low, high, n_free),
            "density": np.quantile(rest, (np.arange(n_free) + 0.5) / n_free),
        }
        start = "k-means++" if init == "kmeans++" else starts[init][:, None]
        found = KMeans(n_free, init=start, n_init=1, random_state=seed).fit(rest[:, None])
        centers = np.unique(found.cluster_centers_.ravel())
    if fixed:
        centers = np.unique(np.append(centers[centers != 0], 0.0))
    edges = (centers[1:] + centers[:-1]) / 2
    labels = np.searchsorted(edges, flat)
    if fixed:
        labels[flat == 0] = int(np.flatnonzero(centers == 0)[0])
    return centers, labels.reshape(values.shape)


def n_distinct(values: np.ndarray) -> int:
    """Return how many different numbers `values` holds."""
    return len(np.unique(values))


def zero_fraction(values: np.ndarray) -> float:
    """Return the fraction of `values` that is exactly zero."""
    return 1 - np.count_nonzero(values) / max(1, values.size)
