"""ImbalanceReport: the tables of a report, as text, HTML, dict or DataFrame."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..._tables import as_frame
from ...exceptions import ParameterError, suggest
from ._rendering import Page, Table, cell, render_html, render_text
from ._web_page import web_page

__all__ = ["ImbalanceReport"]

_TABLES = ("metrics", "classes", "confusion", "calibration")
_CAPTIONS = {
    "classes": "Classes",
    "confusion": "Confusion matrix",
    "calibration": "Calibration",
}


@dataclass(frozen=True)
class ImbalanceReport:
    """What a classifier achieves on rows whose classes are not equally frequent.

    Made by :func:`imbalance_report`. Prints as text, shows as HTML in notebooks.

    Parameters
    ----------
    estimator_name : str
        Class of the estimator.
    classes : list
        Classes in sorted order; label numbers for a multilabel target.
    counts : list of int
        Rows of each class.
    prevalence : list of float
        Share of each class, weighted when weights were given.
    pos_label : object
        Positive class taken; None for more than two classes, and for a multilabel target.
    threshold : float or None
        Threshold applied to the probability of the positive class; None where `predict` was used.
    metrics : dict of str to dict
        For each metric: title, value, low, high (None without resampling), majority (value of
        always predicting the most frequent class), random (value of a prediction drawn from the
        prevalence, independent of the rows; ranking metrics see a constant score and probability
        metrics the prevalence itself), greater_is_better, and note (why not to rely on the
        interval; empty for nothing). Losses are not negated.
    per_class : dict of str to list
        Columns class, count, prevalence, predicted, precision, recall, f1.
    confusion : ndarray of shape (n_classes, n_classes) or (n_labels, 2, 2)
        Confusion matrix, true classes in rows, in the order of `classes`; for a multilabel target
        one a label.
    calibration : dict of str to list, or None
        Columns lower, upper, count, predicted, observed of at most ten bins that hold about equally
        many rows, as in :class:`CalibrationDisplay`: of the probability of the positive class, or,
        with more than two classes, of the class predicted. None without probabilities and for
        several labels.
    summary : str
        The gap between accuracy and F1 in plain words.
    skipped : dict of str to str
        Metrics left out, with the reason.
    confidence_level : float
        Level of the intervals.
    n_resamples : int
        Resamples behind the intervals.
    n_rows : int
        Rows that were scored.
    decision : dict
        Where a known threshold decides: threshold, pos_label, constraint (text or ""), confidence
        and kept; else empty.
    curves : dict of str to ndarray
        For two classes with probabilities: threshold, precision, recall and f1; else empty.
    """

    estimator_name: str
    classes: list[Any]
    counts: list[int]
    prevalence: list[float]
    pos_label: Any
    threshold: float | None
    metrics: dict[str, dict[str, Any]]
    per_class: dict[str, list[Any]]
    confusion: np.ndarray
    calibration: dict[str, list[Any]] | None
    summary: str
    skipped: dict[str, str]
    confidence_level: float
    n_resamples: int
    n_rows: int
    decision: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)

    def to_dict(self, table: str = "metrics") -> dict[str, list[Any]]:
        """Return a table as a dict of columns, ready for ``pandas.DataFrame``.

        Parameters
        ----------
        table : {"metrics", "classes", "confusion", "calibration"}, default="metrics"
            Which table.

        Returns
        -------
        columns : dict of str to list
            Columns of equal length; empty for "calibration" when there is none.

        Raises
        ------
        ParameterError
            If there is no table of this name.
        """
        if table not in _TABLES:
            raise ParameterError(f"table={table!r} is unknown. {suggest(str(table), _TABLES)}")
        if table == "classes":
            return {name: list(column) for name, column in self.per_class.items()}
        if table == "calibration":
            return {name: list(column) for name, column in (self.calibration or {}).items()}
        if table == "confusion" and self.confusion.ndim == 3:
            names = ("true negative", "false positive", "false negative", "true positive")
            cells = self.confusion.reshape(-1, 4).T.tolist()
            return {"label": list(self.classes), **dict(zip(names, cells, strict=True))}
        if table == "confusion":
            columns = {f"predicted {c}": self.confusion[:, j].tolist()
                       for j, c in enumerate(self.classes)}  # fmt: skip
            return {"true": list(self.classes), **columns}
        keys = ("value", "low", "high", "majority", "random", "greater_is_better")
        rows = self.metrics.values()
        return {"metric": list(self.metrics), **{k: [row[k] for row in rows] for k in keys}}

    def to_frame(self, table: str = "metrics") -> Any:
        """Return a table as a pandas DataFrame; see :meth:`to_dict`.

        Parameters
        ----------
        table : {"metrics", "classes", "confusion", "calibration"}, default="metrics"
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

    def save(self, path: str | Path) -> Path:
        """Write the report as one HTML page that needs no other file.

        The page holds a paragraph for somebody who knows no statistics, the decision threshold and
        its constraint, the costs of 1,000 cases (with `costs`), plots and all tables.

        Parameters
        ----------
        path : str or path-like
            File to write, such as "report.html"; one that exists is replaced.

        Returns
        -------
        path : pathlib.Path
            The file.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        target = Path(path)
        target.write_text(web_page(self), encoding="utf-8")
        return target

    def __str__(self) -> str:
        return render_text(self._page())

    def _repr_html_(self) -> str:
        return render_html(self._page())

    def _page(self) -> Page:
        """Return the report as a heading, paragraphs and tables of text."""
        heading = f"Imbalance report of {self.estimator_name} on {self.n_rows} rows"
        if self.pos_label is not None:
            heading += f", positive class {self.pos_label!r}"
        if self.threshold is not None:
            heading += f", threshold {self.threshold:g}"
        tables = [self._metrics_table()]
        for name, caption in _CAPTIONS.items():
            columns = self.to_dict(name)
            if columns:
                rows = [[cell(v) for v in row] for row in zip(*columns.values(), strict=True)]
                if name == "calibration":
                    one = "positive class" if self.pos_label is not None else "class predicted"
                    caption = f"{caption} of the {one}"
                tables.append(Table(caption, list(columns), rows))
        return Page(heading, [self.summary, *self._notes()], tables)

    def _metrics_table(self) -> Table:
        level = f"{self.confidence_level:.0%} interval"
        header = ["metric", "value", level, "majority class", "random", "better"]
        rows = []
        for row in self.metrics.values():
            interval = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
            interval += " *" * bool(row.get("note"))
            better = "higher" if row["greater_is_better"] else "lower"
            value, majority, random = (cell(row[k]) for k in ("value", "majority", "random"))
            rows.append([row["title"], value, interval, majority, random, better])
        if not self.n_resamples:
            header, rows = header[:2] + header[3:], [cells[:2] + cells[3:] for cells in rows]
        return Table("Metrics beside trivial predictors", header, rows)

    def _notes(self) -> list[str]:
        reasons: dict[str, list[str]] = {}
        for name, reason in self.skipped.items():
            reasons.setdefault(reason, []).append(name)
        notes = [f"Left out, since {why}: {', '.join(names)}." for why, names in reasons.items()]
        doubts: dict[str, list[str]] = {}
        for row in self.metrics.values():
            if row.get("note"):
                doubts.setdefault(row["note"], []).append(row["title"])
        notes += [
            f"* Do not rely on the interval of {', '.join(titles)}: {why}."
            for why, titles in doubts.items()
        ]
        return notes
