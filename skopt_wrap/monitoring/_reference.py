"""What `fit` learns: sketches of everything watched, and how to read further rows alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

from ..exceptions import DataError, ParameterError
from ._batch import (
    Batch,
    Projection,
    as_reference_kind,
    choose_embedding,
    embedded_columns,
    outcome_columns,
    read_batch,
    read_labels,
    table_columns,
    watched_columns,
)
from ._columns import NUMERIC, Column
from ._groups import group_numbers, read_timestamps, row_groups
from ._outputs import class_text
from ._statistics._betting import bets_for
from ._statistics._conformal import log_batch_e_values
from ._statistics._performance import AccuracyEstimate
from ._statistics._sketch import Sketch, edge_rows, make_sketch, sorted_cell_counts


@dataclass
class Rows:
    """Rows read for a monitor.

    Parameters
    ----------
    batch : Batch
        Columns and outputs.
    groups : ndarray of shape (n_rows,)
        Group of each row.
    times : ndarray of shape (n_rows,) or None
        Time of each row.
    """

    batch: Batch
    groups: np.ndarray
    times: np.ndarray | None

    @property
    def inputs(self) -> list[Column]:
        """Columns of features, prediction and confidence."""
        return [*self.batch.columns, *self.batch.outputs]


@dataclass
class Reference:
    """Sketches of the reference, and the settings that further rows are read with.

    Parameters
    ----------
    inputs : list of Sketch
        Of the features, prediction and confidence.
    outcomes : list of Sketch
        Of label and loss; empty without labels.
    groups : list of str
        Groups of rows with a reference of their own; one without a name otherwise.
    watched : list of int
        Columns watched.
    n_rows, n_counted : int
        Rows, and those that did not fix the cells.
    """

    inputs: list[Sketch]
    outcomes: list[Sketch]
    groups: list[str]
    watched: list[int] | None
    embedding: Any
    projection: Projection | None
    n_rows: int
    n_counted: int
    classes: bool | None
    accuracy: AccuracyEstimate | None = None
    performance: dict[str, float] = field(default_factory=dict)
    kept: np.ndarray | None = None

    @property
    def names(self) -> list[str]:
        """Names of all items."""
        return [sketch.name for sketch in (*self.inputs, *self.outcomes)]

    @property
    def one_sided(self) -> list[bool]:
        """Whether only larger values count, of each outcome: those of the loss."""
        return [i == 1 for i in range(len(self.outcomes))]

    def is_loss(self, sketch: Sketch) -> bool:
        """Tell whether a sketch is that of the loss."""
        return len(self.outcomes) > 1 and sketch is self.outcomes[1]

    def read(self, monitor: Any, X: Any, timestamp: Any) -> Rows:
        """Read further rows as those of the reference were read."""
        if self.watched is None:
            columns, _ = embedded_columns(self.embedding, self.projection, X, None)
            every = columns
        else:
            every = table_columns(monitor, X, reset=False)
            columns = [every[j] for j in self.watched]
        sketches = self.inputs[: len(columns)]
        columns = [as_reference_kind(c, s) for c, s in zip(columns, sketches, strict=True)]
        taken = [column.name for column in columns]
        batch = read_batch(X, columns, monitor.estimator, taken)
        times = read_timestamps(timestamp, X, batch.n_rows)
        names = row_groups(monitor.reference_by, times, every, batch.n_rows)
        return Rows(batch, group_numbers(names, self.groups), times)

    def read_outcomes(self, monitor: Any, rows: Rows, y: Any) -> tuple[list[Column], np.ndarray]:
        """Return label and loss of the rows that have a label, and which rows these are.

        Raises
        ------
        DataError
            If the reference was fitted without labels, or a label is unknown.
        """
        if not self.outcomes:
            raise DataError("y was given, but the reference has none. Give y to fit as well.")
        labels, has_label = read_labels(y, rows.batch.n_rows)
        predicted = None if rows.batch.predicted is None else rows.batch.predicted[has_label]
        taken = [column.name for column in rows.inputs]
        columns, _ = outcome_columns(
            monitor.estimator, labels, predicted, taken, classes=self.classes
        )
        return columns, has_label

    def expected_accuracy(self, batch: Batch) -> float | None:
        """Return the accuracy that the probabilities promise, or None."""
        if self.accuracy is None or batch.top is None or batch.predicted is None:
            return None
        return self.accuracy(batch.top, _texts(batch.predicted))


def learn_reference(
    monitor: Any, X: Any, y: Any, timestamp: Any, rng: np.random.Generator
) -> Reference:
    """Return the reference of a monitor, from checked parameters."""
    embedding = choose_embedding(monitor.embedding, monitor.estimator, X)
    projection = None
    watched = None
    if embedding is None:
        every = table_columns(monitor, X, reset=True)
        watched = watched_columns(monitor.features, every)
        columns = [every[j] for j in watched]
        fixes = edge_rows(len(every[0].values), rng)
    else:
        if not (isinstance(monitor.features, str) and monitor.features == "all"):
            raise ParameterError(
                'features has no effect with an embedding, which replaces them; leave it at "all".'
            )
        fixes = edge_rows(len(X), rng)
        columns, projection = embedded_columns(embedding, None, X, fixes)
        every = columns
    empty = [c.name for c in columns if c.kind == NUMERIC and np.isnan(c.values).all()]
    if empty:
        raise DataError(
            f"the reference has no value in the columns {empty}. Drop them, or name the others in "
            "features."
        )
    batch = read_batch(X, columns, monitor.estimator, [c.name for c in columns])
    times = read_timestamps(timestamp, X, batch.n_rows)
    names = row_groups(monitor.reference_by, times, every, batch.n_rows)
    groups = sorted(set(names.tolist()))
    number = group_numbers(names, groups)
    rows = Rows(batch, number, times)
    fewest = np.bincount(number[~fixes], minlength=len(groups)).min()
    if fewest < 1:
        raise DataError(
            f"reference_by={monitor.reference_by!r} makes {len(groups)} groups, and some have too "
            "few rows. Give more reference rows, or a coarser reference_by."
        )
    inputs = [make_sketch(column, fixes, number, len(groups)) for column in rows.inputs]
    reference = Reference(
        inputs, [], groups, watched, embedding, projection, batch.n_rows,
        int((~fixes).sum()), None,
    )  # fmt: skip
    if y is not None:
        _learn_outcomes(reference, monitor, rows, y, fixes)
    if monitor.scoring is not None and y is not None:
        scorer = check_scoring(monitor.estimator, scoring=monitor.scoring)
        reference.performance["reference_score"] = float(scorer(monitor.estimator, X, y))
    if monitor.keep_rows:
        chosen = rng.permutation(batch.n_rows)[: monitor.keep_rows]
        reference.kept = encoded_rows(inputs[: len(columns)], columns)[chosen]
    return reference


def _learn_outcomes(
    reference: Reference, monitor: Any, rows: Rows, y: Any, fixes: np.ndarray
) -> None:
    labels, has_label = read_labels(y, rows.batch.n_rows)
    if (has_label & ~fixes).sum() < 1 or (has_label & fixes).sum() < 1:
        raise DataError("y has too few labels for a reference: fewer than two rows have one.")
    predicted = rows.batch.predicted
    columns, reference.classes = outcome_columns(
        monitor.estimator,
        labels,
        None if predicted is None else predicted[has_label],
        [column.name for column in rows.inputs],
    )
    groups, fixed = rows.groups[has_label], fixes[has_label]
    n_groups = len(reference.groups)
    if np.bincount(groups[~fixed], minlength=n_groups).min() < 1:
        raise DataError("y is missing for all rows of a group of reference_by.")
    reference.outcomes = [make_sketch(column, fixed, groups, n_groups) for column in columns]
    if predicted is None:
        return
    loss = columns[1].values
    reference.performance["reference_loss"] = float(loss.mean())
    if is_classifier(monitor.estimator) and rows.batch.top is not None:
        reference.accuracy = AccuracyEstimate.fit(
            rows.batch.top[has_label], _texts(predicted[has_label]), 1 - loss
        )
        reference.performance["reference_accuracy"] = float(1 - loss.mean())


def batch_evidence(sketch: Sketch, column: Column, groups: np.ndarray, *, one_sided: bool) -> float:
    """Return the logarithm of the e-value of a batch of one item.

    Parameters
    ----------
    sketch : Sketch
        Reference.
    column : Column
        Values of the batch.
    groups : ndarray of shape (n_rows,)
        Group of each row; each is compared with its own reference rows.
    one_sided : bool
        Whether only larger values count.
    """
    n_reference = int(sketch.counts.sum())
    bets = bets_for(min(len(column.values), n_reference))
    log_e = bets.log_shares(one_sided)
    for g, batch in _group_counts(sketch, column, groups):
        log_e = log_e + log_batch_e_values(sketch.counts[g].astype(np.int64), batch, bets)
    return float(np.logaddexp.reduce(log_e))


def _group_counts(
    sketch: Sketch, column: Column, groups: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each group that has rows, with its rows in each cell."""
    if len(sketch.counts) == 1 and column.kind == NUMERIC:
        ordered = column.ordered
        yield 0, sorted_cell_counts(sketch.edges, ordered, len(column.values) - len(ordered))
        return
    cells = sketch.cells(column.values)
    for g in np.unique(groups).tolist():
        yield g, np.bincount(cells[groups == g], minlength=sketch.n_cells)


def encoded_rows(sketches: list[Sketch], columns: list[Column]) -> np.ndarray:
    """Return columns as one array of numbers, categories as the numbers of their cells."""
    parts = [
        column.values if column.kind == NUMERIC else sketch.cells(column.values)
        for sketch, column in zip(sketches, columns, strict=True)
    ]
    return np.column_stack(parts).astype(np.float64)


def _texts(labels: np.ndarray) -> np.ndarray:
    return np.array([class_text(label) for label in labels.tolist()])
