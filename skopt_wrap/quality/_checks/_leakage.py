"""Findings about leakage: what a model should not be able to know."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .._tables._matrix import as_numbers
from ._finding import DataFinding, Sample

_SUSPECT = 0.98


def find_leaks(sample: Sample) -> list[DataFinding]:
    """Return columns that predict the target nearly perfectly, each alone."""
    if sample.codes is None:
        return []
    rows, y = sample.rows, sample.codes[sample.rows]
    if len(np.unique(y)) < 2 or len(y) < 30:
        return []
    if sample.classes is not None:
        if np.bincount(y)[np.unique(y)].min() < 3:
            return []
        tree, scoring = DecisionTreeClassifier(max_depth=4, random_state=0), "balanced_accuracy"
        folds = StratifiedKFold(3, shuffle=True, random_state=sample.seed)
    else:
        tree, scoring = DecisionTreeRegressor(max_depth=8, random_state=0), "r2"
        folds = KFold(3, shuffle=True, random_state=sample.seed)
    scores = {}
    for column in sample.columns:
        if column.kind == "text":
            levels = len(column.texts())
            if levels > 0.5 * column.n:
                continue
            values = target_order(column.values[rows], y)
        else:
            values = as_numbers(column)[rows]
        if np.isnan(values).all():
            continue
        score = cross_val_score(tree, values.reshape(-1, 1), y, cv=folds, scoring=scoring)
        scores[column.name] = float(score.mean())
    sample.facts["single"] = scores
    return [
        DataFinding(
            "leakage suspect", "high", (name,),
            f"Column {name!r} alone predicts the target (cross-validated "
            f"{scoring.replace('_', ' ')} {score:.3f}). It may be made from the target, or known "
            f"only after it. If so, the model is useless where it is needed.",
            {"score": score, "scoring": scoring}, f"X = X.drop(columns=[{name!r}])",
        )
        for name, score in scores.items()
        if score >= _SUSPECT
    ]  # fmt: skip


def target_order(codes: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return texts as numbers, in the order of the mean target of their level."""
    shifted = codes + 1
    sums = np.bincount(shifted, weights=y.astype(np.float64))
    counts = np.bincount(shifted)
    means = sums / np.maximum(counts, 1)
    return np.argsort(np.argsort(means, kind="stable"), kind="stable")[shifted].astype(np.float64)


def find_shared_rows(sample: Sample) -> list[DataFinding]:
    """Return rows held out that are among the training rows."""
    if sample.test is None:
        return []
    known = {tuple(row) for row in _rows(sample.source)}
    shared = sum(tuple(row) in known for row in _rows(sample.test))
    if not shared:
        return []
    share = shared / sample.test.n
    return [
        DataFinding(
            "rows in train and test", "high" if share > 0.01 else "medium", (),
            f"{shared:,} rows held out ({share:.1%}) equal a training row. Their score is that of "
            f"learning by heart.",
            {"n_rows": shared, "share": share},
            "X_test = X_test[~X_test.apply(tuple, axis=1).isin(set(X.apply(tuple, axis=1)))]",
        )
    ]  # fmt: skip


def _rows(source: object) -> list[tuple[object, ...]]:
    """Return rows as tuples that are equal for equal rows."""
    parts = []
    for place in range(len(source.names)):  # type: ignore[attr-defined]
        column = source.column(place)  # type: ignore[attr-defined]
        if column.kind == "text":
            parts.append(np.array([*column.texts(), None], dtype=object)[column.values].tolist())
            continue
        values = as_numbers(column)
        parts.append([None if value != value else value for value in values.tolist()])
    return list(zip(*parts, strict=True))
