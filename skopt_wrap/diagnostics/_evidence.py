"""Scores by cross-validation: of the estimator, of baselines, of fewer rows, of one feature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_selection import f_classif, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

from ..exceptions import DataError
from ..model_selection import evaluate_folds
from ..scoring import ImbalanceAwareScorer
from ._parts import find_network

Split = tuple[np.ndarray, np.ndarray]


@dataclass
class Scores:
    """Scores of one estimator on every fold.

    Parameters
    ----------
    train, validation : ndarray of shape (n_splits,)
        Scores on training rows and on rows held out; NaN where training diverged.
    histories : list of dict
        Histories of the networks.
    """

    train: np.ndarray
    validation: np.ndarray
    histories: list[dict[str, list[float]]] = field(default_factory=list)
    networks: list[Any] = field(default_factory=list, repr=False)


def make_splits(estimator: Any, X: Any, y: Any, cv: Any, random_state: Any) -> list[Split]:
    """Return the splits as arrays of rows, frozen, so that everything is measured on the same."""
    classifier = is_classifier(estimator)
    if cv is None or isinstance(cv, int | np.integer):
        n_splits = 3 if cv is None else int(cv)
        plain = classifier and type_of_target(y) in ("binary", "multiclass")
        seed = check_random_state(random_state).randint(2**31 - 1)
        maker: Any = StratifiedKFold if plain else KFold
        cv = maker(n_splits, shuffle=True, random_state=seed)
    try:
        return [(np.asarray(a), np.asarray(b)) for a, b in check_cv(cv, y).split(X, y)]
    except ValueError as error:
        raise DataError(f"cv={cv!r} cannot split these {len(y)} rows: {error}") from error


def make_scorer(estimator: Any, y: Any, scoring: Any) -> Any:
    """Return the scorer, by default one that sees every class or output alike."""
    if scoring is not None:
        return check_scoring(estimator, scoring=scoring)
    if not is_classifier(estimator):
        return check_scoring(estimator, scoring="r2")
    several = type_of_target(y) == "multilabel-indicator"
    return ImbalanceAwareScorer("f1" if several else "balanced_accuracy")


def score_folds(
    estimator: Any, X: Any, y: Any, splits: list[Split], scorer: Any, *, watch: bool = False
) -> Scores:
    """Fit clones on every split, the networks together, and score both sides.

    With `watch`, a bare network without validation rows of its own records the loss on the rows
    held out after every epoch; nothing of its training depends on them.
    """
    bare = find_network(estimator)[0]
    watch = watch and bare is estimator and hasattr(bare, "early_stopping")
    folds = evaluate_folds(
        estimator,
        X,
        y,
        splits,
        lambda fitted, X, y: scorer(fitted, X, y) if _finite(fitted) else np.nan,
        train_scores=True,
        keep_estimators=True,
        watch=watch and bare.early_stopping is False and not bare.validation_split,
        allow_nan=True,
    )
    if folds[-1].error is not None:
        raise folds[-1].error
    networks = [find_network(fold.estimator)[0] for fold in folds]
    networks = [network for network in networks if hasattr(network, "history_")]
    return Scores(
        np.array([fold.train_scores["score"] for fold in folds]),
        np.array([fold.scores["score"] for fold in folds]),
        [network.history_ for network in networks],
        networks,
    )


def _finite(fitted: Any) -> bool:
    """Whether the weights are numbers; NaN comes back from every row otherwise."""
    network = find_network(fitted)[0]
    weights = network.model_.get_weights() if hasattr(network, "history_") else ()
    return all(np.isfinite(weight).all() for weight in weights)


def _flat(X: Any) -> Any:
    return X if sp.issparse(X) or np.ndim(X) == 2 else np.asarray(X).reshape(len(X), -1)


def make_baselines(estimator: Any, X: Any, y: Any, random_state: Any) -> dict[str, Any]:
    """Return a dummy, a linear model and gradient-boosted trees for the kind of target."""
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    classifier = is_classifier(estimator)
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


def learning_curve(
    estimator: Any,
    X: Any,
    y: Any,
    splits: list[Split],
    scorer: Any,
    full: Scores,
    sizes: tuple[float, ...],
    random_state: Any,
) -> dict[str, np.ndarray]:
    """Return scores by share of the training rows; the full one is not fitted again.

    Smaller sets are drawn once a fold and hold a share of every class.
    """
    rng = check_random_state(random_state)
    plain = is_classifier(estimator) and np.ndim(y) == 1
    orders = []
    for rows, _ in splits:
        order = rng.permutation(rows)
        if plain:  # classes take turns in proportion to their frequency
            labels = np.asarray(y)[order]
            place = np.empty(len(order))
            for label in np.unique(labels):
                mine = np.flatnonzero(labels == label)
                place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
            order = order[np.argsort(place, kind="stable")]
        orders.append(order)
    train, validation, n_rows = [], [], []
    for share in sizes:
        parts = [
            (np.sort(order[: max(2, round(share * len(order)))]), held)
            for order, (_, held) in zip(orders, splits, strict=True)
        ]
        found = score_folds(estimator, X, y, parts, scorer)
        train.append(found.train)
        validation.append(found.validation)
        n_rows.append(len(parts[0][0]))
    return {
        "n_rows": np.array([*n_rows, len(splits[0][0])]),
        "train": np.stack([*train, full.train]),
        "validation": np.stack([*validation, full.validation]),
    }


def best_single_feature(
    estimator: Any, X: Any, y: Any, splits: list[Split], scorer: Any, n_candidates: int = 10
) -> tuple[int, float] | None:
    """Return the feature from which a small tree predicts best, and its score.

    Only the features with the strongest linear relation to `y` are tried. None for data that are
    no dense table, or a target of several columns.
    """
    if sp.issparse(X) or np.ndim(X) != 2 or np.ndim(y) != 1:
        return None
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None  # columns of text
    classifier = is_classifier(estimator)
    with np.errstate(all="ignore"):
        strength = (f_classif if classifier else f_regression)(values, y)[0]
    # an infinite statistic is a perfect relation, NaN a constant feature
    strength = np.where(np.isnan(strength), -1.0, strength)
    tree: Any = DecisionTreeClassifier if classifier else DecisionTreeRegressor
    found: tuple[int, float] | None = None
    for j in np.argsort(-strength, kind="stable")[:n_candidates]:
        # a regression leak needs more leaves than a class
        model = tree(max_depth=3 if classifier else None, random_state=0)
        score = score_folds(model, values[:, [j]], y, splits, scorer).validation.mean()
        if found is None or score > found[1]:
            found = int(j), float(score)
    return found
