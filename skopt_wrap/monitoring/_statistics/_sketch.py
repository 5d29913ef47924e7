"""What is kept of a reference column: edges of cells, and counts of rows in them.

A random part of the reference, at most a fifth, fixes the cells; the other rows are counted in
them. The counted rows are therefore exchangeable with new rows, which makes the p-values exact, and
the counts of both parts together give the distribution function of the whole reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._columns import CATEGORY, NUMERIC, Column, encode

N_EDGES = 384
_ROUNDS, _ADDED = 8, 8  # of the edges, those that are added where the numbers are uneven
MAX_CATEGORIES = 400
MAX_EDGE_ROWS = 20_000  # rows that fix the edges


def edge_rows(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return which rows fix the cells: a random fifth of them, at most 20,000, at least one."""
    chosen = np.zeros(n_rows, dtype=bool)
    size = min(MAX_EDGE_ROWS, max(1, n_rows // 5))
    chosen[rng.choice(n_rows, size, replace=False)] = True
    return chosen


@dataclass
class Sketch:
    """Cells of one column and the reference rows in them.

    A numeric column with m edges has ``2 m + 2`` cells: below the first edge, on it, between it
    and the second, and so on, above the last, and missing; a value that occurs often is an edge
    with a cell of its own. A column of categories has one cell for each, most frequent first, one
    for others and one for missing values.

    Parameters
    ----------
    name, kind, dtype : str
        Those of the column.
    edges : ndarray of shape (m,)
        Ascending; empty for categories.
    categories : dict of str to int
        Category to cell; empty for numbers.
    counts : ndarray of shape (n_groups, n_cells), dtype uint32
        Rows that were counted and did not fix the cells.
    edge_counts : ndarray of shape (n_groups, n_cells), dtype uint16
        Rows that fixed the cells.
    moments : ndarray of shape (n_groups, 3)
        Rows with a number, their mean and their variance; of zeros for categories.
    low, high : float
        Smallest and largest number; NaN for categories.
    """

    name: str
    kind: str
    dtype: str
    edges: np.ndarray
    categories: dict[str, int]
    counts: np.ndarray
    edge_counts: np.ndarray
    moments: np.ndarray
    low: float = np.nan
    high: float = np.nan
    known: frozenset[str] = field(default_factory=frozenset)  # categories without a cell
    step: float = 0.0  # of rounded numbers; 0 for others

    @property
    def n_cells(self) -> int:
        """Number of cells, that of missing values last."""
        return int(self.counts.shape[1])

    def cells(self, values: np.ndarray) -> np.ndarray:
        """Return the cell of each value."""
        if self.kind == CATEGORY:
            return encode(values, self.categories, self.n_cells - 2, self.n_cells - 1)
        return numeric_cells(self.edges, values)

    def weighted_counts(self, shares: np.ndarray) -> np.ndarray:
        """Return rows in each cell, the groups in the given shares (n_groups,), of both parts."""
        counts = self.counts.astype(np.float64) + self.edge_counts
        if len(counts) == 1:
            return counts[0]
        rows = counts.sum(axis=1)
        return (shares * rows.sum() / np.maximum(rows, 1)) @ counts

    def mean_and_std(self, shares: np.ndarray) -> tuple[float, float]:
        """Return mean and standard deviation of the numbers, the groups in the given shares."""
        rows, means, variances = self.moments.T
        weights = np.where(rows > 0, shares, 0.0)
        weights = weights / weights.sum() if weights.sum() > 0 else rows / max(rows.sum(), 1)
        mean = float(weights @ means)
        return mean, float(np.sqrt(weights @ (variances + (means - mean) ** 2)))


def numeric_cells(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the cell of each number.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._sketch import numeric_cells
    >>> numeric_cells(np.array([1.0, 2.0]), np.array([0.5, 1.0, 1.5, 2.0, 9.0, np.nan]))
    array([0, 1, 2, 3, 4, 5])
    """
    if len(values) > 2000:  # one search; equal values are told apart afterwards
        left = np.searchsorted(edges, values)
        on_edge = edges[np.minimum(left, len(edges) - 1)] == values
        cells = 2 * left + on_edge
    else:
        cells = np.searchsorted(edges, values) + np.searchsorted(edges, values, side="right")
    cells[np.isnan(values)] = 2 * len(edges) + 1
    return cells


def sorted_cell_counts(edges: np.ndarray, ordered: np.ndarray, n_missing: int) -> np.ndarray:
    """Return the rows in each cell, from numbers in ascending order without missing ones."""
    left = np.searchsorted(ordered, edges)
    right = np.searchsorted(ordered, edges, side="right")
    bounds = np.column_stack([left, right]).ravel()
    return np.concatenate([np.diff(bounds, prepend=0, append=len(ordered)), [n_missing]])


def choose_edges(ordered: np.ndarray) -> np.ndarray:
    """Return edges between which the numbers are spread about evenly.

    First at equally spaced ranks, then, eight times, where the numbers of the eight least even
    cells depart most from a straight line.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows,)
        Numbers in ascending order, without NaN.

    Returns
    -------
    edges : ndarray of shape (n_edges,)
        At most 384 different numbers, ascending.
    """
    n = len(ordered)
    if n <= N_EDGES:
        return np.unique(ordered)
    positions = np.linspace(0, n - 1, N_EDGES - _ROUNDS * _ADDED).round().astype(np.intp)
    edges = np.unique(ordered[positions])
    if len(edges) < 2:
        return edges
    upto = np.searchsorted(ordered, ordered, side="right") / n
    for _ in range(_ROUNDS):
        at_edges = np.searchsorted(ordered, edges, side="right") / n
        uneven = np.abs(upto - np.interp(ordered, edges, at_edges))
        starts = np.searchsorted(ordered, edges)
        worst = np.argsort(-np.maximum.reduceat(uneven, starts)[:-1])[:_ADDED]
        added = [starts[c] + int(uneven[starts[c] : starts[c + 1]].argmax()) for c in worst]
        edges = np.unique(np.concatenate([edges, ordered[added]]))
    return edges


def lattice_step(ordered: np.ndarray) -> float:
    """Return the step of numbers that are rounded, such as 0.01; 0 for others.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._sketch import lattice_step
    >>> lattice_step(np.array([0.1, 0.3, 0.3, 0.4, 0.7])), lattice_step(np.sqrt([1, 2, 4]))
    (0.1, 0.0)
    """
    gaps = np.diff(np.unique(ordered))
    if not gaps.size:
        return 0.0
    multiples = gaps / gaps.min()
    rounded = bool((np.abs(multiples - multiples.round()) < 0.05).all() and multiples.max() < 1e4)
    return float(np.median(gaps / multiples.round())) if rounded else 0.0


def make_sketch(
    column: Column, fixes_edges: np.ndarray, group: np.ndarray, n_groups: int
) -> Sketch:
    """Return the sketch of a reference column.

    Parameters
    ----------
    column : Column
        Reference values.
    fixes_edges : ndarray of shape (n_rows,), dtype bool
        Rows that fix the cells.
    group : ndarray of shape (n_rows,), dtype int
        Group of each row.
    n_groups : int
        Number of groups.

    Returns
    -------
    sketch : Sketch
        The sketch.
    """
    values, part = column.values, column.values[fixes_edges]
    edges, categories = np.empty(0), {}
    known: frozenset[str] = frozenset()
    low = high = np.nan
    step = 0.0
    moments = np.zeros((n_groups, 3))
    if column.kind == NUMERIC:
        finite = np.sort(part[~np.isnan(part)])
        everything = values[~np.isnan(values)]
        if not finite.size:
            finite = everything[:1]
        edges, step = choose_edges(finite), lattice_step(finite)
        low, high = float(everything.min()), float(everything.max())
        n_cells = 2 * len(edges) + 2
        for g in range(n_groups):
            own = everything
            if n_groups > 1:
                own = values[(group == g) & ~np.isnan(values)]
            if own.size:
                moments[g] = own.size, own.mean(), own.var()
    else:
        names, rows = np.unique(part[part != None].astype(str), return_counts=True)  # noqa: E711
        order = np.argsort(-rows, kind="stable")[:MAX_CATEGORIES]
        categories = {str(names[i]): cell for cell, i in enumerate(order)}
        known = frozenset(set(values.tolist()) - {None, *categories})
        n_cells = len(categories) + 2
    sketch = Sketch(
        column.name,
        column.kind,
        column.dtype,
        edges,
        categories,
        np.zeros((n_groups, n_cells), dtype=np.uint32),
        np.zeros((n_groups, n_cells), dtype=np.uint16),
        moments,
        low,
        high,
        known,
        step,
    )
    cells = sketch.cells(values)
    for rows, counts in ((~fixes_edges, sketch.counts), (fixes_edges, sketch.edge_counts)):
        flat = np.bincount(group[rows] * n_cells + cells[rows], minlength=counts.size)
        counts += flat.reshape(counts.shape).astype(counts.dtype)
    return sketch


def reference_cdf(sketch: Sketch, counts: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the reference's distribution function just below and at each point.

    Between two edges it is taken to rise linearly; for rounded numbers, in equal steps.

    Parameters
    ----------
    sketch : Sketch
        Of a numeric column.
    counts : ndarray of shape (n_cells,)
        From :meth:`Sketch.weighted_counts`.
    points : ndarray of shape (n_points,)
        Numbers, without NaN.

    Returns
    -------
    below_and_at : ndarray of shape (2, n_points)
        Shares of the reference that are smaller, and not larger.
    """
    present = counts[:-1]
    upper = np.cumsum(present) / present.sum()
    lower = upper - present / present.sum()
    cells = numeric_cells(sketch.edges, points)
    bounds = np.concatenate([[sketch.low], sketch.edges, [sketch.high]])
    left, right = bounds[cells // 2], bounds[np.minimum(cells // 2 + 1, len(bounds) - 1)]
    width = np.where(right > left, right - left, 1.0)
    inside = np.clip((points - left) / width, 0, 1)
    inside = np.where(right > left, inside, (points >= right).astype(np.float64))
    mass = upper[cells] - lower[cells]
    below, upto = lower[cells] + inside * mass, lower[cells] + inside * mass
    if sketch.step:  # the mass of a cell sits on the rounded numbers in it, in equal parts
        numbers = np.maximum((width / sketch.step).round() - 1, 1)
        number = (inside * width / sketch.step).round()
        inner = (cells > 0) & (cells < 2 * len(sketch.edges))
        below = np.where(inner, lower[cells] + mass * np.clip((number - 1) / numbers, 0, 1), below)
        upto = np.where(inner, lower[cells] + mass * np.clip(number / numbers, 0, 1), upto)
    on_edge = cells % 2 == 1
    return np.stack([np.where(on_edge, lower[cells], below), np.where(on_edge, upper[cells], upto)])


def reference_quantiles(sketch: Sketch, counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles of the reference, by the same interpolation."""
    present = counts[:-1]
    upper = np.concatenate([[0.0], np.cumsum(present)])
    ends = np.concatenate([[sketch.low], np.repeat(sketch.edges, 2), [sketch.high]])
    return np.interp(levels, upper / upper[-1], ends)
