"""Train a candidate on every split, the networks together, and score it on each."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from .._pipelines import last_step
from .._sklearn import check_method_params, safe_split
from ..estimators import FitJob, fit_together
from ..exceptions import SearchError
from ._deferred_fit import as_scores, put_off, why_whole

Splits = Sequence[tuple[Any, Any]]
Scores = dict[str, float]


@dataclass
class Fold:
    """Outcome of one split: scores and times, or an error.

    Attributes
    ----------
    scores : dict of str to float
        Scores on the validation rows, by metric; empty where there are none.
    train_scores : dict of str to float
        Scores on the training rows, where they were asked for.
    fit_seconds : float
        Time of preprocessing plus the network's share of the common training; NaN where nothing
        was trained.
    score_seconds : float
        Time of scoring the validation rows.
    path : str
        How the network was trained: ``"stacked"``, ``"unrolled"`` or ``"fused"`` together with
        those of other splits, or ``"fit: <reason>"`` on its own; empty where nothing was.
    error : Exception or None
        What preprocessing, training or scoring raised.
    traceback : str or None
        Where it came from.
    estimator : estimator or None
        The fitted estimator.
    history : dict of str to list of float
        Loss and metrics of every epoch, where the estimator ends in a network.
    """

    scores: Scores = field(default_factory=dict)
    train_scores: Scores = field(default_factory=dict)
    fit_seconds: float = np.nan
    score_seconds: float = np.nan
    path: str = ""
    error: Exception | None = None
    traceback: str | None = None
    estimator: Any = field(default=None, repr=False)
    history: dict[str, list[float]] = field(default_factory=dict, repr=False)

    def fail(self, error: Exception, text: str | None = None) -> None:
        """Keep an error.

        Parameters
        ----------
        error : Exception
            The error.
        text : str, default=None
            Its traceback; None formats that of the exception being handled.
        """
        self.error, self.traceback = error, text or traceback.format_exc()


def fit_folds(
    estimator: Any,
    X: Any,
    y: Any,
    splits: Splits,
    *,
    fit_params: Mapping[str, Any] | None = None,
    watch: bool = False,
    checkpoint_epochs: Collection[int] = (),
    checkpoint: Callable[[int, list[Fold]], bool] | None = None,
    tick: Callable[[], None] | None = None,
    stop_on_error: bool = False,
) -> list[Fold]:
    """Fit clones of an estimator that can be taken apart; see `evaluate_folds`."""
    folds: list[Fold] = []
    jobs: dict[int, FitJob] = {}
    for index, (train, test) in enumerate(splits):
        fold = Fold(estimator=clone(estimator))
        folds.append(fold)
        begin = time.perf_counter()
        try:
            job = put_off(fold.estimator, X, y, train, fit_params or {})
            if watch:
                X_val, y_val = safe_split(fold.estimator, X, y, test, train)
                job.fit_params = {**job.fit_params, "X_val": X_val, "y_val": y_val}
            jobs[index] = job
        except Exception as error:
            fold.fail(error)
        fold.fit_seconds = time.perf_counter() - begin
        if tick is not None:
            tick()
        if stop_on_error and fold.error is not None:
            return folds
    if not jobs:
        return folds
    outcomes = fit_together(
        list(jobs.values()),
        checkpoint_epochs=checkpoint_epochs if checkpoint is not None else (),
        checkpoint=None if checkpoint is None else lambda epoch: checkpoint(epoch, folds),
        tick=tick,
    )
    for index, outcome in zip(jobs, outcomes, strict=True):
        fold = folds[index]
        fold.fit_seconds += outcome.seconds
        fold.path = outcome.path
        if outcome.error is not None:
            fold.fail(outcome.error, outcome.traceback)
    return folds


def fit_whole(
    estimator: Any, X: Any, y: Any, rows: Any, fit_params: Mapping[str, Any], reason: str
) -> Fold:
    """Fit a clone of `estimator` as it fits itself."""
    fold = Fold(estimator=clone(estimator), path=f"fit: {reason}")
    begin = time.perf_counter()
    try:
        X_rows, y_rows = safe_split(fold.estimator, X, y, rows)
        params = check_method_params(X, params=fit_params, indices=rows)
        begin = time.perf_counter()
        fold.estimator.fit(*((X_rows,) if y_rows is None else (X_rows, y_rows)), **params)
    except Exception as error:
        fold.fail(error)
    fold.fit_seconds = time.perf_counter() - begin
    return fold


@dataclass
class _Judge:
    """Scores fitted folds, and keeps what goes wrong in them."""

    X: Any
    y: Any
    splits: Splits
    scorer: Callable[..., Any]
    params: Mapping[str, Any]
    train_scores: bool
    allow_nan: bool

    def __call__(self, fold: Fold, index: int) -> None:
        if fold.error is not None:
            return
        train, test = self.splits[index]
        fold.history = getattr(last_step(fold.estimator), "history_", {})
        begin = time.perf_counter()
        try:
            fold.scores = self._score(fold.estimator, test, train)
            fold.score_seconds = time.perf_counter() - begin
            bad = {name: value for name, value in fold.scores.items() if not np.isfinite(value)}
            if bad and not self.allow_nan:
                raise SearchError(f"the score of split {index} is not finite: {bad}.")
            if self.train_scores:
                fold.train_scores = self._score(fold.estimator, train)
        except Exception as error:
            fold.fail(error)

    def _score(self, estimator: Any, rows: Any, train: Any = None) -> Scores:
        X_rows, y_rows = safe_split(estimator, self.X, self.y, rows, train)
        params = check_method_params(self.X, params=self.params, indices=rows)
        given = (X_rows,) if y_rows is None else (X_rows, y_rows)
        return as_scores(self.scorer(estimator, *given, **params))


def evaluate_folds(
    estimator: Any,
    X: Any,
    y: Any,
    splits: Splits,
    scorer: Callable[..., Any],
    *,
    fit_params: Mapping[str, Any] | None = None,
    score_params: Mapping[str, Any] | None = None,
    train_scores: bool = False,
    keep_estimators: bool = False,
    stop_on_error: bool = True,
    allow_nan: bool = False,
    watch: bool = False,
    checkpoint_epochs: Collection[int] = (),
    checkpoint: Callable[[int, list[Scores]], bool] | None = None,
    tick: Callable[[], None] | None = None,
) -> list[Fold]:
    """Train a candidate on every split, its networks together, and score each.

    Preprocessing and resampling are fitted on the training rows of each split alone. The
    networks' training runs in one graph where that gives the same weights as ``fit`` on each split,
    and ``fit`` runs otherwise; ``Fold.path`` says which.

    Parameters
    ----------
    estimator : estimator
        Cloned for each split. What does not end in a KerasClassifier or KerasRegressor is fitted
        split by split.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    splits : sequence of (ndarray of int, ndarray of int)
        Training and validation rows.
    scorer : callable
        ``scorer(estimator, X, y, **score_params)`` returns a number or a dict of numbers.
    fit_params : mapping, default=None
        Arguments of ``fit``, aligned with the rows of `X` where they have as many.
    score_params : mapping, default=None
        The same for `scorer`.
    train_scores : bool, default=False
        Whether to score the training rows too.
    keep_estimators : bool, default=False
        Whether the folds keep their fitted estimators.
    stop_on_error : bool, default=True
        Whether to leave out what remains once a split has failed.
    allow_nan : bool, default=False
        Whether a score that is not finite is a score; otherwise it is an error.
    watch : bool, default=False
        Whether a network that stands alone gets the validation rows as ``X_val`` and ``y_val``.
    checkpoint_epochs : collection of int, default=()
        Epochs, from 1, after which the validation rows of all splits are scored.
    checkpoint : callable, default=None
        ``checkpoint(epoch, scores)`` gets those scores, one dict for each split, and returns
        False to end training there. The folds then hold the scores of that epoch.
    tick : callable, default=None
        Called after every epoch, and between splits. What it raises ends everything.

    Returns
    -------
    folds : list of Fold
        One for each split that was reached. An error is kept in its fold, never raised.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import check_scoring
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import evaluate_folds
    >>> X, y = load_iris(return_X_y=True)
    >>> splits = list(StratifiedKFold(3).split(X, y))
    >>> net = KerasClassifier(epochs=30, random_state=0)
    >>> folds = evaluate_folds(net, X, y, splits, check_scoring(net))
    >>> bool(np.mean([fold.scores["score"] for fold in folds]) > 0.6)
    True
    """
    judge = _Judge(X, y, splits, scorer, score_params or {}, train_scores, allow_nan)
    reason = why_whole(estimator)
    folds: list[Fold] = []
    if reason is not None:
        for index, (train, _) in enumerate(splits):
            folds.append(fit_whole(estimator, X, y, train, fit_params or {}, reason))
            judge(folds[index], index)
            if not keep_estimators:
                folds[index].estimator = None
            if stop_on_error and folds[index].error is not None:
                break
            if tick is not None and index < len(splits) - 1:
                tick()
        return folds

    def judge_all(folds: list[Fold]) -> bool:
        for index, fold in enumerate(folds):
            judge(fold, index)
            if stop_on_error and fold.error is not None:
                return False
        return True

    def at_checkpoint(epoch: int, folds: list[Fold]) -> bool:
        # a candidate that cannot be scored now is not trained to its end
        if not judge_all(folds) or checkpoint is None:
            return False
        return checkpoint(epoch, [fold.scores for fold in folds])

    folds = fit_folds(
        estimator,
        X,
        y,
        splits,
        fit_params=fit_params,
        watch=watch,
        checkpoint_epochs=checkpoint_epochs,
        checkpoint=None if checkpoint is None else at_checkpoint,
        tick=tick,
        stop_on_error=stop_on_error,
    )
    if not stop_on_error or all(fold.error is None for fold in folds):
        judge_all(folds)
    if not keep_estimators:
        for fold in folds:
            fold.estimator = None
    return folds
