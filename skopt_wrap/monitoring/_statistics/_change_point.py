"""When a change began."""

from __future__ import annotations

import numpy as np


def change_point(n_rows: np.ndarray, sum_z: np.ndarray, sum_z2: np.ndarray) -> int:
    """Return the block at which the rows most likely began to differ from the reference.

    z is standard normal before the change; after it, its mean and variance are fitted. The start
    with the greatest log likelihood ratio is returned.

    Parameters
    ----------
    n_rows, sum_z, sum_z2 : ndarray of shape (n_blocks,)
        Rows of each block, and their sums of z and its square.

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
    >>> from skopt_wrap.monitoring._statistics._change_point import change_point
    >>> rows = np.full(6, 20)
    >>> means = np.array([0.0, 0.1, -0.1, 0.9, 1.1, 1.0])
    >>> change_point(rows, rows * means, rows * (1 + means**2))
    3
    """
    n = np.cumsum(n_rows[::-1])[::-1].astype(np.float64)
    mean = np.cumsum(sum_z[::-1])[::-1] / n
    variance = np.cumsum(sum_z2[::-1])[::-1] / n - mean**2
    variance = np.maximum(variance, 1 / n)
    gain = n / 2 * (mean**2 + variance - 1 - np.log(variance))
    # A late start rests on few rows, which vary more; it needs a greater likelihood ratio.
    gain -= np.log(np.maximum(n.max() / n, 1.0)) + (n < 8) * n
    return int(np.argmax(gain))
