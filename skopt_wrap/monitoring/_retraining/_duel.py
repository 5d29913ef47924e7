"""A duel of two models on the same rows, which may be looked at after every row."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

STAKES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8])


@dataclass
class Duel:
    """Wealth of bets that one model has the smaller loss, and that the other has.

    With differences ``d = loss(holder) - loss(rival)`` in [-1, 1], the wealth ``mean over stakes of
    prod(1 + stake * d)`` has a mean of at most 1 as long as the rival is not better: whenever one
    looks, it reaches ``1 / alpha`` with probability alpha at most [1]_. The other direction bets on
    -d.

    Parameters
    ----------
    alpha : float
        Chance of ever declaring a rival better that is not, and of ever declaring it worse that is
        not.

    References
    ----------
    .. [1] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
       Journal of the Royal Statistical Society B, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._retraining._duel import Duel
    >>> duel = Duel(alpha=0.05)
    >>> duel.add(np.ones(3), np.zeros(3))  # the rival is right three times, the holder never
    >>> round(float(np.exp(duel.log_wealth[0])), 3), duel.rival_is_better
    (2.309, False)
    >>> duel.add(np.ones(9), np.zeros(9))
    >>> duel.rival_is_better, duel.rival_is_worse
    (True, False)
    """

    alpha: float
    log_products: np.ndarray = field(default_factory=lambda: np.zeros((2, len(STAKES))))
    best: np.ndarray = field(default_factory=lambda: np.zeros(2))
    n_rows: int = 0
    sum_differences: float = 0.0

    def add(self, holder: np.ndarray, rival: np.ndarray) -> None:
        """Take the losses of both on the next rows, each in [0, 1]."""
        if not len(holder):
            return
        d = np.asarray(holder, dtype=np.float64) - np.asarray(rival, dtype=np.float64)
        steps = np.stack([np.log1p(sign * d[:, None] * STAKES) for sign in (1, -1)])
        paths = self.log_products[:, None] + np.cumsum(steps, axis=1)
        wealth = np.logaddexp.reduce(paths, axis=2) - np.log(len(STAKES))
        self.best = np.maximum(self.best, wealth.max(axis=1))
        self.log_products = paths[:, -1]
        self.n_rows += len(d)
        self.sum_differences += float(d.sum())

    @property
    def log_wealth(self) -> np.ndarray:
        """Logarithm of the wealth now, that the rival is better and that it is worse."""
        return np.logaddexp.reduce(self.log_products, axis=1) - np.log(len(STAKES))

    @property
    def rival_is_better(self) -> bool:
        """Whether the evidence that the rival is better has ever sufficed."""
        return bool(self.best[0] >= -np.log(self.alpha))

    @property
    def rival_is_worse(self) -> bool:
        """Whether the evidence that the rival is worse has ever sufficed."""
        return bool(self.best[1] >= -np.log(self.alpha))

    @property
    def mean_difference(self) -> float:
        """Mean of holder's loss less rival's."""
        return self.sum_differences / max(self.n_rows, 1)
