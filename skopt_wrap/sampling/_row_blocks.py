"""Apply a policy to many samples, block by block; each block has a seed of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from ._batch import Movement, Source
from ._containers import take
from ._images._annotations import Annotations
from ._transform import Policy

#: Largest number of samples in a block. Blocks determine the result, because each block has its
#: own random generator, and MixUp draws partners from the block. The order in which blocks are
#: computed, and by which thread, does not.
BLOCK_ROWS = {"image": 256, "series": 256, "tabular": 2048, "text": 256}
#: Largest number of pixels times channels in a block of images; 64 images are always allowed.
IMAGE_ELEMENTS = 2**18
#: Largest number of array elements in a block of any kind; 8 samples are always allowed. Small
#: blocks stay in the cache: MixUp of images of 224 x 224 pixels is four times as fast with 8
#: images in a block as with 64.
BLOCK_ELEMENTS = 2**20
#: Smallest number of blocks for each thread. Starting a thread costs as much as a few blocks.
BLOCKS_PER_THREAD = 16
#: The same for blocks of `BLOCK_ELEMENTS` elements or more, which take milliseconds each.
LARGE_BLOCKS_PER_THREAD = 2
#: Smallest number of array elements of an image for which threads pay. Smaller images, and texts,
#: are changed one by one in Python, where two threads would wait for each other (the GIL).
THREAD_ELEMENTS = 2**14

#: Positions of the samples of a block among the new samples, and the seed of the block.
Block = tuple[np.ndarray, np.random.SeedSequence]


def block_rows(kind: str, shape: tuple[int, ...]) -> int:
    """Return the number of samples in a block, which depends on kind and shape of the data only.

    Parameters
    ----------
    kind : {"image", "tabular", "series", "text"}
        Kind of data.
    shape : tuple of int
        Shape of X.

    Returns
    -------
    size : int
        Number of samples.
    """
    elements = max(1, math.prod(shape[1:]))
    most = max(64, IMAGE_ELEMENTS // elements) if kind == "image" else BLOCK_ROWS[kind]
    return min(BLOCK_ROWS[kind], most, max(8, BLOCK_ELEMENTS // elements))


@dataclass
class Job:
    """The new samples to make.

    Attributes
    ----------
    kind : {"image", "tabular", "series", "text"}
        Kind of data.
    values : ndarray or sparse matrix of shape (n_samples, ...)
        Samples to copy and change; they are only read.
    sources : ndarray of int, of shape (n_new,)
        Position in `values` of the sample that each new one is made of.
    policy : Policy
        Transforms that have learned from the data.
    labels : ndarray of shape (n_new, n_columns) or None
        Labels, which are mixed in place.
    groups : ndarray of shape (n_new,) or None
        Class of each new sample, as an integer.
    annotations : Annotations or None
        Masks, boxes and key points of the images, which are moved along.
    """

    kind: str
    values: Any
    sources: np.ndarray
    policy: Policy
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    annotations: Annotations | None = None

    @property
    def n_new(self) -> int:
        """Number of new samples."""
        return len(self.sources)


def blocks(
    n_new: int, size: int, seed: np.random.SeedSequence, mixed: bool = True
) -> Iterator[Block]:
    """Yield the positions and the seed of each block.

    Parameters
    ----------
    n_new : int
        Number of new samples.
    size : int
        Number of samples in a block.
    seed : SeedSequence
        Seed from which those of the blocks are derived.
    mixed : bool, default=True
        Whether positions are shuffled, so that each block holds samples of all classes.
        Otherwise a block is a range of consecutive positions.

    Yields
    ------
    positions : ndarray of int
        Positions of the samples of the block, in ascending order.
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
    """Return the new samples at `positions`, changed; :class:`Policy` explains `source`."""
    rng = np.random.default_rng(seed)
    labels = None if job.labels is None else job.labels[positions]
    groups = None if job.groups is None else job.groups[positions]
    track: list[Movement] | None = None if job.annotations is None else []
    changed, labels = job.policy(rows, rng, labels, groups, source, track)
    if job.annotations is not None and track is not None:
        job.annotations.move(positions, job.sources[positions], track)
    if job.labels is not None:
        job.labels[positions] = labels
    return changed


def count_threads(job: Job, n_blocks: int, size: int, n_jobs: int | None) -> int:
    """Return the number of threads that pay.

    Parameters
    ----------
    job : Job
        The new samples to make.
    n_blocks : int
        Number of blocks.
    size : int
        Number of samples in a block.
    n_jobs : int or None
        Number of threads asked for. None means one, unless a joblib context says otherwise.

    Returns
    -------
    n_threads : int
        Number of threads; 1 means that the caller's thread does all the work.
    """
    elements = math.prod(job.values.shape[1:])
    one_by_one = job.kind == "text" or (job.kind == "image" and elements < THREAD_ELEMENTS)
    if one_by_one and not job.policy.calls_others:
        return 1
    fewest = BLOCKS_PER_THREAD if size * elements < BLOCK_ELEMENTS else LARGE_BLOCKS_PER_THREAD
    return max(1, min(effective_n_jobs(n_jobs), n_blocks // fewest))


def _run(
    job: Job,
    seed: np.random.SeedSequence,
    n_jobs: int | None,
    make: Callable[[np.ndarray, np.random.SeedSequence], None],
) -> None:
    """Call ``make(positions, seed)`` for every block, in `n_jobs` threads if that pays."""
    size = block_rows(job.kind, job.values.shape)
    work = list(blocks(job.n_new, size, seed, job.policy.needs_mixture(job.values)))

    def make_all(part: list[Block]) -> None:
        for positions, child in part:
            make(positions, child)

    n_threads = count_threads(job, len(work), size, n_jobs)
    if n_threads == 1:
        make_all(work)
        return
    # Each thread gets a few lists of blocks: single blocks are too small to be handed over.
    n_parts = min(len(work), 4 * n_threads)
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(make_all, [work[k::n_parts] for k in range(n_parts)]))


def fill(
    out: np.ndarray,
    job: Job,
    seed: np.random.SeedSequence,
    n_jobs: int | None = None,
) -> None:
    """Write the new samples into `out`, block by block.

    Parameters
    ----------
    out : ndarray of shape (n_new, ...)
        Receives the samples.
    job : Job
        The new samples to make.
    seed : SeedSequence
        Seed of all random numbers.
    n_jobs : int or None
        Number of threads. None means one, unless a joblib context says otherwise.
    """
    values, mixed = job.values, job.policy.needs_mixture(job.values)
    others = other_labels = None
    mixing = job.policy.mixes_first(values)
    if mixing is not None:  # partners are drawn from all samples, not from the block
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


def collect_sparse(job: Job, seed: np.random.SeedSequence, n_jobs: int | None = None) -> Any:
    """Return the new samples as one CSR matrix, which cannot be filled in place.

    Parameters
    ----------
    job : Job
        The new samples to make; its values are sparse.
    seed : SeedSequence
        Seed of all random numbers.
    n_jobs : int or None
        Number of threads.

    Returns
    -------
    rows : sparse matrix in CSR format
        The new samples, in order.
    """
    found: list[tuple[np.ndarray, Any]] = []

    def make(positions: np.ndarray, child: np.random.SeedSequence) -> None:
        rows = take(job.values, job.sources[positions])
        found.append((positions, _change(job, rows, positions, child)))

    _run(job, seed, n_jobs, make)
    places = np.concatenate([positions for positions, _ in found])
    return sparse.vstack([rows for _, rows in found], format="csr")[np.argsort(places)]
