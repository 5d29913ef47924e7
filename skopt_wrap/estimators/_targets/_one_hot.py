"""Labels given as one-hot rows: one column for each class, a single 1 in every row."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...exceptions import DataError, InputWarning, ModelError
from ._classes import ClassTarget


class OneHotTarget(ClassTarget):
    """The target of a classifier whose `y` has one column for each class.

    Parameters
    ----------
    y : array-like of shape (n_samples, n_classes)
        One-hot rows.
    names : sequence of shape (n_classes,), default=()
        Names of the columns, which are the classes; without them, their numbers are.

    Examples
    --------
    >>> from skopt_wrap.estimators._targets._one_hot import OneHotTarget
    >>> target = OneHotTarget([[0, 1], [1, 0]], names=["no", "yes"])
    >>> target.comparable([[0, 1]]).tolist(), target.n_units
    (['yes'], 2)
    """

    def __init__(self, y: Any, names: Sequence[Any] = ()) -> None:
        y = np.asarray(y)
        numbers = np.arange(y.shape[1])
        super().__init__(numbers[y.argmax(axis=1)], numbers)
        self.classes_ = np.asarray(names) if len(names) else numbers
        self.one_hot_ = True

    @property
    def n_units(self) -> int:
        """Output units that the target asks of a network: one for each class."""
        return len(self.classes_)

    def match(self, *, units: int, encoding: str, output_kind: str) -> None:
        """Settle the form of the numbers for a network.

        Parameters
        ----------
        units : int
            Output units of the network.
        encoding : str
            Form that the loss takes.
        output_kind : {"logits", "probabilities"}
            Meaning of the outputs.

        Raises
        ------
        ModelError
            When the network has no output unit for each class.
        """
        if units != len(self.classes_):
            raise ModelError(
                f"The network has {units} output units, but y is one-hot with "
                f"{len(self.classes_)} columns, one for each class."
            )
        super().match(units=units, encoding=encoding, output_kind=output_kind)

    def check(self, y: np.ndarray, name: str = "y") -> None:
        """Raise unless `y` has a column for each class, and a single 1 in each row.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_classes) or (n_samples,)
            One-hot rows, or labels.
        name : str, default="y"
            What the message calls them.

        Raises
        ------
        DataError
            For other rows.
        """
        self.index(y, name)

    def index(self, y: Any, name: str = "y") -> np.ndarray:
        """Return the position of each label in `classes_`.

        Parameters
        ----------
        y : array-like of shape (n_samples, n_classes) or (n_samples,)
            One-hot rows, or labels.
        name : str, default="y"
            What a message calls them.

        Returns
        -------
        index : ndarray of shape (n_samples,), int32
            Positions.

        Raises
        ------
        DataError
            For rows that are not one-hot, and labels that are not among `classes_`.
        """
        y = np.asarray(y)
        if y.ndim == 2:
            if y.shape[1] != len(self.classes_) or not is_one_hot(y):
                raise DataError(
                    f"{name} must be one-hot like the first y: {len(self.classes_)} columns with a "
                    f"single 1 in each row, got {y.shape[1]} columns."
                )
            return y.argmax(axis=1).astype("int32")
        order = np.argsort(self.classes_)
        known = np.isin(y, self.classes_)
        if not known.all():
            raise DataError(
                f"{name} holds classes {np.unique(y[~known])[:5].tolist()} that the estimator does "
                f"not know; its classes are {self.classes_[:20].tolist()}."
            )
        return order[np.searchsorted(self.classes_, y, sorter=order)].astype("int32")

    def comparable(self, y: Any) -> np.ndarray:
        """Return one-hot rows as labels, which metrics compare; labels stay as they are.

        Parameters
        ----------
        y : array-like of shape (n_samples, n_classes) or (n_samples,)
            One-hot rows, or labels.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Labels from `classes_`.
        """
        return self.classes_[self.index(y)]


def is_one_hot(y: np.ndarray) -> bool:
    """Return whether a table holds 0 and 1 only, a single 1 in each row."""
    return bool(np.isin(y, (0, 1)).all() and (np.sum(y, axis=1) == 1).all())


def warn_of_one_hot(target: ClassTarget) -> None:
    """Warn that an indicator with a single 1 in each row is taken as independent labels.

    Warns
    -----
    InputWarning
        Says how to have it taken as classes.
    """
    if target.target_type_ == "multilabel-indicator" and target.one_hot_:
        n_columns = len(target.classes_)
        warnings.warn(
            f"y has {n_columns} columns with a single 1 in each row. They are taken as "
            f"{n_columns} independent labels (multilabel). If each sample has one class, give "
            "loss='categorical_crossentropy', or the labels: y.argmax(axis=1), or y.idxmax(axis=1) "
            "of a frame. loss='binary_crossentropy' says that the labels are independent.",
            InputWarning,
            stacklevel=2,
        )
