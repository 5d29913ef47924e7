"""Plots of a finished search."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._sklearn import check_matplotlib_support
from ..exceptions import DataError, ParameterError, suggest
from . import _plots
from ._importances import importances, scales_of
from ._results import best_so_far, finished_means

KINDS = ("history", "importances", "slices", "parallel", "pareto", "curves")
_COLUMNS = 3  # of panels


class SearchDisplay:
    """Plots of a search: scores by trial, parameters, objectives, training curves.

    Use :meth:`from_estimator` to create one.

    Parameters
    ----------
    mean : ndarray of shape (n_trials,)
        Mean score of each trial over the splits, NaN where it was not completed.
    std : ndarray of shape (n_trials,)
        Standard deviation over the splits.
    metric : str
        Name of the metric.
    params : list of dict, default=()
        Parameters of each trial.
    objectives : dict of str to ndarray of shape (n_trials,), default=None
        Values of several objectives.
    on_front : ndarray of int, default=()
        Trials on the Pareto front.
    histories : list of dict, default=()
        Training histories of the best trial, one for each split.
    scales : dict of str to {"linear", "log"}, default=None
        Scales of parameters; of others the values decide.

    Attributes
    ----------
    best : ndarray of shape (n_trials,)
        Greatest mean so far.
    ax_ : matplotlib Axes
        The (first) axes, after :meth:`plot`.
    axes_ : ndarray of matplotlib Axes
        All axes.
    figure_ : matplotlib Figure
        The figure.
    errorbar_, line_ : matplotlib ErrorbarContainer and Line2D
        ``kind="history"``: mean and standard deviation of each trial, and best score so far.
    importances_, bars_ : dict of str to float and matplotlib BarContainer
        ``kind="importances"``.
    points_ : list of matplotlib PathCollection
        ``kind="slices"`` and ``"pareto"``, one for each panel.
    lines_ : matplotlib LineCollection or list of Line2D
        ``kind="parallel"``, ``"pareto"`` (the front) and ``"curves"``.

    See Also
    --------
    TunedClassifier : Makes the search.
    parameter_importances : The numbers behind ``kind="importances"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.tuning import SearchDisplay
    >>> display = SearchDisplay(np.array([0.6, 0.5, 0.8]), np.array([0.1, 0.1, 0.1]), "score")
    >>> display.best.tolist()
    [0.6, 0.6, 0.8]
    """

    def __init__(
        self,
        mean: Any,
        std: Any,
        metric: str,
        *,
        params: Sequence[Mapping[str, Any]] = (),
        objectives: Mapping[str, Any] | None = None,
        on_front: Any = (),
        histories: Sequence[Mapping[str, Any]] = (),
        scales: Mapping[str, str] | None = None,
    ) -> None:
        self.mean = np.asarray(mean, dtype=float)
        self.std = np.asarray(std, dtype=float)
        self.metric = metric
        self.params = params
        self.objectives = {} if objectives is None else objectives
        self.on_front = np.asarray(on_front, dtype=int)
        self.histories = histories
        self.scales = {} if scales is None else scales
        self.best = best_so_far(self.mean)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        kind: str = "history",
        metric: str | None = None,
        names: Sequence[str] | None = None,
        evaluator: Any = "fanova",
        ax: Any = None,
        **kwargs: Any,
    ) -> SearchDisplay:
        """Plot the search of a fitted tuned estimator.

        Parameters
        ----------
        estimator : TunedClassifier or TunedRegressor
            Fitted estimator.
        kind : str, default="history"
            "history": score by trial with the best so far; "importances": what the score depends
            on (:func:`parameter_importances`); "slices": score against each parameter, later
            trials darker; "parallel": all parameters of all trials; "pareto": several objectives
            against each other with the Pareto front; "curves": training curves of the best trial,
            one for each split.
        metric : str or None, default=None
            Which of several metrics; None is the one that the search maximized. For "curves" the
            name of a history, such as "accuracy"; None is the loss.
        names : sequence of str or None, default=None
            Parameters of "slices" and "parallel", or objectives of "pareto"; None is all of them,
            parameters with a single value left out.
        evaluator : str or Optuna importance evaluator, default="fanova"
            For "importances".
        ax : matplotlib Axes, array of Axes or None, default=None
            Where to plot; None makes a new figure. "slices" takes an axes for each parameter,
            "pareto" one for each pair of objectives.
        **kwargs : dict
            Arguments for the lines, bars or points.

        Returns
        -------
        display : SearchDisplay
            The plot.

        Raises
        ------
        ParameterError
            Unknown kind, metric or name.
        DataError
            There is nothing to draw.
        """
        check_is_fitted(estimator, "cv_results_")
        table, head = estimator.cv_results_, "objective_"
        name, mean = finished_means(estimator, None if kind == "curves" else metric)
        display = cls(
            mean,
            table[f"std_test_{name}"],
            name,
            params=table["params"],
            objectives={k.removeprefix(head): v for k, v in table.items() if k.startswith(head)},
            on_front=getattr(estimator, "pareto_front_", {}).get("index", ()),
            histories=_histories(estimator),
            scales=scales_of(estimator.space_),
        )
        value = metric if kind == "curves" else None
        return display.plot(
            kind=kind, names=names, evaluator=evaluator, value=value, ax=ax, **kwargs
        )

    def plot(
        self,
        *,
        kind: str = "history",
        names: Sequence[str] | None = None,
        evaluator: Any = "fanova",
        value: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> SearchDisplay:
        """Draw.

        Parameters
        ----------
        kind : str, default="history"
            See :meth:`from_estimator`; so for what is not described here.
        names : sequence of str or None, default=None
            Parameters or objectives.
        evaluator : str or Optuna importance evaluator, default="fanova"
            For "importances".
        value : str or None, default=None
            For "curves", the name of a history; None is the loss.
        ax : matplotlib Axes, array of Axes or None, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Arguments for the lines, bars or points.

        Returns
        -------
        display : SearchDisplay
            This display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib_support("SearchDisplay.plot")
        if kind not in KINDS:
            raise ParameterError(f"kind={kind!r} is unknown. {suggest(str(kind), KINDS)}")
        if kind == "history":
            axes = _axes(ax, 1, (6.4, 4.0))
            self.errorbar_, self.line_ = _plots.draw_history(
                axes[0], self.mean, self.std, self.best, self.metric, kwargs
            )
        elif kind == "importances":
            self.importances_ = importances(
                [dict(row) for row in self.params],
                self.mean,
                self.metric,
                evaluator,
                scales=self.scales,
            )
            axes = _axes(ax, 1, (6.4, 1.2 + 0.4 * len(self.importances_)))
            self.bars_ = _plots.draw_importances(axes[0], self.importances_, self.metric, kwargs)
        elif kind == "slices":
            axes = self._slices(self._parameters(names), ax, kwargs)
        elif kind == "parallel":
            chosen = self._parameters(names)
            axes = _axes(ax, 1, (2.5 + 1.5 * len(chosen), 4.5))
            self.lines_ = _plots.draw_parallel(axes[0], chosen, self.mean, self.metric, kwargs)
        elif kind == "pareto":
            axes = self._pareto(names, ax, kwargs)
        else:
            axes = self._curves("loss" if value is None else value, ax, kwargs)
        self.axes_, self.ax_, self.figure_ = axes, axes[0], axes[0].figure
        return self

    def _parameters(self, names: Sequence[str] | None) -> list[_plots.ParameterAxis]:
        """Return the parameters to draw."""
        known = list(dict.fromkeys(name for row in self.params for name in row))
        for name in () if names is None else names:
            if name not in known:
                raise ParameterError(f"names: {name!r} was not searched. {suggest(name, known)}")
        if not np.isfinite(self.mean).any():
            raise DataError("no trial was completed: there is nothing to draw.")
        axes = [
            _plots.parameter_axis(name, self.params, self.scales.get(name))
            for name in names or known
        ]
        several = [axis for axis in axes if len(set(axis.positions[~np.isnan(axis.positions)])) > 1]
        if names is None:
            axes = several
        if not axes:
            raise DataError("no parameter has several values: there is nothing to draw.")
        return axes

    def _slices(
        self, chosen: list[_plots.ParameterAxis], ax: Any, style: Mapping[str, Any]
    ) -> np.ndarray:
        axes = _axes(ax, len(chosen), (3.2, 2.9))
        self.points_ = [
            _plots.draw_slice(panel, axis, self.mean, style)
            for panel, axis in zip(axes, chosen, strict=True)
        ]
        for i, panel in enumerate(axes):
            if i % _COLUMNS == 0:
                panel.set_ylabel(self.metric)
        return axes

    def _pareto(self, names: Sequence[str] | None, ax: Any, style: Mapping[str, Any]) -> np.ndarray:
        if len(self.objectives) < 2:
            raise DataError(
                "the search had one objective: there is no Pareto front. Search with "
                'objectives=["score", "parameters"].'
            )
        chosen = list(self.objectives) if names is None else list(names)
        for name in chosen:
            if name not in self.objectives:
                raise ParameterError(
                    f"names: {name!r} is no objective. {suggest(name, self.objectives)}"
                )
        # Cost to the right, score upwards.
        pairs = [(b, a) for a, b in itertools.combinations(chosen, 2)]
        axes = _axes(ax, len(pairs), (5.0, 4.0))
        drawn = [
            _plots.draw_pareto(
                panel, [(name, self.objectives[name]) for name in pair], self.on_front, style
            )
            for panel, pair in zip(axes, pairs, strict=True)
        ]
        self.points_, self.lines_ = [p for p, _ in drawn], [line for _, line in drawn]
        return axes

    def _curves(self, value: str, ax: Any, style: Mapping[str, Any]) -> np.ndarray:
        known = {name for history in self.histories for name in history} - {"epoch"}
        if not known:
            raise DataError("the best candidate keeps no training history.")
        if value not in known:
            raise ParameterError(f"metric={value!r} is no history. {suggest(value, known)}")
        axes = _axes(ax, 1, (6.4, 4.0))
        self.lines_ = _plots.draw_curves(axes[0], self.histories, value, style)
        return axes


def _histories(estimator: Any) -> list[Mapping[str, Any]]:
    """Return the histories of the best trial, or that of the best estimator."""
    best = getattr(estimator, "best_index_", None)
    kept = [] if best is None else getattr(estimator.trials_[best], "histories", [])
    kept = [history for history in kept if history]
    if not kept and getattr(estimator, "history_", None):
        kept = [estimator.history_]
    return kept


def _axes(ax: Any, n_panels: int, size: tuple[float, float]) -> np.ndarray:
    """Return as many axes as there are panels: those given, or new ones."""
    import matplotlib.pyplot as plt

    if ax is not None:
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n_panels:
            raise ParameterError(f"ax holds {len(axes)} axes; the plot has {n_panels} panels.")
        return axes
    columns = min(n_panels, _COLUMNS)
    rows = -(-n_panels // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(size[0] * columns, size[1] * rows),
        squeeze=False,
        sharey=False,
        layout="constrained",
    )
    for spare in grid.ravel()[n_panels:]:
        figure.delaxes(spare)
    return grid.ravel()[:n_panels]
