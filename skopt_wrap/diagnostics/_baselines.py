"""Simple models that a network should beat: one that ignores X, a linear one, trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import check_random_state

from ._experiment import Experiment


def _flat(X: Any) -> Any:
    return X if sp.issparse(X) or np.ndim(X) == 2 else np.asarray(X).reshape(len(X), -1)


def make_baselines(experiment: Experiment) -> dict[str, Any]:
    """Return a dummy, a linear model and gradient-boosted trees for the kind of target."""
    X, y, classifier = experiment.X, experiment.y, experiment.is_classifier
    seed = int(check_random_state(experiment.random_state).randint(2**31 - 1))
    linear: Any = LogisticRegression(max_iter=500) if classifier else Ridge()
    trees: Any = (
        HistGradientBoostingClassifier(max_iter=50, random_state=seed)
        if classifier
        else HistGradientBoostingRegressor(max_iter=50, random_state=seed)
    )
    dummy: Any = DummyClassifier() if classifier else DummyRegressor()
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        trees = MultiOutputClassifier(trees) if classifier else MultiOutputRegressor(trees)
        linear = MultiOutputClassifier(linear) if classifier else linear
    flatten = FunctionTransformer(_flat)
    scale = StandardScaler(with_mean=not sp.issparse(X))
    baselines = {"dummy": dummy, "linear": make_pipeline(flatten, scale, linear)}
    if not sp.issparse(X):
        baselines["trees"] = make_pipeline(flatten, trees)
    return baselines
