"""ChangeReport: what new rows have that `fit` did not see."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from .._tables import as_frame

_NAMES = ("column", "change", "n_values", "rule")


@dataclass(frozen=True)
class ChangeReport:
    """What new rows have that ``fit`` did not see. Made by :meth:`DataCleaner.compare`.

    Parameters
    ----------
    entries : tuple of tuple (str, str, int, str)
        Column, what changed, number of values concerned, and what is done with them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner
    >>> cleaner = DataCleaner().fit(pd.DataFrame({"a": ["x", "y", "x"], "b": [1.0, 2.0, 4.0]}))
    >>> print(cleaner.compare(pd.DataFrame({"b": [3.0, 2.0], "a": ["x", "z"]})))
    columns: other order (2 values), taken by name
    a: new category (1 value), kept
    """

    entries: tuple[tuple[str, str, int, str], ...]

    def __len__(self) -> int:
        return len(self.entries)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the report as a dict of columns.

        Returns
        -------
        columns : dict of str to list
            "column", "change", "n_values" and "rule".
        """
        return {name: [entry[i] for entry in self.entries] for i, name in enumerate(_NAMES)}

    def to_frame(self) -> Any:
        """Return the report as a pandas DataFrame, one row a change.

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

    def __str__(self) -> str:
        if not self.entries:
            return "nothing that fit did not see"
        return "\n".join(
            f"{column}: {change} ({n:,} value{'s' * (n != 1)}), {rule}"
            for column, change, n, rule in self.entries
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name.replace("_", " ")}</th>' for name in _NAMES)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in entry) + "</tr>"
            for entry in self.entries
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
