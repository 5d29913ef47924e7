"""Predictions of cross-validation: each row by an estimator that did not see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._sklearn import safe_indexing
from ..exceptions import DataError
from ._responses import known_classes, read_probabilities
from ._targets import Target, read_target

__all__ = ["pool_folds"]


def pool_folds(
    cv_results: Any, X: Any, y: Any, pos_label: Any, metric: str
) -> tuple[np.ndarray, Target, np.ndarray]:
    """Return the rows that were held out, their target, and their probabilities.

    Parameters
    ----------
    cv_results : dict
        From ``cross_validate(..., return_estimator=True, return_indices=True)``.
    X, y : array-like
        What was cross-validated.
    pos_label : object
        See :func:`read_target`.
    metric : str
        Named in messages.

    Returns
    -------
    rows : ndarray of int
        In the order of the folds; a row stands as often as it was held out.
    target : Target
        Target of these rows.
    probabilities : ndarray of shape (n_rows, n_classes)
        One column a class.

    Raises
    ------
    DataError
        If the results lack estimators or indices, or were made with other rows.
    """
    if not isinstance(cv_results, Mapping) or not {"estimator", "indices"} <= set(cv_results):
        raise DataError(
            "cv_results must come from cross_validate with return_estimator=True and "
            "return_indices=True."
        )
    parts = [np.asarray(rows) for rows in cv_results["indices"]["test"]]
    rows = np.concatenate(parts)
    values = np.asarray(y)
    if rows.max() >= len(values):
        raise DataError(
            f"cv_results hold row {rows.max()}, but y has {len(values)} rows; give the X and y "
            "that were cross-validated."
        )
    target = read_target(values[rows], known_classes(cv_results["estimator"][0]), pos_label)
    found = []
    for estimator, held in zip(cv_results["estimator"], parts, strict=True):
        known = target.classes if target.kind != "multilabel" else None
        fold = read_target(values[held], known, "auto")
        found.append(read_probabilities(estimator, safe_indexing(X, held), fold, metric))
    return rows, target, np.concatenate(found)
