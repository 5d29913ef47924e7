"""A remedy: a change of an estimator that may mend what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._pipelines import last_step
from ..scoring import ImbalanceAwareScorer


@runtime_checkable
class RemedyLike(Protocol):
    """What :meth:`FitDiagnosis.try_remedies` takes: any object with a name and a change.

    It may also have `finding` (the kind of finding that it is for), `params` (what it sets, for the
    table) and `runnable` (False where only a person can make the change).
    """

    @property
    def name(self) -> str:
        """What is changed, in words."""

    def apply(self, estimator: Any) -> Any:
        """Return a changed clone, not fitted."""


def _scaled(estimator: Any) -> Any:
    return make_pipeline(StandardScaler(), estimator)


def _augmented(estimator: Any) -> Any:
    from imblearn.pipeline import make_pipeline as make_sampling_pipeline

    from ..sampling import AugmentingSampler

    seed = last_step(estimator).get_params(deep=False).get("random_state")
    sampler = AugmentingSampler(sampling_strategy="all", factor=1.0, random_state=seed)
    return make_sampling_pipeline(sampler, estimator)


def _oversampled(estimator: Any) -> Any:
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline as make_sampling_pipeline

    seed = last_step(estimator).get_params(deep=False).get("random_state")
    return make_sampling_pipeline(RandomOverSampler(random_state=seed), estimator)


def _with_threshold(estimator: Any) -> Any:
    return ImbalanceAwareScorer("balanced_accuracy").tune(estimator, cv=3)


_WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "scale": _scaled,
    "augment": _augmented,
    "oversample": _oversampled,
    "threshold": _with_threshold,
}


@dataclass(frozen=True)
class Remedy:
    """A change that may mend a finding.

    Parameters
    ----------
    name : str
        What is changed, in words.
    params : dict
        For the estimator's `set_params`; empty where the change is around the estimator, or where
        only you can make it.
    finding : str
        Kind of the finding that it is for.
    wrapper : {"scale", "augment", "oversample", "threshold"} or None
        "scale" puts a StandardScaler before the estimator; "augment" an AugmentingSampler and
        "oversample" a RandomOverSampler, which act while fitting only; "threshold" tunes the
        decision threshold on training rows.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    finding: str = ""
    wrapper: str | None = None

    @property
    def runnable(self) -> bool:
        """Whether :meth:`apply` changes anything."""
        return bool(self.params or self.wrapper)

    def apply(self, estimator: Any) -> Any:
        """Return a changed clone of an estimator.

        Parameters
        ----------
        estimator : estimator
            What the diagnosis was about.

        Returns
        -------
        changed : estimator
            Not fitted.
        """
        changed = clone(estimator).set_params(**self.params)
        return changed if self.wrapper is None else _WRAPPERS[self.wrapper](changed)
