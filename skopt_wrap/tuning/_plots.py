"""Drawing of a search: axes of parameters, and one function for each kind of plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._importances import is_logarithmic, is_numeric

_WIDTH = 16  # characters of a line of a label
_MARKED = 5  # numbers that are all marked on an axis
_CATEGORY = 18  # characters of a category


@dataclass(frozen=True)
class ParameterAxis:
    """Values of one parameter as positions on an axis.

    Parameters
    ----------
    name : str
        Name of the parameter.
    kind : {"linear", "log", "categorical"}
        Scale.
    positions : ndarray of shape (n_trials,)
        Values, or numbers of categories; NaN for a trial without the parameter.
    categories : list of str
        Names of the categories.
    """

    name: str
    kind: str
    positions: np.ndarray
    categories: list[str]

    @property
    def unit(self) -> np.ndarray:
        """Positions scaled to [0, 1]."""
        values = np.log(self.positions) if self.kind == "log" else self.positions
        low, high = self._ends(values)
        return (values - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Return heights in [0, 1] with their labels."""
        if self.kind == "categorical":
            low, high = self._ends(self.positions)
            return [((i - low) / (high - low), text) for i, text in enumerate(self.categories)]
        few = self.few()
        if few is not None:
            heights = dict(zip(self.positions, self.unit, strict=True))
            return [(heights[value], f"{value:.3g}") for value in few]
        low, high = np.nanmin(self.positions), np.nanmax(self.positions)
        middle = np.sqrt(low * high) if self.kind == "log" else (low + high) / 2
        return [(0.0, f"{low:.3g}"), (0.5, f"{middle:.3g}"), (1.0, f"{high:.3g}")]

    def few(self) -> np.ndarray | None:
        """Return the distinct numbers, where there are few enough to mark each."""
        values = np.unique(self.positions[~np.isnan(self.positions)])
        return values if len(values) <= _MARKED else None

    def _ends(self, values: np.ndarray) -> tuple[float, float]:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if self.kind == "categorical":
            low, high = 0.0, float(len(self.categories) - 1)
        return (low - 0.5, high + 0.5) if low == high else (low, high)


def parameter_axis(
    name: str, params: Sequence[Mapping[str, Any]], scale: str | None = None
) -> ParameterAxis:
    """Return the values of a parameter as positions on an axis.

    Examples
    --------
    >>> from skopt_wrap.tuning._plots import parameter_axis
    >>> parameter_axis("rate", [{"rate": 1e-4}, {"rate": 0.1}, {}]).kind
    'log'
    >>> axis = parameter_axis("l2", [{"l2": None}, {"l2": 0.1}, {"l2": None}])
    >>> axis.positions.tolist(), axis.categories
    ([1.0, 0.0, 1.0], ['0.1', 'None'])
    """
    present = [row[name] for row in params if name in row]
    if present and is_numeric(present):
        positions = np.array([float(row.get(name, np.nan)) for row in params])
        kind = "log" if is_logarithmic(present, scale) else "linear"
        return ParameterAxis(name, kind, positions, [])
    texts = [_text(row[name]) if name in row else None for row in params]
    order = sorted({text for text in texts if text is not None})
    positions = np.array([np.nan if text is None else float(order.index(text)) for text in texts])
    return ParameterAxis(name, "categorical", positions, [_short(text) for text in order])


def _text(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _short(text: str) -> str:
    text = text.strip("'\"").replace("\n", " ")
    return text if len(text) <= _CATEGORY else text[: _CATEGORY - 1] + "…"


def wrap(name: str) -> str:
    """Return a parameter's name on several lines, broken before ``__`` and ``_``.

    Examples
    --------
    >>> from skopt_wrap.tuning._plots import wrap
    >>> wrap("learning_rate_schedule__warmup").splitlines()
    ['learning_rate', '_schedule', '__warmup']
    >>> wrap("model__units")
    'model__units'
    """
    pieces: list[str] = []
    for i, part in enumerate(name.split("__")):
        words = part.split("_")
        pieces.append(("__" if i else "") + words[0])
        pieces += [f"_{word}" for word in words[1:]]
    lines = [""]
    for piece in pieces:
        new_part = piece.startswith("__") and len(name) > _WIDTH
        if lines[-1] and (new_part or len(lines[-1]) + len(piece) > _WIDTH):
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def draw_history(ax: Any, mean: Any, std: Any, best: Any, metric: str, style: Any) -> Any:
    """Draw scores by trial with the best so far; return error bars and line."""
    trials = np.arange(len(mean))
    bars = ax.errorbar(trials, mean, std, fmt="o", color="C0", alpha=0.6, label="trial (mean, sd)")
    style = {"color": "C1", "label": "best so far", "where": "post", **style}
    (line,) = ax.step(trials, best, **style)
    failed = np.flatnonzero(np.isnan(mean))
    if len(failed):
        floor = ax.get_ylim()[0]
        ax.plot(failed, np.full(len(failed), floor), "kx", clip_on=False, label="not completed")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="Trial", ylabel=metric)
    ax.legend()
    return bars, line


def draw_importances(ax: Any, shares: Mapping[str, float], metric: str, style: Any) -> Any:
    """Draw a bar for each parameter, the greatest on top; return the bars."""
    names = list(shares)[::-1]
    bars = ax.barh(range(len(names)), [shares[name] for name in names], **style)
    ax.bar_label(bars, fmt="%.2f", padding=3)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=f"Importance for {metric}", xlim=(0, 1.12 * max(shares.values())))
    return bars


def draw_slice(ax: Any, axis: ParameterAxis, mean: Any, style: Any) -> Any:
    """Draw scores against one parameter, later trials darker; return the points."""
    points = ax.scatter(
        axis.positions,
        mean,
        **{
            "c": np.arange(len(mean)),
            "cmap": "Blues",
            "vmin": -0.4 * len(mean),
            "edgecolors": "0.3",
            "linewidths": 0.5,
            **style,
        },
    )
    if axis.kind == "categorical":
        n = len(axis.categories)
        long = n * max(map(len, axis.categories)) > 22
        ax.set_xticks(range(n), axis.categories, rotation=35 if long else 0,
                      ha="right" if long else "center")  # fmt: skip
        ax.set_xlim(-0.5, n - 0.5)
    else:
        ax.set_xscale(axis.kind)
        few = axis.few()
        if few is not None:
            ax.set_xticks(few, [f"{value:.3g}" for value in few])
            ax.set_xticks([], minor=True)
        elif axis.kind == "log":
            _mark_decades(ax, np.log10(np.nanmax(axis.positions) / np.nanmin(axis.positions)))
    ax.set_xlabel(axis.name if len(axis.name) <= 30 else wrap(axis.name))
    return points


def _mark_decades(ax: Any, n_decades: float) -> None:
    """Label decades only, or a few numbers where the axis has hardly one of them."""
    from matplotlib import ticker

    ax.xaxis.set_minor_formatter(ticker.NullFormatter())
    if n_decades < 2:
        ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:.2g}"))


def draw_parallel(
    ax: Any, axes: Sequence[ParameterAxis], mean: Any, metric: str, style: Any
) -> Any:
    """Draw a line for each completed trial through all parameters; return the lines."""
    from matplotlib.collections import LineCollection

    done = np.flatnonzero(np.isfinite(mean))
    done = done[np.argsort(mean[done])]  # the best ones on top
    score = ParameterAxis(metric, "linear", mean, [])
    every = [*axes, score]
    heights = np.array([axis.unit for axis in every])
    places = np.arange(len(every))
    lines = LineCollection(
        [np.column_stack([places, heights[:, trial]]) for trial in done],
        **{"cmap": "viridis", "array": mean[done], "alpha": 0.8, "linewidths": 1.5, **style},
    )
    ax.add_collection(lines)
    for place, axis in enumerate(every):
        ax.axvline(place, color="0.4", linewidth=1, zorder=0)
        for height, text in axis.ticks():
            ax.annotate(
                text,
                (place, height),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1},
            )
    ax.set_xticks(places, [wrap(axis.name) for axis in every])
    ax.set_yticks([])
    ax.set(xlim=(-0.1, len(every) - 0.6), ylim=(-0.05, 1.05))
    ax.spines[["left", "right", "top", "bottom"]].set_visible(False)
    ax.figure.colorbar(lines, ax=ax, label=metric, pad=0.02)
    return lines


def draw_pareto(
    ax: Any, pair: Sequence[tuple[str, np.ndarray]], on_front: np.ndarray, style: Any
) -> tuple[Any, Any]:
    """Draw trials by two objectives, those on the front joined; return points and line."""
    (x_name, x), (y_name, y) = pair
    points = ax.scatter(x, y, color="0.6", label="trial")
    order = on_front[np.argsort(x[on_front], kind="stable")]
    style = {"color": "C1", "marker": "o", "label": "Pareto front", **style}
    (line,) = ax.plot(x[order], y[order], **style)
    for values, which in ((x, "x"), (y, "y")):
        finite = values[np.isfinite(values)]
        if len(finite) and is_logarithmic(finite):
            getattr(ax, f"set_{which}scale")("log")
    ax.set(xlabel=_unit(x_name), ylabel=_unit(y_name))
    ax.legend()
    return points, line


def _unit(name: str) -> str:
    units = {"latency": "latency of a row [s]", "size": "size [bytes]"}
    return units.get(name, name)


def draw_curves(ax: Any, histories: Sequence[Mapping[str, Any]], value: str, style: Any) -> Any:
    """Draw training (and validation) curves, one of each for every split; return the lines."""
    lines = []
    for name, color, dash in ((value, "C0", "-"), (f"val_{value}", "C1", "--")):
        label = "training" if name == value else "validation"
        for history in histories:
            if name not in history:
                continue
            epochs = history.get("epoch", range(1, len(history[name]) + 1))
            plot = {"color": color, "linestyle": dash, "alpha": 0.7, "label": label, **style}
            lines += ax.plot(epochs, history[name], **plot)
            label = f"_{label}"  # one entry in the legend
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="Epoch", ylabel=value.capitalize())
    ax.legend(title=f"{len(histories)} splits" if len(histories) > 1 else None)
    return lines
