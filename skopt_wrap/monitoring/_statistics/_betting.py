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

N_BINS = 16
BLOCK_ROWS = 32  # fewest rows between two start times


@dataclass(frozen=True)
class Bets:
    """A family of bets.

    Parameters
    ----------
    shifts : ndarray of shape (n_shifts,)
        Means of z other than 0.
    spreads : ndarray of shape (n_spreads,)
        Standard deviations of z other than 1.
    stakes : ndarray of shape (n_stakes,)
        Parts of the wealth that are put on one of 16 bins, in (-1 / 15, 1); negative ones bet
        against the bin.
    """

    shifts: np.ndarray
    spreads: np.ndarray
    stakes: np.ndarray

    @property
    def n_bets(self) -> int:
        """Number of bets."""
        return len(self.shifts) + len(self.spreads) + N_BINS * len(self.stakes)

    def log_shares(self, one_sided: bool = False) -> np.ndarray:
        """Return the logarithm of the share of the wealth that each bet starts with.

        Parameters
        ----------
        one_sided : bool, default=False
            Whether only larger values count, as for losses: then all is put on shifts upwards.

        Returns
        -------
        log_shares : ndarray of shape (n_bets,)
            The shares sum to 1.
        """
        kinds = (len(self.shifts), len(self.spreads), N_BINS * len(self.stakes))
        if one_sided:
            up = self.shifts > 0
            shares = np.concatenate([up / up.sum(), np.zeros(sum(kinds[1:]))])
        else:
            weights = (0.5, 0.25, 0.25)
            shares = np.concatenate(
                [np.full(n, w / n) for n, w in zip(kinds, weights, strict=True)]
            )
        with np.errstate(divide="ignore"):
            return np.log(shares)


STREAM = Bets(
    shifts=np.array([-2.0, -1.0, -0.5, -0.25, 0.25, 0.5, 1.0, 2.0]),
    spreads=np.array([0.5, 0.7, 1.4, 2.0]),
    stakes=np.array([0.1]),
)


def bets_for(n_rows: int) -> Bets:
    """Return the bets on a batch: those of a stream, and smaller ones that suit many rows.

    The smaller ones are 2, 4 and 8 standard errors of n rows: what can just be shown, and more.
    """
    errors = np.array([2.0, 4.0, 8.0]) / np.sqrt(max(n_rows, 1))
    shifts = np.minimum(errors, 2.0)
    spreads = np.exp(np.minimum(errors / np.sqrt(2), 0.7))
    stakes = np.minimum(errors[:2] * np.sqrt(15) / 15, 0.1)
    return Bets(
        np.concatenate([STREAM.shifts, shifts, -shifts]),
        np.concatenate([STREAM.spreads, spreads, 1 / spreads]),
        np.concatenate([STREAM.stakes, stakes, -np.minimum(stakes, 0.06)]),
    )


def log_bets(
    n_rows: np.ndarray | int,
    sum_z: np.ndarray,
    sum_z2: np.ndarray,
    bins: np.ndarray,
    bets: Bets = STREAM,
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
    bets : Bets
        The bets.

    Returns
    -------
    log_factors : ndarray of shape (..., n_bets)
        Bets on shifts, on spreads, and on bins.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._betting import log_bets
    >>> log_bets(1, np.array(1.0), np.array(1.0), np.eye(16)[3]).round(2)[[5, 7, 12, 15]]
    array([ 0.38,  0.  , -0.11,  0.92])
    """
    n = np.asarray(n_rows, dtype=np.float64)[..., None]
    shift = bets.shifts * np.asarray(sum_z)[..., None] - n * bets.shifts**2 / 2
    spread = -n * np.log(bets.spreads) - np.asarray(sum_z2)[..., None] / 2 * (
        bets.spreads**-2.0 - 1
    )
    parts = [shift, spread]
    for stake in bets.stakes:
        hit, missed = np.log(1 - stake + N_BINS * stake), np.log(1 - stake)
        parts.append(bins * hit + (n - bins) * missed)
    shape = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
    return np.concatenate([np.broadcast_to(p, (*shape, p.shape[-1])) for p in parts], axis=-1)


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
    log_shares : ndarray of shape (n_items, n_bets)
        From :meth:`Bets.log_shares`, of the bets of a stream.
    restarting : bool, default=False
        False: a martingale from 1, which reaches 1 / alpha with probability alpha at most. True:
        the Shiryaev-Roberts statistic, whose mean is the number of rows; it reaches c after c rows
        or more in the mean.

    Attributes
    ----------
    log_accounts : ndarray of shape (n_items, n_bets)
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
