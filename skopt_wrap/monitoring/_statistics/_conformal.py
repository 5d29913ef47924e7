"""Conformal p-values row by row, and an e-value of one batch, both exact for a finite reference.

Values enter as the number of the cell they fall into (see ``_sketch``). Cells are fixed before the
rows that are counted in them, so the counted reference rows and the new rows are exchangeable as
long as nothing has changed; this is all that the guarantees need.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ._betting import N_BINS, Bets

_PAIR_ROWS = 64  # rows that are compared with each other at once
_TINY = 1e-15


def growing_p_values(
    cells: np.ndarray, counts: np.ndarray, uniforms: np.ndarray, *, grow: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return the conformal p-value of each row; each row then joins the reference.

    ``p = (rows in larger cells + u * rows in the same cell, itself included) / (rows + 1)``. The
    p-values of one column are independent and uniform when the rows are exchangeable with the
    reference [1]_.

    Parameters
    ----------
    cells : ndarray of shape (n_rows, n_items), dtype int
        Cell of each value.
    counts : ndarray of shape (n_items, n_cells), dtype int
        Reference rows in each cell; each item has the same number of reference rows.
    uniforms : ndarray of shape (n_rows, n_items)
        Random numbers in [0, 1) that break ties.
    grow : bool, default=True
        False keeps the reference as it is; the p-values are then no longer independent.

    Returns
    -------
    p_values : ndarray of shape (n_rows, n_items)
        In (0, 1).
    counts : ndarray of shape (n_items, n_cells)
        Counts with the rows added; the array given is not changed.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer,
       2005, chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._conformal import growing_p_values
    >>> cells, half = np.array([[2], [2], [0]]), np.full((3, 1), 0.5)
    >>> p, counts = growing_p_values(cells, np.array([[1, 1, 1]]), half)
    >>> p.ravel().round(2), counts
    (array([0.25, 0.3 , 0.83]), array([[2, 1, 3]]))
    """
    counts = counts.astype(np.int64, copy=True)
    n_rows, n_items = cells.shape
    columns = np.arange(n_items)
    p_values = np.empty((n_rows, n_items))
    earlier = np.tri(_PAIR_ROWS, k=-1, dtype=bool)[:, :, None]
    for start in range(0, n_rows, _PAIR_ROWS):
        block = cells[start : start + _PAIR_ROWS]
        size = len(block)
        below = np.cumsum(counts, axis=1)
        total = below[:, -1]
        larger = total - below[columns, block]
        same = counts[columns, block] + 1
        n = np.broadcast_to(total, block.shape)
        if grow:
            before = earlier[:size, :size]
            larger = larger + ((block[None] > block[:, None]) & before).sum(axis=1)
            same = same + ((block[None] == block[:, None]) & before).sum(axis=1)
            n = n + np.arange(size)[:, None]
            np.add.at(counts, (np.broadcast_to(columns, block.shape), block), 1)
        u = uniforms[start : start + size]
        p_values[start : start + size] = (larger + u * same) / (n + 1)
    return np.clip(p_values, _TINY, 1 - 1e-12), counts


def log_batch_e_values(reference: np.ndarray, batch: np.ndarray, bets: Bets) -> np.ndarray:
    """Return the logarithm of the e-value of each bet that one batch differs from the reference.

    Given the two together, the batch is a random subset as long as nothing has changed. For a
    positive function f of the cell, ``prod f(batch) / mean f(all) ** n`` then has a mean of at most
    1: the sum over a subset drawn without replacement is less spread than with replacement [1]_.
    The smaller of the two takes the part of the subset.

    Parameters
    ----------
    reference, batch : ndarray of shape (n_cells,)
        Rows in each cell.
    bets : Bets
        The bets.

    Returns
    -------
    log_e : ndarray of shape (n_bets,)
        In the order of ``log_bets``.

    References
    ----------
    .. [1] W. Hoeffding, "Probability inequalities for sums of bounded random variables", Journal of
       the American Statistical Association, 1963, theorem 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._betting import STREAM
    >>> from skopt_wrap.monitoring._statistics._conformal import log_batch_e_values
    >>> same = log_batch_e_values(np.full(10, 30), np.full(10, 5), STREAM)
    >>> moved = log_batch_e_values(np.full(10, 30), np.arange(10), STREAM)
    >>> bool(same.max() < 0.01), bool(moved.max() > 5)
    (True, True)
    """
    pool = (reference + batch).astype(np.float64)
    total = pool.sum()
    subset = batch if batch.sum() <= reference.sum() else reference
    direction = 1.0 if subset is batch else -1.0
    used = pool > 0
    pool, subset = pool[used], np.asarray(subset, dtype=np.float64)[used]
    ranks = (np.cumsum(pool) - pool / 2) / total
    z = ndtri(ranks) * direction
    logs = np.concatenate(
        [
            bets.shifts[:, None] * z,
            -(z**2) / 2 * (bets.spreads[:, None] ** -2.0 - 1),
            *_bin_logs(pool, total, bets.stakes),
        ]
    )
    top = logs.max(axis=1, keepdims=True)
    log_mean = np.log((np.exp(logs - top) @ pool) / total) + top[:, 0]
    return logs @ subset - subset.sum() * log_mean


def _bin_logs(pool: np.ndarray, total: float, stakes: np.ndarray) -> list[np.ndarray]:
    """Return the logarithm of the bets on bins, by the share of each cell that lies in a bin."""
    high = np.cumsum(pool) / total
    low = high - pool / total
    edges = np.arange(N_BINS + 1) / N_BINS
    overlap = np.minimum(high, edges[1:, None]) - np.maximum(low, edges[:-1, None])
    share = np.clip(overlap, 0, None) / (high - low)
    return [np.log(1 - stake + stake * N_BINS * share) for stake in stakes]
