"""A page of paragraphs and tables, as text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from ..._tables import format_table

__all__ = ["Page", "Table", "cell", "render_html", "render_table", "render_text"]

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


@dataclass(frozen=True)
class Table:
    """A table; all cells are text."""

    caption: str
    header: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Page:
    """What is shown, from top to bottom."""

    heading: str
    paragraphs: list[str]
    tables: list[Table]


def cell(value: Any) -> str:
    """Return a value as a cell of a table: numbers with three digits, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def render_text(page: Page) -> str:
    """Return a page as plain text."""
    tables = [format_table(t.header, t.rows, t.caption) for t in page.tables]
    return "\n\n".join([page.heading, *page.paragraphs, *tables])


def render_html(page: Page) -> str:
    """Return a page as a piece of HTML; all text is escaped."""
    parts = [_STYLE, '<div class="skopt-wrap-report">', f"<h4>{escape(page.heading)}</h4>"]
    parts += [f"<p>{escape(line)}</p>" for line in page.paragraphs]
    parts += [render_table(table) for table in page.tables]
    return "".join([*parts, "</div>"])


def render_table(table: Table) -> str:
    """Return a table as HTML; all text is escaped."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in table.header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table.rows
    )
    return (
        f"<table><caption>{escape(table.caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
