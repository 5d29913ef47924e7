"""When a change began."""

from __future__ import annotations

import numpy as np

from ._betting import log_bets


def change_point(
    n_rows: np.ndarray,
    sum_z: np.ndarray,
    sum_z2: np.ndarray,
    bins: np.ndarray,
    log_shares: np.ndarray,
) -> int:
    """Return the block at which the rows most likely began to differ from the reference.

    It is the start whose bets would have won most by now: the maximum of the likelihood ratio,
    averaged over the kinds and sizes of change that are bet on.

    Parameters
    ----------
    n_rows, sum_z, sum_z2 : ndarray of shape (n_blocks,)
        Rows of each block, and their sums of z and its square.
    bins : ndarray of shape (n_blocks, 16)
        Rows of each block in each bin.
    log_shares : ndarray of shape (n_bets,)
        Logarithm of the share of each bet.

    Returns
    -------
    block : int
        First block after the change.

    References
    ----------
    .. [1] D. V. Hinkley, "Inference about the change-point in a sequence of random variables",
       Biometrika, 1970.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._betting import STREAM
    >>> from skopt_wrap.monitoring._statistics._change_point import change_point
    >>> rows = np.full(6, 20)
    >>> means = np.array([0.0, 0.1, -0.1, 0.9, 1.1, 1.0])
    >>> bins = np.full((6, 16), 20 / 16)
    >>> change_point(rows, rows * means, rows * (1 + means**2), bins, STREAM.log_shares())
    3
    """
    steps = log_bets(n_rows, sum_z, sum_z2, bins)
    from_here = np.cumsum(steps[::-1], axis=0)[::-1]
    return int(np.argmax(np.logaddexp.reduce(from_here + log_shares, axis=1)))
