"""Scorers: how they are resolved, and the dry run before any training."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring
from sklearn.utils.multiclass import type_of_target

from ..._sklearn import safe_indexing
from ...exceptions import ParameterError, suggest
from ...model_selection import as_scores

_DRY_ROWS = 10  # of a regression target; a class gives two


@dataclass
class Scoring:
    """A resolved `scoring` parameter.

    Attributes
    ----------
    scorer : callable
        ``scorer(estimator, X, y, **metadata)``, returns a number or a dict.
    public : callable or dict of str to callable
        What ``scorer_`` shows.
    metrics : list of str or None
        Names, ``["score"]`` for one; None for a callable that has not been called.
    """

    scorer: Callable[..., Any]
    public: Any
    metrics: list[str] | None

    def accepts_sample_weight(self) -> bool:
        """Whether the scorer can weight the validation samples."""
        accepts = getattr(self.scorer, "_accept_sample_weight", None)
        if accepts is not None:
            return bool(accepts())
        return "sample_weight" in inspect.signature(self.scorer).parameters


def resolve(estimator: Any, scoring: Any) -> Scoring:
    """Turn a `scoring` parameter into a scorer.

    Raises
    ------
    ParameterError
        For an empty or repetitive collection of metrics.
    """
    if scoring is None or isinstance(scoring, str):
        scorer = check_scoring(estimator, scoring)
        return Scoring(scorer, scorer, ["score"])
    if callable(scoring):
        scorer = check_scoring(estimator, scoring)
        return Scoring(scorer, scorer, None)
    names = list(scoring)
    if not names or not all(isinstance(name, str) for name in names):
        raise ParameterError(f"scoring must hold at least one metric's name; got {scoring!r}.")
    if len(set(names)) != len(names):
        raise ParameterError(f"scoring names a metric twice: {scoring!r}.")
    parts = scoring if isinstance(scoring, dict) else dict.fromkeys(names)
    scorers = {name: check_scoring(estimator, part or name) for name, part in parts.items()}
    return Scoring(check_scoring(estimator, scorers), scorers, names)


def objective(scoring: Any, metrics: list[str], refit: Any) -> str:
    """Return the name of the metric that the search maximizes.

    With several metrics it is the one that `refit` names, or the first where `refit` is False
    or a callable.

    Raises
    ------
    ParameterError
        When `refit` names no metric.
    """
    if metrics == ["score"]:
        known = {"score", scoring} if isinstance(scoring, str) else {"score"}
        if isinstance(refit, str) and refit not in known:
            raise ParameterError(f"refit={refit!r} is not a metric of this search; use True.")
        return "score"
    if refit is True or (isinstance(refit, str) and refit not in metrics):
        hint = suggest(refit, metrics) if isinstance(refit, str) else f"One of {metrics}."
        raise ParameterError(
            "With several metrics refit must name the one that decides, be a callable, or be "
            f"False; got refit={refit!r}. {hint}"
        )
    return refit if isinstance(refit, str) else metrics[0]


def dry_run(scoring: Scoring, X: Any, y: Any, *, classifier: bool) -> list[str] | None:
    """Call the scorer on a few samples and constant predictions, before anything is trained.

    A scorer that looks inside the estimator, or needs a method that a constant predictor lacks,
    cannot be tried this way, and several targets are not tried either.

    Parameters
    ----------
    scoring : Scoring
        The scorer.
    X, y : array-like
        The data; a few samples are taken.
    classifier : bool
        Whether `y` holds classes.

    Returns
    -------
    metrics : list of str or None
        The names of the metrics; None where the scorer could not be tried.

    Raises
    ------
    ParameterError
        When the scorer raises, or returns something other than numbers.
    """
    if np.ndim(y) != 1 or "multi" in type_of_target(y).replace("multiclass", ""):
        return scoring.metrics
    labels = np.asarray(y)
    if classifier:
        codes = np.unique(labels, return_inverse=True)[1]
        rows = np.concatenate([np.flatnonzero(codes == code)[:2] for code in np.unique(codes)])
        dummy: Any = DummyClassifier(strategy="prior")
    else:
        rows = np.arange(min(_DRY_ROWS, len(labels)))
        dummy = DummyRegressor()
    X_few, y_few = safe_indexing(X, rows), safe_indexing(y, rows)
    dummy.fit(X_few, y_few)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            scores = as_scores(scoring.scorer(dummy, X_few, y_few))
    except (AttributeError, NotFittedError):
        return scoring.metrics
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"scoring cannot score this target: {type(error).__name__}: {error}"
        ) from error
    return list(scores)
