"""Text and HTML of a QualityReport; plots are drawn as SVG inside the page."""

from __future__ import annotations

from html import escape
from typing import Any

_STYLE = """<style>
.skopt-wrap-quality {font-family: sans-serif; font-size: 13px; max-width: 64em}
.skopt-wrap-quality table {border-collapse: collapse; margin: .4em 0 1em}
.skopt-wrap-quality th, .skopt-wrap-quality td {padding: 2px 9px; text-align: left;
  vertical-align: top; border-bottom: 1px solid rgba(128, 128, 128, .35)}
.skopt-wrap-quality .high {color: #b30000; font-weight: bold}
.skopt-wrap-quality .medium {color: #b36b00; font-weight: bold}
.skopt-wrap-quality figure {display: inline-block; margin: .5em 1.5em .5em 0; vertical-align: top}
.skopt-wrap-quality code {font-size: 12px}
</style>"""


def render_text(report: Any) -> str:
    """Return the report as text."""
    lines = [report.summary]
    for finding in report.findings:
        lines.append(f"[{finding.severity}] {finding.kind}: {finding.message}")
        if finding.code:
            lines.append(f"    {finding.code}")
    return "\n".join(lines)


def render_html(report: Any) -> str:
    """Return the report as HTML; names and values are escaped."""
    parts = [_STYLE, "<div class='skopt-wrap-quality'>", f"<h3>{escape(report.summary)}</h3>"]
    if report.findings:
        rows = [
            [
                f"<span class='{f.severity}'>{f.severity}</span>",
                escape(f.kind),
                escape(f.message),
                f"<code>{escape(f.code)}</code>",
            ]
            for f in report.findings
        ]
        parts.append(_table(["severity", "finding", "what it means", "code that mends it"], rows))
    parts += _plots(report.facts)
    names = list(report.columns)
    cells = [
        ["" if v is None else escape(f"{v:.4g}" if isinstance(v, float) else str(v)) for v in row]
        for row in zip(*report.columns.values(), strict=True)
    ]
    parts.append("<h4>Columns</h4>" + _table([name.replace("_", " ") for name in names], cells))
    return "".join([*parts, "</div>"])


def _table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plots(facts: dict[str, Any]) -> list[str]:
    plots = []
    gaps = {name: share for name, share in facts.get("missing", {}).items() if share > 0}
    if gaps:
        plots.append(_bars("Missing values", gaps, "{:.1%}"))
    if facts.get("classes"):
        plots.append(_bars("Rows of each class", facts["classes"], "{:,.0f}"))
    if facts.get("single"):
        best = dict(sorted(facts["single"].items(), key=lambda item: -item[1])[:12])
        plots.append(_bars("Score of each column alone", best, "{:.2f}"))
    curve = facts.get("curve")
    if curve:
        named = dict(zip((f"{n:,} rows" for n in curve["n_rows"]), curve["score"], strict=True))
        plots.append(_bars(f"Learning curve ({curve['scoring']})", named, "{:.3f}"))
    return plots


def _bars(title: str, values: dict[str, float], form: str) -> str:
    """Return horizontal bars as SVG, the 20 greatest."""
    shown = sorted(values.items(), key=lambda item: -item[1])[:20] if len(values) > 20 else list(
        values.items())  # fmt: skip
    most = max((value for _, value in shown), default=1.0) or 1.0
    height, bars = 18 * len(shown) + 4, []
    for i, (name, value) in enumerate(shown):
        width = max(0.0, 180.0 * value / most)
        bars.append(
            f"<text x='136' y='{18 * i + 14}' text-anchor='end'>{escape(str(name)[:20])}</text>"
            f"<rect x='140' y='{18 * i + 3}' width='{width:.1f}' height='13' fill='#4c78a8'/>"
            f"<text x='{144 + width:.1f}' y='{18 * i + 14}'>{escape(form.format(value))}</text>"
        )
    return (
        f"<figure><figcaption><b>{escape(title)}</b></figcaption><svg width='400' "
        f"height='{height}' font-size='11' fill='currentColor' role='img' "
        f"aria-label='{escape(title)}'>{''.join(bars)}</svg></figure>"
    )
