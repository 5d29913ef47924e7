"""CalibrationDisplay: scikit-learn's calibration curve, for a rare class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import calibration

from .. import _responses as responses
from .._metrics._calibration import expected_calibration_error
from .._targets import Target, read_target
from ._two_class_targets import (
    plain_labels,
    pool_two_classes,
    read_two_classes,
    stated_probabilities,
)

__all__ = ["CalibrationDisplay"]


def _read(y: Any, known: Any, pos_label: Any) -> Target:
    """Return a target of two or more classes, one a row."""
    target = read_target(y, known, pos_label)
    if target.kind == "multiclass" and (target.counts > 0).sum() > 1:
        return target
    return read_two_classes(y, known, pos_label, "CalibrationDisplay")


class CalibrationDisplay(calibration.CalibrationDisplay):
    """Observed frequency against stated probability of the rare class, with the prevalence.

    scikit-learn's display, with three differences: the positive class is the rarer one unless you
    say otherwise; bins hold equally many rows, because with a rare class nearly all of them fall
    into the first of bins of equal width; and the legend states the expected calibration error.
    With more than two classes the curve is that of the class predicted: how often it is right,
    against the probability given to it. The bins are those of :func:`imbalance_report`.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_cv_results`. The parameters
    are those of :class:`sklearn.calibration.CalibrationDisplay`.

    Attributes
    ----------
    expected_calibration_error_ : float
        Of the rows shown, with 15 bins of equal width, as the report states it; see
        :func:`expected_calibration_error`.
    prevalence_ : float
        Share of the positive class; with more than two classes, of right predictions.

    See Also
    --------
    skopt_wrap.losses.PriorCorrectedClassifier : Mends probabilities after resampling.
    sklearn.calibration.CalibratedClassifierCV : Mends any probabilities.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from skopt_wrap.scoring import CalibrationDisplay
    >>> display = CalibrationDisplay.from_predictions([0, 0, 0, 1], [0.1, 0.1, 0.6, 0.6], n_bins=2)
    >>> display.prob_true.round(2), round(display.expected_calibration_error_, 2)
    (array([0. , 0.5]), 0.1)
    """

    expected_calibration_error_: float
    prevalence_: float

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        pos_label: Any = "auto",
        n_bins: int = 10,
        strategy: str = "quantile",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> CalibrationDisplay:
        """Draw the curve of a fitted binary classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier with `predict_proba`.
        X : array-like of shape (n_samples, ...)
            Rows to predict.
        y : array-like of shape (n_samples,)
            True labels of two or more classes.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        n_bins : int, default=10
            Number of bins.
        strategy : {"quantile", "uniform"}, default="quantile"
            Whether bins have equally many rows or equal width.
        name : str, default=None
            Name of the curve; None takes the estimator's class.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        **kwargs : dict
            Passed to scikit-learn's `from_predictions`.

        Returns
        -------
        display : CalibrationDisplay
            The display.

        Raises
        ------
        DataError
            If `y` has one class or several labels, or the estimator has no probabilities.
        """
        responses.check_fitted(estimator)
        target = _read(y, responses.known_classes(estimator), pos_label)
        stated = responses.read_probabilities(estimator, X, target, "CalibrationDisplay")
        name = type(estimator).__name__ if name is None else name
        bins = {"n_bins": n_bins, "strategy": strategy}
        return cls._draw(y, stated, target, name, ax, {**bins, **kwargs})

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_prob: Any,
        *,
        pos_label: Any = "auto",
        n_bins: int = 10,
        strategy: str = "quantile",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> CalibrationDisplay:
        """Draw the curve of probabilities of the positive class.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels of two or more classes.
        y_prob : array-like of shape (n_samples,) or (n_samples, n_classes)
            Probabilities of the positive class, or of all classes in sorted order.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        n_bins : int, default=10
            Number of bins.
        strategy : {"quantile", "uniform"}, default="quantile"
            Whether bins have equally many rows or equal width.
        name : str, default=None
            Name of the curve.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.
        **kwargs : dict
            Passed to scikit-learn's `from_predictions`.

        Returns
        -------
        display : CalibrationDisplay
            The display.

        Raises
        ------
        DataError
            If `y_true` has one class or several labels, or `y_prob` are no probabilities.
        """
        if np.ndim(y_prob) == 1:
            target = read_two_classes(y_true, None, pos_label, "CalibrationDisplay")
        else:
            target = _read(y_true, None, pos_label)
        stated = stated_probabilities(target, np.asarray(y_prob, dtype=np.float64))
        bins = {"n_bins": n_bins, "strategy": strategy}
        return cls._draw(y_true, stated, target, name, ax, {**bins, **kwargs})

    @classmethod
    def from_cv_results(
        cls, cv_results: dict[str, Any], X: Any, y: Any, *, pos_label: Any = "auto", **kwargs: Any
    ) -> CalibrationDisplay:
        """Draw one curve of all rows held out, each predicted by an estimator that did not see it.

        Parameters
        ----------
        cv_results : dict
            From ``cross_validate(..., return_estimator=True, return_indices=True)``.
        X : array-like of shape (n_samples, ...)
            What was cross-validated.
        y : array-like of shape (n_samples,)
            True labels of two or more classes.
        pos_label : object, default="auto"
            Positive class; "auto" takes the class with fewer rows.
        **kwargs : dict
            Further arguments of :meth:`from_predictions`.

        Returns
        -------
        display : CalibrationDisplay
            The display.
        """
        held, chosen, positive = pool_two_classes(cv_results, X, y, pos_label, "CalibrationDisplay")
        return cls.from_predictions(held, chosen, pos_label=positive, **kwargs)

    @classmethod
    def _draw(
        cls,
        y: Any,
        stated: np.ndarray,
        target: Target,
        name: str | None,
        ax: Any,
        kwargs: dict[str, Any],
    ) -> CalibrationDisplay:
        if target.kind == "binary":
            true = target.to_binary(target.codes)
            chosen = stated[:, target.pos_index].astype(np.float64)
            shown, pos_label = plain_labels(y), target.pos_label
        else:
            true = (stated.argmax(axis=1) == target.codes).astype(np.int64)
            chosen, shown, pos_label = stated.max(axis=1).astype(np.float64), true, 1
        error = expected_calibration_error(true, np.clip(chosen, 0, 1))
        label = f"{name} (ECE = {error:.3f})" if name else f"ECE = {error:.3f}"
        display = super().from_predictions(
            shown, chosen, pos_label=pos_label, name=label, ax=ax, **kwargs
        )
        if target.kind == "multiclass":
            display.ax_.set(
                xlabel="Mean probability of the class predicted",
                ylabel="Share of right predictions",
            )
        display.expected_calibration_error_ = float(error)
        display.prevalence_ = float(true.mean())
        style = {"color": "0.6", "linewidth": 1, "linestyle": (0, (1, 2))}
        what = "prevalence" if target.kind == "binary" else "accuracy"
        display.ax_.axhline(display.prevalence_, label=f"{what} {display.prevalence_:.3g}", **style)
        display.ax_.legend(loc="best")
        return display
