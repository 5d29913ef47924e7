"""Text and HTML of an ImbalanceReport."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._report import ImbalanceReport

__all__ = ["render_html", "render_text"]

_STYLE = """
<style>
.skopt-wrap-report {font-family: sans-serif; font-size: 13px; max-width: 60em}
.skopt-wrap-report table {border-collapse: collapse; margin: .4em 0 1em}
.skopt-wrap-report caption {text-align: left; font-weight: bold; padding: .3em 0}
.skopt-wrap-report th, .skopt-wrap-report td {padding: 2px 9px; text-align: right;
  border-bottom: 1px solid rgba(128, 128, 128, .35)}
.skopt-wrap-report th:first-child, .skopt-wrap-report td:first-child {text-align: left}
</style>
"""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _tables(report: ImbalanceReport) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return (caption, header, rows) of each table; cells are text."""
    level = f"{report.confidence_level:.0%} interval"
    header = ["metric", "value", level, "majority class", "random", "better"]
    rows = []
    for row in report.metrics.values():
        interval = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        better = "higher" if row["greater_is_better"] else "lower"
        values = [_cell(row[k]) for k in ("value", "majority", "random")]
        rows.append([row["title"], values[0], interval, values[1], values[2], better])
    if not report.n_resamples:
        header, rows = header[:2] + header[3:], [cells[:2] + cells[3:] for cells in rows]
    tables = [("Metrics beside trivial predictors", header, rows)]
    for caption, name in (
        ("Classes", "classes"),
        ("Confusion matrix", "confusion"),
        ("Calibration of the positive class", "calibration"),
    ):
        columns = report.to_dict(name)
        if columns:
            body = [[_cell(v) for v in row] for row in zip(*columns.values(), strict=True)]
            tables.append((caption, list(columns), body))
    return tables


def _heading(report: ImbalanceReport) -> str:
    text = f"Imbalance report of {report.estimator_name} on {report.n_rows} rows"
    if report.pos_label is not None:
        text += f", positive class {report.pos_label!r}"
    if report.threshold is not None:
        text += f", threshold {report.threshold:g}"
    return text


def _notes(report: ImbalanceReport) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for name, reason in report.skipped.items():
        reasons.setdefault(reason, []).append(name)
    return [f"Left out, since {reason}: {', '.join(names)}." for reason, names in reasons.items()]


def render_text(report: ImbalanceReport) -> str:
    """Return the report as plain text."""
    parts = [_heading(report), report.summary, *_notes(report)]
    for caption, header, rows in _tables(report):
        grid = [header, *rows]
        widths = [max(len(row[j]) for row in grid) for j in range(len(header))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(
                row[1:], widths[1:], strict=True))]).rstrip()
            for row in grid
        ]  # fmt: skip
        parts.append("\n".join([caption, "-" * len(caption), *lines]))
    return "\n\n".join(parts)


def render_html(report: ImbalanceReport) -> str:
    """Return the report as HTML; labels are escaped."""
    parts = [_STYLE, '<div class="skopt-wrap-report">', f"<h4>{escape(_heading(report))}</h4>"]
    parts += [f"<p>{escape(line)}</p>" for line in (report.summary, *_notes(report))]
    for caption, header, rows in _tables(report):
        head = "".join(f'<th scope="col">{escape(h)}</th>' for h in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows
        )
        parts.append(
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
    return "".join([*parts, "</div>"])
