"""FitDisplay: a plot of the losses by epoch and of the learning curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._sklearn import check_matplotlib_support
from ..exceptions import DataError
from ._diagnose import diagnose
from ._diagnosis import FitDiagnosis


class FitDisplay:
    """Plot of a training: loss by epoch with the best epoch and the gap, and the learning curve.

    Use :meth:`from_estimator`, :meth:`from_history` or :meth:`from_diagnosis`.

    Parameters
    ----------
    diagnosis : FitDiagnosis
        What was judged; its verdict is the title.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes
        The loss by epoch, then the learning curve where there is one.
    figure_ : matplotlib.figure.Figure
        Figure they belong to.
    best_epoch_ : int or None
        Epoch of the lowest validation loss, counted from 1.

    See Also
    --------
    diagnose : Makes the diagnosis.
    sklearn.model_selection.LearningCurveDisplay : Learning curve of any estimator.

    Examples
    --------
    >>> from skopt_wrap.diagnostics import FitDisplay
    >>> history = {"loss": [0.7, 0.4, 0.2, 0.1, 0.1], "val_loss": [0.7, 0.5, 0.6, 0.8, 1.0]}
    >>> FitDisplay.from_history(history, plot=False).diagnosis.verdict
    'overfitting'
    """

    def __init__(self, diagnosis: FitDiagnosis) -> None:
        self.diagnosis = diagnosis

    @classmethod
    def from_history(cls, history: Any, *, plot: bool = True, ax: Any = None) -> FitDisplay:
        """Make the display of a history.

        Parameters
        ----------
        history : mapping or keras.callbacks.History
            With "loss" and, if any, "val_loss".
        plot : bool, default=True
            False only judges.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.

        Returns
        -------
        display : FitDisplay
            The display.
        """
        return cls.from_diagnosis(diagnose(history), plot=plot, ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        plot: bool = True,
        ax: Any = None,
        **params: Any,
    ) -> FitDisplay:
        """Make the display of an estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted Keras estimator or pipeline, or not fitted with data.
        X, y : array-like, default=None
            Rows and target; with them a learning curve is drawn as well.
        plot : bool, default=True
            False only judges.
        ax : matplotlib.axes.Axes or array of two of them, default=None
            Axes to draw on.
        **params : dict
            Further arguments of :func:`diagnose`.

        Returns
        -------
        display : FitDisplay
            The display.
        """
        return cls.from_diagnosis(diagnose(estimator, X, y, **params), plot=plot, ax=ax)

    @classmethod
    def from_diagnosis(
        cls, diagnosis: FitDiagnosis, *, plot: bool = True, ax: Any = None
    ) -> FitDisplay:
        """Make the display of a diagnosis.

        Parameters
        ----------
        diagnosis : FitDiagnosis
            From :func:`diagnose`.
        plot : bool, default=True
            False only keeps it.
        ax : matplotlib.axes.Axes or array of two of them, default=None
            Axes to draw on.

        Returns
        -------
        display : FitDisplay
            The display.
        """
        display = cls(diagnosis)
        return display.plot(ax) if plot else display

    def plot(self, ax: Any = None) -> FitDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of two of them, default=None
            Axes to draw on; one for the loss by epoch, two to add the learning curve. None makes a
            figure with what there is.

        Returns
        -------
        self : FitDisplay
            With `axes_`, `figure_` and `best_epoch_`.

        Raises
        ------
        DataError
            If there is neither a history nor a learning curve, or two axes and no curve.
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib_support("FitDisplay.plot")
        import matplotlib.pyplot as plt

        panels = []
        if self.diagnosis.history:
            panels.append(self._draw_history)
        if self.diagnosis.learning_curve:
            panels.append(self._draw_curve)
        if not panels:
            raise DataError("there is nothing to draw: no history, and no learning curve.")
        if ax is None:
            _, ax = plt.subplots(
                1, len(panels), figsize=(5.5 * len(panels), 4), layout="constrained"
            )
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) > len(panels):
            raise DataError(f"{len(axes)} axes were given for {len(panels)} panels.")
        self.best_epoch_: int | None = None
        for draw, one in zip(panels, axes, strict=False):
            draw(one)
        axes[0].set_title(f"verdict: {self.diagnosis.verdict}")
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_history(self, ax: Any) -> None:
        history = self.diagnosis.history
        epochs = np.arange(1, len(history["loss"]) + 1)
        ax.plot(epochs, history["loss"], color="C0", label="training")
        val = np.asarray(history.get("val_loss", ()), dtype=np.float64)
        if len(val) == len(epochs):
            ax.plot(epochs, val, color="C1", linestyle="--", label="validation")
            if np.isfinite(val).any():
                self.best_epoch_ = int(np.nanargmin(val)) + 1
                ax.axvline(
                    self.best_epoch_,
                    color="0.4",
                    linewidth=1,
                    linestyle=":",
                    label=f"best epoch {self.best_epoch_}",
                )
            ax.fill_between(epochs, history["loss"], val, color="C1", alpha=0.15, label="gap")
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.legend(frameon=False)

    def _draw_curve(self, ax: Any) -> None:
        curve = self.diagnosis.learning_curve
        for name, color, style in (("train", "C0", "-"), ("validation", "C1", "--")):
            mean, std = curve[name].mean(axis=1), curve[name].std(axis=1)
            label = "training" if name == "train" else name
            ax.plot(curve["n_rows"], mean, style, marker="o", color=color, label=label)
            ax.fill_between(curve["n_rows"], mean - std, mean + std, color=color, alpha=0.15)
        dummy = self.diagnosis.scores.get("dummy")
        if dummy is not None:
            ax.axhline(
                float(dummy.mean()), color="0.6", linewidth=1, linestyle=":", label="ignoring X"
            )
        title = self.diagnosis.scoring.replace("_", " ").capitalize()
        ax.set(xlabel="Training rows", ylabel=title, title="learning curve")
        ax.legend(frameon=False)
