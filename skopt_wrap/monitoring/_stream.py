"""State of a stream: grown reference counts, wealth, and a summary of the past."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from ._statistics._betting import BLOCK_ROWS, STREAM, Wealth, block_sums
from ._statistics._change_point import change_point
from ._statistics._conformal import growing_p_values
from ._statistics._sketch import Sketch

MAX_BLOCKS = 200
Block = tuple[int, np.ndarray, np.ndarray, np.ndarray]  # rows, sums of z and z^2, bins


@dataclass
class Track:
    """Watched items whose values come together: the features and predictions, or the outcomes.

    Parameters
    ----------
    sketches : list of Sketch
        References of the items.
    wealth : Wealth
        Of the items.
    counts : ndarray of shape (n_groups, n_items, n_cells)
        Reference rows and the rows since, in each cell; None before the first row.
    """

    sketches: list[Sketch]
    wealth: Wealth
    counts: np.ndarray | None = None
    blocks: list[Block] = field(default_factory=list)
    merge: int = 1  # blocks of the stream in one block kept

    @classmethod
    def start(cls, sketches: list[Sketch], one_sided: list[bool], restarting: bool) -> Track:
        """Return the state before the first row."""
        shares = np.stack([STREAM.log_shares(flag) for flag in one_sided])
        return cls(sketches, Wealth(shares, restarting))

    @property
    def names(self) -> list[str]:
        """Names of the items."""
        return [sketch.name for sketch in self.sketches]

    def advance(
        self, cells: np.ndarray, groups: np.ndarray, rng: np.random.Generator, *, grow: bool
    ) -> None:
        """Take the next rows.

        Parameters
        ----------
        cells : ndarray of shape (n_rows, n_items)
            Cell of each value.
        groups : ndarray of shape (n_rows,)
            Group of each row.
        rng : numpy.random.Generator
            Breaks ties.
        grow : bool
            Whether the rows join the reference.
        """
        if self.counts is None:
            self.counts = _stacked_counts(self.sketches)
        uniforms = rng.random(cells.shape)
        p_values = np.empty(cells.shape)
        for g in np.unique(groups):
            rows = groups == g
            p_values[rows], counts = growing_p_values(
                cells[rows], self.counts[g], uniforms[rows], grow=grow
            )
            self.counts[g] = counts
        ranks = 1 - p_values
        z = -ndtri(p_values)
        for start in range(0, len(cells), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            sum_z, sum_z2, bins = block_sums(z[part], ranks[part])
            self.wealth.advance(len(z[part]), sum_z, sum_z2, bins)
            self._remember((len(z[part]), sum_z, sum_z2, bins.astype(np.uint32)))

    def _remember(self, block: Block) -> None:
        blocks = self.blocks
        if blocks and blocks[-1][0] + block[0] <= BLOCK_ROWS * self.merge:
            blocks[-1] = _joined(blocks[-1], block)
        else:
            blocks.append(block)
        if len(blocks) > MAX_BLOCKS:
            self.merge *= 2
            pairs = zip(blocks[0::2], [*blocks[1::2], None], strict=False)
            self.blocks = [a if b is None else _joined(a, b) for a, b in pairs]

    def began(self, item: int) -> int:
        """Return the row at which an item most likely began to differ from the reference."""
        n_rows = np.array([block[0] for block in self.blocks])
        sum_z, sum_z2, bins = (
            np.stack([arrays[part][item] for _, *arrays in self.blocks]) for part in range(3)
        )
        first = change_point(n_rows, sum_z, sum_z2, bins, self.wealth.log_shares[item])
        return int(n_rows[:first].sum())


def _joined(a: Block, b: Block) -> Block:
    """Return two blocks as one."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


def _stacked_counts(sketches: list[Sketch]) -> np.ndarray:
    """Return the counts of several sketches as one array (n_groups, n_items, n_cells)."""
    n_cells = max(sketch.n_cells for sketch in sketches)
    counts = np.zeros((len(sketches[0].counts), len(sketches), n_cells), dtype=np.uint32)
    for j, sketch in enumerate(sketches):
        counts[:, j, : sketch.n_cells] = sketch.counts
    return counts


@dataclass
class RecentRows:
    """The latest values of the watched items, for effect sizes.

    Parameters
    ----------
    size : int
        Rows kept.
    """

    size: int
    values: list[np.ndarray] = field(default_factory=list)
    groups: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    def push(self, values: list[np.ndarray], groups: np.ndarray) -> None:
        """Add the rows of an update; keep the latest, and never fewer than these rows."""
        keep = max(self.size, len(groups))
        if not self.values:
            self.values, self.groups = values, groups
            return
        self.values = [
            np.concatenate([old, new])[-keep:] for old, new in zip(self.values, values, strict=True)
        ]
        self.groups = np.concatenate([self.groups, groups])[-keep:]


@dataclass
class Clock:
    """Times at row numbers, thinned, to tell when something began.

    Parameters
    ----------
    rows : list of int
        Rows before each entry.
    times : list of numpy.datetime64
        Time of the first row of the entry.
    """

    rows: list[int] = field(default_factory=list)
    times: list[np.datetime64] = field(default_factory=list)
    latest: np.datetime64 | None = None

    def tick(self, row: int, times: np.ndarray | None, latest: np.datetime64 | None) -> None:
        """Remember the times of the next rows, one in every block."""
        self.latest = latest
        if times is None:
            return
        for i in range(0, len(times), BLOCK_ROWS):
            if not self.rows or row + i >= self.rows[-1] + BLOCK_ROWS:
                self.rows.append(row + i)
                self.times.append(times[i])
        while len(self.rows) > 8 * MAX_BLOCKS:
            self.rows, self.times = self.rows[::2], self.times[::2]

    def at(self, row: int) -> str | None:
        """Return the time at a row, as text; None without times."""
        if not self.rows:
            return None
        i = max(int(np.searchsorted(self.rows, row, side="right")) - 1, 0)
        return str(self.times[i])
