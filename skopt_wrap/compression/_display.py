"""Score against size or latency, one point a stage."""

from __future__ import annotations

from typing import Any

from ..exceptions import ParameterError
from ._report import CompressionReport

_AXES = {
    "bytes": ("bytes", 1e-3, "size of the file, kB"),
    "gzip_bytes": ("gzip_bytes", 1e-3, "size of the file after gzip, kB"),
    "latency": ("latency_p50", 1e3, "latency of one row, ms (median)"),
}


class CompressionDisplay:
    """Plot of score against size or latency, one point for each stage.

    Use :meth:`from_estimator` or :meth:`from_report`.

    Parameters
    ----------
    report : CompressionReport
        What the stages did.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes that were drawn on.
    figure_ : matplotlib.figure.Figure
        Figure they belong to.

    See Also
    --------
    CompressedModel : Has the report as ``report_``.
    """

    def __init__(self, report: CompressionReport) -> None:
        self.report = report

    def plot(self, *, against: str = "bytes", ax: Any = None) -> CompressionDisplay:
        """Draw the stages.

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
        rows = [row for row in self.report.rows if row.score is not None]
        if not rows:
            raise ParameterError("the report holds no score to draw.")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

        if ax is None:
            _, ax = plt.subplots()
        name, factor, label = _AXES[against]
        xs = [getattr(row, name) * factor for row in rows]
        ys = [row.score for row in rows]
        ax.plot(xs, ys, color="0.7", zorder=1)
        ax.scatter(xs, ys, zorder=2)
        for i, (x, y, row) in enumerate(zip(xs, ys, rows, strict=True)):
            # Above and below in turn: stages before quantization are nearly of one size.
            offset, side = ((0, 7), "bottom") if i % 2 == 0 else ((0, -7), "top")
            ax.annotate(row.stage, (x, y), offset, textcoords="offset points", ha="center", va=side)
        ax.set(xscale="log", xlabel=label, ylabel=f"{self.report.metric}, {self.report.scored_on}")
        ax.margins(0.15, 0.25)
        # Sizes often span less than a power of ten, where a log axis labels its minor ticks.
        steps = (
            (1.0, 2.0, 5.0) if max(xs) > 5 * min(xs) else (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
        )
        ax.xaxis.set_major_locator(LogLocator(subs=steps))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        self.ax_, self.figure_ = ax, ax.figure
        return self

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
        estimator : CompressedModel
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
        return cls(estimator.report_).plot(against=against, ax=ax)
