"""Findings that need models: label noise, and what more rows would bring."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .._rows._label_errors import find_label_errors, out_of_fold
from .._tables._matrix import design_matrix
from ._finding import DataFinding, Sample

_LABEL_ROWS = 1500


def _part(sample: Sample, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return some rows as a matrix of numbers, and their target."""
    assert sample.codes is not None
    if "matrix" not in sample.facts:
        sample.facts["matrix"] = design_matrix(sample.source)[sample.rows]
    matrix = sample.facts["matrix"]
    return matrix[:most], sample.codes[sample.rows][:most]


def find_label_noise(sample: Sample) -> list[DataFinding]:
    """Return the estimated share of wrong labels."""
    if sample.classes is None:
        return []
    X, y = _part(sample, _LABEL_ROWS)
    present, y = np.unique(y, return_inverse=True)
    counts = np.bincount(y)
    if len(present) < 2 or counts.min() < 3 or len(y) < 50:
        return []
    with threadpool_limits(1):  # so few rows gain nothing from threads
        chances = out_of_fold(None, X, y, cv=3, seed=sample.seed, n_jobs=None)
    mask, margin = find_label_errors(y, chances)
    sure = mask & (margin > 0.5)
    share = float(sure.mean())
    sample.facts["label_noise"] = share
    if share < 0.01:
        return []
    return [
        DataFinding(
            "label noise", "medium", (),
            f"About {share:.1%} of the labels contradict what rows held out say, by a probability "
            f"of more than a half. Look at them first: they may be errors, or rare but right.",
            {"share": share, "n_rows_looked_at": len(y)},
            "RowCleaner(['labels'], action='flag').fit(X, y).report_",
        )
    ]  # fmt: skip


def find_need_of_rows(sample: Sample) -> list[DataFinding]:
    """Return what twice as many rows would probably bring, from a learning curve."""
    if sample.codes is None or len(sample.rows) < 100:
        return []
    X, y = _part(sample, len(sample.rows))
    with threadpool_limits(1):
        sizes, scores, scoring = learning_curve_of(X, y, sample.classes is not None, sample.seed)
    if sizes is None:
        return []
    sample.facts["curve"] = {"n_rows": sizes.tolist(), "score": scores.tolist(), "scoring": scoring}
    gain = float(scores[-1] - scores[-2])
    # The sizes double: the next doubling brings at most about what the last one did.
    if gain < 0.01:
        return []
    return [
        DataFinding(
            "more rows would help", "low", (),
            f"From {sizes[-2]:,} to {sizes[-1]:,} rows, a quick baseline gains {gain:.3f} "
            f"({scoring}). Twice as many rows would probably bring up to as much again.",
            {"gain": gain, "score": float(scores[-1]), "n_rows": int(sizes[-1])},
            "diagnose(model, X, y).to_frame('learning_curve')",
        )
    ]  # fmt: skip


def learning_curve_of(
    X: np.ndarray, y: np.ndarray, classes: bool, seed: int
) -> tuple[Any, np.ndarray, str]:
    """Return sizes that double, and scores of boosted trees on the same rows held out."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.metrics import balanced_accuracy_score, r2_score
    from sklearn.model_selection import train_test_split

    counts = np.unique(y, return_counts=True)[1] if classes else np.array([9])
    if classes and (len(counts) < 2 or counts.min() < 6):
        return None, np.empty(0), ""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    rows = np.arange(len(y))
    train, test = train_test_split(
        rows, test_size=0.3, stratify=y if classes else None, random_state=seed
    )
    sizes = np.array([len(train) // 4, len(train) // 2, len(train)])
    scores = []
    for size in sizes:
        some = train[:size]
        if classes and len(np.unique(y[some])) < len(counts):
            return None, np.empty(0), ""
        model = kind(max_iter=50, max_leaf_nodes=15, random_state=seed).fit(X[some], y[some])
        metric = balanced_accuracy_score if classes else r2_score
        scores.append(float(metric(y[test], model.predict(X[test]))))
    return sizes, np.array(scores), "balanced accuracy" if classes else "R2"
