"""Rows that lie far from all others."""

from __future__ import annotations

import numpy as np


def outlying_rows(X: np.ndarray, *, threshold: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows an isolation forest isolates far sooner than the usual row.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite numbers of comparable size.
    threshold : float
        Least distance of the score from the median score, in robust standard deviations.
    seed : int
        Seed of the forest.

    Returns
    -------
    mask : ndarray of shape (n_samples,), bool
        True for outlying rows.
    distance : ndarray of shape (n_samples,), float64
        The distance; more is further out.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._rows._outlying import outlying_rows
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> X[7] = 30.0
    >>> np.flatnonzero(outlying_rows(X, threshold=10.0, seed=0)[0]).tolist()
    [7]
    """
    from sklearn.ensemble import IsolationForest

    if len(X) < 10:
        return np.zeros(len(X), dtype=bool), np.zeros(len(X))
    scores = IsolationForest(random_state=seed).fit(X).score_samples(X)
    middle = np.median(scores)
    spread = 1.4826 * np.median(np.abs(scores - middle))
    distance = (middle - scores) / spread if spread > 0 else np.zeros(len(X))
    return distance > threshold, distance
