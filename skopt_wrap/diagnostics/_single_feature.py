"""Leaks: a single feature that tells the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import f_classif, f_regression
from sklearn.inspection import permutation_importance
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._experiment import Experiment
from ._findings import Finding, FitThresholds, make_finding

_NEARLY = 0.01
_MAX_FEATURES = 200  # more are not permuted one by one


def best_single_feature(experiment: Experiment, n_candidates: int = 10) -> tuple[int, float] | None:
    """Return the feature from which a small tree predicts best, and its score.

    Tried are the features with the strongest linear relation to `y`, and those whose permutation
    costs trees most. None for data that are no dense table, or a target of several columns.
    """
    X, y, classifier = experiment.X, experiment.y, experiment.is_classifier
    if sp.issparse(X) or np.ndim(X) != 2 or np.ndim(y) != 1:
        return None
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None  # columns of text
    with np.errstate(all="ignore"):
        strength = (f_classif if classifier else f_regression)(values, y)[0]
    # an infinite statistic is a perfect relation, NaN a constant feature
    strength = np.where(np.isnan(strength), -1.0, strength)
    tree: Any = DecisionTreeClassifier if classifier else DecisionTreeRegressor
    found: tuple[int, float] | None = None
    strongest = np.argsort(-strength, kind="stable")[:n_candidates]
    for j in dict.fromkeys([*_most_important(experiment, values), *strongest]):
        # a regression leak needs more leaves than a class
        model = tree(max_depth=3 if classifier else None, random_state=0)
        score = experiment.with_data(values[:, [j]]).score(model).validation.mean()
        if found is None or score > found[1]:
            found = int(j), float(score)
    return found


def _most_important(experiment: Experiment, values: np.ndarray, n_features: int = 3) -> list[int]:
    """Return the features whose permutation costs trees most, on rows held out of one fold."""
    if not np.isfinite(values).all() or values.shape[1] > _MAX_FEATURES:
        return []
    forest: Any = RandomForestClassifier if experiment.is_classifier else RandomForestRegressor
    train, test = experiment.splits[0]
    y = np.asarray(experiment.y)
    fitted = forest(n_estimators=30, random_state=0).fit(values[train], y[train])
    found = permutation_importance(fitted, values[test], y[test], n_repeats=2, random_state=0)
    return [int(j) for j in np.argsort(-found.importances_mean, kind="stable")[:n_features]]


def feature_name(X: Any, j: int) -> str:
    """Return the name of a column, or its number where columns have no names."""
    names = getattr(X, "columns", None)
    return str(j) if names is None else repr(str(names[j]))


def find_label_copy(experiment: Experiment, limits: FitThresholds) -> Finding | None:
    """Return a finding when a column takes one value for each class, and nearly always agrees."""
    X, y = experiment.X, np.asarray(experiment.y)
    if not experiment.is_classifier or y.ndim != 1 or sp.issparse(X) or np.ndim(X) != 2:
        return None
    classes, codes = np.unique(y, return_inverse=True)
    best: tuple[int, float] | None = None
    for j in range(np.shape(X)[1]):
        column = np.asarray(X.iloc[:, j] if hasattr(X, "iloc") else np.asarray(X)[:, j])
        values, place = np.unique(column.astype(str), return_inverse=True)
        if len(values) != len(classes):
            continue
        table = np.zeros((len(values), len(classes)))
        np.add.at(table, (place, codes), 1)
        label = table.argmax(axis=1)
        if len(set(label.tolist())) < len(classes):
            continue
        hits = np.array([table[label == c, c].sum() for c in range(len(classes))])
        score = float((hits / table.sum(axis=0)).mean())
        if best is None or score > best[1]:
            best = j, score
    if best is None or best[1] < limits.label_copy:
        return None
    name = feature_name(X, best[0])
    return make_finding(
        "leakage",
        f"Feature {name} has one value for each class, and agrees with the label in "
        f"{best[1]:.0%} of the rows of a class on average; it may be a copy of the label.",
        {"feature": best[0], "feature_score": best[1]},
        limits.pick("label_copy"),
    )


def find_leak(
    experiment: Experiment, scores: dict[str, np.ndarray], limits: FitThresholds, title: str
) -> Finding | None:
    """Return a finding when a feature tells the target, found by the best of all models.

    Parameters
    ----------
    experiment : Experiment
        What is diagnosed.
    scores : dict of str to ndarray
        Validation scores of the network and of the baselines.
    limits : FitThresholds
        Thresholds.
    title : str
        What messages call the score.
    """
    copy = find_label_copy(experiment, limits)
    if copy is not None:
        return copy
    finite = {name: v.mean() for name, v in scores.items() if np.isfinite(v).all()}
    best = max(finite, key=lambda name: finite[name], default=None)
    if best is None or finite[best] < limits.perfect:
        return None
    single = best_single_feature(experiment)
    # one wrong row of a fold must not hide a feature that tells nearly everything
    if single is None or single[1] < min(limits.perfect, finite[best]) - _NEARLY:
        return None
    who = "" if best == "network" else f" by the baseline {best!r}"
    return make_finding(
        "leakage",
        f"{title} is {finite[best]:.3f} on rows held out{who}, and a small tree on feature "
        f"{feature_name(experiment.X, single[0])} alone reaches {single[1]:.3f}; it may carry the "
        "label.",
        {"validation_score": finite[best], "feature": single[0], "feature_score": single[1]},
        limits.pick("perfect"),
    )
