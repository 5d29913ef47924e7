"""Fit several estimators at once, with the results of fitting one after the other."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterator,
    Sequence,
)
from dataclasses import replace
from typing import Any

import numpy as np

from .._sklearn import callbacks_of, safe_indexing, validate_parameters
from ..training import (
    JointTrainingError,
    NotJointlyTrainable,
    Training,
    TrainingResult,
    joint_key,
    snapshots,
    train_jointly,
)
from ._classifier import KerasClassifier
from ._fit_steps import FitRequest, Fitting, prepare_fit
from ._members import wants_members
from ._regressor import KerasRegressor
from ._together._fit_job import FitJob, FitOutcome
from ._together._shared_rows import SharedRows


def fit_together(
    jobs: Sequence[FitJob],
    *,
    checkpoint_epochs: Collection[int] = (),
    checkpoint: Callable[[int], bool | None] | None = None,
    tick: Callable[[], None] | None = None,
    max_bytes: float | None = None,
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
    max_bytes : float, default=None
        Most memory of networks that are trained together, estimated; None for no limit.

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
    together = JointFits(tick=tick, max_bytes=max_bytes)
    fits = together.begin(jobs, epochs)
    together.train(epochs, checkpoint)
    return [fit.outcome for fit in fits]


class JointFits:
    """Fits that are begun one after the other, and trained together later.

    Parameters
    ----------
    tick : callable, default=None
        Called without arguments after every epoch of networks that are trained together, and
        after every other fit. What it raises ends all fits.
    max_bytes : float, default=None
        Most memory of networks that are trained together, estimated; None for no limit.

    Attributes
    ----------
    work : float
        Multiplications and additions of the training that waits, about.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.estimators import FitJob, JointFits
    >>> X, y = load_iris(return_X_y=True)
    >>> together, fits = JointFits(), []
    >>> for rate in (0.001, 0.01):
    ...     network = KerasClassifier(epochs=2, optimizer__learning_rate=rate, random_state=0)
    ...     fits += together.begin([FitJob(network, X, y)])
    >>> together.work > 0
    True
    >>> together.train()
    >>> [fit.outcome.n_joint for fit in fits]
    [2, 2]
    """

    def __init__(
        self, *, tick: Callable[[], None] | None = None, max_bytes: float | None = None
    ) -> None:
        self._tick, self._max_bytes = tick, max_bytes
        self._fits: list[_Fit] = []
        self._groups: dict[Hashable, list[_Fit]] = {}
        self._shared = SharedRows()
        self.work = 0.0

    def begin(self, jobs: Sequence[FitJob], epochs: Sequence[int] = ()) -> list[_Fit]:
        """Build the networks of `jobs`, and train those that are not trained with others.

        A fit that is over has no `training`.
        """
        fits = [_Fit(job) for job in jobs]
        self._fits += fits
        self._shared.expect(job.X for job in jobs if job.rows is not None)
        with self._restoring():
            for fit in fits:
                key = fit.begin(epochs, self._shared)
                if key is not None:
                    self._groups.setdefault(key, []).append(fit)
                    self.work += fit.work
                elif self._tick is not None:
                    self._tick()
        return fits

    def train(
        self, epochs: Sequence[int] = (), checkpoint: Callable[[int], bool | None] | None = None
    ) -> None:
        """Train what waits, and let every estimator keep what was made."""
        fits, groups = self._fits, self._groups
        with self._restoring():
            pause = None if checkpoint is None else _Checkpoint(fits, checkpoint)
            trainings = [[fit.training for fit in group] for group in groups.values()]
            if trainings:
                train_jointly(
                    trainings,  # type: ignore[arg-type]
                    pauses=epochs,
                    pause=pause,
                    tick=self._tick,
                    max_bytes=self._max_bytes,
                )
            for fit in fits:
                fit.end()
            if pause is not None:
                _replay(fits, pause, [epoch for epoch in epochs if epoch > pause.epoch])
        self._fits, self._groups, self.work = [], {}, 0.0

    @contextlib.contextmanager
    def _restoring(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            for fit in self._fits:
                fit.restore()
            raise


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

    @property
    def work(self) -> float:
        """Multiplications and additions of the training that waits, about."""
        training = self.training
        if training is None or training.plan is None:
            return 0.0
        rows = len(training.data) * training.settings.epochs
        return 3.0 * max(training.plan.n_values, training.plan.n_activations) * rows

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
                self.outcome.n_joint = training.n_joint

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
