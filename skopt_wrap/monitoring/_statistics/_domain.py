"""Multivariate drift: a classifier tries to tell the reference's rows from those of a batch."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from ._betting import bets_for
from ._conformal import log_batch_e_values

MAX_ROWS = 5000  # of either side
_CELLS = 200


def domain_evidence(reference: np.ndarray, batch: np.ndarray, seed: int) -> tuple[float, float]:
    """Train a classifier on one half of the rows, and compare its scores on the other half.

    Parameters
    ----------
    reference, batch : ndarray of shape (n_rows, n_features)
        Numbers; NaN are missing values.
    seed : int
        Draws the halves and the rows.

    Returns
    -------
    auc : float
        Area under the ROC curve on the other half: 0.5 when the two cannot be told apart.
    log_e : float
        Logarithm of the e-value of the scores of the other half, as of one feature. It is exact:
        the classifier never saw these rows.

    References
    ----------
    .. [1] D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR, 2017.
    """
    rng = np.random.default_rng(seed)
    halves = []
    for rows in (reference, batch):
        order = rng.permutation(len(rows))[:MAX_ROWS]
        middle = len(order) // 2
        halves.append((rows[order[:middle]], rows[order[middle:]]))
    (train_a, test_a), (train_b, test_b) = halves
    X = np.concatenate([train_a, train_b])
    y = np.repeat([0, 1], [len(train_a), len(train_b)])
    weights = np.where(y == 1, len(y) / max(y.sum(), 1), len(y) / max((1 - y).sum(), 1))
    classifier = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, random_state=seed)
    classifier.fit(X, y, sample_weight=weights)
    scores = [classifier.predict_proba(rows)[:, 1] for rows in (test_a, test_b)]
    truth = np.repeat([0, 1], [len(test_a), len(test_b)])
    auc = float(roc_auc_score(truth, np.concatenate(scores)))
    edges = np.unique(np.quantile(np.concatenate(scores), np.linspace(0, 1, _CELLS)))
    counts = [
        np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in scores
    ]
    bets = bets_for(min(len(test_a), len(test_b)))
    log_e = log_batch_e_values(counts[0], counts[1], bets) + bets.log_shares()
    return auc, float(np.logaddexp.reduce(log_e))
