"""Labelled rows kept for training, and rows that wait for their labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._sklearn import num_samples, safe_indexing
from ...exceptions import DataError

POLICIES = ("since_change", "window", "reservoir", "reference_and_recent")


def as_rows(estimator: Any, X: Any) -> Any:
    """Return frames as they are, and everything else as an array.

    Raises
    ------
    TypeError
        For sparse matrices.
    """
    if hasattr(X, "toarray"):
        raise TypeError(
            f"Sparse data was passed to {type(estimator).__name__}, but dense data is required. "
            "Use X.toarray()."
        )
    return X if hasattr(X, "columns") else np.asarray(X)


def concatenate(parts: list[Any]) -> Any:
    """Return arrays or frames of one kind joined by rows."""
    if len(parts) == 1:
        return parts[0]
    module = type(parts[0]).__module__.partition(".")[0]
    if module == "pandas":
        import pandas as pd

        return pd.concat(parts, axis=0)
    if module == "polars":
        import polars as pl

        return pl.concat(parts)
    return np.concatenate([np.asarray(part) for part in parts])


@dataclass
class Pool:
    """Rows with labels, their number in the stream, and a random key.

    Parameters
    ----------
    X, y : object, ndarray
        Rows and labels.
    rows : ndarray of shape (n_rows,)
        Number of each row in the stream; -1 for rows of `fit`.
    keys : ndarray of shape (n_rows,)
        Random numbers: the rows with the smallest ones are a random sample of all rows so far.
    """

    X: Any
    y: np.ndarray
    rows: np.ndarray
    keys: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def take(self, which: np.ndarray) -> Pool:
        """Return some of the rows."""
        which = np.flatnonzero(which) if which.dtype == bool else which
        return Pool(safe_indexing(self.X, which), self.y[which], self.rows[which], self.keys[which])

    @staticmethod
    def join(pools: list[Pool]) -> Pool:
        """Return pools joined."""
        pools = [pool for pool in pools if len(pool)] or pools[:1]
        return Pool(
            concatenate([pool.X for pool in pools]),
            np.concatenate([pool.y for pool in pools]),
            np.concatenate([pool.rows for pool in pools]),
            np.concatenate([pool.keys for pool in pools]),
        )


@dataclass
class Buffer:
    """Rows to train on, by one of four policies.

    Parameters
    ----------
    policy : {"since_change", "window", "reservoir", "reference_and_recent"}
        The latest rows since the change began; the latest rows; a random sample of all rows; or
        half a random sample of the rows of `fit` and half the latest rows.
    size : int
        Most rows kept.
    start : Pool
        Rows of `fit`.
    """

    policy: str
    size: int
    start: Pool
    recent: Pool | None = None
    parts: list[Pool] = field(default_factory=list)

    def __post_init__(self) -> None:
        order = np.argsort(self.start.keys)[: self.size]
        self.start = self.start.take(np.sort(order))

    def add(self, pool: Pool) -> None:
        """Add labelled rows of the stream."""
        self.parts.append(pool)
        if sum(map(len, self.parts)) >= max(self.size // 4, 1):
            self._settle()

    def _settle(self) -> None:
        pools = self.parts if self.recent is None else [self.recent, *self.parts]
        self.parts = []
        if not pools:
            return
        joined = Pool.join(pools)
        order = np.argsort(joined.rows, kind="stable")
        if self.policy == "reservoir":
            everything = Pool.join([self.start, joined])
            kept = everything.take(np.argsort(everything.keys)[: self.size])
            self.start, self.recent = kept.take(kept.rows < 0), kept.take(kept.rows >= 0)
            return
        self.recent = joined.take(order[-self.size :])

    def labelled_since(self, row: int) -> int:
        """Return how many labelled rows are kept from a row of the stream on."""
        self._settle()
        return 0 if self.recent is None else int((self.recent.rows >= row).sum())

    def latest_since(self, row: int) -> Pool:
        """Return the labelled rows kept from a row of the stream on; all kept if there is none."""
        self._settle()
        if self.recent is None or not len(self.recent):
            return self.start
        later = self.recent.rows >= row
        return self.recent.take(later) if later.any() else self.recent

    def for_training(self, since: int) -> Pool:
        """Return the rows to train a challenger on.

        Parameters
        ----------
        since : int
            Row of the stream at which the change began, for "since_change".
        """
        self._settle()
        if self.recent is None or not len(self.recent):
            return self.start
        if self.policy == "since_change":
            return self.recent.take(self.recent.rows >= since)
        if self.policy == "window":
            return self.recent
        if self.policy == "reservoir":
            return Pool.join([self.start, self.recent])
        half = self.size // 2
        sample = self.start.take(np.argsort(self.start.keys)[:half])
        return Pool.join([sample, self.recent.take(np.arange(len(self.recent))[-half:])])


class Waiting:
    """Rows whose labels have not come yet, by id.

    Parameters
    ----------
    size : int
        Most rows kept; the oldest are dropped.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows: dict[Any, tuple[Any, int]] = {}
        self.dropped = 0

    def add(self, X: Any, ids: np.ndarray, first_row: int, which: np.ndarray) -> None:
        """Keep rows that have no label yet."""
        for i in np.flatnonzero(which).tolist():
            self.rows[ids[i]] = (safe_indexing(X, [i]), first_row + i)
        while len(self.rows) > self.size:
            del self.rows[next(iter(self.rows))]
            self.dropped += 1

    def rows_of(self, ids: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return the rows of some ids and their numbers in the stream.

        Raises
        ------
        DataError
            If an id is unknown, has a label already, or was dropped.
        """
        unknown = [key for key in ids.tolist() if key not in self.rows]
        if unknown:
            raise DataError(
                f"labels came for unknown ids: {unknown[:5]}. An id is known from observe(X, "
                f"ids=...) until its label comes; at most {self.size} rows wait (buffer_size), and "
                f"{self.dropped} were dropped so far."
            )
        if not len(ids) or len(set(ids.tolist())) < len(ids):
            raise DataError("ids must name one row or more, each once.")
        found = [self.rows[key] for key in ids.tolist()]
        return concatenate([x for x, _ in found]), np.array([row for _, row in found])

    def forget(self, ids: np.ndarray) -> None:
        """Drop rows whose labels were taken."""
        for key in ids.tolist():
            del self.rows[key]


def make_pool(X: Any, y: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> Pool:
    """Return a pool with fresh random keys."""
    if num_samples(X) != len(y):
        raise DataError(f"X has {num_samples(X)} rows, but y has {len(y)} labels.")
    return Pool(X, y, rows, rng.random(len(y)))
