"""PrecisionRecallDisplay: scikit-learn's precision-recall curve, for a rare class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics

from ...exceptions import DataError, ParameterError
from .. import _responses as responses
from .._parameters import is_number
from .._targets import Target
from ._two_class_targets import plain_labels, read_two_classes, tuned_threshold

__all__ = ["PrecisionRecallDisplay"]


class PrecisionRecallDisplay(metrics.PrecisionRecallDisplay):
    """Precision against recall of the rare class, with its baseline and the decisions taken.

    scikit-learn's display, with three differences: the positive class is the rarer one unless you
    say otherwise; the precision of chance, which is the prevalence, is drawn; and a mark shows
    where on the curve the classifier decides.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_cv_results`. The parameters
    are those of :class:`sklearn.metrics.PrecisionRecallDisplay`.

    Attributes
    ----------
    chosen_point_ : tuple of float or None
        Recall and precision of the decisions.
    chosen_mark_ : matplotlib.lines.Line2D or None
        Their mark.

    See Also
    --------
    ThresholdDisplay : Metrics against the threshold.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skopt_wrap.scoring import PrecisionRecallDisplay
    >>> display = PrecisionRecallDisplay.from_predictions(
    ...     [0, 0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.6, 0.9], chosen_threshold=0.5
    ... )
    >>> [round(float(v), 2) for v in display.chosen_point_]
    [1.0, 0.67]
    """

    chosen_point_: tuple[float, float] | None = None
    chosen_mark_: Any = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        pos_label: Any = "auto",
        sample_weight: Any = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> PrecisionRecallDisplay:
        """Draw the curve of a fitted binary classifier, and mark what its `predict` does.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like of shape (n_samples, ...)
            Rows to predict.
        y : array-like of shape (n_samples,)
            True labels of two classes.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        name : str, default=None
            Name of the curve; None takes the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        **kwargs : dict
            Passed to scikit-learn's `from_predictions`.

        Returns
        -------
        display : PrecisionRecallDisplay
            The display.

        Raises
        ------
        DataError
            If `y` has not two classes, or the estimator gives neither probabilities nor scores.
        """
        responses.check_fitted(estimator)
        known = responses.known_classes(estimator)
        target = read_two_classes(y, known, pos_label, "PrecisionRecallDisplay")
        scores = responses.read_scores(estimator, X, target, "PrecisionRecallDisplay")
        name = type(estimator).__name__ if name is None else name
        display = cls._draw(y, scores, target, sample_weight, name, ax, kwargs)
        _, predicted = responses.read_labels(estimator.predict(X), y, known, pos_label, read=target)
        threshold = tuned_threshold(estimator, target)
        label = "predict" if threshold is None else f"threshold {threshold:.3g}"
        return display._mark(target, target.to_binary(predicted), sample_weight, label)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_score: Any,
        *,
        pos_label: Any = "auto",
        chosen_threshold: float | None = None,
        sample_weight: Any = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> PrecisionRecallDisplay:
        """Draw the curve of scores toward the positive class.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels of two classes.
        y_score : array-like of shape (n_samples,)
            Scores or probabilities of the positive class.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        chosen_threshold : float, default=None
            Score from which on rows are called positive; marked when given.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        name : str, default=None
            Name of the curve.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        **kwargs : dict
            Passed to scikit-learn's `from_predictions`.

        Returns
        -------
        display : PrecisionRecallDisplay
            The display.

        Raises
        ------
        DataError
            If `y_true` has not two classes, or `y_score` not one score a row.
        ParameterError
            If `chosen_threshold` is no number.
        """
        target = read_two_classes(y_true, None, pos_label, "PrecisionRecallDisplay")
        scores = np.asarray(y_score, dtype=np.float64)
        if scores.shape != (target.n_samples,):
            raise DataError(f"y_score must have shape ({target.n_samples},), got {scores.shape}.")
        if chosen_threshold is not None and not is_number(chosen_threshold):
            raise ParameterError(f"chosen_threshold must be a number, got {chosen_threshold!r}.")
        display = cls._draw(y_true, scores, target, sample_weight, name, ax, kwargs)
        if chosen_threshold is None:
            return display
        decided = (scores >= chosen_threshold).astype(np.int64)
        return display._mark(target, decided, sample_weight, f"threshold {chosen_threshold:.3g}")

    @classmethod
    def from_cv_results(
        cls,
        cv_results: dict[str, Any],
        X: Any,
        y: Any,
        *,
        pos_label: Any = "auto",
        ax: Any = None,
        **kwargs: Any,
    ) -> PrecisionRecallDisplay:
        """Draw one curve a fold, each of rows that its estimator did not see.

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
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        **kwargs : dict
            Passed to scikit-learn's `from_cv_results`.

        Returns
        -------
        display : PrecisionRecallDisplay
            The display.
        """
        target = read_two_classes(y, None, pos_label, "PrecisionRecallDisplay")
        settings = {"plot_chance_level": True, "pos_label": target.pos_label, **kwargs}
        return super().from_cv_results(cv_results, X, plain_labels(y), ax=ax, **settings)

    @classmethod
    def _draw(
        cls,
        y: Any,
        scores: np.ndarray,
        target: Target,
        weight: Any,
        name: str | None,
        ax: Any,
        kwargs: dict[str, Any],
    ) -> PrecisionRecallDisplay:
        settings = {"plot_chance_level": True, **kwargs}
        return super().from_predictions(
            plain_labels(y),
            scores,
            pos_label=target.pos_label,
            sample_weight=weight,
            name=name,
            ax=ax,
            **settings,
        )

    def _mark(
        self, target: Target, decided: np.ndarray, weight: Any, label: str
    ) -> PrecisionRecallDisplay:
        true = target.to_binary(target.codes)
        options = {"sample_weight": weight, "zero_division": 0.0}
        recall = float(metrics.recall_score(true, decided, **options))
        precision = float(metrics.precision_score(true, decided, **options))
        self.chosen_point_ = recall, precision
        (self.chosen_mark_,) = self.ax_.plot(
            [recall], [precision], "o", color="C3", markersize=8, label=label, zorder=3
        )
        self.ax_.legend(loc="best")
        return self
