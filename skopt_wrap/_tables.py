"""Tables: as text with aligned columns, and as pandas DataFrames (pandas is optional)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["as_frame", "format_table"]


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Return a table as text: the first column is aligned left, all others right.

    Parameters
    ----------
    header : sequence of str
        One name a column.
    rows : sequence of sequence of str
        Cells, one a column.
    caption : str, default=""
        Printed above the table, underlined; empty for none.

    Returns
    -------
    text : str
        Lines without trailing spaces.

    Examples
    --------
    >>> from skopt_wrap._tables import format_table
    >>> print(format_table(["metric", "value"], [["recall", "0.5"], ["F1", "0.25"]], "Scores"))
    Scores
    ------
    metric  value
    recall    0.5
    F1       0.25
    """
    grid = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[j]) for row in grid) for j in range(len(header))]
    lines = []
    for row in grid:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join([caption, "-" * len(caption), *lines] if caption else lines)


def as_frame(columns: dict[str, Any]) -> Any:
    """Return columns as a pandas DataFrame.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas; to_dict gives the same table.") from error
    return pd.DataFrame(columns)
