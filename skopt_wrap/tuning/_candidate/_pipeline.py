"""Put the candidate together: preprocessor, sampler and network, and who takes which parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ..._pipelines import last_step
from ...exceptions import ParameterError
from ._hypermodel import HyperModelBuilder
from ._threshold import THRESHOLD

_STEP = "estimator"


@dataclass
class CandidatePipeline:
    """An unfitted candidate, and the way from the search's parameter names to its own.

    Attributes
    ----------
    base : estimator
        The network's estimator, or a pipeline that ends in it.
    prefix : str
        What the network's parameters are called with inside `base`.
    steps : dict of str to str
        ``preprocessor`` and ``sampler`` mapped to their names inside `base`.
    hypermodel : object or None
        The Keras Tuner model function.
    seed : int or None
        Given to every ``random_state`` that is None.
    """

    base: Any
    prefix: str = ""
    steps: Mapping[str, str] | None = None
    hypermodel: Any = None
    seed: int | None = None

    @property
    def network(self) -> Any:
        """The network's own estimator."""
        return last_step(self.base)

    def candidate(self, params: Mapping[str, Any], declared: Any = ()) -> Any:
        """Return an unfitted estimator with `params` set, but for the decision threshold.

        Parameters
        ----------
        params : mapping
            Parameters of a trial.
        declared : collection of str
            Those of them that belong to the estimator; with a Keras Tuner model function the
            others are its hyperparameters.
        """
        estimator = clone(self.base)
        values = clone({k: v for k, v in params.items() if k != THRESHOLD}, safe=False)
        if self.hypermodel is not None:
            hyper = {name: value for name, value in values.items() if name not in declared}
            values = {name: value for name, value in values.items() if name in declared}
            builder = HyperModelBuilder(self.hypermodel, hyper)
            estimator.set_params(**{f"{self.prefix}model": builder})
        if values:
            estimator.set_params(**{self.locate(name): v for name, v in values.items()})
        return self._seeded(estimator)

    def locate(self, name: str) -> str:
        """Return what the search's parameter `name` is called inside the candidate."""
        step = name.partition("__")[0]
        if self.steps and step in self.steps:
            return self.steps[step] + name[len(step) :]
        return self.prefix + name

    def _seeded(self, estimator: Any) -> Any:
        if self.seed is None:
            return estimator
        unset = {
            name: self.seed
            for name, value in estimator.get_params(deep=True).items()
            if (name == "random_state" or name.endswith("__random_state")) and value is None
        }
        return estimator.set_params(**unset) if unset else estimator


def compose(
    network: Any, *, preprocessor: Any, sampler: Any, hypermodel: Any, seed: int | None
) -> CandidatePipeline:
    """Chain preprocessor, sampler and network, so that each split fits all of them anew.

    A sampler stands in an imbalanced-learn pipeline, which resamples while fitting and never
    while predicting. The preprocessor stands outside it, since that kind of pipeline takes no
    pipeline as a step and a preprocessor often is one.
    """
    prefix, steps = "", {}
    if sampler is not None:
        from imblearn.pipeline import Pipeline as SamplingPipeline

        if not hasattr(sampler, "fit_resample"):
            raise ParameterError(f"sampler must have fit_resample; got {sampler!r}.")
        network = SamplingPipeline([("sampler", sampler), (_STEP, network)])
        prefix, steps = f"{_STEP}__", {"sampler": "sampler"}
    if preprocessor is not None:
        if not hasattr(preprocessor, "transform"):
            raise ParameterError(f"preprocessor must have transform; got {preprocessor!r}.")
        network = Pipeline([("preprocessor", preprocessor), (_STEP, network)])
        prefix = f"{_STEP}__{prefix}"
        steps = {name: f"{_STEP}__{where}" for name, where in steps.items()}
        steps["preprocessor"] = "preprocessor"
    return CandidatePipeline(network, prefix, steps, hypermodel, seed)
