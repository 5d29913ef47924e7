"""bootstrap_interval: a metric with its stratified bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..exceptions import DataError, ParameterError
from ._intervals import interval_of
from ._metrics._evaluate import evaluate
from ._metrics._metric import Metric
from ._parameters import check_scorer, check_target, make_settings
from ._resampling import Resampling, check_resampling
from ._responses import read_labels, shape_probabilities
from ._scorer import ImbalanceAwareScorer
from ._targets import Target, check_weights, read_target

__all__ = ["BootstrapInterval", "bootstrap_interval"]


@dataclass(frozen=True)
class BootstrapInterval:
    """A metric's value with its interval.

    Parameters
    ----------
    value : float
        The metric on all rows, as published (losses are not negated).
    low, high : float
        Bounds.
    confidence_level : float
        Probability that the interval aims to cover.
    n_resamples : int
        Number of resamples; some methods need none.
    method : str
        How the interval was made.
    note : str
        Why it may cover the true value less or more often than it says; empty for nothing.
    """

    value: float
    low: float
    high: float
    confidence_level: float
    n_resamples: int
    method: str = ""
    note: str = ""


def bootstrap_interval(
    y_true: Any,
    y_output: Any,
    metric: Any = "f1",
    *,
    sample_weight: Any = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: Any = None,
) -> BootstrapInterval:
    """Return a metric with an interval that holds with few samples of the rare class too.

    The class counts are taken as given: what is drawn keeps them, so no draw lacks the rare class.
    Metrics of labels draw the rates of each class from their posterior distribution [1]_; ROC AUC
    of two classes has a score interval [2]_; other ranking metrics a Bayesian bootstrap [3]_; Brier
    score and log loss a t interval of their logarithm. Everything else (several classes for ranking
    metrics, metrics of your own) has percentiles of a bootstrap within each class. Measured
    coverage: ``benchmarks/interval_coverage.py``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels, binary or multiclass.
    y_output : array-like of shape (n_samples,) or (n_samples, n_classes)
        What the metric judges: predicted labels; scores toward the positive class (one column a
        class when there are several); or probabilities, one column a class in sorted order.
    metric : str, Metric, callable or ImbalanceAwareScorer, default="f1"
        Name of a metric, one of your own (see :func:`make_metric`), or a scorer that holds its
        parameters (without a threshold).
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows, not negative.
    n_resamples : int, default=1000
        Number of resamples.
    confidence_level : float, default=0.95
        In (0, 1).
    random_state : int, RandomState instance or None, default=None
        Seed of the resampling.

    Returns
    -------
    interval : BootstrapInterval
        Value, bounds and settings; losses are not negated.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    DataError
        If the arrays do not fit together, or the target is multilabel.

    References
    ----------
    .. [1] L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion",
       Statistical Science, 2001.
    .. [2] R. G. Newcombe, "Confidence intervals for an effect size measure based on the
       Mann-Whitney statistic. Part 2", Statistics in Medicine, 2006.
    .. [3] D. B. Rubin, "The Bayesian bootstrap", Annals of Statistics, 1981.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.scoring import bootstrap_interval
    >>> y_true = np.repeat([0, 1], [900, 100])
    >>> y_pred = np.r_[np.zeros(880), np.ones(20), np.zeros(30), np.ones(70)].astype(int)
    >>> interval = bootstrap_interval(y_true, y_pred, "f1", random_state=0)
    >>> round(interval.value, 3), round(interval.low, 2), round(interval.high, 2)
    (0.737, 0.66, 0.8)
    """
    check_resampling(n_resamples, confidence_level)
    scorer = metric if isinstance(metric, ImbalanceAwareScorer) else ImbalanceAwareScorer(metric)
    checked = check_scorer(scorer)
    record = checked.record
    if scorer.threshold is not None:
        raise ParameterError(
            f"threshold must be None here, got {scorer.threshold!r}: give the predicted labels."
        )
    target, output = _read_output(record, y_true, y_output, scorer.pos_label)
    check_target(scorer, checked, target)
    weights = check_weights(sample_weight, target.n_samples)
    settings = make_settings(scorer, checked, target, weights)
    resampling = Resampling(n_resamples, confidence_level, check_random_state(random_state))
    found = interval_of(record, target, output, settings, resampling)
    return BootstrapInterval(
        value=evaluate(record, target, output, settings),
        low=found.low,
        high=found.high,
        confidence_level=float(confidence_level),
        n_resamples=int(n_resamples),
        method=found.method,
        note=found.note,
    )


def _read_output(
    record: Metric, y_true: Any, y_output: Any, pos_label: Any
) -> tuple[Target, np.ndarray]:
    """Return the target, and the prediction in the form that the metric judges."""
    if record.needs == "labels":
        target, output = read_labels(y_output, y_true, None, pos_label)
    else:
        target = read_target(y_true, None, pos_label)
        if target.kind == "multilabel" or target.n_classes < 2:
            raise DataError("y_true must hold two or more classes, one in each row.")
        if record.needs == "probabilities":
            output = shape_probabilities(y_output, target)
        else:
            output = np.asarray(y_output, dtype=np.float64)
            wanted: tuple[int, ...] = (target.n_samples,)
            if target.kind == "multiclass":
                wanted += (target.n_classes,)
            if output.shape != wanted or not np.isfinite(output).all():
                raise DataError(f"y_output must be finite, of shape {wanted}, got {output.shape}.")
    if target.kind == "multilabel":
        raise DataError("bootstrap_interval needs a binary or multiclass target, got multilabel.")
    return target, output
