"""Several fits at once, with the results of fitting one after the other."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from ..training import TrainingResult, snapshots
from ._fitting import Fitting, prepare_fit


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
        The road that training took, as in ``estimator.fit_path_``; empty after an error.
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
    error: Exception | None = None
    traceback: str | None = None


def fit_together(
    jobs: Sequence[FitJob],
    *,
    checkpoint_epochs: Collection[int] = (),
    checkpoint: Callable[[int], bool | None] | None = None,
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
    for fit in fits:
        fit.run(epochs)
    if checkpoint is not None:
        _replay(fits, epochs, checkpoint)
    return [fit.outcome for fit in fits]


class _Fit:
    """One job on its way."""

    def __init__(self, job: FitJob) -> None:
        self.job, self.outcome = job, FitOutcome()
        self.fitting: Fitting | None = None
        self.result: TrainingResult | None = None
        self.weights: dict[int, list[np.ndarray]] = {}

    def run(self, epochs: Sequence[int]) -> None:
        """Fit by itself; keep the weights as they are after `epochs`."""
        began = time.perf_counter()
        estimator = self.job.estimator
        try:
            with estimator._unchanged_on_failure():
                estimator._validate_params()
                self.fitting = self._prepare()
                keeper = snapshots(epochs)
                with self.fitting.scope():
                    self.fitting.build()
                    if epochs:
                        self.fitting.callbacks.insert(0, keeper)
                    self.result = self.fitting.train()
                self.fitting.store(self.result)
            self.weights = keeper.weights
            self.outcome.path = estimator.fit_path_
        except Exception as error:
            self.outcome.error, self.outcome.traceback = error, traceback.format_exc()
        self.outcome.seconds = time.perf_counter() - began

    def _prepare(self) -> Fitting:
        job = self.job
        X, y, weights = job.X, job.y, job.sample_weight
        if job.rows is not None:
            X, y = _safe_indexing(X, job.rows), _safe_indexing(y, job.rows)
            if weights is not None:
                weights = _safe_indexing(weights, job.rows)
        options = dict(job.fit_params)
        X_val, y_val = options.pop("X_val", None), options.pop("y_val", None)
        return prepare_fit(
            job.estimator, X, y, weights, X_val, y_val, options, keep=job.estimator.warm_start
        )

    def show(self, epoch: int) -> bool:
        """Give the estimator the state that it had after `epoch`; say whether it went on."""
        if self.result is None or epoch >= self.result.n_epochs or epoch not in self.weights:
            return False
        assert self.fitting is not None
        self.fitting.network.set_weights(self.weights[epoch])
        self.fitting.store(_until(self.result, epoch))
        return True


def _until(result: TrainingResult, epoch: int) -> TrainingResult:
    """Return `result` as it was after `epoch`."""
    history = {name: values[:epoch] for name, values in result.history.items()}
    return replace(result, history=history, n_epochs=epoch)


def _replay(
    fits: Sequence[_Fit], epochs: Sequence[int], checkpoint: Callable[[int], bool | None]
) -> None:
    """Show the estimators as they were after `epochs`, until `checkpoint` has seen enough."""
    fits = [fit for fit in fits if fit.result is not None and fit.outcome.error is None]
    final = [fit.fitting.network.get_weights() for fit in fits if fit.fitting is not None]
    last = max((fit.result.n_epochs for fit in fits if fit.result is not None), default=0)
    for epoch in epochs:
        if epoch > last:
            break
        for fit, weights in zip(fits, final, strict=True):
            assert fit.fitting is not None
            if not fit.show(epoch):
                fit.fitting.network.set_weights(weights)
                fit.fitting.store(fit.result)
        if checkpoint(epoch) is False:
            return
    for fit, weights in zip(fits, final, strict=True):
        assert fit.fitting is not None
        fit.fitting.network.set_weights(weights)
        fit.fitting.store(fit.result)
