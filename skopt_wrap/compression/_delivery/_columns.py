"""Where the columns of a table come from while steps of a pipeline change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._litert._table import is_missing


class CannotFoldError(Exception):
    """A step cannot become part of the file; caught in this package.

    Parameters
    ----------
    reason : str
        Why.
    step : str, default=None
        Class of the step, once it is known.
    """

    def __init__(self, reason: str, step: str | None = None) -> None:
        super().__init__(reason if step is None else f"{step}: {reason}")
        self.step = step


@dataclass
class RawColumn:
    """A column of the rows as the user has them.

    Attributes
    ----------
    name : str
        Of the table, or "x0", "x1"...
    categories : list
        Texts and other values that are no numbers; the code of each is its place. Empty for a
        column of numbers.
    used : bool
        Whether it reaches the network.
    missing : bool
        Whether a value may be missing.
    known : list or None
        The numbers that it may have, where others are an error.
    unknown : {"code", "error"}
        What becomes of a text that is not among `categories`.
    """

    name: str
    categories: list[Any] = field(default_factory=list)
    used: bool = False
    missing: bool = False
    known: list[Any] | None = None
    unknown: str = "code"

    def code(self, value: Any) -> float:
        """Return the code of a category, which becomes known by this."""
        if is_missing(value):
            return float("nan")
        if value not in self.categories:
            self.categories.append(value)
        return float(self.categories.index(value))

    def describe(self) -> dict[str, Any]:
        """Return what the file's metadata says of it."""
        if not self.used:
            return {"name": self.name, "kind": "ignored"}
        kind = "category" if self.categories else "number"
        described: dict[str, Any] = {"name": self.name, "kind": kind, "missing": self.missing}
        if self.categories:
            described.update(categories=list(self.categories), unknown=self.unknown)
        elif self.known is not None:
            described["values"] = self.known
        return described


@dataclass
class Column:
    """A column between two steps.

    Attributes
    ----------
    raw : RawColumn or None
        The one that it was made of, when it was made of one.
    plain : bool
        Whether it holds that column's own values or codes.
    """

    raw: RawColumn | None = None
    plain: bool = False

    def use(self) -> RawColumn | None:
        """Note that the network sees it."""
        if self.raw is not None:
            self.raw.used = True
        return self.raw

    def codes(self) -> RawColumn:
        """Return the raw column, for a step that works on texts."""
        if self.raw is None or not self.plain:
            raise CannotFoldError("its texts come from another step, and a file holds numbers only")
        self.raw.used = True
        return self.raw

    @property
    def holds_texts(self) -> bool:
        """Whether it holds codes of categories."""
        return self.plain and self.raw is not None and bool(self.raw.categories)


def numbers(columns: list[Column]) -> list[Column]:
    """Return columns of changed numbers, each made of one of `columns`.

    Raises
    ------
    CannotFoldError
        For a column of texts.
    """
    for column in columns:
        if column.holds_texts:
            raise CannotFoldError("it computes with a column of texts")
        column.use()
    return [Column(column.raw) for column in columns]
