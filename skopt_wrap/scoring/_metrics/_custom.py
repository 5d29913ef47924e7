"""Metrics of the user's own: a function, with what it needs declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...exceptions import ParameterError, suggest
from .._targets import Target
from ._metric import ALL_TARGETS, SINGLE_LABEL, Metric, Settings

__all__ = ["CustomMetric", "make_metric"]

_NEEDS = {
    "labels": "labels",
    "probabilities": "probabilities",
    "scores": "scores",
    "decision_values": "scores",
}


def _accepted(function: Callable[..., Any]) -> frozenset[str]:
    """Return the keyword arguments that a function takes; none when its signature is not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have no signature
        return frozenset()
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return frozenset(p.name for p in parameters if p.kind not in by_position)


@dataclass(frozen=True, repr=False)
class CustomMetric(Metric):
    """A metric of the user's own, made by :func:`make_metric`.

    Its `function` is what the user gave.

    Attributes
    ----------
    accepted : frozenset of str
        Names of its keyword arguments.
    """

    accepted: frozenset[str] = frozenset()

    def compute(self, target: Target, output: np.ndarray, settings: Settings) -> float:
        """Return what the user's function says; see :func:`make_metric`."""
        given: dict[str, Any] = {}
        if settings.sample_weight is not None:
            if "sample_weight" not in self.accepted:
                raise ParameterError(
                    f"metric {self.name!r} takes no sample_weight, but weights were given; add the "
                    "parameter sample_weight to its function, or score without weights."
                )
            given["sample_weight"] = settings.sample_weight
        y, values = self._arrays(target, output)
        two = target.kind == "binary"
        if two and "pos_label" in self.accepted:
            given["pos_label"] = target.pos_label if self.needs == "labels" else 1
        if "labels" in self.accepted and self.needs != "labels" and target.kind != "multilabel":
            given["labels"] = [0, 1] if two else target.classes
        value = self.function(y, values, **given)
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"metric {self.name!r} must return one number, got {value!r}."
            ) from error

    def compute_resampled(
        self, target: Target, output: np.ndarray, settings: Settings, counts: np.ndarray
    ) -> float:
        """Return the metric of samples repeated as often as drawn: it may not know weights."""
        rows = np.repeat(np.arange(target.n_samples), counts.astype(np.int64))
        own = settings.sample_weight
        return self.compute(
            target.take(rows),
            output[rows],
            replace(settings, sample_weight=None if own is None else own[rows]),
        )

    def __repr__(self) -> str:
        return f"make_metric({self.name}, needs={self.needs!r})"

    def _arrays(self, target: Target, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the true values and the prediction in the form that the user's function takes."""
        if target.kind == "multilabel":
            return target.codes, output
        if self.needs == "labels":
            return target.classes[target.codes], target.classes[output]
        if target.kind == "multiclass":
            return target.classes[target.codes], output
        positive = target.to_binary(target.codes)
        return positive, output[:, target.pos_index] if self.needs == "probabilities" else output


def make_metric(
    function: Callable[..., float],
    *,
    needs: str,
    greater_is_better: bool = True,
    name: str | None = None,
    title: str | None = None,
    multilabel: bool = False,
) -> Metric:
    """Make a metric of a function of your own, for every place that takes a metric's name.

    It works as the `metric` of :class:`ImbalanceAwareScorer` (with `tune` and searches) and of
    :func:`bootstrap_interval`, among the `metrics` of :class:`ThresholdDisplay`, and as one of the
    `extra_metrics` of :func:`imbalance_report`. All of them also take the function itself when it
    has an attribute `needs` (and, if you like, `greater_is_better` and `name`).

    Parameters
    ----------
    function : callable
        ``function(y_true, y_output) -> float``. What it gets depends on `needs`:

        - "labels": true and predicted labels, as they stand in `y`.
        - "probabilities" or "scores" of two classes: `y_true` is 1 for the positive class and 0 for
          the other one, and `y_output` is 1-D: the probability of the positive class, or a score
          that is greater for it. This is the form that scikit-learn's metrics take.
        - "probabilities" or "scores" of several classes: labels as they stand in `y`, and one
          column a class in sorted order.

        It also gets `sample_weight`, `pos_label` (of two classes) and `labels` (all classes; not
        for metrics of labels) where it has a parameter of that name.
    needs : {"labels", "probabilities", "scores", "decision_values"}
        Which prediction it judges: `predict`, `predict_proba`, or a ranking of the samples by
        `decision_function` (else `predict_proba`). "decision_values" is another word for "scores".
    greater_is_better : bool, default=True
        False for a loss or a cost. A scorer negates it.
    name : str, default=None
        Name in tables and messages; None takes the function's.
    title : str, default=None
        Name that tables print; None takes `name`.
    multilabel : bool, default=False
        Whether the function also takes targets of several labels: 0/1 arrays of shape
        (n_samples, n_labels).

    Returns
    -------
    metric : Metric
        The metric. It can be pickled when the function can.

    Raises
    ------
    ParameterError
        If `function` cannot be called, or `needs` is unknown.

    See Also
    --------
    sklearn.metrics.make_scorer : The same for scikit-learn's own scorers.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.scoring import bootstrap_interval, make_metric
    >>> def profit(y_true, y_pred):
    ...     sent = y_pred == "buys"
    ...     return float(np.mean(np.where(sent, np.where(y_true == "buys", 30, -1), 0)))
    >>> metric = make_metric(profit, needs="labels")
    >>> y_true = ["buys"] * 20 + ["leaves"] * 80
    >>> y_pred = ["buys"] * 10 + ["leaves"] * 70 + ["buys"] * 20
    >>> bootstrap_interval(y_true, y_pred, metric, random_state=0).value
    2.8
    """
    if not callable(function):
        raise ParameterError(f"function must be callable, got {function!r}.")
    if not isinstance(needs, str) or needs not in _NEEDS:
        raise ParameterError(f"needs={needs!r} is unknown. {suggest(str(needs), _NEEDS)}")
    name = getattr(function, "__name__", type(function).__name__) if name is None else str(name)
    return CustomMetric(
        name=name,
        title=name.replace("_", " ").capitalize() if title is None else title,
        needs=_NEEDS[needs],
        function=function,
        greater_is_better=bool(greater_is_better),
        targets=ALL_TARGETS if multilabel else SINGLE_LABEL,
        accepted=_accepted(function),
    )
