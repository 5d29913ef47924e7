"""How well a single feature predicts the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_selection import f_classif, f_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ._experiment import Experiment


def best_single_feature(experiment: Experiment, n_candidates: int = 10) -> tuple[int, float] | None:
    """Return the feature from which a small tree predicts best, and its score.

    Only the features with the strongest linear relation to `y` are tried. None for data that are
    no dense table, or a target of several columns.
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
    for j in np.argsort(-strength, kind="stable")[:n_candidates]:
        # a regression leak needs more leaves than a class
        model = tree(max_depth=3 if classifier else None, random_state=0)
        score = experiment.with_data(values[:, [j]]).score(model).validation.mean()
        if found is None or score > found[1]:
            found = int(j), float(score)
    return found
