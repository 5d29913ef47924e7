"""Running a policy over many rows, block by block, with a seed of its own for each block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from ._containers import take
from ._transform import Policy, Source

#: Most rows of one block. Blocks are part of the result: a block is what a random stream belongs
#: to, and what MixUp draws partners from. How blocks are scheduled is no part of it.
BLOCK_ROWS = {"image": 256, "series": 256, "tabular": 2048, "text": 256}
#: Numbers in one block of images, as far as 64 rows allow.
IMAGE_NUMBERS = 2**18
#: Most numbers in one block, as far as 8 rows allow: small blocks stay in the cache (MixUp of
#: images of 224 x 224 pixels is four times as fast with 8 rows as with 64).
BLOCK_NUMBERS = 2**20
#: Fewest blocks that are worth a thread: starting one costs as much as a few blocks.
BLOCKS_PER_THREAD = 16
#: The same where a block holds `BLOCK_NUMBERS` or more, and takes milliseconds.
LARGE_BLOCKS_PER_THREAD = 2
#: Fewest numbers of an image that is worth a thread. Small ones, and texts, are changed one by one,
#: which is faster in one thread than in two that wait for the interpreter.
THREAD_NUMBERS = 2**14


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
    numbers = max(1, math.prod(shape[1:]))
    most = max(64, IMAGE_NUMBERS // numbers) if kind == "image" else BLOCK_ROWS[kind]
    return min(BLOCK_ROWS[kind], most, max(8, BLOCK_NUMBERS // numbers))


@dataclass
class Job:
    """New rows to make.

    Attributes
    ----------
    kind : {"image", "tabular", "series", "text"}
        Kind of data.
    values : ndarray or sparse matrix of shape (n_rows, ...)
        Rows to change; they are never written to.
    sources : ndarray of int, of shape (n_new,)
        The row of `values` that each new row is made of.
    policy : Policy
        Bound transforms.
    labels : ndarray of shape (n_new, n_columns) or None
        Labels to be mixed, in place.
    groups : ndarray of shape (n_new,) or None
        Class codes.
    """

    kind: str
    values: Any
    sources: np.ndarray
    policy: Policy
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None

    @property
    def n_new(self) -> int:
        """Number of new rows."""
        return len(self.sources)


def blocks(
    n_new: int, size: int, seed: np.random.SeedSequence, mixed: bool = True
) -> Iterator[tuple]:
    """Return positions and seed of each block.

    Parameters
    ----------
    n_new : int
        Number of new rows.
    size : int
        Rows of a block.
    seed : SeedSequence
        Parent of the seeds.
    mixed : bool, default=True
        Whether positions are shuffled over the blocks, so that each holds a mixture of the
        classes; otherwise a block is a run of rows.

    Yields
    ------
    positions : ndarray of int
        Rows of the block, in ascending order.
    seed : SeedSequence
        Its seed.
    """
    shuffle, parent = seed.spawn(2)
    order = np.arange(n_new)
    if mixed:
        order = np.random.default_rng(shuffle).permutation(n_new)
    starts = range(0, n_new, size)
    for start, child in zip(starts, parent.spawn(len(starts)), strict=True):
        yield np.sort(order[start : start + size]), child


def _change(
    job: Job,
    rows: Any,
    positions: np.ndarray,
    seed: np.random.SeedSequence,
    source: Source | None = None,
) -> Any:
    """Return `rows`, the new rows at `positions`, changed; see :class:`Policy` for `source`."""
    rng = np.random.default_rng(seed)
    labels = None if job.labels is None else job.labels[positions]
    groups = None if job.groups is None else job.groups[positions]
    changed, labels = job.policy(rows, rng, labels, groups, source)
    if job.labels is not None:
        job.labels[positions] = labels
    return changed


def count_threads(job: Job, n_blocks: int, size: int, n_jobs: int | None) -> int:
    """Return the number of threads worth starting.

    Parameters
    ----------
    job : Job
        What to make.
    n_blocks : int
        Number of blocks.
    size : int
        Rows of a block.
    n_jobs : int or None
        What the caller asked for; None means one, unless a joblib context says otherwise.

    Returns
    -------
    n_threads : int
        Threads; 1 for none but the caller's.
    """
    numbers = math.prod(job.values.shape[1:])
    one_by_one = job.kind == "text" or (job.kind == "image" and numbers < THREAD_NUMBERS)
    if one_by_one and not job.policy.calls_others:
        return 1
    fewest = BLOCKS_PER_THREAD if size * numbers < BLOCK_NUMBERS else LARGE_BLOCKS_PER_THREAD
    return max(1, min(effective_n_jobs(n_jobs), n_blocks // fewest))


def _run(job: Job, seed: np.random.SeedSequence, n_jobs: int | None, make: Callable) -> None:
    """Call ``make(positions, seed)`` for every block, in threads if asked to."""
    size = block_rows(job.kind, job.values.shape)
    work = list(blocks(job.n_new, size, seed, job.policy.needs_mixture(job.values)))

    def make_all(part: list[tuple]) -> None:
        for positions, child in part:
            make(positions, child)

    n_threads = count_threads(job, len(work), size, n_jobs)
    if n_threads == 1:
        make_all(work)
        return
    # A few parts for each thread: blocks are too small to be handed over one by one.
    n_parts = min(len(work), 4 * n_threads)
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(make_all, [work[k::n_parts] for k in range(n_parts)]))


def fill(
    out: np.ndarray,
    job: Job,
    seed: np.random.SeedSequence,
    n_jobs: int | None = None,
) -> None:
    """Write the new rows into `out`, block by block.

    Parameters
    ----------
    out : ndarray of shape (n_new, ...)
        Receives the rows.
    job : Job
        What to make.
    seed : SeedSequence
        Seed of everything.
    n_jobs : int or None
        Threads; None means one, unless a joblib context says otherwise.
    """
    values, mixed = job.values, job.policy.needs_mixture(job.values)
    others = other_labels = None
    mixing = job.policy.mixes_first(values)
    if mixing is not None:  # partners are drawn from all rows
        rng = np.random.default_rng(seed.spawn(1)[0])
        partners = mixing._partners(job.n_new, rng, job.groups)
        others = job.sources[partners]
        other_labels = None if job.labels is None else job.labels[partners]

    def make(positions: np.ndarray, child: np.random.SeedSequence) -> None:
        source = Source(
            values,
            job.sources[positions],
            None if others is None else others[positions],
            None if other_labels is None else other_labels[positions],
        )
        if mixed:
            rows = np.empty((len(positions), *values.shape[1:]), dtype=values.dtype)
            out[positions] = _change(job, rows, positions, child, source)
            return
        rows = out[positions[0] : positions[-1] + 1]
        changed = _change(job, rows, positions, child, source)
        if changed is not rows:
            rows[...] = changed

    _run(job, seed, n_jobs, make)


def collect_sparse(job: Job, seed: np.random.SeedSequence, n_jobs: int | None = None):
    """Return the new rows as one CSR matrix, which cannot be written in place.

    Parameters
    ----------
    job : Job
        What to make; its values are sparse.
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

    def make(positions: np.ndarray, child: np.random.SeedSequence) -> None:
        rows = take(job.values, job.sources[positions])
        found.append((positions, _change(job, rows, positions, child)))

    _run(job, seed, n_jobs, make)
    places = np.concatenate([positions for positions, _ in found])
    return sparse.vstack([rows for _, rows in found], format="csr")[np.argsort(places)]
