"""Findings about the order of the rows."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from .._tables._matrix import as_numbers
from ._finding import DataFinding, Sample


def find_order(sample: Sample) -> list[DataFinding]:
    """Return whether the target or the columns drift along the rows, and columns of time."""
    found = []
    place = np.arange(sample.n)
    if sample.n < 50:
        return []
    if sample.codes is not None:
        effect = target_drift(sample.codes, sample.classes is not None)
        if effect >= 0.15:
            found.append(
                DataFinding(
                    "target drifts along the rows", "medium", (),
                    f"The target changes along the row order (strength {effect:.2f} of at most 1). "
                    f"The rows are sorted, or come in time: shuffled folds would mix past and "
                    f"future.",
                    {"effect": effect},
                    "TimeSeriesSplit(5)  # for rows in time; shuffle=True if they are only sorted",
                )
            )  # fmt: skip
    drifting = []
    for column in sample.columns:
        if column.kind == "text":
            continue
        values = as_numbers(column)
        known = ~np.isnan(values)
        if known.sum() < 50 or values[known].min() == values[known].max():
            continue
        rho = float(spearmanr(place[known], values[known]).statistic)
        if abs(rho) >= 0.5:
            drifting.append((column.name, rho, column.kind == "date"))
    for name, rho, date in drifting:
        kind = "rows in time" if date else "column follows the rows"
        found.append(
            DataFinding(
                kind, "medium" if date else "low", (name,),
                f"Column {name!r} runs along the row order (rank correlation {rho:.2f}), so the "
                f"order of the rows carries information. Rows of the future must not train a model "
                f"that is tested on the past.",
                {"correlation": rho}, "cross_validate(model, X, y, cv=TimeSeriesSplit(5))",
            )
        )  # fmt: skip
    return found


def target_drift(y: np.ndarray, classes: bool) -> float:
    """Return how strongly the target follows the row order, in [0, 1].

    For classes, the greatest difference of a class' share between tenths of the rows; for numbers,
    the absolute rank correlation with the row number. Small samples are corrected for chance.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._checks._order import target_drift
    >>> target_drift(np.repeat([0, 1], 100), True)
    1.0
    """
    if not classes:
        return abs(float(spearmanr(np.arange(len(y)), y).statistic))
    parts = np.array_split(y, min(10, max(2, len(y) // 50)))
    n_classes = int(y.max()) + 1
    shares = np.array([np.bincount(part, minlength=n_classes) / len(part) for part in parts])
    size = min(map(len, parts))
    chance = 3.0 * np.sqrt(2 * 0.25 / size)  # three standard errors of a difference
    spread = float((shares.max(axis=0) - shares.min(axis=0)).max())
    return spread if spread > chance else 0.0
