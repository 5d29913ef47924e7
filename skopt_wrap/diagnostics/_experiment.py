"""An estimator scored by cross-validation, with everything that is needed to score it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import check_random_state

from .._pipelines import last_step
from .._sklearn import target_type
from ..exceptions import DataError, DivergedError
from ..model_selection import evaluate_folds
from ..scoring import ImbalanceAwareScorer

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


@dataclass(frozen=True)
class Experiment:
    """An estimator, its data, its folds and its score: what a diagnosis repeats.

    Parameters
    ----------
    estimator : estimator
        Not fitted; it has a seed.
    X, y : array-like
        Data.
    splits : list of (ndarray, ndarray)
        Rows to train on, and rows held out.
    scorer : callable
        ``scorer(estimator, X, y)``; greater is better.
    random_state : int, RandomState instance or None
        Seed of what is drawn.
    """

    estimator: Any
    X: Any
    y: Any
    splits: list[Split]
    scorer: Callable[..., float]
    random_state: Any = 0

    @property
    def is_classifier(self) -> bool:
        """Whether the estimator is a classifier."""
        return bool(is_classifier(self.estimator))

    def score(self, estimator: Any = None, *, watch: bool = False) -> Scores:
        """Score an estimator, by default the one that is diagnosed; see :func:`score_folds`."""
        chosen = self.estimator if estimator is None else estimator
        return score_folds(chosen, self.X, self.y, self.splits, self.scorer, watch=watch)

    def with_splits(self, splits: list[Split]) -> Experiment:
        """Return the same experiment on other folds."""
        return replace(self, splits=splits)

    def with_data(self, X: Any) -> Experiment:
        """Return the same experiment with other features."""
        return replace(self, X=X)


def make_splits(estimator: Any, X: Any, y: Any, cv: Any, random_state: Any) -> list[Split]:
    """Return the splits as arrays of rows, frozen, so that everything is measured on the same."""
    classifier = is_classifier(estimator)
    if cv is None or isinstance(cv, int | np.integer):
        n_splits = 3 if cv is None else int(cv)
        plain = classifier and target_type(y) in ("binary", "multiclass")
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
    several = target_type(y) == "multilabel-indicator"
    return ImbalanceAwareScorer("f1" if several else "balanced_accuracy")


def score_folds(
    estimator: Any, X: Any, y: Any, splits: list[Split], scorer: Any, *, watch: bool = False
) -> Scores:
    """Fit clones on every split, the networks together, and score both sides.

    With `watch`, a bare network without validation rows of its own records the loss on the rows
    held out after every epoch; nothing of its training depends on them.
    """
    bare = last_step(estimator)
    watch = watch and bare is estimator and hasattr(bare, "early_stopping")
    folds = evaluate_folds(
        estimator,
        X,
        y,
        splits,
        lambda fitted, X, y: scorer(fitted, X, y) if _finite(fitted) else np.nan,
        train_scores=True,
        keep_estimators=True,
        watch=watch and not bare._holds_out(),
        allow_nan=True,
    )
    error = folds[-1].error
    if isinstance(error, DivergedError):  # a finding, not a failure
        broken = np.full(len(splits), np.nan)
        return Scores(broken, broken.copy(), [], [])
    if error is not None:
        raise error
    networks = [last_step(fold.estimator) for fold in folds]
    networks = [network for network in networks if hasattr(network, "history_")]
    return Scores(
        np.array([fold.train_scores["score"] for fold in folds]),
        np.array([fold.scores["score"] for fold in folds]),
        [network.history_ for network in networks],
        networks,
    )


def _finite(fitted: Any) -> bool:
    """Whether the weights are numbers; NaN comes back from every row otherwise."""
    network = last_step(fitted)
    weights = network.model_.get_weights() if hasattr(network, "history_") else ()
    return all(np.isfinite(weight).all() for weight in weights)
