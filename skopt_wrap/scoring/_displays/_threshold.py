"""ThresholdDisplay: a plot of metrics of labels against the decision threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._sklearn import check_matplotlib_support
from ...exceptions import ParameterError
from .. import _responses as responses
from .._targets import Target
from ._threshold_curves import threshold_curves
from ._two_class_targets import (
    pool_two_classes,
    read_two_classes,
    stated_probabilities,
    tuned_threshold,
)

__all__ = ["ThresholdDisplay"]

_LINE_STYLES = ("-", "--", "-.", ":")


class ThresholdDisplay:
    """Metrics of a binary classifier against the decision threshold.

    Shows what is gained and lost when a row is called positive from another probability on. Do not
    deploy the best threshold of the rows that you report on: choose it on training rows with
    :meth:`ImbalanceAwareScorer.tune`.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Thresholds, ascending, in [0, 1].
    scores : dict of str to ndarray of shape (n_thresholds,)
        Values of each metric, as published (a cost is not negated).
    prevalence : float
        Share of the positive class.
    pos_label : object, default=None
        Positive class.
    chosen_threshold : float, default=None
        Threshold to mark.
    estimator_name : str, default=None
        Name for the title.
    lower_is_better : sequence of str, default=("expected_cost",)
        Metrics that are losses.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes of the plot.
    figure_ : matplotlib.figure.Figure
        Figure of the plot.
    lines_ : dict of str to matplotlib.lines.Line2D
        Line of each metric.
    chosen_line_ : matplotlib.lines.Line2D or None
        Mark of `chosen_threshold`.

    See Also
    --------
    sklearn.metrics.PrecisionRecallDisplay : Precision against recall.
    imbalance_report : Every metric at one threshold.

    Examples
    --------
    >>> from skopt_wrap.scoring import ThresholdDisplay
    >>> display = ThresholdDisplay.from_predictions(
    ...     [0, 0, 0, 1], [0.1, 0.2, 0.7, 0.6], plot=False
    ... )
    >>> display.thresholds
    array([0. , 0.1, 0.2, 0.6, 0.7, 1. ])
    >>> display.scores["precision"].round(2)
    array([0.25, 0.25, 0.33, 0.5 , 0.  , 0.  ])
    >>> display.best_threshold("f1")
    0.6
    """

    def __init__(
        self,
        *,
        thresholds: np.ndarray,
        scores: dict[str, np.ndarray],
        prevalence: float,
        pos_label: Any = None,
        chosen_threshold: float | None = None,
        estimator_name: str | None = None,
        lower_is_better: Sequence[str] = ("expected_cost",),
    ) -> None:
        self.thresholds = thresholds
        self.scores = scores
        self.prevalence = prevalence
        self.pos_label = pos_label
        self.chosen_threshold = chosen_threshold
        self.estimator_name = estimator_name
        self.lower_is_better = lower_is_better

    def best_threshold(self, metric: str) -> float:
        """Return the threshold at which a metric shown is best on these rows.

        Parameters
        ----------
        metric : str
            One of the metrics shown.

        Returns
        -------
        threshold : float
            The smallest of the best ones.

        Raises
        ------
        ParameterError
            If the metric is not shown.
        """
        if metric not in self.scores:
            raise ParameterError(f"metric must be one of {list(self.scores)}, got {metric!r}.")
        sign = -1 if metric in self.lower_is_better else 1
        return float(self.thresholds[np.argmax(sign * self.scores[metric])])

    def plot(self, ax: Any = None, *, name: str | None = None, **kwargs: Any) -> ThresholdDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.
        name : str, default=None
            Title; None takes the estimator's name.
        **kwargs : dict
            Passed to matplotlib's `plot` for every curve.

        Returns
        -------
        self : ThresholdDisplay
            With `ax_`, `figure_`, `lines_` and `chosen_line_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib_support("ThresholdDisplay.plot")
        import matplotlib.pyplot as plt

        own_figure = ax is None
        if own_figure:
            _, ax = plt.subplots(layout="constrained")
        top_axes = self._draw_curves(ax, kwargs)
        handles = [*self.lines_.values(), *self._draw_marks(ax)]
        positive = "" if self.pos_label is None else f" of {self.pos_label!r}"
        ax.set(xlabel=f"Decision threshold: probability{positive}", xlim=(0, 1))
        title = self.estimator_name if name is None else name
        if title:
            ax.set_title(title)
        if own_figure:  # beside the curves, which fill the axes
            ax.figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
        else:
            top_axes.legend(handles=handles, loc="best", framealpha=0.9)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _has_own_unit(self, metric: str) -> bool:
        """Whether a metric is no score between -1 and 1, and needs an axis of its own."""
        return metric == "expected_cost" or bool(np.abs(self.scores[metric]).max() > 1)

    def _draw_curves(self, ax: Any, kwargs: dict[str, Any]) -> Any:
        """Draw one line a metric; return the axes that lie on top."""
        own_unit = [metric for metric in self.scores if self._has_own_unit(metric)]
        only_own = len(own_unit) == len(self.scores)
        units = ", ".join(own_unit).replace("expected_cost", "Expected cost of a row")
        ax.set_ylabel(units if only_own else "Score")
        second = None
        if own_unit and not only_own:  # another unit, another axis
            second = ax.twinx()
            second.set_ylabel(units)
        self.lines_ = {}
        for i, (metric, values) in enumerate(self.scores.items()):
            axes = second if second is not None and metric in own_unit else ax
            style = {
                "label": metric.replace("_", " "),
                "color": f"C{i}",
                "linestyle": _LINE_STYLES[i % len(_LINE_STYLES)],
                **kwargs,
            }
            (self.lines_[metric],) = axes.step(self.thresholds, values, where="pre", **style)
        return ax if second is None else second

    def _draw_marks(self, ax: Any) -> list[Any]:
        """Draw the chosen threshold and the prevalence; return what the legend names."""
        handles = []
        self.chosen_line_ = None
        if self.chosen_threshold is not None:
            label = f"threshold {self.chosen_threshold:.3g}"
            self.chosen_line_ = ax.axvline(
                self.chosen_threshold, color="0.35", linewidth=1, label=label
            )
            handles.append(self.chosen_line_)
        if not all(self._has_own_unit(metric) for metric in self.scores):
            label = f"prevalence {self.prevalence:.3g}"
            style = {"color": "0.6", "linewidth": 1, "linestyle": (0, (1, 2))}
            handles.append(ax.axhline(self.prevalence, label=label, **style))
        return handles

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        metrics: Any = ("precision", "recall", "f1"),
        pos_label: Any = "auto",
        sample_weight: Any = None,
        chosen_threshold: float | None = None,
        n_thresholds: int = 500,
        name: str | None = None,
        ax: Any = None,
        plot: bool = True,
        **kwargs: Any,
    ) -> ThresholdDisplay:
        """Make the display of a fitted binary classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier with `predict_proba`.
        X : array-like of shape (n_samples, ...)
            Rows to predict.
        y : array-like of shape (n_samples,)
            True labels of two classes.
        metrics : sequence of str, Metric, callable or ImbalanceAwareScorer, \
                default=("precision", "recall", "f1")
            Metrics of labels; of your own too, see :func:`make_metric`.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.
        chosen_threshold : float, default=None
            Threshold to mark; None marks the `best_threshold_` of a fitted
            `TunedThresholdClassifierCV` whose positive class is the one shown, if the estimator
            is one.
        n_thresholds : int, default=500
            At most this many thresholds, at quantiles of the probabilities.
        name : str, default=None
            Title; None takes the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        plot : bool, default=True
            False only computes.
        **kwargs : dict
            Passed to matplotlib.

        Returns
        -------
        display : ThresholdDisplay
            The display.

        Raises
        ------
        ParameterError
            If a metric does not judge labels, or a parameter breaks its rule.
        DataError
            If `y` has not two classes, or the estimator has no probabilities.
        """
        responses.check_fitted(estimator)
        target = read_two_classes(
            y, responses.known_classes(estimator), pos_label, "ThresholdDisplay"
        )
        probabilities = responses.read_probabilities(estimator, X, target, "ThresholdDisplay")
        if chosen_threshold is None:
            chosen_threshold = tuned_threshold(estimator, target)
        name = type(estimator).__name__ if name is None else name
        display = cls._compute(
            target, probabilities, metrics, sample_weight, chosen_threshold, n_thresholds, name
        )
        return display.plot(ax, **kwargs) if plot else display

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_proba: Any,
        *,
        metrics: Any = ("precision", "recall", "f1"),
        pos_label: Any = "auto",
        sample_weight: Any = None,
        chosen_threshold: float | None = None,
        n_thresholds: int = 500,
        name: str | None = None,
        ax: Any = None,
        plot: bool = True,
        **kwargs: Any,
    ) -> ThresholdDisplay:
        """Make the display of predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels of two classes.
        y_proba : array-like of shape (n_samples,) or (n_samples, 2)
            Probabilities of the positive class (1-D), or of both classes in sorted order.
        metrics : sequence of str, Metric, callable or ImbalanceAwareScorer, \
                default=("precision", "recall", "f1")
            Metrics of labels; of your own too, see :func:`make_metric`.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.
        chosen_threshold : float, default=None
            Threshold to mark.
        n_thresholds : int, default=500
            At most this many thresholds, at quantiles of the probabilities.
        name : str, default=None
            Title.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        plot : bool, default=True
            False only computes.
        **kwargs : dict
            Passed to matplotlib.

        Returns
        -------
        display : ThresholdDisplay
            The display.

        Raises
        ------
        ParameterError
            If a metric does not judge labels, or a parameter breaks its rule.
        DataError
            If `y_true` has not two classes, or `y_proba` does not fit it.
        """
        target = read_two_classes(y_true, None, pos_label, "ThresholdDisplay")
        probabilities = stated_probabilities(target, y_proba)
        display = cls._compute(
            target, probabilities, metrics, sample_weight, chosen_threshold, n_thresholds, name
        )
        return display.plot(ax, **kwargs) if plot else display

    @classmethod
    def from_cv_results(
        cls, cv_results: dict[str, Any], X: Any, y: Any, *, pos_label: Any = "auto", **kwargs: Any
    ) -> ThresholdDisplay:
        """Make the display of all rows held out, predicted by estimators that did not see them.

        Parameters
        ----------
        cv_results : dict
            From ``cross_validate(..., return_estimator=True, return_indices=True)``.
        X : array-like of shape (n_samples, ...)
            What was cross-validated.
        y : array-like of shape (n_samples,)
            True labels of two classes.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        **kwargs : dict
            Further arguments of :meth:`from_predictions`.

        Returns
        -------
        display : ThresholdDisplay
            The display.

        Raises
        ------
        DataError
            If the results lack estimators or indices, or were made with other rows.
        """
        held, chosen, positive = pool_two_classes(cv_results, X, y, pos_label, "ThresholdDisplay")
        return cls.from_predictions(held, chosen, pos_label=positive, **kwargs)

    @classmethod
    def _compute(
        cls,
        target: Target,
        probabilities: np.ndarray,
        metrics: Any,
        sample_weight: Any,
        chosen_threshold: float | None,
        n_thresholds: int,
        name: str | None,
    ) -> ThresholdDisplay:
        if chosen_threshold is not None and not 0 <= chosen_threshold <= 1:
            raise ParameterError(f"chosen_threshold must lie in [0, 1], got {chosen_threshold!r}.")
        curves = threshold_curves(target, probabilities, metrics, sample_weight, n_thresholds)
        return cls(
            thresholds=curves.thresholds,
            scores=curves.scores,
            prevalence=curves.prevalence,
            pos_label=target.pos_label,
            chosen_threshold=chosen_threshold,
            estimator_name=name,
            lower_is_better=curves.lower_is_better,
        )
