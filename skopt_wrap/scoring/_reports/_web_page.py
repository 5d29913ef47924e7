"""A report as one HTML page with its plots inside, to be sent to somebody."""

from __future__ import annotations

import io
from html import escape
from typing import Any

import numpy as np

from ..._sklearn import check_matplotlib_support
from ._plain_words import CASES, cost_lines, per_thousand, plain_words, threshold_line
from ._rendering import Table, render_html, render_table

__all__ = ["web_page"]

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{font-family: sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em}}
.plain {{background: #f2f5f9; padding: .8em 1em; border-left: 4px solid #4472a8}}
svg {{max-width: 100%; height: auto}}</style></head><body>
"""


def web_page(report: Any) -> str:
    """Return a page that needs no other file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    check_matplotlib_support("ImbalanceReport.save")
    page = report._page()
    parts = [_HEAD.format(title=escape(page.heading)), f"<h1>{escape(page.heading)}</h1>"]
    parts.append(f'<p class="plain">{escape(plain_words(report))}</p>')
    line = threshold_line(report)
    if line:
        parts.append(f"<h2>Decision threshold</h2><p>{escape(line)}</p>")
    costs = cost_lines(report)
    if costs:
        table = Table(f"Costs of {CASES:,} cases", ["decided by", "cost"], costs)
        parts.append(f"<h2>Costs</h2>{render_table(table)}")
    if report.confusion.ndim == 2:
        parts.append(f"<h2>Counts of {CASES:,} cases</h2>{render_table(_counts(report))}")
    plots = _plots(report)
    if plots:
        parts.append(f"<h2>Plots</h2>{plots}")
    parts += ["<h2>All numbers</h2>", render_html(page), "</body></html>\n"]
    return "".join(parts)


def _counts(report: Any) -> Table:
    counts = per_thousand(np.asarray(report.confusion, dtype=np.float64))
    header = ["true class", *(f"predicted {c}" for c in report.classes)]
    rows = [
        [str(c), *(f"{v:.0f}" for v in row)] for c, row in zip(report.classes, counts, strict=True)
    ]
    return Table("", header, rows)


def _plots(report: Any) -> str:
    """Return the plots as one SVG picture; "" when there is nothing to draw."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    panels = []
    if report.curves:
        panels += [_draw_thresholds, _draw_precision_recall]
    if report.calibration:
        panels.append(_draw_calibration)
    if not panels:
        return ""
    figure = Figure(figsize=(4.6 * len(panels), 4.2), layout="constrained")
    FigureCanvasSVG(figure)
    for draw, ax in zip(panels, np.atleast_1d(figure.subplots(1, len(panels))), strict=True):
        draw(report, ax)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _draw_thresholds(report: Any, ax: Any) -> None:
    curves = report.curves
    for i, name in enumerate(("precision", "recall", "f1")):
        ax.plot(curves["threshold"], curves[name], color=f"C{i}", label=name)
    at = (report.decision or {}).get("threshold")
    if isinstance(at, float):
        ax.axvline(at, color="0.35", linewidth=1, label=f"threshold {at:.3g}")
    ax.set(xlabel=f"threshold: probability of {report.pos_label!r}", title="What a threshold gives")
    ax.legend(fontsize="small")


def _draw_precision_recall(report: Any, ax: Any) -> None:
    p = report.classes.index(report.pos_label)
    ax.plot(report.curves["recall"], report.curves["precision"], color="C0")
    mark = report.metrics["recall"]["value"], report.metrics["precision"]["value"]
    ax.plot(*mark, "o", color="C3", label="this classifier")
    ax.axhline(report.prevalence[p], color="0.6", linestyle=":", label="prevalence")
    ax.set(xlabel="recall: share found", ylabel="precision: share of alarms that are right")
    ax.set_title("Precision against recall")
    ax.legend(fontsize="small")


def _draw_calibration(report: Any, ax: Any) -> None:
    table = report.calibration
    ax.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="perfect")
    ax.plot(table["predicted"], table["observed"], "o-", color="C0", label="this classifier")
    ax.set(xlabel="probability stated", ylabel="share observed", title="Calibration")
    ax.legend(fontsize="small")
