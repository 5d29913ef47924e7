"""Findings about missing values: how many, which together, and what they tell."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2_contingency, mannwhitneyu

from ._finding import DataFinding, Sample

_ALPHA = 1e-4  # with effects that matter, too: see the thresholds beside it


def find_missing(sample: Sample) -> list[DataFinding]:
    """Return columns with many missing values, columns missing together, and telling gaps."""
    masks = {c.name: c.missing() for c in sample.columns}
    shares = {name: float(mask.mean()) for name, mask in masks.items()}
    sample.facts["missing"] = shares
    found = []
    for name, share in shares.items():
        if 0 < share < 1:
            severity = "medium" if share >= 0.3 else "low"
            found.append(
                DataFinding(
                    "missing values", severity, (name,),
                    f"Column {name!r} has no value in {share:.1%} of the rows. Most models refuse "
                    f"missing values; filling and marking them keeps what they say.",
                    {"share": share}, "DataCleaner(['missing']).fit_transform(X)",
                )
            )  # fmt: skip
    found += _patterns({n: m for n, m in masks.items() if 0 < shares[n] < 1})
    if sample.codes is not None:
        found += _telling(sample, {n: m for n, m in masks.items() if 0.01 <= shares[n] <= 0.99})
    return found


def _patterns(masks: dict[str, np.ndarray]) -> list[DataFinding]:
    """Return groups of columns that are missing in the same rows."""
    groups: dict[bytes, list[str]] = {}
    for name, mask in masks.items():
        groups.setdefault(np.packbits(mask).tobytes(), []).append(name)
    return [
        DataFinding(
            "missing together", "low", tuple(names),
            f"Columns {', '.join(map(repr, names[:5]))} are missing in exactly the same rows. They "
            f"come from one source that failed there; one indicator for all of them is enough.",
            {"share": float(masks[names[0]].mean()), "n_columns": len(names)},
            "DataCleaner({'missing': {'indicator': 'auto'}}).fit_transform(X)",
        )
        for names in groups.values()
        if len(names) > 1
    ]  # fmt: skip


def _telling(sample: Sample, masks: dict[str, np.ndarray]) -> list[DataFinding]:
    """Return columns whose gaps depend on the target."""
    found = []
    assert sample.codes is not None
    for name, mask in masks.items():
        if sample.classes is not None:
            table = np.zeros((2, len(sample.classes)))
            np.add.at(table, (mask.astype(int), sample.codes), 1)
            p = float(chi2_contingency(table).pvalue)
            rates = table[1] / table.sum(axis=0)
            effect = float(rates.max() - rates.min())
            what = f"in {rates.min():.0%} of the rows of one class and {rates.max():.0%} of another"
        else:
            there, gone = sample.codes[~mask], sample.codes[mask]
            test = mannwhitneyu(there, gone)
            p = float(test.pvalue)
            effect = abs(2 * float(test.statistic) / (len(there) * len(gone)) - 1)
            what = f"where the target is different (rank effect {effect:.2f})"
        if p < _ALPHA and effect >= 0.1:
            found.append(
                DataFinding(
                    "missing values tell the target", "medium", (name,),
                    f"Column {name!r} is missing {what}. Keep an indicator of where it is missing, "
                    f"and ask whether the gap is known before the target is.",
                    {"effect": effect, "p_value": p},
                    "DataCleaner({'missing': {'indicator': 'always'}}).fit_transform(X)",
                )
            )  # fmt: skip
    return found
