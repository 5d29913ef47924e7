"""Findings about columns."""

from __future__ import annotations

import numpy as np

from .._cleaner import DataCleaner
from .._operations._constants import is_constant
from .._tables._matrix import as_numbers
from ._finding import DataFinding, Sample

# Operation of DataCleaner -> kind of finding, its severity, and why it matters.
_WHY = {
    "text_sentinels": ("words for missing", "medium",
        "Words such as 'n/a' stand for a missing value; a model takes them for a category."),
    "sentinels": ("numbers for missing", "high",
        "A number such as -999 stands for a missing value; a model takes it for a measurement."),
    "text_numbers": ("numbers as text", "medium",
        "Numbers are kept as text, so a model sees each of them as a category of its own."),
    "text_booleans": ("booleans as text", "low", "Words for true and false are kept as text."),
    "text_dates": ("dates as text", "medium", "Dates are kept as text, so their order is lost."),
    "infinities": ("infinite values", "high", "Infinite numbers make training fail or diverge."),
    "constants": ("constant column", "low", "The column says nothing: it is the same in all rows."),
    "identifiers": ("identifier", "high",
        "The column only names the row. A model learns it by heart, and nothing from it."),
    "categories": ("inconsistent categories", "medium",
        "One category is spelt in several ways, so a model takes it for several categories."),
    "duplicates": ("duplicate column", "low", "The column says the same as another one."),
    "outliers": ("outliers", "low",
        "A few numbers lie far from all others. They pull a linear model or a network with them."),
}  # fmt: skip


def find_cleaning(sample: Sample) -> list[DataFinding]:
    """Return what DataCleaner would mend."""
    cleaner = DataCleaner({"missing": False, "date_parts": False})
    try:
        cleaner.fit(sample.X)
    except ValueError as error:  # no column with information: the message says which and why
        return [DataFinding("no information", "high", (), str(error), {}, "")]
    found = []
    for plan in cleaner._plans:
        for step in plan.steps:
            if step.found and step.operation in _WHY:
                kind, severity, why = _WHY[step.operation]
                found.append(
                    DataFinding(
                        kind,
                        severity if step.done else "low",
                        (plan.name,),
                        f"Column {plan.name!r}: {step.found}. {why}",
                        {"n_values": step.n, "found": step.found},
                        f"DataCleaner([{step.operation!r}]).fit_transform(X)",
                    )
                )
    return found


def find_near_constant(sample: Sample) -> list[DataFinding]:
    """Return columns in which one value fills nearly all rows."""
    found = []
    for column in sample.columns:
        missing = column.missing()
        if missing.all() or column.n < 50 or is_constant(column):
            continue
        values = column.values[~missing]
        counts = np.unique(values, return_counts=True)[1]
        share = counts.max() / len(values)
        if share >= 0.99:
            found.append(
                DataFinding(
                    "near-constant column", "low", (column.name,),
                    f"Column {column.name!r} has the same value in {share:.1%} of its rows. It can "
                    f"tell little, and in cross-validation some folds see a single value.",
                    {"share": float(share)}, f"X = X.drop(columns=[{column.name!r}])",
                )
            )  # fmt: skip
    return found


def find_correlated(sample: Sample) -> list[DataFinding]:
    """Return pairs of columns of numbers that nearly determine each other."""
    names, parts = [], []
    for column in sample.columns:
        if column.kind == "text":
            continue
        values = as_numbers(column)[sample.rows]
        known = ~np.isnan(values)
        if known.sum() < 20 or values[known].min() == values[known].max():
            continue
        filled = np.where(known, values, np.median(values[known]))
        ranks = np.argsort(np.argsort(filled, kind="stable")).astype(np.float64)
        # Equal values share a rank, or columns of few values would look correlated by order.
        _, code = np.unique(filled, return_inverse=True)
        ranks = (np.bincount(code, ranks) / np.bincount(code))[code]
        names.append(column.name)
        parts.append((ranks - ranks.mean()) / ranks.std())
    if len(parts) < 2:
        return []
    table = np.abs(np.corrcoef(np.array(parts)))
    first, second = np.nonzero(np.triu(table, 1) >= 0.98)
    return [
        DataFinding(
            "highly correlated columns", "low", (names[i], names[j]),
            f"Columns {names[i]!r} and {names[j]!r} nearly determine each other (rank correlation "
            f"{table[i, j]:.3f}). Importances and coefficients are shared between them at will.",
            {"correlation": float(table[i, j])}, f"X = X.drop(columns=[{names[j]!r}])",
        )
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
    ]  # fmt: skip
