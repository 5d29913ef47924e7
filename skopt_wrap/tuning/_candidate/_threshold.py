"""The decision threshold as a dimension of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.model_selection import FixedThresholdClassifier

from ..._pipelines import last_step
from ..._sklearn import target_type
from ...exceptions import ParameterError

THRESHOLD = "decision_threshold"


def check_threshold(names: Iterable[str], y: Any, *, classifier: bool) -> None:
    """Refuse a decision threshold where there are not two classes.

    Raises
    ------
    ParameterError
        For a regressor, several labels, or more than two classes.
    """
    if THRESHOLD in names and not (classifier and target_type(y) == "binary"):
        kind = target_type(y) if classifier else "a regressor's"
        raise ParameterError(
            f"space has {THRESHOLD!r}, which two classes have; this target is {kind}."
        )


def with_threshold(fitted: Any, threshold: float) -> Any:
    """Return a fitted classifier as one that predicts ``classes_[1]`` from `threshold` on.

    Cloned and fitted anew it trains the same classifier.
    """
    outer = FixedThresholdClassifier(
        clone(fitted), threshold=threshold, response_method="predict_proba"
    )
    outer.estimator_ = fitted
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(fitted, name):
            setattr(outer, name, getattr(fitted, name))
    return outer


@dataclass(frozen=True)
class ThresholdScorer:
    """A scorer that gets the fitted candidate with its threshold.

    Attributes
    ----------
    scorer : callable
        The scorer of the search.
    threshold : float
        Probability of ``classes_[1]`` from which it is predicted.
    """

    scorer: Callable[..., Any]
    threshold: float

    def __call__(self, estimator: Any, *args: Any, **kwargs: Any) -> Any:
        """Score."""
        return self.scorer(with_threshold(estimator, self.threshold), *args, **kwargs)


def within(estimator: Any) -> Any:
    """Return a classifier without its threshold, fitted where that is."""
    while isinstance(estimator, FixedThresholdClassifier):
        estimator = getattr(estimator, "estimator_", estimator.estimator)
    return estimator


def network_of(estimator: Any) -> Any:
    """Return the network's own estimator in a candidate."""
    return last_step(within(estimator))
