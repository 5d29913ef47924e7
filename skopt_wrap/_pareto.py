"""The Pareto front: the candidates that no other candidate dominates."""

from __future__ import annotations

import numpy as np


def pareto_front(costs: np.ndarray) -> np.ndarray:
    """Tell which candidates are on the Pareto front.

    A candidate is dominated when another one is at most as costly in every objective and less
    costly in at least one. A candidate with a NaN is never on the front.

    Parameters
    ----------
    costs : ndarray of shape (n_candidates, n_objectives)
        Costs; lower is better.

    Returns
    -------
    on_front : ndarray of shape (n_candidates,), bool
        Whether each candidate is on the front.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap._pareto import pareto_front
    >>> pareto_front(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [np.nan, 0.0]]))
    array([ True,  True, False, False])
    """
    costs = np.asarray(costs, dtype=float)
    known = ~np.isnan(costs).any(axis=1)
    no_worse = (costs[:, None] <= costs[None]).all(axis=2)
    better = (costs[:, None] < costs[None]).any(axis=2)
    dominated = (no_worse & better & known[:, None]).any(axis=0)
    return known & ~dominated
