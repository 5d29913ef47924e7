"""Bets against "nothing has changed": log factors, start times, wealth.

A conformal p-value is uniform as long as nothing has changed. A bet is a function of it whose mean
is then 1, so wealth that is multiplied by bets stays near 1; it grows when the bets are right, and
they are right only after a change. The bets here are likelihood ratios of z, the standard normal
quantile of the rank: a mean other than 0, a spread other than 1, or more mass in one of 16 bins.

References
----------
.. [1] V. Vovk, I. Petej, I. Nouretdinov, E. Ahlberg, L. Carlsson, A. Gammerman, "Retrain or not
   retrain: conformal test martingales for change-point detection", COPA, 2021.
.. [2] J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change
   detection", New England Journal of Statistics in Data Science, 2023.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

SHIFTS = np.array([-2.0, -1.0, -0.5, -0.25, 0.25, 0.5, 1.0, 2.0])
SPREADS = np.array([0.5, 0.7, 1.4, 2.0])
N_BINS = 16
STAKE = 0.1  # of the wealth, on one bin
N_BETS = len(SHIFTS) + len(SPREADS) + N_BINS
BLOCK_ROWS = 32  # fewest rows between two start times


def log_bets(
    n_rows: np.ndarray | int, sum_z: np.ndarray, sum_z2: np.ndarray, bins: np.ndarray
) -> np.ndarray:
    """Return the logarithm of the product of each bet over some rows.

    Parameters
    ----------
    n_rows : int or ndarray of shape (...)
        Rows.
    sum_z, sum_z2 : ndarray of shape (...)
        Sums of z and of its square over the rows.
    bins : ndarray of shape (..., 16)
        Rows whose rank falls into each of 16 equal bins of [0, 1].

    Returns
    -------
    log_factors : ndarray of shape (..., 28)
        Eight bets on a shift, four on a spread, sixteen on a bin.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._betting import log_bets
    >>> log_bets(1, np.array(1.0), np.array(1.0), np.eye(16)[3]).round(2)[[5, 7, 12, 15]]
    array([ 0.38,  0.  , -0.11,  0.92])
    """
    n = np.asarray(n_rows, dtype=np.float64)[..., None]
    shift = SHIFTS * np.asarray(sum_z)[..., None] - n * SHIFTS**2 / 2
    spread = -n * np.log(SPREADS) - np.asarray(sum_z2)[..., None] / 2 * (SPREADS**-2.0 - 1)
    hit, missed = np.log(1 - STAKE + N_BINS * STAKE), np.log(1 - STAKE)
    local = bins * hit + (n - bins) * missed
    shape = np.broadcast_shapes(shift.shape[:-1], local.shape[:-1])
    parts = (shift, spread, local)
    return np.concatenate([np.broadcast_to(p, (*shape, p.shape[-1])) for p in parts], axis=-1)


def log_prior(one_sided: bool = False) -> np.ndarray:
    """Return the logarithm of the share of the wealth that each bet starts with.

    Parameters
    ----------
    one_sided : bool, default=False
        Whether only larger values count, as for losses: then all is put on shifts upwards.

    Returns
    -------
    log_shares : ndarray of shape (28,)
        The shares sum to 1.
    """
    shares = np.zeros(N_BETS)
    n_shifts, n_spreads = len(SHIFTS), len(SPREADS)
    if one_sided:
        shares[:n_shifts] = (SHIFTS > 0) / (SHIFTS > 0).sum()
    else:
        shares[:n_shifts] = 0.5 / n_shifts
        shares[n_shifts : n_shifts + n_spreads] = 0.25 / n_spreads
        shares[n_shifts + n_spreads :] = 0.25 / N_BINS
    with np.errstate(divide="ignore"):
        return np.log(shares)


def start_reserve(n_starts: int) -> float:
    """Return the share of the wealth that is not yet staked after `n_starts` start times.

    A change may come late. The wealth is therefore handed out in portions; the one of start time r
    is about ``1 / (r (1 + log r)^2)``, and they sum to 1.

    Examples
    --------
    >>> from skopt_wrap.monitoring._statistics._betting import start_reserve
    >>> [round(start_reserve(n), 3) for n in (0, 1, 2, 100)]
    [1.0, 0.591, 0.477, 0.178]
    """
    return float(1 / (1 + np.log(n_starts + 1)))


def start_portion(n_starts: int) -> float:
    """Return the share of the wealth that the start time after `n_starts` others receives."""
    return start_reserve(n_starts) - start_reserve(n_starts + 1)


def block_sums(z: np.ndarray, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sums that :func:`log_bets` takes.

    Parameters
    ----------
    z, ranks : ndarray of shape (n_rows, n_items)
        Normal quantiles of the ranks, and the ranks in (0, 1).

    Returns
    -------
    sum_z, sum_z2 : ndarray of shape (n_items,)
        Sums over the rows.
    bins : ndarray of shape (n_items, 16)
        Rows in each bin.
    """
    n_items = z.shape[1]
    which = np.minimum((ranks * N_BINS).astype(np.intp), N_BINS - 1) + N_BINS * np.arange(n_items)
    bins = np.bincount(which.ravel(), minlength=n_items * N_BINS).reshape(n_items, N_BINS)
    return z.sum(axis=0), (z * z).sum(axis=0), bins


@dataclass
class Wealth:
    """Wealth of the bets on several items (features, predictions, ...), row by row.

    Parameters
    ----------
    log_shares : ndarray of shape (n_items, 28)
        From :func:`log_prior`.
    restarting : bool, default=False
        False: a martingale from 1, which reaches 1 / alpha with probability alpha at most. True:
        the Shiryaev-Roberts statistic, whose mean is the number of rows; it reaches c after c rows
        or more in the mean.

    Attributes
    ----------
    log_accounts : ndarray of shape (n_items, 28)
        Logarithm of what each bet holds now.
    n_starts, rows_since_start, n_rows : int
        Start times so far, rows since the last one, rows in all.
    """

    log_shares: np.ndarray
    restarting: bool = False
    log_accounts: np.ndarray = field(init=False)
    n_starts: int = 0
    rows_since_start: int = 0
    n_rows: int = 0

    def __post_init__(self) -> None:
        self.log_accounts = np.full(self.log_shares.shape, -np.inf)

    def advance(self, n_rows: int, sum_z: np.ndarray, sum_z2: np.ndarray, bins: np.ndarray) -> None:
        """Multiply by the bets on the next rows, after a new start where one is due."""
        if self.restarting:
            self._start(float(n_rows))
        elif not self.n_starts or self.rows_since_start >= BLOCK_ROWS:
            self._start(start_portion(self.n_starts))
        self.log_accounts = self.log_accounts + log_bets(n_rows, sum_z, sum_z2, bins)
        self.rows_since_start += n_rows
        self.n_rows += n_rows

    def _start(self, portion: float) -> None:
        self.log_accounts = np.logaddexp(self.log_accounts, np.log(portion) + self.log_shares)
        self.n_starts += 1
        self.rows_since_start = 0

    def log_values(self) -> np.ndarray:
        """Return the logarithm of the wealth of each item, of shape (n_items,)."""
        held = np.logaddexp.reduce(self.log_accounts, axis=1)
        if self.restarting:
            return held
        return np.logaddexp(held, np.log(start_reserve(self.n_starts)))
