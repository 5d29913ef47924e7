"""Plots of score against size or latency: one point for a stage, or for a candidate."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from .._pareto import pareto_front
from ..exceptions import ParameterError
from ._report import CompressionReport

# Field of a stage, column of a search, factor, label.
_AXES = {
    "bytes": ("bytes", "mean_size", 1e-3, "size of the file, kB"),
    "gzip_bytes": ("gzip_bytes", "mean_gzip_size", 1e-3, "size of the file after gzip, kB"),
    "latency": ("latency_p50", "mean_latency", 1e3, "latency of one row, ms (median)"),
}


def _short(params: dict[str, Any]) -> str:
    """Return the values of `params` as a label; quantization by its name alone."""
    words = []
    for name, value in params.items():
        if name == "quantization":
            words.append("float32" if value is None else str(getattr(value, "mode", value)))
        elif value is not None and value is not False:
            words.append(name if value is True else f"{name} {_told(value)}")
    return ", ".join(words)


def _told(value: Any) -> str:
    """Return `value` as text; of a value object, what differs from its defaults."""
    if not is_dataclass(value):
        return str(value)
    words = []
    for item in fields(value):
        given = getattr(value, item.name)
        if given != item.default:
            words.append(item.name if given is True else str(given))
    return " ".join(words)


class CompressionDisplay:
    """Plot of score against size or latency: the stages of a chain, or candidates of a search.

    Use :meth:`from_estimator` or :meth:`from_report`.

    Parameters
    ----------
    report : CompressionReport, default=None
        What the stages did.
    search : CompressionSearch, default=None
        Fitted search, instead of a report.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes that were drawn on.
    figure_ : matplotlib.figure.Figure
        Figure they belong to.

    See Also
    --------
    CompressedModel : Has the report as ``report_``.
    CompressionSearch : Compares chains.
    """

    def __init__(self, report: CompressionReport | None = None, search: Any = None) -> None:
        if (report is None) == (search is None):
            raise ParameterError("give a report or a search.")
        self.report = report
        self.search = search

    def plot(self, *, against: str = "bytes", ax: Any = None) -> CompressionDisplay:
        """Draw the stages, or the candidates and their Pareto front.

        Parameters
        ----------
        against : {"bytes", "gzip_bytes", "latency"}, default="bytes"
            Horizontal axis.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CompressionDisplay
            This object.
        """
        if against not in _AXES:
            raise ParameterError(f"against must be one of {tuple(_AXES)}, got {against!r}.")
        points = self._stages(against) if self.report is not None else self._candidates(against)
        if not points:
            raise ParameterError("the report holds no score to draw.")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

        if ax is None:
            _, ax = plt.subplots()
        xs, ys, names, lined = (list(column) for column in zip(*points, strict=True))
        line = [(x, y) for x, y, joined in zip(xs, ys, lined, strict=True) if joined]
        if self.report is None:
            line = sorted(line)
        ax.plot(*zip(*line, strict=True), color="0.7", zorder=1)
        ax.scatter(xs, ys, c=["C0" if joined else "0.6" for joined in lined], zorder=2)
        for i, (x, y, name) in enumerate(zip(xs, ys, names, strict=True)):
            # Away from the nearest point: stages before quantization are nearly of one size.
            others = [(abs(np.log(x / xs[k])), k) for k in range(len(xs)) if k != i]
            near = min(others)[1] if others else i
            below = y < ys[near] or (y == ys[near] and i > near)
            offset, side = ((0, -7), "top") if below else ((0, 7), "bottom")
            ax.annotate(
                name, (x, y), offset, textcoords="offset points", ha="center", va=side, fontsize=8
            )
        ax.set(xscale="log", xlabel=_AXES[against][3], ylabel=self._score_label())
        ax.margins(0.2, 0.25)
        # Sizes often span less than a power of ten, where a log axis labels its minor ticks.
        steps: tuple[float, ...] = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
        if max(xs) > 5 * min(xs):
            steps = (1.0, 2.0, 5.0) if max(xs) < 200 * min(xs) else (1.0,)
        ax.xaxis.set_major_locator(LogLocator(subs=steps))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _stages(self, against: str) -> list[tuple[float, float, str, bool]]:
        """Return x, y, name, and whether the line goes through, of each stage."""
        assert self.report is not None
        name, _, factor, _ = _AXES[against]
        return [
            (getattr(row, name) * factor, row.score, row.stage, True)
            for row in self.report.rows
            if row.score is not None
        ]

    def _candidates(self, against: str) -> list[tuple[float, float, str, bool]]:
        """Return x, y, name, and whether it is on the front in this plane, of each candidate."""
        table = self.search.cv_results_
        _, column, factor, _ = _AXES[against]
        costs = np.column_stack([-table["mean_test_score"], table[column]])
        front = pareto_front(costs)
        return [
            (cost * factor, -minus, _short(params), bool(joined))
            for (minus, cost), params, joined in zip(costs, table["params"], front, strict=True)
            if not np.isnan(minus)
        ]

    def _score_label(self) -> str:
        if self.report is not None:
            return f"{self.report.metric}, {self.report.scored_on}"
        metric = self.search.best_estimator_.report_.metric
        label = f"{metric}, mean of {self.search.n_splits_} folds"
        held_out = self.search.scored_on_ == "held-out rows"
        return label if held_out else f"{label}\n({self.search.scored_on_})"

    @classmethod
    def from_report(
        cls, report: CompressionReport, *, against: str = "bytes", ax: Any = None
    ) -> CompressionDisplay:
        """Draw a report.

        Parameters
        ----------
        report : CompressionReport
            What the stages did.
        against : {"bytes", "gzip_bytes", "latency"}, default="bytes"
            Horizontal axis.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CompressionDisplay
            What was drawn.
        """
        return cls(report).plot(against=against, ax=ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, against: str = "bytes", ax: Any = None
    ) -> CompressionDisplay:
        """Draw the report of a fitted model.

        Parameters
        ----------
        estimator : CompressedModel or CompressionSearch
            Fitted.
        against : {"bytes", "gzip_bytes", "latency"}, default="bytes"
            Horizontal axis.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        display : CompressionDisplay
            What was drawn.
        """
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
        if hasattr(estimator, "cv_results_"):
            return cls(search=estimator).plot(against=against, ax=ax)
        return cls(estimator.report_).plot(against=against, ax=ax)
