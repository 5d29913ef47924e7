"""How large a change is: effect sizes of one column, and from where they matter."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ...exceptions import ParameterError, UnknownParameterError, suggest
from .._columns import NUMERIC, Column
from ._sketch import Sketch, numeric_cells, reference_cdf, reference_quantiles, sorted_cell_counts

# Name -> (default threshold, where it comes from).
THRESHOLDS: dict[str, tuple[float, str]] = {
    "ks": (0.1, "convention: a tenth of the rows lie elsewhere"),
    "psi": (0.25, "Siddiqi, Credit Risk Scorecards, 2006: above 0.25 is a major shift"),
    "wasserstein": (0.1, "default of Evidently, in standard deviations of the reference"),
    "jensen_shannon": (0.1, "default of Evidently and NannyML, distance with logarithm to base 2"),
    "mean_shift": (0.1, "Austin, Statistics in Medicine, 2009: above 0.1 is an imbalance"),
    "cramers_v": (0.1, "Cohen, Statistical Power Analysis, 1988: w = 0.1 is small"),
    "new_values": (0.01, "convention: one row in a hundred has a value never seen"),
    "missing": (0.05, "convention: the missing rate changes by five rows in a hundred"),
    "out_of_range": (0.01, "convention: one row in a hundred lies outside the reference's range"),
}
SHARES = ("new_values", "missing", "out_of_range")
FEWEST_ROWS = 2.999
N_SHARES = 10
SMALLEST_SHARE = 1e-4  # instead of zero in PSI
_DENSE_ROWS = 20_000
_DENSE_POINTS = 4_000


def check_thresholds(given: Mapping[str, float] | None) -> dict[str, float]:
    """Return the threshold of each effect size, the defaults where none is given.

    Raises
    ------
    UnknownParameterError
        For a name that is no effect size.
    ParameterError
        For a threshold that is not a positive number.
    """
    thresholds = {name: value for name, (value, _) in THRESHOLDS.items()}
    for name, value in (given or {}).items():
        if name not in THRESHOLDS:
            raise UnknownParameterError(
                f"effect_sizes has no entry {name!r}. {suggest(str(name), THRESHOLDS)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ParameterError(
                f"effect_sizes[{name!r}] must be a positive number, got {value!r}."
            )
        thresholds[name] = float(value)
    return thresholds


def effect_sizes(sketch: Sketch, column: Column, shares: np.ndarray) -> dict[str, Any]:
    """Return the effect sizes of a batch of one column.

    Parameters
    ----------
    sketch : Sketch
        Reference.
    column : Column
        Values of the batch.
    shares : ndarray of shape (n_groups,)
        Share of the batch's rows in each group; the reference is weighted by them.

    Returns
    -------
    effects : dict
        Effect sizes by name, "counts" (n_cells,), and "bins", "reference_share" and "batch_share"
        of the bins that PSI compares.
    """
    reference = sketch.weighted_counts(shares)
    if sketch.kind == NUMERIC:
        effects = _numeric_effects(sketch, column, reference, shares)
    else:
        effects = _category_effects(sketch, column.values, reference)
    missing = effects["counts"][-1] / max(len(column.values), 1)
    effects["missing_rate"] = float(missing)
    effects["missing"] = float(abs(missing - reference[-1] / reference.sum()))
    return effects


def _numeric_effects(
    sketch: Sketch, column: Column, reference: np.ndarray, shares: np.ndarray
) -> dict[str, Any]:
    ordered = column.ordered
    n = len(ordered)
    counts = sorted_cell_counts(sketch.edges, ordered, len(column.values) - n)
    effects: dict[str, Any] = {"counts": counts}
    mean, std = sketch.mean_and_std(shares)
    effects["reference_mean"], effects["reference_std"] = mean, std
    bins = equal_share_bins(sketch, reference)
    upto = sorted_cell_counts(bins, ordered, 0)[:-1]
    effects |= share_effects(_per_bin(reference[:-1], sketch.edges, bins), _pairs(upto))
    effects["bins"] = bin_names(bins)
    if not n:
        return effects | {"batch_mean": np.nan, "out_of_range": 0.0}
    batch_mean = float(ordered.mean())
    outside = np.searchsorted(ordered, sketch.low) + n
    outside -= np.searchsorted(ordered, sketch.high, side="right")
    effects["ks"] = ks_distance(sketch, reference, ordered)
    scale = std if std > 0 else 1.0
    effects["wasserstein"] = wasserstein(sketch, reference, ordered) / scale
    effects["mean_shift"] = (batch_mean - mean) / scale
    effects["batch_mean"], effects["out_of_range"] = batch_mean, float(outside / n)
    return effects


def ks_distance(sketch: Sketch, reference: np.ndarray, ordered: np.ndarray) -> float:
    """Return the greatest distance of the two distribution functions.

    Exact at the edges and, up to 20,000 rows, computed at every row; beyond, at 4,000 of them.
    """
    n = len(ordered)
    at_edges = reference_cdf(sketch, reference, sketch.edges)
    below = np.searchsorted(ordered, sketch.edges) / n
    upto = np.searchsorted(ordered, sketch.edges, side="right") / n
    distance = max(np.abs(at_edges[0] - below).max(), np.abs(at_edges[1] - upto).max())
    points = ordered
    if n > _DENSE_ROWS:
        points = ordered[np.linspace(0, n - 1, _DENSE_POINTS).astype(np.intp)]
    at_rows = reference_cdf(sketch, reference, points)
    below = np.searchsorted(ordered, points) / n
    upto = np.searchsorted(ordered, points, side="right") / n
    return float(max(distance, np.abs(at_rows[0] - below).max(), np.abs(at_rows[1] - upto).max()))


def wasserstein(sketch: Sketch, reference: np.ndarray, ordered: np.ndarray) -> float:
    """Return the mean distance of equal quantiles, at 2,000 levels."""
    levels = (np.arange(2000) + 0.5) / 2000
    batch = ordered[np.minimum((levels * len(ordered)).astype(np.intp), len(ordered) - 1)]
    return float(np.abs(batch - reference_quantiles(sketch, reference, levels)).mean())


def equal_share_bins(sketch: Sketch, reference: np.ndarray) -> np.ndarray:
    """Return the edges that cut the reference into ten bins of about equal shares."""
    upper = np.cumsum(reference[:-1])[1::2] / reference[:-1].sum()
    levels = np.arange(1, N_SHARES) / N_SHARES
    nearest = np.abs(upper[:, None] - levels).argmin(axis=0)
    return np.unique(sketch.edges[nearest])


def bin_names(bins: np.ndarray) -> list[str]:
    """Return the names of the bins that edges make, the edge belonging to the lower one."""
    texts = [f"{edge:.4g}" for edge in bins]
    inner = [f"({a}, {b}]" for a, b in pairwise(texts)]
    return [f"<= {texts[0]}", *inner, f"> {texts[-1]}"]


def _pairs(counts: np.ndarray) -> np.ndarray:
    """Return counts of cells (below, on, between, on, ..., above) with each edge joined to left."""
    return np.concatenate([counts[:-1].reshape(-1, 2).sum(axis=1), counts[-1:]])


def _per_bin(counts: np.ndarray, edges: np.ndarray, bins: np.ndarray) -> np.ndarray:
    upto = np.cumsum(counts)[numeric_cells(edges, bins)]
    return np.diff(upto, prepend=0, append=counts.sum())


def share_effects(reference: np.ndarray, batch: np.ndarray) -> dict[str, Any]:
    """Return PSI and the Jensen-Shannon distance of counts in the same bins.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._effects import share_effects
    >>> found = share_effects(np.array([50, 50]), np.array([25, 75]))
    >>> round(found["psi"], 4), round(found["jensen_shannon"], 4)
    (0.2747, 0.2209)
    """
    p = reference / max(reference.sum(), 1)
    q = batch / max(batch.sum(), 1)
    effects: dict[str, Any] = {"reference_share": p, "batch_share": q}
    if batch.sum():
        a, b = np.maximum(p, SMALLEST_SHARE), np.maximum(q, SMALLEST_SHARE)
        effects["psi"] = float(((a - b) * np.log(a / b)).sum())
        middle = (p + q) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.nansum(p * np.log2(p / middle)) + np.nansum(q * np.log2(q / middle))
        effects["jensen_shannon"] = float(np.sqrt(max(bits / 2, 0.0)))
    return effects


def cramers_v(reference: np.ndarray, batch: np.ndarray) -> tuple[float, float]:
    """Return the chi-square statistic of two rows of counts, and Cramer's V.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._statistics._effects import cramers_v
    >>> [round(value, 4) for value in cramers_v(np.array([10, 20]), np.array([20, 10]))]
    [6.6667, 0.3333]
    """
    table = np.stack([reference, batch]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    total = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / max(total, 1)
    if table.shape[1] < 2 or not expected.all():
        return 0.0, 0.0
    chi2 = float(((table - expected) ** 2 / expected).sum())
    return chi2, float(np.sqrt(chi2 / total))


def _category_effects(sketch: Sketch, values: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    cells = sketch.cells(values)
    counts = np.bincount(cells, minlength=sketch.n_cells)
    effects: dict[str, Any] = {"counts": counts}
    present = int(counts[:-1].sum())
    unknown = set(values[cells == sketch.n_cells - 2].tolist()) - sketch.known
    new_rows = sum(value in unknown for value in values.tolist()) if unknown else 0
    effects["new"] = sorted(unknown)
    effects["new_values"] = new_rows / present if present else 0.0
    effects |= share_effects(reference[:-1], counts[:-1])
    effects["chi2"], effects["cramers_v"] = cramers_v(reference[:-1], counts[:-1])
    effects["bins"] = [*sketch.categories, "(other)"]
    return effects


def exceeded(effects: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[str]:
    """Return the effect sizes that reach their threshold, the most exceeded first.

    Shares of rows (missing, new, out of range) count from three rows on.
    """
    n_rows = int(effects["counts"].sum())
    ratios = {
        name: abs(effects[name]) / limit
        for name, limit in thresholds.items()
        if name in effects and (name not in SHARES or effects[name] * n_rows >= FEWEST_ROWS)
    }
    return sorted((n for n, r in ratios.items() if r >= 1), key=lambda n: -ratios[n])
