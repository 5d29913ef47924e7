"""quality_report: what is wrong with data, why it matters, and the code that mends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, check_random_state

from .._sklearn import target_type
from .._tables import as_frame
from ..exceptions import DataError, ParameterError, suggest
from ._checks._list import CHECKS, DataFinding, Sample
from ._rendering import render_html, render_text
from ._tables._column import Column
from ._tables._read import Source, open_table

_SEVERITIES = ("high", "medium", "low")
_TABLES = ("findings", "columns")


@dataclass(frozen=True)
class QualityReport:
    """What :func:`quality_report` found.

    Prints as text and shows as HTML in notebooks.

    Parameters
    ----------
    findings : tuple of DataFinding
        Most severe first; empty where nothing was found.
    columns : dict of str to list
        One entry a column: "column", "dtype", "kind", "n_distinct", "missing", "least",
        "greatest".
    n_samples : int
        Number of rows.
    facts : dict
        Numbers behind the plots: "missing" (share by column), "classes" (rows by class), "single"
        (score of each column alone), "curve" (learning curve), "label_noise".
    """

    findings: tuple[DataFinding, ...]
    columns: dict[str, list[Any]]
    n_samples: int
    facts: dict[str, Any] = field(default_factory=dict, repr=False)

    def has(self, kind: str, column: str | None = None) -> bool:
        """Tell whether something was found.

        Parameters
        ----------
        kind : str
            Kind of finding, such as "leakage suspect".
        column : str or None, default=None
            Where; None for anywhere.

        Returns
        -------
        found : bool
            Whether it is among the findings.
        """
        hits = [finding for finding in self.findings if finding.kind == kind]
        return any(column is None or column in finding.columns for finding in hits)

    def to_dict(self, table: str = "findings") -> dict[str, list[Any]]:
        """Return a table as a dict of columns.

        Parameters
        ----------
        table : {"findings", "columns"}, default="findings"
            Which table.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length.

        Raises
        ------
        ParameterError
            If there is no table of this name.
        """
        if table not in _TABLES:
            raise ParameterError(f"table={table!r} is unknown. {suggest(str(table), _TABLES)}")
        if table == "columns":
            return {name: list(values) for name, values in self.columns.items()}
        names = ("kind", "severity", "columns", "message", "evidence", "code")
        return {name: [getattr(f, name) for f in self.findings] for name in names}

    def to_frame(self, table: str = "findings") -> Any:
        """Return a table as a pandas DataFrame.

        Parameters
        ----------
        table : {"findings", "columns"}, default="findings"
            Which table.

        Returns
        -------
        frame : pandas.DataFrame
            The table.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return as_frame(self.to_dict(table))

    def to_html(self) -> str:
        """Return the report as one page of HTML, plots included; it needs no other file.

        Returns
        -------
        page : str
            The page.
        """
        return (
            "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
            f"<title>Data quality</title></head><body>{render_html(self)}</body></html>"
        )

    @property
    def summary(self) -> str:
        """The report in one line."""
        counts = {s: sum(f.severity == s for f in self.findings) for s in _SEVERITIES}
        shape = f"{self.n_samples:,} rows, {len(self.columns['column'])} columns"
        if not self.findings:
            return f"{shape}: nothing found"
        told = ", ".join(f"{n} {severity}" for severity, n in counts.items() if n)
        return f"{shape}: {len(self.findings)} findings ({told})"

    def __str__(self) -> str:
        return render_text(self)

    def _repr_html_(self) -> str:
        return render_html(self)


def quality_report(
    X: Any,
    y: Any = None,
    *,
    X_test: Any = None,
    max_rows: int = 5000,
    random_state: Any = 0,
) -> QualityReport:
    """Look for what is wrong with data, before training.

    Looks for what :class:`DataCleaner` mends; for missing values, those that come together and
    those that tell the target; near-constant and highly correlated columns; repeated and
    contradictory rows; rare classes; columns that predict the target alone; a target or columns
    that follow the row order; wrong labels; rows held out that were seen in training; and, by a
    learning curve, whether more rows would help.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Data.
    y : array-like of shape (n_samples,), default=None
        Classes or numbers. Without it, what concerns the target is left out.
    X_test : array-like or frame of shape (n_test, n_features), default=None
        Rows held out, to be compared with those of X.
    max_rows : int, default=5000
        Models are fitted on at most so many rows, drawn at random; at least 100.
    random_state : int, RandomState instance or None, default=0
        Seed of the draw and of the models.

    Returns
    -------
    report : QualityReport
        Findings, most severe first, each with evidence, a sentence that explains it and the code
        that mends it.

    Raises
    ------
    DataError
        For an empty table, nested values, columns of one name, or a y of another length.
    ParameterError
        If `max_rows` is below 100.

    See Also
    --------
    DataCleaner : Mends columns.
    RowCleaner : Removes or flags rows.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skopt_wrap import quality_report
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 300)
    >>> X = pd.DataFrame({"size": rng.normal(size=300), "paid": y * 2.5, "web": "yes"})
    >>> report = quality_report(X, y)
    >>> report.has("leakage suspect", "paid"), report.has("constant column", "web")
    (True, True)
    >>> print(report.summary)
    300 rows, 3 columns: 2 findings (1 high, 1 low)
    """
    if not isinstance(max_rows, int | np.integer) or max_rows < 100:
        raise ParameterError(f"max_rows must be an integer of at least 100; got {max_rows!r}.")
    source = open_table(X)
    columns = [source.column(i) for i in range(len(source.names))]
    codes, classes = (None, None) if y is None else _read_target(y)
    if codes is not None:
        check_consistent_length(np.empty(source.n), codes)
    test = None if X_test is None else open_table(X_test)
    if test is not None and len(test.names) != len(source.names):
        raise DataError(
            f"X_test has {len(test.names)} columns; X has {len(source.names)}. Pass the same "
            f"columns in the same order."
        )
    rng = check_random_state(random_state)
    rows = rng.permutation(source.n)[:max_rows]
    seed = int(rng.randint(2**31 - 1))
    sample = Sample(X, source, columns, codes, classes, test, rows, seed)
    found = [finding for check in CHECKS for finding in check(sample)]
    found.sort(key=lambda finding: _SEVERITIES.index(finding.severity))
    facts = {k: v for k, v in sample.facts.items() if k not in ("groups", "matrix")}
    return QualityReport(tuple(found), _describe(source, columns), source.n, facts)


def _read_target(y: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return classes as codes with their labels, or numbers with None."""
    values = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    values = values.ravel() if values.ndim == 2 and values.shape[1] == 1 else values
    kind = target_type(values, input_name="y", raise_unknown=True)
    if kind in ("binary", "multiclass") and not _looks_like_numbers(values):
        classes, codes = np.unique(values, return_inverse=True)
        return codes, classes
    if kind in ("continuous", "binary", "multiclass"):
        return values.astype(np.float64), None
    raise DataError(f"y of type {kind!r} is not supported: pass one class or one number a row.")


def _looks_like_numbers(y: np.ndarray) -> bool:
    """Say whether whole numbers are so many that they must be a quantity, such as a price."""
    return y.dtype.kind in "iuf" and len(np.unique(y)) > max(30, 0.2 * len(y))


def _describe(source: Source, columns: list[Column]) -> dict[str, list[Any]]:
    """Return one entry a column."""
    table: dict[str, list[Any]] = {
        name: []
        for name in ("column", "dtype", "kind", "n_distinct", "missing", "least", "greatest")
    }
    for place, column in enumerate(columns):
        missing = column.missing()
        values = column.values[~missing] if missing.any() else column.values
        distinct = np.unique(values)
        table["column"].append(column.name)
        table["dtype"].append(source.dtype(place))
        table["kind"].append(column.kind)
        table["n_distinct"].append(len(distinct))
        table["missing"].append(float(missing.mean()))
        ends: list[Any] = [None, None]
        if len(distinct):
            if column.kind == "text":
                words = sorted(column.texts()[distinct].tolist())
                ends = [words[0][:30], words[-1][:30]]
            elif column.kind == "date":
                ends = [str(distinct[i].astype("datetime64[s]")) for i in (0, -1)]
            else:
                ends = [float(distinct[0]), float(distinct[-1])]
        table["least"].append(ends[0])
        table["greatest"].append(ends[1])
    return table
