"""Fit several estimators at once, with the results of fitting one after the other."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._sklearn import callbacks_of, safe_indexing, validate_parameters
from ..training import (
    JointTrainingError,
    NotJointlyTrainable,
    Training,
    TrainingData,
    TrainingResult,
    joint_key,
    snapshots,
    train_jointly,
)
from ._classifier import KerasClassifier
from ._fit_job import FitJob, FitOutcome
from ._fit_steps import FitRequest, Fitting, prepare_fit
from ._members import wants_members
from ._regressor import KerasRegressor


def fit_together(
    jobs: Sequence[FitJob],
    *,
    checkpoint_epochs: Collection[int] = (),
    checkpoint: Callable[[int], bool | None] | None = None,
    tick: Callable[[], None] | None = None,
) -> list[FitOutcome]:
    """Fit several estimators, with the results of fitting one after the other.

    Parameters
    ----------
    jobs : sequence of FitJob
        Fits; each estimator belongs to one of them.
    checkpoint_epochs : collection of int, default=()
        Epochs, counted from one, after which `checkpoint` is called.
    checkpoint : callable, default=None
        Called as ``checkpoint(epoch)`` when each estimator holds the weights that it has after
        that epoch (its final ones, where it stopped before); those whose fit failed are as they
        were. When it returns False, all fits end with the state of that epoch.
    tick : callable, default=None
        Called without arguments after every epoch of networks that are trained together, and
        after every other fit. What it raises ends all fits and is raised.

    Returns
    -------
    outcomes : list of FitOutcome
        One per job. An error of one fit does not touch the others.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import KFold
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.estimators import FitJob, fit_together
    >>> X, y = load_iris(return_X_y=True)
    >>> splits = KFold(3, shuffle=True, random_state=0).split(X)
    >>> jobs = [
    ...     FitJob(KerasClassifier(epochs=2, random_state=0), X, y, rows=train)
    ...     for train, _ in splits
    ... ]
    >>> [outcome.error for outcome in fit_together(jobs)]
    [None, None, None]
    >>> jobs[0].estimator.n_iter_
    2
    """
    epochs = sorted(set(checkpoint_epochs)) if checkpoint is not None else []
    fits = [_Fit(job) for job in jobs]
    shared = SharedRows(job.X for job in jobs if job.rows is not None)
    groups: dict[Hashable, list[_Fit]] = {}
    try:
        for fit in fits:
            key = fit.begin(epochs, shared)
            if key is not None:
                groups.setdefault(key, []).append(fit)
            elif tick is not None:
                tick()
        pause = None if checkpoint is None else _Checkpoint(fits, checkpoint)
        trainings = [[fit.training for fit in group] for group in groups.values()]
        if trainings:
            train_jointly(trainings, pauses=epochs, pause=pause, tick=tick)  # type: ignore[arg-type]
        for fit in fits:
            fit.end()
        if pause is not None:
            _replay(fits, pause, [epoch for epoch in epochs if epoch > pause.epoch])
    except BaseException:
        for fit in fits:
            fit.restore()
        raise
    return [fit.outcome for fit in fits]


class _Fit:
    """One job while it is fitted: its estimator, its training, and what becomes of it."""

    def __init__(self, job: FitJob) -> None:
        self.job, self.outcome = job, FitOutcome()
        self.training: Training | None = None
        self.final: list[np.ndarray] = []
        self._fitting: Fitting | None = None
        self._finished = False
        self._result: TrainingResult | None = None
        self._weights: dict[int, list[np.ndarray]] = {}
        self._before = dict(vars(job.estimator))

    def begin(self, epochs: Sequence[int], shared: SharedRows) -> Hashable | None:
        """Fit by itself, or build the network and return the key of its joint training."""
        with self._noting_errors():
            estimator = self.job.estimator
            own = type(estimator).fit not in (KerasClassifier.fit, KerasRegressor.fit)
            if own or wants_members(estimator) or callbacks_of(estimator):
                self._fit_by_its_own(epochs)
                return None
            validate_parameters(estimator)
            fitting = self._fitting = self._prepare()
            with fitting.scope():
                fitting.build()
                try:
                    return self._as_training(fitting, shared)
                except NotJointlyTrainable as why:
                    self.outcome.reason = str(why)
                    self._fit_alone(fitting, epochs)
        return None

    def _fit_by_its_own(self, epochs: Sequence[int]) -> None:
        estimator, job = self.job.estimator, self.job
        X, y, weights = self._rows()
        options = dict(job.fit_params)
        if weights is not None:
            options["sample_weight"] = weights
        estimator.fit(X, y, **options)
        if wants_members(estimator):
            self.outcome.reason = f"members={estimator.members} are trained with each other"
            self.outcome.path = estimator.fit_path_
            return
        own = type(estimator).fit not in (KerasClassifier.fit, KerasRegressor.fit)
        self.outcome.reason = (
            f"{type(estimator).__name__} defines its own fit"
            if own
            else "callbacks of scikit-learn are set"
        )
        self.outcome.path = f"fit: {self.outcome.reason}"

    def _as_training(self, fitting: Fitting, shared: SharedRows) -> Hashable:
        estimator = fitting.estimator
        data = shared.put_in(fitting.joint_data(), fitting, self.job)
        self.training = Training(
            fitting.network,
            data,
            fitting.training_settings(),
            validation=shared.held_out(fitting, self.job),
            callbacks=fitting.callbacks,
            dtype=estimator.dtype,
        )
        try:
            key = joint_key(self.training)
        except NotJointlyTrainable:
            self.training = None
            raise
        fitting.X = fitting.validation = fitting.held_out = None  # `data` has them
        return key, estimator.dtype

    def _fit_alone(self, fitting: Fitting, epochs: Sequence[int]) -> None:
        """Train by itself, inside the scope of `fitting`; keep the weights after `epochs`."""
        copies = snapshots(epochs)
        if epochs:
            fitting.callbacks.insert(0, copies)
        self._result = fitting.train()
        fitting.store(self._result)
        self._weights = copies.weights
        self.outcome.path = fitting.estimator.fit_path_

    def end(self) -> None:
        """Let the estimator keep what joint training made."""
        training, fitting = self.training, self._fitting
        if training is None or fitting is None or self.outcome.error is not None:
            return
        self.outcome.seconds += training.seconds
        if isinstance(training.error, JointTrainingError):
            self.outcome.reason = str(training.error)
            with self._noting_errors():
                fitting = self._fitting = self._prepare()
                with fitting.scope():
                    fitting.build()
                    self._fit_alone(fitting, ())
        elif training.error is not None:
            self.outcome.error, self.outcome.traceback = training.error, training.traceback
            self.restore()
        else:
            with self._noting_errors():
                self._finish(training, fitting)
                self._result = training.result
                fitting.store(training.result)
                self.outcome.path = training.result.path

    def _finish(self, training: Training, fitting: Fitting) -> None:
        """Correct the network, once, when its training has ended."""
        if training.result.n_epochs and not self._finished:
            self._finished = True
            fitting.finish(training.validation)

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.outcome.error, self.outcome.traceback = error, traceback.format_exc()
            self.restore()
        self.outcome.seconds += time.perf_counter() - began

    def restore(self) -> None:
        """Put back every attribute of the estimator."""
        attributes = vars(self.job.estimator)
        attributes.clear()
        attributes.update(self._before)

    def _rows(self) -> tuple[Any, Any, Any]:
        job = self.job
        if job.rows is None:
            return job.X, job.y, job.sample_weight
        parts = (job.X, job.y, job.sample_weight)
        X, y, weights = (None if p is None else safe_indexing(p, job.rows) for p in parts)
        return X, y, weights

    def _prepare(self) -> Fitting:
        X, y, weights = self._rows()
        options = dict(self.job.fit_params)
        X_val, y_val = options.pop("X_val", None), options.pop("y_val", None)
        estimator = self.job.estimator
        request = FitRequest(X, y, weights, X_val, y_val, options, keep=estimator.warm_start)
        return prepare_fit(estimator, request)

    def show(self, epoch: int) -> None:
        """Give the estimator the state that it had after `epoch`, or has in the end."""
        training, fitting = self.training, self._fitting
        if fitting is None or self.outcome.error is not None or fitting.keep:
            return
        if training is not None and self._result is None:
            if training.error is None:
                self._finish(training, fitting)
                fitting.store(training.so_far())
        elif self._result is not None:
            network = fitting.network
            if not self.final:
                self.final = network.get_weights()
            early = epoch < self._result.n_epochs and epoch in self._weights
            network.set_weights(self._weights[epoch] if early else self.final)
            fitting.store(_until(self._result, epoch) if early else self._result)

    @property
    def n_epochs(self) -> int:
        """Epochs that training by itself took."""
        return 0 if self._result is None else self._result.n_epochs


def _until(result: TrainingResult, epoch: int) -> TrainingResult:
    """Return `result` as it was after `epoch`."""
    history = {name: values[:epoch] for name, values in result.history.items()}
    return replace(result, history=history, n_epochs=epoch)


class _Checkpoint:
    """Show all estimators as they are after an epoch, and ask whether to go on."""

    def __init__(self, fits: Sequence[_Fit], checkpoint: Callable[[int], bool | None]) -> None:
        self._fits, self._checkpoint = fits, checkpoint
        self.epoch, self.stopped = 0, False

    def __call__(self, epoch: int) -> bool:
        for fit in self._fits:
            fit.show(epoch)
        self.epoch = epoch
        self.stopped = self._checkpoint(epoch) is False
        return not self.stopped


def _replay(fits: Sequence[_Fit], pause: _Checkpoint, epochs: Sequence[int]) -> None:
    """Show the remaining `epochs` of fits that were trained by themselves, then their end."""
    last = max((fit.n_epochs for fit in fits), default=0)
    for epoch in epochs:
        if pause.stopped or epoch > last:
            break
        pause(epoch)
    if not pause.stopped:
        for fit in fits:
            fit.show(last)


class SharedRows:
    """The arrays that are given to more than one job, as networks take them.

    Parameters
    ----------
    arrays : iterable of array-like
        ``X`` of each job that takes some of its rows.
    """

    def __init__(self, arrays: Iterable[Any]) -> None:
        self._counts = Counter(id(X) for X in arrays)
        self._encoded: dict[tuple[int, str], np.ndarray | None] = {}

    def put_in(self, data: TrainingData, fitting: Fitting, job: Any) -> TrainingData:
        """Return `data` with the shared array in the place of its own copy of some rows."""
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        rows = _positions(job.rows, len(x))
        split = fitting.split[0]
        return replace(data, x=x, rows=rows if split is None else rows[split])

    def held_out(self, fitting: Fitting, job: Any) -> TrainingData | None:
        """Return the validation rows, in the shared array where they come from it."""
        data, split = fitting.held_out, fitting.split[1]
        if data is None or split is None:
            return data
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        return replace(data, x=x, rows=_positions(job.rows, len(x))[split])

    def _rows(self, fitting: Fitting, job: Any, like: Any) -> np.ndarray | None:
        """Return all rows of ``job.X``, or None when there is nothing to share."""
        own_length = hasattr(fitting.estimator, "sequence_length_")
        if job.rows is None or self._counts[id(job.X)] < 2 or sp.issparse(like) or own_length:
            return None
        encoder = fitting.estimator.table_encoder_
        if encoder is not None and encoder.categories:
            return None  # each fit has codes of its own
        key = (id(job.X), like.dtype.str)
        if key not in self._encoded:
            try:
                X = fitting.estimator._check_X(job.X, reset=False)
            except ValueError:
                X = None  # rows that no fit takes, perhaps; each keeps a copy of its own
            self._encoded[key] = None if X is None else X.astype(like.dtype, copy=False)
        return self._encoded[key]


def _positions(rows: Any, n_rows: int) -> np.ndarray:
    return np.arange(n_rows)[rows]
