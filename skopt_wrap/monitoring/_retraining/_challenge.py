"""When a challenger is trained, and when it takes the place of the champion."""

from __future__ import annotations

import copy
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.base import clone

from ...exceptions import SkippedWarning
from .._monitor import DriftMonitor
from .._report import DriftReport
from ._buffer import Buffer, Pool
from ._duel import Duel


class ChallengeMixin:
    """The decisions of a retraining estimator after each batch.

    The estimator keeps the state; see :class:`BaseRetraining`.
    """

    # Parameters and state of the estimator.
    estimator: Any
    alpha: float
    background: bool
    cooldown: int
    min_rows: int
    patience: int
    warm_start: bool
    champion_: Any
    monitor_: DriftMonitor
    n_rows_: int
    _rng: np.random.Generator
    _buffer: Buffer
    _alarmed: bool
    _challenger: Any
    _duel: Duel | None
    _fresh: list[Pool]
    _held: Pool
    _last_training: int | None
    _offset: int
    _ready_from: int
    _reserve: Any
    _since: int
    _trained_before: int
    _trained_until: int
    _training: tuple[Future[Any], int, Pool] | None
    _version: int
    # Methods of the estimator.
    _emit: Any
    _fit_monitor: Any
    _split: Any

    def _step(self, monitor: DriftMonitor, report: DriftReport) -> None:
        """Decide the duel, and train a challenger where one is due."""
        self._finish_training()
        if self._duel is not None:
            self._decide(self._duel)
        renewed = monitor is not self.monitor_  # the report is about a reference that was replaced
        if report.alarm and not self._alarmed and not renewed:
            self._alarmed = True
            self._since = min(report.began.values(), default=report.n_rows)
            self._emit("alarm", detail=report.verdict)
        if self._alarmed and self._challenger is None and self._training is None:
            self._train_when_due()

    def _decide(self, duel: Duel) -> None:
        if self._challenger is not None:
            if duel.rival_is_better:
                self._promote(duel)
            elif duel.rival_is_worse or duel.n_rows >= self.patience:
                detail = "worse" if duel.rival_is_worse else "not better"
                self._challenger, self._duel = None, None
                self._emit("rejection", detail=detail, duel=duel)
                self._renew_reference(self.champion_, self._unseen())
        elif duel.rival_is_better:
            self.champion_, self._reserve, self._duel = self._reserve, None, None
            self._version, self._trained_until = self._version - 1, self._trained_before
            self._emit("rollback", duel=duel)
            self._renew_reference(self.champion_, self._unseen())
        elif duel.rival_is_worse or duel.n_rows >= self.patience:
            self._reserve, self._duel = None, None
            self._emit("confirmation", duel=duel)

    def _promote(self, duel: Duel) -> None:
        previous, self.champion_ = self.champion_, self._challenger
        self._reserve, self._challenger = previous, None
        self._version += 1
        self._trained_before, self._trained_until = self._trained_until, self._ready_from
        self._emit("promotion", duel=duel)
        self._renew_reference(self.champion_, Pool.join([self._held, *self._fresh]))
        self._duel, self._fresh, self._ready_from = Duel(self.alpha), [], self.n_rows_

    def _renew_reference(self, champion: Any, pool: Pool) -> None:
        """Fit the monitor anew, on rows that the champion has not been trained on."""
        self._alarmed = False
        self._offset = self.n_rows_
        self.monitor_ = self._fit_monitor(champion, pool.X, pool.y)
        self._emit("reference", detail=f"{len(pool)} rows")

    def _unseen(self) -> Pool:
        """Return rows for a new reference of the champion: those of the duel, or more if few."""
        fresh = Pool.join(self._fresh)
        if len(fresh) >= self.min_rows:
            return fresh
        return self._buffer.latest_since(max(self._origin(), self._trained_until))

    def _origin(self) -> int:
        """Return the row of the stream at which the change began."""
        return self._offset + self._since

    def _train_when_due(self) -> None:
        last = self._last_training
        if last is not None and self.n_rows_ - last < self.cooldown:
            return
        since = self._origin()
        if self._buffer.labelled_since(since) < self.min_rows:
            return
        pool = self._buffer.for_training(since)
        train, held = self._split(len(pool), pool.y, self._rng)
        self._last_training = self.n_rows_
        self._emit("training", detail=f"{len(train)} rows")
        executor = ThreadPoolExecutor(1)
        future = executor.submit(self._train, pool.take(train))
        executor.shutdown(wait=not self.background)
        self._training = (future, self.n_rows_, pool.take(held))
        self._finish_training()

    def _train(self, pool: Pool) -> Any:
        if self.warm_start:
            model = copy.deepcopy(self.champion_).set_params(warm_start=True)
        else:
            model = clone(self.estimator)
        return model.fit(pool.X, pool.y)

    def _finish_training(self) -> None:
        """Let a challenger in that has been trained; its duel begins with rows after the buffer."""
        if self._training is None or not self._training[0].done():
            return
        future, row, held = self._training
        self._training = None
        error = future.exception()
        if error is not None:
            if not isinstance(error, Exception):
                raise error
            detail = f"{type(error).__name__}: {error}"
            self._emit("failure", detail=detail)
            warnings.warn(
                f"a challenger could not be trained, the champion goes on: {detail}",
                SkippedWarning,
                stacklevel=4,
            )
            return
        self._challenger, self._reserve = future.result(), None
        self._duel, self._held, self._fresh, self._ready_from = Duel(self.alpha), held, [], row
        self._emit("challenger")
