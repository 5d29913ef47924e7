"""RowReport: which rows RowCleaner suspects, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .._tables import as_frame

_NAMES = ("row", "check", "evidence", "removed")


@dataclass(frozen=True)
class RowReport:
    """Rows that :class:`RowCleaner` suspects, one entry a row and check.

    Parameters
    ----------
    entries : tuple of tuple (int, str, str, bool)
        Place of the row, name of the check, the evidence, and whether the row was removed.
    n_samples : int
        Number of rows that were checked.
    notes : tuple of str, default=()
        What limited the removal.
    """

    entries: tuple[tuple[int, str, str, bool], ...]
    n_samples: int
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the report as a dict of columns.

        Returns
        -------
        columns : dict of str to list
            "row", "check", "evidence" and "removed".
        """
        return {name: [entry[i] for entry in self.entries] for i, name in enumerate(_NAMES)}

    def to_frame(self) -> Any:
        """Return the report as a pandas DataFrame, one row an entry.

        Returns
        -------
        frame : pandas.DataFrame
            The table.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return as_frame(self.to_dict())

    def counts(self) -> dict[str, int]:
        """Return how many rows each check suspects.

        Returns
        -------
        counts : dict of str to int
            Checks that found something.
        """
        names, numbers = np.unique([check for _, check, _, _ in self.entries], return_counts=True)
        return dict(zip(names.tolist(), numbers.tolist(), strict=True))

    @property
    def summary(self) -> str:
        """The report in one line."""
        removed = len({row for row, _, _, gone in self.entries if gone})
        found = ", ".join(f"{n} {check}" for check, n in self.counts().items()) or "nothing"
        return f"{self.n_samples:,} rows: {found} found, {removed} rows removed"

    def __str__(self) -> str:
        lines = [self.summary, *self.notes]
        for row, check, evidence, removed in self.entries[:10]:
            lines.append(f"row {row}: {check}, {evidence}{', removed' if removed else ''}")
        if len(self.entries) > 10:
            lines.append(f"... and {len(self.entries) - 10} more; to_frame() lists all of them")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in _NAMES)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in entry) + "</tr>"
            for entry in self.entries[:100]
        )
        notes = "".join(f"<p>{escape(line)}</p>" for line in (self.summary, *self.notes))
        return (
            f"<div>{notes}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )
