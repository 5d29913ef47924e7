"""Suspected label errors: out-of-fold probabilities and their confident joint."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from ...exceptions import DataError, ParameterError


def confident_joint(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Count the rows of each given label that confidently belong to each label.

    A row belongs to a label confidently if its probability reaches the mean probability of that
    label among the rows that carry it; to the most probable one, if there are several [1]_. The
    counts are then scaled so that each row of the table sums to the number of rows with that
    given label.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), int
        Given labels, 0 to n_classes - 1.
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.

    Returns
    -------
    joint : ndarray of shape (n_classes, n_classes), float64
        Given label by confident label.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in
       dataset labels", Journal of Artificial Intelligence Research, 70, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._rows._label_errors import confident_joint
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    >>> confident_joint(np.array([0, 0, 0, 1, 1]), p).tolist()  # thresholds 0.6 and 0.75
    [[2.0, 1.0], [0.0, 2.0]]
    """
    n_classes = probabilities.shape[1]
    given = np.bincount(labels, minlength=n_classes).astype(np.float64)
    thresholds = np.array(
        [probabilities[labels == k, k].mean() if given[k] else np.inf for k in range(n_classes)]
    )
    reached = probabilities >= thresholds - 1e-6
    confident = reached.any(axis=1)
    best = np.where(reached, probabilities, -np.inf).argmax(axis=1)
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (labels[confident], best[confident]), 1.0)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1.0))  # no class without a certain row
    return joint / joint.sum(axis=1, keepdims=True) * given[:, None]


def find_label_errors(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels are probably wrong, and how probably.

    From the rows with given label i, as many as the confident joint counts under label j are
    taken: those whose probability of j exceeds that of i the most.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), int
        Given labels, 0 to n_classes - 1.
    probabilities : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities.

    Returns
    -------
    mask : ndarray of shape (n_samples,), bool
        True for suspected errors.
    margin : ndarray of shape (n_samples,), float64
        Greatest probability of another label minus that of the given one; more is more suspect.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._rows._label_errors import find_label_errors
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    >>> find_label_errors(np.array([0, 0, 0, 1, 1]), p)[0].tolist()
    [False, False, True, False, False]
    """
    joint = np.rint(confident_joint(labels, probabilities)).astype(int)
    own = probabilities[np.arange(len(labels)), labels]
    mask = np.zeros(len(labels), dtype=bool)
    for i in range(probabilities.shape[1]):
        rows = np.flatnonzero(labels == i)
        for j in range(probabilities.shape[1]):
            number = min(int(joint[i, j]), len(rows))
            if i == j or number == 0:
                continue
            gap = probabilities[rows, j] - probabilities[rows, i]
            cut = np.partition(gap, len(gap) - number)[len(gap) - number]
            mask[rows[gap >= cut]] = True
    mask &= probabilities.argmax(axis=1) != labels
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -np.inf
    return mask, others.max(axis=1) - own


def out_of_fold(
    estimator: Any, X: Any, labels: np.ndarray, *, cv: int, seed: int, n_jobs: int | None
) -> np.ndarray:
    """Return the probabilities of rows that took no part in the fit.

    Parameters
    ----------
    estimator : classifier or None
        What is fitted; needs ``predict_proba``. None takes the mean of a forest, gradient-boosted
        trees and a linear model.
    X : array-like of shape (n_samples, n_features)
        Data as the classifier takes it.
    labels : ndarray of shape (n_samples,), int
        Codes of the labels.
    cv : int
        Number of folds, reduced to the number of rows of the rarest class.
    seed : int
        Seed of folds and default classifiers.
    n_jobs : int or None
        Fits at a time.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes)
        One row a sample.

    Raises
    ------
    DataError
        If a class has a single row, or there is a single class.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    counts = np.bincount(labels)
    if len(counts) < 2:
        raise DataError(
            "Label errors need at least two classes; y has one class. Leave 'labels' out of checks."
        )
    if counts.min() < 2:
        raise DataError(
            "Label errors need at least two rows of each class; the rarest class of y has one. "
            "Leave 'labels' out of checks, or join rare classes."
        )
    n_folds = min(cv, int(counts.min()))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    n_train = len(labels) - -(-len(labels) // n_folds)
    models = default_classifiers(seed, n_train) if estimator is None else [clone(estimator)]
    total = sum(
        cross_val_predict(model, X, labels, cv=folds, method="predict_proba", n_jobs=n_jobs)
        for model in models
    )
    return np.asarray(total) / len(models)


def default_classifiers(seed: int, n_train: int) -> list[Any]:
    """Return classifiers that bear wrong labels well and differ, for `n_train` rows and more."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    return [
        ExtraTreesClassifier(100, min_samples_leaf=3, random_state=seed),
        LogisticRegression(C=0.3, max_iter=500),
        KNeighborsClassifier(max(1, min(15, n_train - 1)), weights="distance"),
    ]


def cleanlab_errors(codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return which labels cleanlab suspects."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise ParameterError(
            "label_method='cleanlab' needs cleanlab: pip install 'skopt_wrap[quality]'. "
            "'confident_joint' is the same method without it."
        ) from error
    return np.asarray(find_label_issues(codes, probabilities))
