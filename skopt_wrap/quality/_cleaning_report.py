"""CleaningReport: what DataCleaner found and did, one row a column."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import Any

from .._tables import as_frame


@dataclass(frozen=True)
class ReportRow:
    """One column of the data.

    Attributes
    ----------
    column : str
        Name of the column.
    dtype : str
        Its dtype, as its library writes it.
    kind : str
        What its values were taken for: "number", "boolean", "date" or "text".
    found : str
        What was found; "" where nothing was.
    done : str
        What was done about it.
    n_values : int
        Number of values concerned, all findings together.
    becomes : str
        Names of the columns that it becomes; "" where it is dropped.
    """

    column: str
    dtype: str
    kind: str
    found: str
    done: str
    n_values: int
    becomes: str


@dataclass(frozen=True)
class CleaningReport:
    """What :class:`DataCleaner` found in each column and what it does. Made by its ``fit``.

    Prints as text and shows as HTML in notebooks.

    Parameters
    ----------
    rows : tuple of ReportRow
        One row a column, in the order of the data.
    n_samples : int
        Number of rows of the data.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner
    >>> X = np.array([[1.0, 5.0], [np.nan, 5.0], [2.0, 5.0]])
    >>> print(DataCleaner().fit(X).report_)
    2 columns of 3 rows: 2 with findings, 1 dropped
    x0 (float64, number): 1 missing value (33.3%) -> filled with 1.5, marked
    x1 (float64, number): always 5.0 -> dropped
    """

    rows: tuple[ReportRow, ...]
    n_samples: int

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the report as a dict of columns.

        Returns
        -------
        columns : dict of str to list
            "column", "dtype", "kind", "found", "done", "n_values" and "becomes".
        """
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(ReportRow)}

    def to_frame(self) -> Any:
        """Return the report as a pandas DataFrame, one row a column.

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

    @property
    def summary(self) -> str:
        """The report in one line."""
        found = sum(bool(row.found) for row in self.rows)
        dropped = sum(not row.becomes for row in self.rows)
        return (
            f"{len(self.rows)} columns of {self.n_samples:,} rows: {found} with findings, "
            f"{dropped} dropped"
        )

    def __str__(self) -> str:
        lines = [self.summary]
        for row in self.rows:
            if row.found:
                done = f" -> {row.done}" if row.done else " -> left as it is"
                lines.append(f"{row.column} ({row.dtype}, {row.kind}): {row.found}{done}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        names = [f.name for f in fields(ReportRow)]
        head = "".join(f'<th scope="col">{name.replace("_", " ")}</th>' for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(str(getattr(row, n)))}</td>" for n in names) + "</tr>"
            for row in self.rows
        )
        return (
            f"<div><p>{escape(self.summary)}</p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )
