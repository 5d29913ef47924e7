"""How many new samples each class gets, and which samples they are copies of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from imblearn.utils import check_sampling_strategy
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from .._sklearn import target_type
from ..exceptions import DataError, ParameterError

#: Number of new samples by class label; under None where y has no classes.
Plan = OrderedDict[Any, int]


@dataclass
class Target:
    """y after it was checked.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,) or None
        Class labels; of one-vs-all targets the column that holds the 1; None without classes.
    classes : ndarray
        Sorted distinct labels; empty without classes.
    codes : ndarray of int or None
        Position of each label in `classes`; None without classes.
    values : ndarray
        The target as an array.
    hard : bool
        Whether mixing two samples would turn their labels into probabilities.
    """

    labels: np.ndarray | None
    classes: np.ndarray
    codes: np.ndarray | None
    values: np.ndarray
    hard: bool


def read_target(estimator: object, y: Any) -> Target:
    """Check the target, and find out whether it has classes.

    Parameters
    ----------
    estimator : AugmentingSampler
        Named in the message for a missing target.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.

    Returns
    -------
    target : Target
        The checked target.
    """
    if y is None:
        raise DataError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            f"is None."
        )
    values = check_array(y, ensure_2d=False, dtype=None, input_name="y", allow_nd=True)
    kind = target_type(values, input_name="y", raise_unknown=True)
    if kind in ("binary", "multiclass"):
        labels = column_or_1d(values)
        hard = True
    elif kind == "multilabel-indicator" and (values.sum(axis=1) == 1).all():
        labels, hard = values.argmax(axis=1), True
    elif kind in ("continuous", "continuous-multioutput", "multilabel-indicator"):
        return Target(None, np.empty(0), None, values, kind == "multilabel-indicator")
    else:
        raise DataError(
            f"y of type {kind!r} is not supported: pass class labels, a multilabel indicator or "
            f"numbers."
        )
    classes, codes = np.unique(labels, return_inverse=True)
    return Target(labels, classes, codes, values, hard)


def plan_rows(
    target: Target, sampling_strategy: Any, factor: float | None, keep_original: bool
) -> Plan:
    """Return the number of new samples of each class; under None where y has no classes."""
    if target.codes is None:
        return _plan_without_classes(target, sampling_strategy, factor, keep_original)
    counts = dict(zip(target.classes.tolist(), np.bincount(target.codes).tolist(), strict=True))
    if factor is not None and isinstance(sampling_strategy, str) and sampling_strategy == "auto":
        added: dict[Any, int] = {}
    else:
        added = _imblearn_plan(target, sampling_strategy)
    if factor is None and keep_original:
        return OrderedDict(added)
    plan: Plan = OrderedDict()
    for label, count in counts.items():
        total = round((count + added.get(label, 0)) * (1.0 if factor is None else factor))
        plan[label] = total - count if keep_original else total
    return plan


def _imblearn_plan(target: Target, sampling_strategy: Any) -> dict[Any, int]:
    if target.classes.size < 2:
        raise DataError(
            f"sampling_strategy={sampling_strategy!r} balances classes, and y has one class only "
            f"({target.classes[0]!r}). Pass factor=... to grow it without balancing."
        )
    if isinstance(sampling_strategy, Mapping):
        sampling_strategy = dict(sampling_strategy)
    try:
        plan = check_sampling_strategy(sampling_strategy, target.labels, "over-sampling")
    except ValueError as error:
        raise ParameterError(
            f"sampling_strategy={sampling_strategy!r} does not suit y: {error}"
        ) from error
    return {_item(label): int(number) for label, number in plan.items()}


def _item(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _plan_without_classes(
    target: Target, sampling_strategy: Any, factor: float | None, keep_original: bool
) -> Plan:
    what = "a multilabel indicator" if target.hard else "continuous (Unknown label type)"
    if factor is None:
        raise DataError(
            f"sampling_strategy={sampling_strategy!r} balances classes, and y is {what}. Pass "
            f"factor=... to grow such data without balancing. (Multilabel and multioutput targets "
            f"are not supported by sampling_strategy.)"
        )
    if sampling_strategy not in ("auto", "all"):
        raise DataError(
            f"sampling_strategy={sampling_strategy!r} balances classes, and y is {what}. Leave "
            f"sampling_strategy at 'auto'; factor={factor!r} alone decides."
        )
    n = len(target.values)
    return OrderedDict({None: round(n * factor) - (n if keep_original else 0)})


def choose_sources(
    target: Target, plan: Mapping[Any, int], n: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the position of the source of every new sample, class by class.

    Each sample of a class is used equally often. The remainder is drawn without replacement.
    """
    chosen = []
    for label, number in plan.items():
        rows = np.arange(n) if label is None else np.flatnonzero(target.labels == label)
        if number:
            rounds, rest = divmod(number, len(rows))
            chosen += [rows] * rounds
            if rest:
                chosen.append(np.sort(rng.choice(rows, size=rest, replace=False)))
    return np.concatenate(chosen).astype(np.intp) if chosen else np.empty(0, dtype=np.intp)


def one_hot(target: Target) -> np.ndarray:
    """Return the target as floats of shape (n_samples, n_columns), which can be mixed."""
    if target.codes is not None:
        return np.eye(target.classes.size)[target.codes]
    values = target.values.astype(np.float64)
    return values.reshape(len(values), -1)
