"""Plot of a finished search."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..exceptions import ParameterError, suggest
from ._results import best_so_far
from ._trial import COMPLETED


class SearchDisplay:
    """Score by trial, with the best score so far.

    Use :meth:`from_estimator` to create one.

    Parameters
    ----------
    mean : ndarray of shape (n_trials,)
        Mean score of each trial over the splits, NaN where it failed.
    std : ndarray of shape (n_trials,)
        Standard deviation over the splits.
    metric : str
        Name of the metric.

    Attributes
    ----------
    best : ndarray of shape (n_trials,)
        Greatest mean so far.
    ax_ : matplotlib Axes
        The axes, after :meth:`plot`.
    figure_ : matplotlib Figure
        The figure, after :meth:`plot`.
    errorbar_ : matplotlib ErrorbarContainer
        Mean and standard deviation of each trial.
    line_ : matplotlib Line2D
        Best score so far.

    See Also
    --------
    TunedClassifier : Makes the search.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.tuning import SearchDisplay
    >>> display = SearchDisplay(np.array([0.6, 0.5, 0.8]), np.array([0.1, 0.1, 0.1]), "score")
    >>> display.best.tolist()
    [0.6, 0.6, 0.8]
    """

    def __init__(self, mean: Any, std: Any, metric: str) -> None:
        self.mean = np.asarray(mean, dtype=float)
        self.std = np.asarray(std, dtype=float)
        self.metric = metric
        self.best = best_so_far(self.mean)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, metric: str | None = None, ax: Any = None, **line_kw: Any
    ) -> SearchDisplay:
        """Plot the search of a fitted tuned estimator.

        Parameters
        ----------
        estimator : TunedClassifier or TunedRegressor
            Fitted estimator.
        metric : str or None, default=None
            Which of several metrics; None is the one that the search maximized.
        ax : matplotlib Axes or None, default=None
            Where to plot; None makes a new figure.
        **line_kw : dict
            Arguments for the line of the best score so far.

        Returns
        -------
        display : SearchDisplay
            The plot.

        Raises
        ------
        ParameterError
            The search has no such metric.
        """
        check_is_fitted(estimator, "cv_results_")
        table = estimator.cv_results_
        head = "mean_test_"
        known = [key.removeprefix(head) for key in table if key.startswith(head)]
        name = estimator._metric if metric is None else metric
        if name not in known:
            raise ParameterError(f"metric={name!r} was not scored. " + suggest(name, known))
        finished = table["state"] == COMPLETED
        mean = np.where(finished, table[f"mean_test_{name}"], np.nan)
        return cls(mean, table[f"std_test_{name}"], name).plot(ax=ax, **line_kw)

    def plot(self, *, ax: Any = None, **line_kw: Any) -> SearchDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to plot; None makes a new figure.
        **line_kw : dict
            Arguments for the line of the best score so far.

        Returns
        -------
        display : SearchDisplay
            This display.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        trials = np.arange(len(self.mean))
        self.errorbar_ = ax.errorbar(
            trials, self.mean, self.std, fmt="o", color="C0", alpha=0.6, label="trial (mean, sd)"
        )
        style = {"color": "C1", "label": "best so far", "where": "post", **line_kw}
        (self.line_,) = ax.step(trials, self.best, **style)
        failed = np.flatnonzero(np.isnan(self.mean))
        if len(failed):
            floor = ax.get_ylim()[0]
            ax.plot(failed, np.full(len(failed), floor), "kx", clip_on=False, label="failed")
        ax.set(xlabel="Trial", ylabel=self.metric)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
