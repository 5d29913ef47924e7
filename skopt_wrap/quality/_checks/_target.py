"""Findings about rows and their labels."""

from __future__ import annotations

import numpy as np

from .._rows._repeats import conflicts, duplicates, row_groups
from ._finding import DataFinding, Sample


def find_imbalance(sample: Sample) -> list[DataFinding]:
    """Return whether classes are rare."""
    if sample.classes is None or sample.codes is None:
        return []
    counts = np.bincount(sample.codes)
    names = [str(label) for label in sample.classes]
    sample.facts["classes"] = dict(zip(names, counts.tolist(), strict=True))
    found = []
    rare = int(counts.argmin())
    share = counts[rare] / counts.sum()
    if share < 0.1 and share * len(counts) < 0.5:
        found.append(
            DataFinding(
                "class imbalance", "medium", (),
                f"Class {names[rare]!r} has {counts[rare]:,} of {counts.sum():,} rows "
                f"({share:.1%}). Accuracy hides it: ignoring X already reaches "
                f"{counts.max() / counts.sum():.1%}. Choose a metric that sees the class.",
                {"share": float(share), "n_rows": int(counts[rare])},
                "ImbalanceAwareScorer('f1', threshold='tuned')",
            )
        )  # fmt: skip
    if counts[rare] < 5:
        found.append(
            DataFinding(
                "class with few rows", "high", (),
                f"Class {names[rare]!r} has {counts[rare]} rows: not one for each of five folds. "
                f"Scores of it mean nothing.",
                {"n_rows": int(counts[rare])}, f"y = np.where(y == {names[rare]!r}, 'other', y)",
            )
        )  # fmt: skip
    return found


def find_repeats(sample: Sample) -> list[DataFinding]:
    """Return rows that occur more than once, with the same label or with another one."""
    groups = row_groups(sample.source)
    sample.facts["groups"] = groups
    labels = sample.codes if sample.classes is not None else np.zeros(sample.n, dtype=int)
    assert labels is not None
    n = int(duplicates(groups, labels).sum())
    found = []
    if n:
        found.append(
            DataFinding(
                "duplicate rows", "medium" if n > 0.01 * sample.n else "low", (),
                f"{n:,} rows ({n / sample.n:.1%}) repeat an earlier one. Where copies fall into "
                f"training and test folds, the score is that of learning by heart.",
                {"n_rows": n}, "RowCleaner(['duplicates']).fit_resample(X, y)",
            )
        )  # fmt: skip
    n = int(conflicts(groups, labels).sum()) if sample.classes is not None else 0
    if n:
        found.append(
            DataFinding(
                "conflicting labels", "medium", (),
                f"{n:,} rows equal others in every column but have another label. No model can be "
                f"right about all of them: a column is missing, or labels are wrong.",
                {"n_rows": n}, "RowCleaner(['conflicts']).fit_resample(X, y)",
            )
        )  # fmt: skip
    return found
