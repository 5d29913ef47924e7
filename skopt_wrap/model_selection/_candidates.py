"""Evaluate several candidates on their splits, the networks of all of them jointly."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..estimators import JointFits
from ._deferred_fit import why_whole
from ._folds import Fold, FoldOptions, Judge, Splits, defer_folds, split_by_split


@dataclass(frozen=True)
class Candidate:
    """An estimator that is trained and scored on splits.

    Parameters
    ----------
    name : hashable
        Under which it is handed back.
    estimator : estimator
        Cloned for each split.
    splits : sequence of (ndarray of int, ndarray of int)
        Positions of the training and the validation samples.
    scorer : callable
        ``scorer(estimator, X, y, **score_params)`` returns a number or a dict of numbers.
    options : FoldOptions
        Metadata and what to keep; without checkpoints.

    Examples
    --------
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import Candidate, FoldOptions
    >>> Candidate("a", KerasClassifier(), [], print, FoldOptions()).name
    'a'
    """

    name: Hashable
    estimator: Any
    splits: Splits
    scorer: Callable[..., Any]
    options: FoldOptions


def evaluate_candidates(
    candidates: Iterable[Candidate],
    X: Any,
    y: Any,
    *,
    enough: Callable[[float, int], bool],
    tick: Callable[[], None] | None = None,
    max_bytes: float | None = None,
) -> Iterator[tuple[Hashable, list[Fold]]]:
    """Train and score candidates, the networks of several of them together.

    The scores of each are those of `evaluate_folds`. A candidate whose networks are not trained
    with those of others is handed back at once, others when enough of them wait.

    Parameters
    ----------
    candidates : iterable of Candidate
        Taken one after the other.
    X : array-like or sparse matrix of shape (n_samples, ...)
        Data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    enough : callable
        ``enough(work, n)`` gets about how many multiplications and additions the training of the
        `n` candidates takes that wait, and says whether to train them now.
    tick : callable, default=None
        Called after every epoch, and between splits. What it raises ends everything.
    max_bytes : float, default=None
        Most memory of networks that are trained together, estimated; None for no limit.

    Yields
    ------
    name : hashable
        Of the candidate.
    folds : list of Fold
        As `evaluate_folds` returns them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import check_scoring
    >>> from sklearn.model_selection import StratifiedKFold
    >>> from skopt_wrap import KerasClassifier
    >>> from skopt_wrap.model_selection import Candidate, FoldOptions, evaluate_candidates
    >>> X, y = load_iris(return_X_y=True)
    >>> splits = list(StratifiedKFold(3).split(X, y))
    >>> candidates = [
    ...     Candidate(n, net, splits, check_scoring(net), FoldOptions())
    ...     for n in (8, 16)
    ...     for net in [KerasClassifier(model__units=n, epochs=2, random_state=0)]
    ... ]
    >>> found = evaluate_candidates(candidates, X, y, enough=lambda work, n: n == 2)
    >>> [(name, len(folds)) for name, folds in found]
    [(8, 3), (16, 3)]
    """
    together = JointFits(tick=tick, max_bytes=max_bytes)
    waiting: list[_Waiting] = []
    for candidate in candidates:
        judge = Judge(X, y, candidate.splits, candidate.scorer, candidate.options)
        reason = why_whole(candidate.estimator)
        if reason is not None:
            yield candidate.name, split_by_split(candidate.estimator, judge, reason)
            continue
        folds, jobs = defer_folds(candidate.estimator, X, y, candidate.splits, candidate.options)
        fits = together.begin(list(jobs.values()))
        item = _Waiting(candidate.name, judge, folds, list(zip(jobs, fits, strict=True)))
        if all(fit.training is None for fit in fits):
            yield item.finish()
            continue
        waiting.append(item)
        if enough(together.work, len(waiting)):
            together.train()
            yield from (item.finish() for item in waiting)
            waiting = []
    together.train()
    yield from (item.finish() for item in waiting)


@dataclass
class _Waiting:
    """A candidate whose networks are built, and those of some splits trained."""

    name: Hashable
    judge: Judge
    folds: list[Fold]
    fits: list[tuple[int, Any]]

    def finish(self) -> tuple[Hashable, list[Fold]]:
        """Return the name and the scored folds."""
        for index, fit in self.fits:
            self.folds[index].take(fit.outcome)
        return self.name, self.judge.finish(self.folds)
