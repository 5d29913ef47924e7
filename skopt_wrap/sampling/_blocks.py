"""Running a policy over many rows, block by block, with a seed of its own for each block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy import sparse

from ._transform import Policy

#: Rows of one block. Part of the result: a block is what a random stream belongs to, and what
#: MixUp draws partners from. How blocks are scheduled is no part of it.
BLOCK_ROWS = {"image": 64, "series": 256, "tabular": 2048, "text": 256}
#: Most numbers in one block, as far as 8 rows allow: small blocks stay in the cache (MixUp of
#: images of 224 x 224 pixels is four times as fast with 8 rows as with 64).
BLOCK_NUMBERS = 2**20
#: Fewest blocks that are worth a thread: starting one costs as much as a few blocks.
BLOCKS_PER_THREAD = 16
#: The same where a block holds `BLOCK_NUMBERS` or more, and takes milliseconds.
LARGE_BLOCKS_PER_THREAD = 2


def block_rows(kind: str, shape: tuple[int, ...]) -> int:
    """Return the number of rows in a block; it depends on the kind and shape of the data only.

    Parameters
    ----------
    kind : {"image", "tabular", "series", "text"}
        Kind of data.
    shape : tuple of int
        Shape of X.

    Returns
    -------
    size : int
        Rows of a block.
    """
    return min(BLOCK_ROWS[kind], max(8, BLOCK_NUMBERS // max(1, math.prod(shape[1:]))))


@dataclass
class Job:
    """New rows to make.

    Attributes
    ----------
    rows : callable
        ``rows(positions)`` returns a private copy of the rows to change.
    n_new : int
        Number of new rows.
    policy : Policy
        Bound transforms.
    labels : ndarray of shape (n_new, n_columns) or None
        Labels to be mixed, in place.
    groups : ndarray of shape (n_new,) or None
        Class codes.
    """

    rows: Callable[[np.ndarray], np.ndarray]
    n_new: int
    policy: Policy
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None


def blocks(n_new: int, size: int, seed: np.random.SeedSequence) -> Iterator[tuple]:
    """Return positions and seed of each block.

    Positions are shuffled over the blocks, so that each holds a mixture of the classes.

    Parameters
    ----------
    n_new : int
        Number of new rows.
    size : int
        Rows of a block.
    seed : SeedSequence
        Parent of the seeds.

    Yields
    ------
    positions : ndarray of int
        Rows of the block.
    seed : SeedSequence
        Its seed.
    """
    shuffle, parent = seed.spawn(2)
    order = np.random.default_rng(shuffle).permutation(n_new)
    starts = range(0, n_new, size)
    for start, child in zip(starts, parent.spawn(len(starts)), strict=True):
        yield np.sort(order[start : start + size]), child


def _change(job: Job, positions: np.ndarray, seed) -> np.ndarray:
    rng = np.random.default_rng(seed)
    labels = None if job.labels is None else job.labels[positions]
    groups = None if job.groups is None else job.groups[positions]
    changed, labels = job.policy(job.rows(positions), rng, labels, groups)
    if job.labels is not None:
        job.labels[positions] = labels
    return changed


def _run(
    job: Job,
    size: int,
    seed: np.random.SeedSequence,
    n_jobs: int | None,
    use: Callable[[np.ndarray, Any], None],
) -> None:
    """Make every block, in threads if asked to, and call ``use(positions, rows)`` there."""
    work = list(blocks(job.n_new, size, seed))

    def make(part: list[tuple]) -> None:
        for positions, child in part:
            use(positions, _change(job, positions, child))

    n_threads = effective_n_jobs(n_jobs)
    if n_threads > 1 and work:
        numbers = size * math.prod(job.rows(work[0][0][:1]).shape[1:])
        fewest = BLOCKS_PER_THREAD if numbers < BLOCK_NUMBERS else LARGE_BLOCKS_PER_THREAD
        n_threads = min(n_threads, len(work) // fewest)
    if n_threads <= 1:
        make(work)
        return
    # A few parts for each thread: blocks are too small to be handed over one by one.
    n_parts = min(len(work), 4 * n_threads)
    parts = [work[k::n_parts] for k in range(n_parts)]
    Parallel(n_jobs=n_threads, prefer="threads")(delayed(make)(part) for part in parts)


def fill(
    out: np.ndarray,
    start: int,
    job: Job,
    size: int,
    seed: np.random.SeedSequence,
    n_jobs: int | None = None,
) -> None:
    """Write the new rows into ``out[start:]``, block by block.

    Parameters
    ----------
    out : ndarray of shape (start + n_new, ...)
        Receives the rows.
    start : int
        Position of the first new row.
    job : Job
        What to make.
    size : int
        Rows of a block.
    seed : SeedSequence
        Seed of everything.
    n_jobs : int or None
        Threads; None means one, unless a joblib context says otherwise.
    """

    def write(positions: np.ndarray, rows: np.ndarray) -> None:
        out[start + positions] = rows

    _run(job, size, seed, n_jobs, write)


def collect_sparse(job: Job, size: int, seed: np.random.SeedSequence, n_jobs: int | None = None):
    """Return the new rows as one CSR matrix, which cannot be written in place.

    Parameters
    ----------
    job : Job
        What to make; its rows are CSR.
    size : int
        Rows of a block.
    seed : SeedSequence
        Seed of everything.
    n_jobs : int or None
        Threads.

    Returns
    -------
    rows : sparse matrix in CSR format
        New rows in order.
    """
    found: list[tuple] = []
    _run(job, size, seed, n_jobs, lambda positions, rows: found.append((positions, rows)))
    places = np.concatenate([positions for positions, _ in found])
    return sparse.vstack([rows for _, rows in found], format="csr")[np.argsort(places)]
