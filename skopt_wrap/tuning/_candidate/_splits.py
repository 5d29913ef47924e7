"""Cross-validation splits, made once and kept for every trial."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit, check_cv

from ..._sklearn import target_type
from ...exceptions import DataError, SkippedWarning

HOLDOUT = 0.2  # share of the validation samples when cv is None


def make_splitter(cv: Any, y: Any, *, classifier: bool, seed: int | None) -> Any:
    """Return the splitter that `cv` stands for.

    Parameters
    ----------
    cv : int, float, None, splitter or iterable
        An int is a number of folds, stratified for classes; a float in (0, 1) is the share of
        rows in a single validation set, None is 0.2.
    y : array-like
        The target.
    classifier : bool
        Whether `y` holds classes.
    seed : int or None
        Seed of a single validation set.

    Returns
    -------
    splitter : object
        Has ``split`` and ``get_n_splits``.
    """
    single_labels = classifier and target_type(y) in ("binary", "multiclass")
    if cv is None or isinstance(cv, float):
        size = HOLDOUT if cv is None else cv
        smallest = np.unique(np.asarray(y), return_counts=True)[1].min() if single_labels else 0
        kind = StratifiedShuffleSplit if smallest > 1 else ShuffleSplit
        return kind(n_splits=1, test_size=size, random_state=seed)
    if isinstance(cv, (int, np.integer)) and single_labels:
        largest = int(np.unique(np.asarray(y), return_counts=True)[1].max())
        if 2 <= largest < cv:
            warnings.warn(
                f"cv={cv} is more than the {largest} rows of the largest class; "
                f"{largest} folds are used.",
                SkippedWarning,
                stacklevel=2,
            )
            cv = largest
    return check_cv(cv, y, classifier=classifier)


def freeze(splitter: Any, X: Any, y: Any, **metadata: Any) -> list[tuple[Any, Any]]:
    """Return the splits as a list of index arrays.

    Raises
    ------
    DataError
        When there is none, or one has no validation row.
    """
    splits = [(np.asarray(a), np.asarray(b)) for a, b in splitter.split(X, y, **metadata)]
    if not splits:
        raise DataError(f"cv={splitter!r} gives no split.")
    for index, (train, test) in enumerate(splits):
        if not len(train) or not len(test):
            raise DataError(
                f"split {index} of cv has {len(train)} training and {len(test)} validation "
                "samples; both need at least one."
            )
    return splits


def nested_order(train: Any, y: Any, *, stratify: bool, seed: int) -> Any:
    """Order training samples so that every first part stands for all of them.

    Parameters
    ----------
    train : ndarray of shape (n_train,), int
        Training samples of a split.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    stratify : bool
        Whether every part keeps the proportions of the classes.
    seed : int
        Seed of the order.

    Returns
    -------
    order : ndarray of shape (n_train,), int
        The same rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.tuning._candidate._splits import nested_order
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> np.bincount(y[nested_order(np.arange(6), y, stratify=True, seed=0)[:3]]).tolist()
    [2, 1]
    """
    train = np.random.RandomState(seed).permutation(train)
    if not stratify:
        return train
    labels = np.asarray(y)[train]
    place = np.empty(len(train))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)  # spread evenly over [0, 1)
    return train[np.argsort(place, kind="stable")]


def shrink(splits: Any, y: Any, share: float, *, classifier: bool, seed: int) -> Any:
    """Return the splits with a share of their training samples, all validation samples kept.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        The splits.
    y : array-like
        The target.
    share : float
        Share of the training samples, in (0, 1]; smaller shares are parts of larger ones.
    classifier : bool
        Whether `y` holds classes.
    seed : int
        Seed of the choice.

    Returns
    -------
    splits : list of (ndarray, ndarray)
        Training samples stand in the order that they had.
    """
    if share >= 1:
        return splits
    stratify = classifier and target_type(y) in ("binary", "multiclass")
    shrunk = []
    for train, test in splits:
        rows = np.flatnonzero(train) if train.dtype == bool else train
        chosen = nested_order(rows, y, stratify=stratify, seed=seed)
        kept = chosen[: int(np.ceil(share * len(rows) - 1e-9))]
        shrunk.append((rows[np.isin(rows, kept)], test))
    return shrunk


def least_samples(y: Any, *, classifier: bool) -> int:
    """Return how many training samples a first round needs at least, about ten for each class."""
    single = classifier and target_type(y) in ("binary", "multiclass")
    return 10 * (len(np.unique(np.asarray(y))) if single else 2)
