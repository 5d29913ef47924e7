"""State of a monitored stream, and the report about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._columns import Column
from ._reference import Reference, Rows
from ._statistics._multiple import e_bh, log_average
from ._statistics._sketch import Sketch
from ._stream import Clock, RecentRows, Track

_MAX_HISTORY = 2000
Outcome = tuple[list[Column], np.ndarray]


class StreamState:
    """Everything that a stream adds to a reference.

    Parameters
    ----------
    reference : Reference
        What was learned by `fit`.
    window : int
        Latest rows to keep for effect sizes.
    restarting : bool
        Whether the evidence is the Shiryaev-Roberts statistic.
    log_threshold : float
        The alarm is given when the logarithm of the evidence reaches it.
    alpha : float
        False discovery rate of the items.
    shuffle : bool
        Whether the rows that come together are taken in random order.
    """

    def __init__(
        self,
        reference: Reference,
        window: int,
        restarting: bool,
        log_threshold: float,
        alpha: float,
        shuffle: bool,
    ) -> None:
        inputs = [False] * len(reference.inputs)
        self.tracks = [Track.start(reference.inputs, inputs, restarting)]
        if reference.outcomes:
            self.tracks.append(Track.start(reference.outcomes, reference.one_sided, restarting))
        self.recent = [RecentRows(window) for _ in self.tracks]
        self.clock = Clock()
        self.restarting = restarting
        self.log_threshold = log_threshold
        self.alpha = alpha
        self.shuffle = shuffle
        self.names = reference.names
        self.n_rows = 0
        self.alarm_row: int | None = None
        self.changed_at_alarm = np.zeros(len(self.names), dtype=bool)
        self.history: dict[str, list[Any]] = {
            key: [] for key in ("row", "log_e_value", "log_e_values", "time")
        }

    def take(self, rows: Rows, outcome: Outcome | None, rng: np.random.Generator) -> None:
        """Take the next rows and the labels that came with them."""
        self._advance(0, rows.inputs, rows.groups, rng)
        self.n_rows += rows.batch.n_rows
        self.take_outcome(rows, outcome, rng)

    def take_outcome(self, rows: Rows, outcome: Outcome | None, rng: np.random.Generator) -> None:
        """Take labels; then look at the evidence."""
        if outcome is not None:
            self._advance(1, outcome[0], rows.groups[outcome[1]], rng)
        values = self.log_values()
        average = log_average(values)
        if self.alarm_row is None and average >= self.log_threshold:
            self.alarm_row = self.n_rows
            self.changed_at_alarm = self._declared(values)
        self._remember(average, values)

    def _advance(
        self, i: int, columns: list[Column], groups: np.ndarray, rng: np.random.Generator
    ) -> None:
        if not len(groups):
            return
        track = self.tracks[i]
        self.recent[i].push([column.values for column in columns], groups)
        pairs = zip(track.sketches, columns, strict=True)
        cells = np.column_stack([sketch.cells(column.values) for sketch, column in pairs])
        if self.shuffle:
            order = rng.permutation(len(cells))
            cells, groups = cells[order], groups[order]
        # What came after a change must not become the reference.
        track.advance(cells, groups, rng, grow=self.alarm_row is None)

    def log_values(self) -> np.ndarray:
        """Return the logarithm of the evidence of each item."""
        return np.concatenate([track.wealth.log_values() for track in self.tracks])

    def _declared(self, values: np.ndarray) -> np.ndarray:
        return values >= self.log_threshold if self.restarting else e_bh(values, self.alpha)

    def changed(self, values: np.ndarray) -> np.ndarray:
        """Return the items declared changed now, or those at the alarm when none is any more."""
        now = self._declared(values)
        return now if now.any() else self.changed_at_alarm

    def _remember(self, average: float, values: np.ndarray) -> None:
        history = self.history
        history["row"].append(self.n_rows)
        history["log_e_value"].append(average)
        history["log_e_values"].append(values)
        time = self.clock.latest
        history["time"].append(None if time is None else str(time))
        if len(history["row"]) > _MAX_HISTORY:  # every second one, the latest included
            for key, kept in history.items():
                history[key] = kept[::-2][::-1]

    def began(self, changed: np.ndarray) -> tuple[dict[str, int], dict[str, str]]:
        """Return row and time at which the changed items most likely began to change.

        Labels that came later than their rows are not counted by the rows of the stream; label and
        loss are left out then.
        """
        rows: dict[str, int] = {}
        n_inputs = len(self.tracks[0].sketches)
        for i in np.flatnonzero(changed):
            track = self.tracks[0] if i < n_inputs else self.tracks[1]
            if track.wealth.n_rows == self.n_rows:
                rows[self.names[i]] = track.began(int(i if i < n_inputs else i - n_inputs))
        times = {name: self.clock.at(row) for name, row in rows.items()}
        return rows, {name: time for name, time in times.items() if time is not None}

    def recent_columns(self, began: dict[str, int]) -> list[tuple[Sketch, Column, np.ndarray]]:
        """Return sketch, latest values and their groups of each item that had rows.

        Of an item that changed, only the rows since it began to.
        """
        found = []
        for track, recent in zip(self.tracks, self.recent, strict=True):
            for sketch, values in zip(track.sketches, recent.values, strict=False):
                since = self.n_rows - began.get(sketch.name, 0)
                column = Column(sketch.name, sketch.kind, sketch.dtype, values[-since:])
                found.append((sketch, column, recent.groups[-since:]))
        return found
