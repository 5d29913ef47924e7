"""DriftDisplay: evidence over time, a heat map of the items, distributions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._sklearn import check_matplotlib_support
from ..exceptions import DataError, ParameterError, suggest
from ._monitor import DriftMonitor
from ._report import DriftReport

_MAX_PANELS = 6
_MAX_TICKS = 8


class DriftDisplay:
    """Plot of a stream or of a report about drift.

    Use :meth:`from_monitor` or :meth:`from_report`.

    Parameters
    ----------
    kind : {"wealth", "heatmap", "distributions"}
        What is drawn.
    data : dict
        What it is drawn from.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes
        Axes of the plot.
    figure_ : matplotlib.figure.Figure
        Figure they belong to.

    See Also
    --------
    DriftMonitor : Makes what is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap import DriftDisplay, DriftMonitor
    >>> rng = np.random.default_rng(0)
    >>> monitor = DriftMonitor(random_state=0).fit(rng.normal(size=(500, 2)))
    >>> for _ in range(3):
    ...     report = monitor.update(rng.normal(size=(50, 2)))
    >>> display = DriftDisplay.from_monitor(monitor, plot=False)
    >>> display.data["row"].tolist(), display.data["log_e_values"].shape
    ([50, 100, 150], (3, 2))
    >>> sorted(DriftDisplay.from_report(report, plot=False).data)
    ['x0', 'x1']
    """

    def __init__(self, kind: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.data = data

    @classmethod
    def from_monitor(
        cls, monitor: DriftMonitor, *, kind: str = "wealth", plot: bool = True, ax: Any = None
    ) -> DriftDisplay:
        """Make the display of a stream.

        Parameters
        ----------
        monitor : DriftMonitor
            After one update or more.
        kind : {"wealth", "heatmap"}, default="wealth"
            The evidence with its threshold, or the evidence of each item over time.
        plot : bool, default=True
            False only gathers the data.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on.

        Returns
        -------
        display : DriftDisplay
            The display.

        Raises
        ------
        ParameterError
            If `kind` is unknown.
        DataError
            If the monitor has seen no row yet.
        """
        if kind not in ("wealth", "heatmap"):
            raise ParameterError(f"kind={kind!r}. {suggest(str(kind), ('wealth', 'heatmap'))}")
        check_is_fitted(monitor)
        history = monitor.history_
        if not history["row"]:
            raise DataError("there is nothing to draw: call update first.")
        times = history["time"]
        data = {
            "row": np.array(history["row"]),
            "log_e_value": np.array(history["log_e_value"]),
            "log_e_values": np.stack(history["log_e_values"]),
            "items": list(monitor.items_),
            "times": times if None not in times else None,
            "log_threshold": monitor.log_threshold_,
            "alarm_row": monitor.alarm_row_,
        }
        display = cls(kind, data)
        return display.plot(ax) if plot else display

    @classmethod
    def from_report(
        cls,
        report: DriftReport,
        *,
        items: Sequence[str] | None = None,
        plot: bool = True,
        ax: Any = None,
    ) -> DriftDisplay:
        """Make the display of distributions, reference and batch side by side.

        Parameters
        ----------
        report : DriftReport
            From `check` or `update`.
        items : list of str, default=None
            Items to draw; None takes at most six, those with the most evidence.
        plot : bool, default=True
            False only gathers the data.
        ax : array of matplotlib.axes.Axes, default=None
            One for each item.

        Returns
        -------
        display : DriftDisplay
            The display.

        Raises
        ------
        ParameterError
            If an item is unknown.
        """
        effects = report.effects
        if items is None:
            order = np.argsort(-report.log_e_values, kind="stable")
            items = [report.names[i] for i in order if report.names[i] in effects][:_MAX_PANELS]
        for item in items:
            if item not in effects:
                raise ParameterError(f"items names {item!r}. {suggest(str(item), effects)}")
        keys = ("bins", "reference_share", "batch_share")
        display = cls("distributions", {i: {k: effects[i][k] for k in keys} for i in items})
        return display.plot(ax) if plot else display

    def plot(self, ax: Any = None) -> DriftDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or array of them, default=None
            Axes to draw on; None makes a figure.

        Returns
        -------
        self : DriftDisplay
            With `axes_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ParameterError
            If there are fewer or more axes than items.
        """
        check_matplotlib_support("DriftDisplay.plot")
        import matplotlib.pyplot as plt

        n = len(self.data) if self.kind == "distributions" else 1
        if ax is None:
            n_columns = min(n, 3)
            n_rows = -(-n // n_columns)
            size = (4.2 * n_columns if n > 1 else 7, 3.2 * n_rows)
            figure, ax = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained")
            for spare in np.atleast_1d(ax).ravel()[n:]:
                figure.delaxes(spare)
            ax = np.atleast_1d(ax).ravel()[:n]
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != n:
            raise ParameterError(f"ax must hold {n} axes, got {len(axes)}.")
        if self.kind == "distributions":
            for one, (name, shares) in zip(axes, self.data.items(), strict=True):
                self._draw_shares(one, name, shares)
            axes[0].legend(frameon=False)
        elif self.kind == "wealth":
            self._draw_wealth(axes[0])
        else:
            self._draw_heat_map(axes[0])
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_wealth(self, ax: Any) -> None:
        data = self.data
        ax.plot(data["row"], data["log_e_value"], marker=".", color="C0", label="evidence")
        ax.axhline(data["log_threshold"], color="C3", linestyle="--", label="alarm from here on")
        if data["alarm_row"] is not None:
            ax.axvline(data["alarm_row"], color="0.4", linestyle=":", label="alarm")
        ax.set(xlabel="Rows of the stream", ylabel="Logarithm of the evidence")
        ax.legend(frameon=False)

    def _draw_heat_map(self, ax: Any) -> None:
        data = self.data
        limit = max(data["log_threshold"], 1.0)
        image = ax.imshow(
            np.clip(data["log_e_values"].T, 0, 2 * limit),
            aspect="auto",
            interpolation="nearest",
            cmap="magma_r",
            vmin=0,
            vmax=2 * limit,
        )
        ax.set_yticks(range(len(data["items"])), data["items"])
        n = len(data["row"])
        ticks = np.unique(np.linspace(0, n - 1, min(n, _MAX_TICKS)).round().astype(int))
        labels = data["times"] if data["times"] is not None else data["row"]
        ax.set_xticks(ticks, [str(labels[i])[:10] for i in ticks])
        ax.set_xlabel("Time" if data["times"] is not None else "Rows of the stream")
        ax.figure.colorbar(image, ax=ax, label="Logarithm of the evidence")

    def _draw_shares(self, ax: Any, name: str, shares: dict[str, Any]) -> None:
        n = len(shares["bins"])
        order = np.arange(n)
        if n > 12:  # categories: those with most rows in either
            size = np.maximum(shares["reference_share"], shares["batch_share"])
            order = np.sort(np.argsort(-size, kind="stable")[:12])
        places = np.arange(len(order))
        for key, label, offset, color in (
            ("reference_share", "reference", -0.2, "0.6"),
            ("batch_share", "now", 0.2, "C0"),
        ):
            heights = np.asarray(shares[key])[order]
            ax.bar(places + offset, heights, width=0.4, label=label, color=color)
        names = [str(shares["bins"][i]) for i in order]
        ax.set_xticks(places, names, rotation=60, ha="right", fontsize="x-small")
        ax.set(title=name, ylabel="Share of rows")
