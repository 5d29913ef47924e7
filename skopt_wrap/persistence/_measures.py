"""Metrics with intervals on test rows, overall and group by group, for model cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from sklearn.base import is_classifier
from sklearn.metrics import (
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from ..exceptions import DataError, ParameterError
from ..scoring import ImbalanceReport, imbalance_report

Metrics = dict[str, dict[str, Any]]

_REGRESSION: dict[str, tuple[str, Callable[..., float]]] = {
    "r2": ("R^2", r2_score),
    "mean_absolute_error": ("Mean absolute error", mean_absolute_error),
    "root_mean_squared_error": ("Root mean squared error", root_mean_squared_error),
}
_FEWEST_ROWS = 2
_MOST_GROUPS = 50


@dataclass(frozen=True)
class Measuring:
    """How metrics are measured: resamples of the bootstrap, level of the intervals, and seed."""

    n_resamples: int
    confidence_level: float
    random_state: int

    def classifier(self, estimator: Any, X: Any, y: Any, pos_label: Any) -> ImbalanceReport:
        """Return every metric of a classifier."""
        return imbalance_report(
            estimator,
            X,
            y,
            pos_label=pos_label,
            n_resamples=self.n_resamples,
            confidence_level=self.confidence_level,
            random_state=self.random_state,
        )

    def regressor(self, estimator: Any, X: Any, y: Any) -> Metrics:
        """Return the metrics of a regressor, with percentile intervals over resampled rows."""
        truth, predicted = np.asarray(y, dtype=float), np.asarray(estimator.predict(X))
        if len(truth) < _FEWEST_ROWS:
            raise DataError(f"{len(truth)} row is too few to measure a regressor.")
        if truth.size == predicted.size:
            predicted = predicted.reshape(truth.shape)
        if truth.shape != predicted.shape:
            raise DataError(
                f"y_test has shape {truth.shape}, and the estimator predicts {predicted.shape}."
            )
        return {
            name: {"title": title, **self._interval(metric, truth, predicted)}
            for name, (title, metric) in _REGRESSION.items()
        }

    def _interval(
        self, metric: Callable[..., float], truth: np.ndarray, predicted: np.ndarray
    ) -> dict[str, Any]:
        value = float(metric(truth, predicted))
        if not self.n_resamples:
            return {"value": value, "low": None, "high": None}
        found = stats.bootstrap(
            (np.arange(len(truth)),),
            lambda rows: metric(truth[rows], predicted[rows]),
            vectorized=False,
            n_resamples=self.n_resamples,
            confidence_level=self.confidence_level,
            method="percentile",
            rng=np.random.default_rng(self.random_state),
        ).confidence_interval
        return {"value": value, "low": float(found.low), "high": float(found.high)}


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return rows of an array, frame, sparse matrix or list.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        The data.
    rows : ndarray of int
        Positions of rows.

    Returns
    -------
    taken : array-like
        Of the same kind.
    """
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, list | tuple):
        return [X[row] for row in rows]
    return X[rows]


def read_groups(groups: Any, n_rows: int) -> dict[str, dict[str, np.ndarray]]:
    """Return the rows of each group.

    Parameters
    ----------
    groups : array-like of shape (n_samples,), mapping or frame
        A group for each row; or several groupings by name.
    n_rows : int
        How many rows there are.

    Returns
    -------
    rows : dict of dict of ndarray
        For each grouping and group, the positions of its rows.

    Raises
    ------
    ParameterError
        A grouping has another length, or too many groups.

    Examples
    --------
    >>> from skopt_wrap.persistence._measures import read_groups
    >>> read_groups({"sex": ["f", "m", "f"]}, 3)["sex"]["f"].tolist()
    [0, 2]
    """
    if isinstance(groups, Mapping) or hasattr(groups, "columns"):
        named = {str(name): groups[name] for name in groups}
    else:
        named = {str(getattr(groups, "name", None) or "group"): groups}
    return {name: _rows_of(name, np.asarray(values), n_rows) for name, values in named.items()}


def _rows_of(name: str, values: np.ndarray, n_rows: int) -> dict[str, np.ndarray]:
    if values.shape != (n_rows,):
        raise ParameterError(
            f"groups[{name!r}] must hold one group for each of the {n_rows} rows of X_test, got an "
            f"array of shape {values.shape}."
        )
    texts = np.array([_group_name(value) for value in values.tolist()], dtype=object)
    found = sorted(set(texts))
    if len(found) > _MOST_GROUPS:
        raise ParameterError(
            f"groups[{name!r}] has {len(found)} groups; at most {_MOST_GROUPS} are measured. Put "
            "numbers into bins first, for example with pandas.cut."
        )
    return {group: np.flatnonzero(texts == group) for group in found}


def _group_name(value: Any) -> str:
    missing = value is None or value != value or str(value) in ("<NA>", "NaT")
    return "missing" if missing else str(value)


def by_group(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Mapping[str, Mapping[str, np.ndarray]],
    measuring: Measuring,
    pos_label: Any,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the metrics of each group, or the reason why it has none.

    Parameters
    ----------
    estimator : object
        Fitted classifier or regressor.
    X, y : array-like of shape (n_samples, ...)
        Rows that were not trained on.
    groups : dict of dict of ndarray
        As `read_groups` returns them.
    measuring : Measuring
        How intervals are made.
    pos_label : object
        The positive class, the same in every group.

    Returns
    -------
    measured : dict of dict of dict
        For each grouping and group: ``rows``, and ``metrics`` or ``reason``.
    """
    measured: dict[str, dict[str, dict[str, Any]]] = {}
    for name, members in groups.items():
        measured[name] = {}
        for group, rows in members.items():
            X_group, y_group = take_rows(X, rows), take_rows(y, rows)
            try:
                if is_classifier(estimator):
                    report = measuring.classifier(estimator, X_group, y_group, pos_label)
                    found: Metrics = report.metrics
                else:
                    found = measuring.regressor(estimator, X_group, y_group)
                measured[name][group] = {"rows": len(rows), "metrics": found}
            except (DataError, ParameterError) as error:
                # A group of one class cannot be measured by every metric; the card says so.
                measured[name][group] = {"rows": len(rows), "reason": str(error).splitlines()[0]}
    return measured


def at_thresholds(estimator: Any, X: Any, y: Any, pos_label: Any) -> dict[str, list[Any]]:
    """Return what each decision threshold gives on the test rows.

    Parameters
    ----------
    estimator : object
        Fitted classifier of two classes with ``predict_proba``.
    X, y : array-like of shape (n_samples, ...)
        Rows that were not trained on.
    pos_label : object
        The positive class.

    Returns
    -------
    columns : dict of str to list
        Threshold, share of rows called positive, precision, recall and F1; a precision of no
        positive row counts as zero.
    """
    column = list(estimator.classes_).index(pos_label)
    probability = np.asarray(estimator.predict_proba(X))[:, column]
    truth = np.asarray(y) == pos_label
    columns: dict[str, list[Any]] = {
        "threshold": [], "called positive": [], "precision": [], "recall": [], "F1": []
    }  # fmt: skip
    for tenth in range(1, 10):
        called = probability >= tenth / 10
        precision, recall, f1, _ = precision_recall_fscore_support(
            truth, called, average="binary", zero_division=0.0
        )
        row = (tenth / 10, called.mean(), precision, recall, f1)
        for values, value in zip(columns.values(), row, strict=True):
            values.append(float(value))
    return columns
