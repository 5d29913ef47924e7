"""ModelCard: what a model is, what it is for and how well it does, as Markdown and as HTML."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exceptions import ParameterError, SaveError

__all__ = ["CardSection", "ModelCard"]


@dataclass(frozen=True)
class CardSection:
    """A part of a model card.

    Parameters
    ----------
    title : str
        Its heading.
    paragraphs : sequence of str, default=()
        Text; each becomes a paragraph.
    columns : mapping of str to sequence, default={}
        A table below the text: names of columns and their cells.
    listing : str, default=""
        Text of fixed width, such as the printed table of a report.
    """

    title: str
    paragraphs: Sequence[str] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    listing: str = ""

    def rows(self) -> list[list[str]]:
        """Return the cells of the table as text, row by row.

        Returns
        -------
        rows : list of list of str
            Numbers that are not whole have three digits behind the point.
        """
        return [[_cell(c) for c in row] for row in zip(*self.columns.values(), strict=True)]


@dataclass(frozen=True)
class ModelCard:
    """What a model is, what it is for, and how well it does; see :func:`model_card`.

    ``str(card)`` is Markdown, and notebooks show it as HTML.

    Parameters
    ----------
    title : str
        The name of the model.
    sections : sequence of CardSection
        What the card says.
    metrics : dict of str to dict
        For each metric its ``value``, and ``low`` and ``high`` of its interval (None without one).
    groups : dict of str to dict
        For each grouping and group, ``rows`` and the same metrics; ``reason`` where a group could
        not be measured.
    licence : str or None, default=None
        Goes into the metadata at the top of the Markdown.

    Examples
    --------
    >>> from skopt_wrap.persistence import CardSection, ModelCard
    >>> card = ModelCard("Iris", [CardSection("Intended use", ["Lessons."])], {}, {})
    >>> print(card)
    # Iris
    <BLANKLINE>
    ## Intended use
    <BLANKLINE>
    Lessons.
    <BLANKLINE>
    """

    title: str
    sections: Sequence[CardSection]
    metrics: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Mapping[str, Mapping[str, Any]]]
    licence: str | None = None

    def __str__(self) -> str:
        """Return the card as Markdown."""
        front = f"---\nlicense: {_yaml_text(self.licence)}\n---\n\n" if self.licence else ""
        # skops leaves the mark before a slash of a title in its text.
        return front + self.to_skops().render().lstrip().replace("\\/", "/")

    def to_skops(self) -> Any:
        """Return the sections as a card of skops, to which further ones can be added.

        Returns
        -------
        card : skops.card.Card
            Sections and tables; its ``add_plot`` and ``add_permutation_importances`` work when
            its ``model`` is set.
        """
        from skops.card import Card

        card = Card(None, model_diagram=False, template=None)
        for section in self.sections:
            # skops makes subsections at slashes.
            title = "/".join(name.replace("/", "\\/") for name in (self.title, section.title))
            text = "\n\n".join(section.paragraphs)
            if section.listing:
                text = f"{text}\n\n```text\n{section.listing}\n```".strip()
            if section.columns:
                text = f"{text}\n\n{_markdown_table(list(section.columns), section.rows())}".strip()
            card.add(**{title: text})
        return card

    def _repr_html_(self) -> str:
        parts = [f"<h2>{html.escape(self.title)}</h2>"]
        for section in self.sections:
            parts.append(f"<h3>{html.escape(section.title)}</h3>")
            parts += [f"<p>{html.escape(text)}</p>" for text in section.paragraphs]
            if section.listing:
                parts.append(f"<pre>{html.escape(section.listing)}</pre>")
            if section.columns:
                parts.append(_html_table(list(section.columns), section.rows()))
        return f'<div class="skopt-wrap-card">{"".join(parts)}</div>'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the card to a file.

        Parameters
        ----------
        path : str or path-like
            Its suffix decides the form: ``.md`` or ``.html``. An existing file is replaced.

        Returns
        -------
        path : pathlib.Path
            The file.

        Raises
        ------
        ParameterError
            The suffix is another one.
        SaveError
            The file cannot be written.
        """
        target = Path(path)
        if target.suffix not in (".md", ".html"):
            raise ParameterError(f"path must end in '.md' or '.html', got {str(target)!r}.")
        text = str(self) if target.suffix == ".md" else _page(self.title, self._repr_html_())
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SaveError(f"path: {str(target)!r} could not be written: {error}") from error
        return target


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _markdown_cell(text: str) -> str:
    """Return a text that neither ends a cell of a Markdown table nor starts HTML."""
    return html.escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


def _markdown_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_markdown_cell, line))} |" for line in lines)


def _yaml_text(text: str) -> str:
    """Return a text as YAML reads it: a JSON string is one."""
    return text if text.replace("-", "").replace(".", "").isalnum() else json.dumps(text)


def _html_table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        f"</title></head><body>{body}</body></html>\n"
    )
