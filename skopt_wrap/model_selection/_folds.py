"""Train an estimator on every split, the networks jointly, and score it on each."""

from __future__ import annotations

import numbers
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from .._pipelines import last_step
from .._sklearn import check_method_params, safe_split
from ..estimators import FitJob, FitOutcome, fit_together
from ..exceptions import SearchError
from ._deferred_fit import defer_fit, why_whole

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
        Time of preprocessing plus the network's share of the joint training; NaN where nothing
        was trained.
    score_seconds : float
        Time of scoring the validation rows.
    path : str
        How the network was trained: ``"joint"`` with those of the other splits, ``"fused"`` or
        ``"fit: <reason>"`` by itself; empty where nothing was trained.
    error : Exception or None
        What preprocessing, training or scoring raised.
    n_joint : int
        Number of networks that were trained jointly, with this one.
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
    n_joint: int = 1
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

    def take(self, outcome: FitOutcome) -> None:
        """Keep what became of the fit."""
        self.fit_seconds += outcome.seconds
        self.path, self.n_joint = outcome.path, outcome.n_joint
        if outcome.error is not None:
            self.fail(outcome.error, outcome.traceback)


@dataclass(frozen=True)
class FoldOptions:
    """How :func:`evaluate_folds` fits and scores.

    Parameters
    ----------
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
    max_bytes : float, default=None
        Most memory of networks that are trained together, estimated; None for no limit.

    Examples
    --------
    >>> from skopt_wrap.model_selection import FoldOptions
    >>> FoldOptions(train_scores=True).keep_estimators
    False
    """

    fit_params: Mapping[str, Any] | None = None
    score_params: Mapping[str, Any] | None = None
    train_scores: bool = False
    keep_estimators: bool = False
    stop_on_error: bool = True
    allow_nan: bool = False
    watch: bool = False
    checkpoint_epochs: Collection[int] = ()
    checkpoint: Callable[[int, list[Scores]], bool] | None = None
    tick: Callable[[], None] | None = None
    max_bytes: float | None = None


def fit_folds(
    estimator: Any,
    X: Any,
    y: Any,
    splits: Splits,
    options: FoldOptions,
    checkpoint: Callable[[int, list[Fold]], bool] | None = None,
) -> list[Fold]:
    """Fit clones of an estimator whose network's fit can be deferred; see `evaluate_folds`.

    `checkpoint` is called as ``checkpoint(epoch, folds)``.
    """
    folds, jobs = defer_folds(estimator, X, y, splits, options)
    if not jobs:
        return folds
    outcomes = fit_together(
        list(jobs.values()),
        checkpoint_epochs=options.checkpoint_epochs if checkpoint is not None else (),
        checkpoint=None if checkpoint is None else lambda epoch: checkpoint(epoch, folds),
        tick=options.tick,
        max_bytes=options.max_bytes,
    )
    for index, outcome in zip(jobs, outcomes, strict=True):
        folds[index].take(outcome)
    return folds


def defer_folds(
    estimator: Any, X: Any, y: Any, splits: Splits, options: FoldOptions
) -> tuple[list[Fold], dict[int, FitJob]]:
    """Return a fold for each split that is reached, and what is left to fit, by the fold.

    Nothing is left where a split has failed and that ends the rest.
    """
    folds: list[Fold] = []
    jobs: dict[int, FitJob] = {}
    for index, (train, test) in enumerate(splits):
        fold = Fold(estimator=clone(estimator))
        folds.append(fold)
        begin = time.perf_counter()
        try:
            job = defer_fit(fold.estimator, X, y, train, options.fit_params or {})
            if options.watch:
                X_val, y_val = safe_split(fold.estimator, X, y, test, train)
                job.fit_params = {**job.fit_params, "X_val": X_val, "y_val": y_val}
            jobs[index] = job
        except Exception as error:
            fold.fail(error)
        fold.fit_seconds = time.perf_counter() - begin
        if options.tick is not None:
            options.tick()
        if options.stop_on_error and fold.error is not None:
            return folds, {}
    return folds, jobs


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
class Judge:
    """Scores fitted folds, and keeps what goes wrong in them."""

    X: Any
    y: Any
    splits: Splits
    scorer: Callable[..., Any]
    options: FoldOptions

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
            if bad and not self.options.allow_nan:
                raise SearchError(f"the score of split {index} is not finite: {bad}.")
            if self.options.train_scores:
                fold.train_scores = self._score(fold.estimator, train)
        except Exception as error:
            fold.fail(error)

    def all(self, folds: list[Fold]) -> bool:
        """Score every fold; False where one has failed and that ends the rest."""
        for index, fold in enumerate(folds):
            self(fold, index)
            if self.options.stop_on_error and fold.error is not None:
                return False
        return True

    def finish(self, folds: list[Fold]) -> list[Fold]:
        """Score the folds of a training that is over."""
        if not self.options.stop_on_error or all(fold.error is None for fold in folds):
            self.all(folds)
        if not self.options.keep_estimators:
            for fold in folds:
                fold.estimator = None
        return folds

    def _score(self, estimator: Any, rows: Any, train: Any = None) -> Scores:
        X_rows, y_rows = safe_split(estimator, self.X, self.y, rows, train)
        params = check_method_params(self.X, params=self.options.score_params or {}, indices=rows)
        given = (X_rows,) if y_rows is None else (X_rows, y_rows)
        return as_scores(self.scorer(estimator, *given, **params))


def evaluate_folds(
    estimator: Any,
    X: Any,
    y: Any,
    splits: Splits,
    scorer: Callable[..., Any],
    options: FoldOptions | None = None,
    **changes: Any,
) -> list[Fold]:
    """Train an estimator on every split, its networks jointly, and score each.

    Preprocessing and resampling are fitted on the training samples of each split alone. The
    networks are trained in one graph where that gives the same weights as ``fit`` on each split,
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
        Positions of the training and the validation samples.
    scorer : callable
        ``scorer(estimator, X, y, **score_params)`` returns a number or a dict of numbers.
    options : FoldOptions, default=None
        Metadata, what to keep, and who looks on; None makes them of `changes`.
    **changes
        Arguments of :class:`FoldOptions`, or changes of `options`.

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
    options = replace(options or FoldOptions(), **changes)
    judge = Judge(X, y, splits, scorer, options)
    reason = why_whole(estimator)
    if reason is not None:
        return split_by_split(estimator, judge, reason)

    def at_checkpoint(epoch: int, folds: list[Fold]) -> bool:
        # an estimator that cannot be scored now is not trained to its end
        if not judge.all(folds) or options.checkpoint is None:
            return False
        return options.checkpoint(epoch, [fold.scores for fold in folds])

    checkpoint = None if options.checkpoint is None else at_checkpoint
    folds = fit_folds(estimator, X, y, splits, options, checkpoint)
    return judge.finish(folds)


def split_by_split(estimator: Any, judge: Judge, reason: str) -> list[Fold]:
    """Fit and score one split after the other."""
    folds: list[Fold] = []
    options = judge.options
    for index, (train, _) in enumerate(judge.splits):
        fold = fit_whole(estimator, judge.X, judge.y, train, options.fit_params or {}, reason)
        folds.append(fold)
        judge(fold, index)
        if not options.keep_estimators:
            fold.estimator = None
        if options.stop_on_error and fold.error is not None:
            break
        if options.tick is not None and index < len(judge.splits) - 1:
            options.tick()
    return folds


def as_scores(value: Any) -> dict[str, float]:
    """Return what a scorer returned as names mapped to floats.

    Parameters
    ----------
    value : float or mapping of str to float
        A score, or one for each metric.

    Returns
    -------
    scores : dict of str to float
        A single score is called ``"score"``.

    Raises
    ------
    TypeError
        When it is neither a number nor a dict of numbers.

    Examples
    --------
    >>> from skopt_wrap.model_selection import as_scores
    >>> as_scores(1), as_scores({"f1": 0.5})
    ({'score': 1.0}, {'f1': 0.5})
    """
    if isinstance(value, Mapping):
        return {str(name): as_scores(item)["score"] for name, item in value.items()}
    if hasattr(value, "item") and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"a scorer must return a number or a dict of numbers; got {type(value).__name__}."
        )
    return {"score": float(value)}
