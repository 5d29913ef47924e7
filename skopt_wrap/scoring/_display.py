"""ThresholdDisplay: metrics of labels against the decision threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._sklearn import check_matplotlib_support
from ..exceptions import ParameterError
from . import _responses as responses
from ._parameters import check_scorer, check_target, make_settings
from ._scorer import ImbalanceAwareScorer
from ._targets import Target, check_weights
from ._thresholds import candidate_thresholds, confusions_at
from ._two_class_targets import (
    pool_two_classes,
    read_two_classes,
    stated_probabilities,
    tuned_threshold,
)

__all__ = ["ThresholdDisplay"]


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
    ) -> None:
        self.thresholds = thresholds
        self.scores = scores
        self.prevalence = prevalence
        self.pos_label = pos_label
        self.chosen_threshold = chosen_threshold
        self.estimator_name = estimator_name

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
        sign = -1 if metric == "expected_cost" else 1
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
        cost_ax, self.lines_ = None, {}
        styles = ("-", "--", "-.", ":")
        for i, (metric, values) in enumerate(self.scores.items()):
            axes = ax
            if metric == "expected_cost" and len(self.scores) > 1:  # another unit, another axis
                axes = cost_ax = ax.twinx()
                cost_ax.set_ylabel("Expected cost of a row")
            style = {
                "label": metric.replace("_", " "),
                "color": f"C{i}",
                "linestyle": styles[i % len(styles)],
                **kwargs,
            }
            (self.lines_[metric],) = axes.step(self.thresholds, values, where="pre", **style)
        self.chosen_line_ = None
        handles = list(self.lines_.values())
        if self.chosen_threshold is not None:
            self.chosen_line_ = ax.axvline(
                self.chosen_threshold,
                color="0.35",
                linewidth=1,
                label=f"threshold {self.chosen_threshold:.3g}",
            )
            handles.append(self.chosen_line_)
        only_cost = [*self.scores] == ["expected_cost"]
        if not only_cost:
            handles.append(
                ax.axhline(
                    self.prevalence,
                    color="0.6",
                    linewidth=1,
                    linestyle=(0, (1, 2)),
                    label=f"prevalence {self.prevalence:.3g}",
                )
            )
        positive = "" if self.pos_label is None else f" of {self.pos_label!r}"
        ax.set(
            xlabel=f"Decision threshold: probability{positive}",
            ylabel="Expected cost of a row" if only_cost else "Score",
            xlim=(0, 1),
        )
        title = self.estimator_name if name is None else name
        if title:
            ax.set_title(title)
        if own_figure:  # beside the curves, which fill the axes
            ax.figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
        else:
            (cost_ax or ax).legend(handles=handles, loc="best", framealpha=0.9)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        metrics: Sequence[str | ImbalanceAwareScorer] = ("precision", "recall", "f1"),
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
        metrics : sequence of str or ImbalanceAwareScorer, \
                default=("precision", "recall", "f1")
            Metrics of labels.
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
        metrics: Sequence[str | ImbalanceAwareScorer] = ("precision", "recall", "f1"),
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
        metrics : sequence of str or ImbalanceAwareScorer, \
                default=("precision", "recall", "f1")
            Metrics of labels.
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
        cls, target, probabilities, metrics, sample_weight, chosen_threshold, n_thresholds, name
    ) -> ThresholdDisplay:
        whole = isinstance(n_thresholds, int | np.integer) and not isinstance(n_thresholds, bool)
        if not whole or n_thresholds < 2:
            raise ParameterError(f"n_thresholds must be an integer >= 2, got {n_thresholds!r}.")
        if chosen_threshold is not None and not 0 <= chosen_threshold <= 1:
            raise ParameterError(f"chosen_threshold must lie in [0, 1], got {chosen_threshold!r}.")
        weights = check_weights(sample_weight, target.n_samples)
        plans = _plans(metrics, target, weights)
        stated = probabilities[:, target.pos_index].astype(np.float64)
        thresholds = candidate_thresholds(stated, n_thresholds)
        y = target.to_binary(target.codes)
        stack = confusions_at(y, stated, thresholds, weights)
        return cls(
            thresholds=thresholds,
            scores={n: record.from_confusion(stack, s) for n, record, s in plans},
            prevalence=float(np.average(y, weights=weights)),
            pos_label=target.pos_label,
            chosen_threshold=chosen_threshold,
            estimator_name=name,
        )


def _plans(metrics, target: Target, weights) -> list:
    if isinstance(metrics, str | ImbalanceAwareScorer):
        metrics = [metrics]
    if not len(metrics):
        raise ParameterError("metrics must name at least one metric, got none.")
    plans = []
    for metric in metrics:
        is_scorer = isinstance(metric, ImbalanceAwareScorer)
        scorer = metric if is_scorer else ImbalanceAwareScorer(metric)
        checked = check_scorer(scorer)
        record = checked.record
        if record.from_confusion is None:
            raise ParameterError(
                f"metric {record.name!r} judges {record.needs} and does not depend on the "
                "threshold; choose metrics of labels such as 'f1'."
            )
        check_target(scorer, checked, target)
        plans.append((record.name, record, make_settings(scorer, checked, target, weights)))
    return plans
