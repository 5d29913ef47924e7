"""Several fits at once, with the results of fitting one after the other."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._sklearn import safe_indexing, validate_parameters
from ..training import (
    NotStackable,
    StackError,
    Training,
    TrainingResult,
    snapshots,
    stack_key,
    train_stacks,
)
from ._classifier import KerasClassifier
from ._fit_steps import Fitting, prepare_fit
from ._regressor import KerasRegressor
from ._shared_rows import SharedRows


@dataclass
class FitJob:
    """One fit of :func:`fit_together`.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Fitted in place.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        Rows; jobs that are given the same object share one copy of it.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    rows : ndarray of shape (n_rows,), default=None
        Positions of the training rows in `X` and `y`; None takes all.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights, aligned with `X`.
    fit_params : mapping, default={}
        Further arguments of ``estimator.fit``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap import KerasRegressor
    >>> from skopt_wrap.estimators import FitJob
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> FitJob(KerasRegressor(), X, X[:, 0], rows=np.array([0, 2])).rows.tolist()
    [0, 2]
    """

    estimator: Any
    X: Any
    y: Any
    rows: np.ndarray | None = None
    sample_weight: Any = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class FitOutcome:
    """What became of one :class:`FitJob`.

    Parameters
    ----------
    seconds : float
        Time that the fit took; fits trained together share their time equally.
    path : str
        The road that training took, as in ``estimator.fit_path_``: ``"stacked"`` with others,
        ``"fused"`` by itself, or ``"fit: <reason>"`` by ``keras.Model.fit``; empty after an error.
    reason : str or None
        Why it was not stacked.
    error : Exception or None
        What the fit raised.
    traceback : str or None
        Where it came from.

    Examples
    --------
    >>> from skopt_wrap.estimators import FitOutcome
    >>> FitOutcome(seconds=0.1, path="fused").error is None
    True
    """

    seconds: float = 0.0
    path: str = ""
    reason: str | None = None
    error: Exception | None = None
    traceback: str | None = None


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
        watch = None if checkpoint is None else _Watch(fits, checkpoint)
        stacked = [[fit.training for fit in group] for group in groups.values()]
        if stacked:
            train_stacks(stacked, pauses=epochs, pause=watch, tick=tick)  # type: ignore[arg-type]
        for fit in fits:
            fit.end()
        if watch is not None:
            _replay(fits, watch, [epoch for epoch in epochs if epoch > watch.epoch])
    except BaseException:
        for fit in fits:
            fit.restore()
        raise
    return [fit.outcome for fit in fits]


class _Fit:
    """One job on its way."""

    def __init__(self, job: FitJob) -> None:
        self.job, self.outcome = job, FitOutcome()
        self.training: Training | None = None
        self.final: list[np.ndarray] = []
        self._fitting: Fitting | None = None
        self._result: TrainingResult | None = None
        self._weights: dict[int, list[np.ndarray]] = {}
        self._before = dict(vars(job.estimator))

    def begin(self, epochs: Sequence[int], shared: SharedRows) -> Hashable | None:
        """Fit by itself, or build the network and return the key of the stack it belongs to."""
        with self._noting_errors():
            estimator = self.job.estimator
            if type(estimator).fit not in (KerasClassifier.fit, KerasRegressor.fit):
                self._fit_by_its_own(epochs)
                return None
            validate_parameters(estimator)
            fitting = self._fitting = self._prepare()
            with fitting.scope():
                fitting.build()
                try:
                    return self._as_training(fitting, shared)
                except NotStackable as why:
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
        self.outcome.reason = f"{type(estimator).__name__} defines its own fit"
        self.outcome.path = f"fit: {self.outcome.reason}"

    def _as_training(self, fitting: Fitting, shared: SharedRows) -> Hashable:
        estimator = fitting.estimator
        if estimator.augment is not None:
            raise NotStackable("augment makes the batches")
        if fitting.keep:
            raise NotStackable("training goes on with a fitted network")
        data = shared.put_in(fitting.data(), fitting, self.job)
        options = {**fitting.options(), "validation": shared.held_out(fitting, self.job)}
        self.training = Training(fitting.network, data, dtype=estimator.dtype, **options)
        try:
            key = stack_key(self.training)
        except NotStackable:
            self.training = None
            raise
        fitting.X = fitting.validation = fitting.held_out = None  # the stack has them
        return key, estimator.dtype

    def _fit_alone(self, fitting: Fitting, epochs: Sequence[int]) -> None:
        """Train by itself, inside the scope of `fitting`; keep the weights after `epochs`."""
        keeper = snapshots(epochs)
        if epochs:
            fitting.callbacks.insert(0, keeper)
        self._result = fitting.train()
        fitting.store(self._result)
        self._weights = keeper.weights
        self.outcome.path = fitting.estimator.fit_path_

    def end(self) -> None:
        """Let the estimator keep what the stack trained."""
        training, fitting = self.training, self._fitting
        if training is None or fitting is None or self.outcome.error is not None:
            return
        self.outcome.seconds += training.seconds
        if isinstance(training.error, StackError):
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
            self._result = training.result
            fitting.store(training.result)
            self.outcome.path = training.result.path

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
        return prepare_fit(
            estimator, X, y, weights, X_val, y_val, options, keep=estimator.warm_start
        )

    def show(self, epoch: int) -> None:
        """Give the estimator the state that it had after `epoch`, or has in the end."""
        training, fitting = self.training, self._fitting
        if fitting is None or self.outcome.error is not None or fitting.keep:
            return
        if training is not None and self._result is None:
            if training.error is None:
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


class _Watch:
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


def _replay(fits: Sequence[_Fit], watch: _Watch, epochs: Sequence[int]) -> None:
    """Show the remaining `epochs` of fits that were trained by themselves, then their end."""
    last = max((fit.n_epochs for fit in fits), default=0)
    for epoch in epochs:
        if watch.stopped or epoch > last:
            break
        watch(epoch)
    if not watch.stopped:
        for fit in fits:
            fit.show(last)
