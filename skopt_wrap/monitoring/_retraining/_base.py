"""What RetrainingClassifier and RetrainingRegressor share."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted, column_or_1d

from ..._sklearn import HasMethods, Interval, StrOptions, fit_context, num_samples, safe_indexing
from ..._tables import as_frame
from ...exceptions import DataError, ParameterError
from .._batch import read_labels
from .._monitor import DriftMonitor
from .._report import DriftReport
from ._buffer import POLICIES, Buffer, Pool, Waiting, as_rows, make_pool
from ._challenge import ChallengeMixin
from ._duel import Duel


class BaseRetraining(ChallengeMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of :class:`RetrainingClassifier` and :class:`RetrainingRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "monitor": [DriftMonitor, None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "buffer": [StrOptions(set(POLICIES))],
        "buffer_size": [Interval(Integral, 2, None, closed="left")],
        "min_rows": [Interval(Integral, 2, None, closed="left")],
        "cooldown": [Interval(Integral, 0, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "reference_size": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "background": ["boolean"],
        "on_event": [callable, None],
        "random_state": ["random_state"],
    }

    # Learned by `fit`.
    champion_: Any
    monitor_: DriftMonitor
    n_rows_: int
    _rng: np.random.Generator
    _buffer: Buffer
    _waiting: Waiting

    # -- what the two kinds answer differently -------------------------------------------------

    def _losses(self, model: Any, X: Any, y: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _check_target(self, y: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _stratify(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def _begin(self, X: Any, y: np.ndarray) -> None:
        """Learn what losses need from the reference rows of the first champion."""

    # -- estimator -----------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Any:
        """Train the first champion, and the monitor on rows that it has not seen.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows.
        y : array-like of shape (n_rows,)
            Labels or numbers.

        Returns
        -------
        self : estimator
            This estimator.

        Raises
        ------
        ParameterError
            If a parameter breaks its rule, or has no effect.
        DataError
            If the rows cannot be used.
        """
        if y is None:
            raise DataError("This estimator requires y to be passed, but the target y is None.")
        if self.monitor is not None and self.monitor.estimator is not None:
            raise ParameterError(
                "monitor.estimator has no effect: the champion of the day is monitored. Give a "
                "monitor without an estimator."
            )
        if self.warm_start and "warm_start" not in self.estimator.get_params():
            raise ParameterError(
                f"warm_start=True has no effect: {type(self.estimator).__name__} has no "
                "parameter warm_start. Leave it at False."
            )
        X, y = as_rows(self, X), self._check_target(column_or_1d(y, warn=True))
        rng = self._generator()
        train, held = self._split(num_samples(X), y, rng)
        champion = clone(self.estimator).fit(safe_indexing(X, train), y[train])
        self._rng, self._lock = rng, threading.RLock()
        self.champion_ = champion
        self._begin(safe_indexing(X, held), y[held])
        self.monitor_ = self._fit_monitor(champion, safe_indexing(X, held), y[held])
        self.n_rows_, self._version, self._alarmed = 0, 0, False
        self._offset = self._since = self._trained_until = self._trained_before = 0
        self._challenger: Any = None
        self._reserve: Any = None
        self._duel: Duel | None = None
        self._ready_from = 0
        self._last_training: int | None = None
        self._training: tuple[Future[Any], int, Pool] | None = None
        self._fresh: list[Pool] = []
        self._events: list[dict[str, Any]] = []
        start = make_pool(X, y, np.full(len(y), -1), rng)
        self._buffer = Buffer(self.buffer, self.buffer_size, start)
        self._waiting = Waiting(self.buffer_size)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(champion, name):
                setattr(self, name, getattr(champion, name))
        return self

    def _generator(self) -> np.random.Generator:
        if self.random_state is None:
            return np.random.default_rng()
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def _split(
        self, n_rows: int, y: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return rows to train on and rows to hold out as the reference."""
        if n_rows < 4:
            raise DataError(
                f"X has {n_rows} sample(s); at least 4 are needed, some of them as a reference."
            )
        if n_rows != len(y):
            raise DataError(f"X and y have inconsistent numbers of samples: {n_rows} and {len(y)}.")
        size = min(max(2, round(self.reference_size * n_rows)), n_rows - 2)
        seed = int(rng.integers(2**31 - 1))
        labels = self._stratify(y)
        if labels is not None:
            counts = np.unique(labels, return_counts=True)[1]
            if counts.min() < 2 or len(counts) > min(size, n_rows - size):
                labels = None
        rows = np.arange(n_rows)
        train, held = train_test_split(rows, test_size=size, stratify=labels, random_state=seed)
        return np.sort(train), np.sort(held)

    def _fit_monitor(self, champion: Any, X: Any, y: np.ndarray) -> DriftMonitor:
        template = DriftMonitor() if self.monitor is None else self.monitor
        monitor = DriftMonitor(**template.get_params(deep=False))
        monitor.set_params(estimator=champion)
        if monitor.random_state is None:
            monitor.set_params(random_state=int(self._rng.integers(2**31 - 1)))
        return monitor.fit(X, y)

    def predict(self, X: Any) -> np.ndarray:
        """Predict with the champion; safe while other threads observe.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_rows,)
            Predictions.
        """
        check_is_fitted(self)
        return np.asarray(self.champion_.predict(X))

    # -- stream --------------------------------------------------------------------------------

    def observe(
        self, X: Any, y: Any = None, *, ids: Any = None, timestamp: Any = None
    ) -> DriftReport:
        """Take the next rows of the stream, after they were predicted.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, ...)
            Rows, as in `fit`.
        y : array-like of shape (n_rows,), default=None
            Labels; NaN or None for rows that have none yet.
        ids : array-like of shape (n_rows,), default=None
            Names of the rows, needed to give their labels later.
        timestamp : array-like of shape (n_rows,), default=None
            Time of each row, for the monitor.

        Returns
        -------
        report : DriftReport
            What the monitor says.

        Raises
        ------
        DataError
            If the rows are not like those of `fit`, an id was given before, or a time lies before
            an earlier one.
        """
        check_is_fitted(self)
        X = as_rows(self, X)
        with self._lock:
            names = self._check_ids(ids, num_samples(X))
            labels, has_label = None, np.zeros(num_samples(X), dtype=bool)
            if y is not None:
                labels, has_label = read_labels(y, num_samples(X))
                labels = self._check_target(labels) if len(labels) else labels
            monitor = self.monitor_
            report = monitor.update(X, y if has_label.any() else None, timestamp=timestamp)
            first = self.n_rows_
            self.n_rows_ += num_samples(X)
            if names is not None:
                self._waiting.add(X, names, first, ~has_label)
            if labels is not None and len(labels):
                rows = safe_indexing(X, np.flatnonzero(has_label))
                self._take(rows, labels, first + np.flatnonzero(has_label))
            self._step(monitor, report)
            return report

    def observe_labels(self, ids: Any, y: Any) -> DriftReport:
        """Take labels of rows that were observed before.

        Parameters
        ----------
        ids : array-like of shape (n_labels,)
            Names given to :meth:`observe`.
        y : array-like of shape (n_labels,)
            Their labels.

        Returns
        -------
        report : DriftReport
            What the monitor says.

        Raises
        ------
        DataError
            If an id is unknown or a label is missing; nothing is taken then.
        """
        check_is_fitted(self)
        with self._lock:
            names = np.asarray(ids)
            labels, has_label = read_labels(y, len(names))
            if not has_label.all():
                raise DataError("y holds missing labels. Give the labels that came, and their ids.")
            labels = self._check_target(labels)
            X, rows = self._waiting.rows_of(names)
            monitor = self.monitor_
            report = monitor.update_labels(X, labels)
            self._waiting.forget(names)
            self._take(X, labels, rows)
            self._step(monitor, report)
            return report

    def _check_ids(self, ids: Any, n_rows: int) -> np.ndarray | None:
        if ids is None:
            return None
        names = np.asarray(ids)
        if names.shape != (n_rows,):
            raise DataError(f"ids has shape {names.shape}, but X has {n_rows} rows.")
        known = names.tolist()
        if len(set(known)) < n_rows or any(name in self._waiting.rows for name in known):
            raise DataError("ids must be new and different; some were given before or twice.")
        return names

    def _take(self, X: Any, y: np.ndarray, rows: np.ndarray) -> None:
        """Let the duel see labelled rows, then keep them for training."""
        self._finish_training()
        pool = make_pool(X, y, rows, self._rng)
        rival = self._challenger if self._challenger is not None else self._reserve
        if rival is not None and self._duel is not None:
            later = rows >= self._ready_from
            if later.any():
                part = pool.take(later)
                holder = self._losses(self.champion_, part.X, part.y)
                self._duel.add(holder, self._losses(rival, part.X, part.y))
                self._fresh.append(part)
        self._buffer.add(pool)

    def wait(self) -> Any:
        """Wait for a challenger that is being trained in the background.

        Returns
        -------
        self : estimator
            This estimator.
        """
        check_is_fitted(self)
        with self._lock:
            if self._training is not None:
                self._training[0].exception()
                self._finish_training()
        return self

    # -- events --------------------------------------------------------------------------------

    def _emit(self, event: str, detail: str = "", duel: Duel | None = None) -> None:
        record = {
            "row": self.n_rows_,
            "event": event,
            "model": self._version,
            "duel_rows": None if duel is None else duel.n_rows,
            "gain": None if duel is None else round(duel.mean_difference, 6),
            "detail": detail,
        }
        self._events.append(record)
        if self.on_event is not None:
            self.on_event(dict(record))

    @property
    def events_(self) -> Any:
        """What has happened, as a pandas DataFrame; `events_to_dict` needs no pandas."""
        return as_frame(self.events_to_dict())

    def events_to_dict(self) -> dict[str, list[Any]]:
        """Return what has happened as a dict of columns.

        Returns
        -------
        columns : dict of str to list
            "row" of the stream, "event", "model" that serves afterwards (0 is the first), rows and
            mean gain of the duel, and "detail".
        """
        check_is_fitted(self)
        keys = ("row", "event", "model", "duel_rows", "gain", "detail")
        return {key: [event[key] for event in self._events] for key in keys}

    def __getstate__(self) -> dict[str, Any]:
        if getattr(self, "_training", None) is not None:
            self.wait()
        state = dict(super().__getstate__())
        state.pop("_lock", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "champion_" in state:
            self._lock = threading.RLock()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags
