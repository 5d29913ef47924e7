"""Several e-values at once: is there anything, and where."""

from __future__ import annotations

import numpy as np


def log_average(log_e: np.ndarray) -> float:
    """Return the logarithm of the average of e-values.

    The average of e-values is an e-value, whatever the dependence between them.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._multiple import log_average
    >>> round(float(np.exp(log_average(np.log([1.0, 3.0])))), 6)
    2.0
    """
    return float(np.logaddexp.reduce(log_e) - np.log(len(log_e)))


def e_bh(log_e: np.ndarray, alpha: float) -> np.ndarray:
    """Return which items are declared changed by the e-BH procedure.

    With the e-values in descending order, the first k are declared, k being the largest with
    ``e_k >= n_items / (alpha k)``. The expected share of false ones among them is at most alpha,
    whatever the dependence between the items [1]_.

    Parameters
    ----------
    log_e : ndarray of shape (n_items,)
        Logarithms of the e-values.
    alpha : float
        False discovery rate, in (0, 1).

    Returns
    -------
    declared : ndarray of shape (n_items,), dtype bool
        Whether each item is declared.

    References
    ----------
    .. [1] R. Wang, A. Ramdas, "False discovery rate control with e-values", Journal of the Royal
       Statistical Society B, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._multiple import e_bh
    >>> e_bh(np.log([1.0, 45.0, 30.0, 0.5]), alpha=0.1)
    array([False,  True,  True, False])
    """
    order = np.argsort(-log_e, kind="stable")
    n_items = len(log_e)
    needed = np.log(n_items / (alpha * np.arange(1, n_items + 1)))
    passing = np.flatnonzero(log_e[order] >= needed)
    declared = np.zeros(n_items, dtype=bool)
    if passing.size:
        declared[order[: passing[-1] + 1]] = True
    return declared
