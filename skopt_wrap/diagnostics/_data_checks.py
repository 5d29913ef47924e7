"""Findings from the data themselves: repeated rows, order in time, rare classes, few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.model_selection import KFold, StratifiedKFold

from ._experiment import Experiment, Split
from ._findings import Finding, FitThresholds, make_finding
from ._scores import standard_error

_NEIGHBOUR_Z = 4.0  # standard errors by which neighbouring labels must agree beyond chance
_FEW_IN_CLASS = 10


def check_data(
    experiment: Experiment, scores: dict[str, np.ndarray], models: dict[str, Any],
    limits: FitThresholds,
) -> list[Finding]:  # fmt: skip
    """Return the findings that need no training of the network.

    Parameters
    ----------
    experiment : Experiment
        What is diagnosed.
    scores : dict of str to ndarray
        Validation scores of the baselines.
    models : dict of str to estimator
        The baselines themselves, not fitted.
    limits : FitThresholds
        Thresholds.
    """
    found = [
        find_duplicates(experiment, limits),
        find_time_order(experiment, scores, models, limits),
        find_imbalance(experiment, limits),
        find_few_rows(experiment, limits),
    ]
    return [finding for finding in found if finding is not None]


def _labels(experiment: Experiment) -> np.ndarray | None:
    """Return the class numbers of a classification target with one label a row, else None."""
    if not experiment.is_classifier or np.ndim(experiment.y) != 1:
        return None
    return np.unique(np.asarray(experiment.y), return_inverse=True)[1]


def row_keys(X: Any) -> np.ndarray | None:
    """Return a number for each row, equal for identical rows; None where rows repeat by nature.

    A table whose columns all have few values repeats rows by chance, so at least one column must
    have different values in a quarter of the rows.
    """
    if sp.issparse(X):
        return None
    if hasattr(X, "iloc"):
        import pandas as pd

        if X.ndim == 2 and not any(X.iloc[:, j].nunique() > len(X) / 4 for j in range(X.shape[1])):
            return None
        return np.asarray(pd.util.hash_pandas_object(X, index=False))
    values = np.asarray(X)
    if values.ndim < 2 or values.dtype.kind not in "fiub":
        return None
    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    if values.ndim == 2 and not any(
        len(np.unique(flat[:, j])) > len(flat) / 4 for j in range(flat.shape[1])
    ):
        return None
    rows = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1]


def find_duplicates(experiment: Experiment, limits: FitThresholds) -> Finding | None:
    """Return a finding when rows held out stand in the training rows too."""
    keys = row_keys(experiment.X)
    if keys is None:
        return None
    held = sum(len(test) for _, test in experiment.splits)
    seen = sum(int(np.isin(keys[test], keys[train]).sum()) for train, test in experiment.splits)
    share = seen / held
    if share <= limits.duplicates:
        return None
    return make_finding(
        "duplicates",
        f"{seen} of {held} rows held out ({share:.0%}) are identical to a training row. The scores "
        "are optimistic.",
        {"n_duplicates": seen, "n_held_out": held, "share": share},
        limits.pick("duplicates"),
    )


def _neighbours_agree(experiment: Experiment) -> float:
    """Return by how many standard errors neighbouring targets are more alike than by chance."""
    codes = _labels(experiment)
    if codes is not None:
        same = codes[1:] == codes[:-1]
        expected = float((np.bincount(codes) / len(codes)) @ (np.bincount(codes) / len(codes)))
        spread = np.sqrt(max(expected * (1 - expected), 1e-12) / len(same))
        return float((same.mean() - expected) / spread)
    if np.ndim(experiment.y) != 1:
        return 0.0
    values = np.asarray(experiment.y, dtype=np.float64)
    centred = values - values.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1] / total * np.sqrt(len(values))) if total else 0.0


def _mixes_order(splits: list[Split], n_rows: int) -> bool:
    """Whether rows held out lie between training rows, as in shuffled folds."""
    shares = []
    for train, test in splits:
        side = np.full(n_rows, -1)
        side[train], side[test] = 0, 1
        shares.append(float(((side[1:] + side[:-1]) == 1).mean()))
    return float(np.mean(shares)) > 0.1


def find_time_order(
    experiment: Experiment,
    scores: dict[str, np.ndarray],
    models: dict[str, Any],
    limits: FitThresholds,
) -> Finding | None:
    """Return a finding when a simple model does much worse on folds that keep the order."""
    real = {name: values for name, values in scores.items() if name != "dummy"}
    if not real or "dummy" not in scores or _neighbours_agree(experiment) < _NEIGHBOUR_Z:
        return None
    n_rows = len(experiment.y)
    if not _mixes_order(experiment.splits, n_rows):
        return None
    best = max(real, key=lambda name: real[name].mean())
    skill = float((real[best] - scores["dummy"]).mean())
    if skill <= limits.min_signal:
        return None
    n_splits = max(len(experiment.splits), 2)
    # of each class the rows stay in order, so that data sorted by class are no false alarm
    folds: Any = StratifiedKFold(n_splits) if _labels(experiment) is not None else KFold(n_splits)
    blocks = [(a, b) for a, b in folds.split(np.zeros(n_rows), experiment.y)]
    ordered = experiment.with_splits(blocks).score(models[best]).validation
    drop = float(real[best].mean() - ordered.mean())
    noise = np.hypot(standard_error(real[best]), standard_error(ordered))
    if drop / skill <= limits.order_drop or drop <= limits.standard_errors * noise:
        return None
    return make_finding(
        "time_order",
        f"The baseline {best!r} scores {real[best].mean():.3f} with shuffled folds and only "
        f"{ordered.mean():.3f} with folds that keep the order of the rows.",
        {"shuffled_score": real[best].mean(), "ordered_score": ordered.mean(), "drop": drop},
        limits.pick("order_drop", "standard_errors"),
    )


def find_imbalance(experiment: Experiment, limits: FitThresholds) -> Finding | None:
    """Return a finding when a class is rare."""
    codes = _labels(experiment)
    if codes is None:
        return None
    counts = np.bincount(codes)
    share = counts.min() / counts.sum()
    if len(counts) < 2 or share * len(counts) / 2 >= limits.rare_class:
        return None
    label = np.unique(np.asarray(experiment.y))[int(counts.argmin())]
    return make_finding(
        "imbalance",
        f"Only {counts.min()} of {counts.sum()} rows ({share:.1%}) are of class {str(label)!r}.",
        {"n_rare": counts.min(), "n_rows": counts.sum(), "share": share},
        limits.pick("rare_class"),
    )


def find_few_rows(experiment: Experiment, limits: FitThresholds) -> Finding | None:
    """Return a finding when there are so few rows that no score can be trusted."""
    n_rows, codes = len(experiment.y), _labels(experiment)
    smallest = n_rows if codes is None else int(np.bincount(codes).min())
    if n_rows >= limits.min_rows and smallest >= _FEW_IN_CLASS:
        return None
    least = min(n_rows, smallest)
    reach = 1 / np.sqrt(least)
    which = f"{n_rows} rows" if n_rows < limits.min_rows else f"{smallest} rows of a class"
    return make_finding(
        "too_few_rows",
        f"There are only {which}. A share measured on {least} rows can be off by {reach:.0%}.",
        {"n_rows": n_rows, "smallest_class": smallest, "margin": reach},
        limits.pick("min_rows"),
    )


def has_clear_signal(scores: dict[str, np.ndarray], limits: FitThresholds) -> bool:
    """Whether some model beats the one that ignores X by much, and by more than the folds vary."""
    dummy = scores.get("dummy")
    if dummy is None:
        return True
    for name, values in scores.items():
        ahead = values - dummy
        if name == "dummy" or not np.isfinite(values).all():
            continue
        enough = ahead.mean() > 3 * limits.min_signal
        if enough and ahead.mean() > 2 * limits.standard_errors * standard_error(ahead):
            return True
    return False
