"""A classification target, read once: its type, its classes and its positive class."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ..exceptions import DataError

__all__ = ["Target", "check_weights", "read_target"]


@dataclass(frozen=True)
class Target:
    """A classification target, read once.

    Attributes
    ----------
    kind : {"binary", "multiclass", "multilabel"}
        Type of the target.
    classes : ndarray of shape (n_classes,)
        Known classes in sorted order; for multilabel the column numbers.
    codes : ndarray of int64, shape (n_samples,) or (n_samples, n_labels)
        Position of each row's class in `classes`; for multilabel the 0/1 indicator.
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class (or with each label).
    pos_index : int or None
        Position of the positive class in `classes`; None unless binary.
    """

    kind: str
    classes: np.ndarray = field(repr=False)
    codes: np.ndarray = field(repr=False)
    counts: np.ndarray
    pos_index: int | None = None

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.codes.shape[0])

    @property
    def n_classes(self) -> int:
        """Number of classes (or labels)."""
        return len(self.classes)

    @property
    def pos_label(self) -> Any:
        """The positive class itself, or None unless binary."""
        return None if self.pos_index is None else as_scalar(self.classes[self.pos_index])

    @property
    def missing(self) -> list[Any]:
        """Known classes without a row; labels that are the same in every row."""
        constant = self.counts == 0
        if self.kind == "multilabel":
            constant |= self.counts == self.n_samples
        return [as_scalar(c) for c in self.classes[constant]]

    def take(self, rows: np.ndarray) -> Target:
        """Return the target of these rows; a row may stand several times."""
        codes = self.codes[rows]
        if self.kind == "multilabel":
            return replace(self, codes=codes, counts=codes.sum(axis=0))
        return replace(self, codes=codes, counts=np.bincount(codes, minlength=self.n_classes))

    def to_binary(self, codes: np.ndarray) -> np.ndarray:
        """Return 1 where `codes` is the positive class, else 0."""
        return (codes == self.pos_index).astype(np.int64)


def as_scalar(value: Any) -> Any:
    """Return a NumPy scalar as a Python object, so that messages read plainly."""
    return value.item() if isinstance(value, np.generic) else value


def _is_text(values: np.ndarray) -> bool:
    return values.dtype.kind in "UST" or (
        values.dtype.kind == "O" and len(values) > 0 and isinstance(values.flat[0], str)
    )


def _as_labels(values: Any, name: str) -> np.ndarray:
    """Return labels as an array; text becomes an object array, so that lengths never clip."""
    if hasattr(values, "toarray"):  # sparse multilabel indicator
        values = values.toarray()
    elif hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(values)
    if array.size == 0:
        raise DataError(f"{name} must hold at least one row, got an array of shape {array.shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{name} must hold finite labels, got NaN or infinity.")
    if array.dtype.kind == "O" and any(v is None or v != v for v in array.ravel()):
        raise DataError(f"{name} must hold a label in every row, got None or NaN.")
    return array.astype(object) if array.dtype.kind in "UST" else array


def _kind_of(array: np.ndarray, name: str) -> str:
    try:
        found = type_of_target(array)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} cannot be read as class labels: {error}") from error
    if found == "unknown" and array.dtype.kind == "O" and array.ndim == 1:
        found = "multiclass"  # e.g. numbers held as objects (nullable integer columns)
    if found not in ("binary", "multiclass", "multilabel-indicator"):
        raise DataError(
            f"{name} must be a binary, multiclass or multilabel-indicator target, got a {found!r} "
            f"one of shape {array.shape}."
        )
    return "multilabel" if found == "multilabel-indicator" else found


def merge_classes(*parts: Any) -> np.ndarray:
    """Return the sorted union of class lists, refusing to mix text and numbers."""
    arrays = [np.asarray(part) for part in parts if part is not None and len(part)]
    text = [_is_text(a) for a in arrays]
    if any(text) and not all(text):
        shown = " and ".join(f"{as_scalar(a.flat[0])!r}" for a in arrays)
        raise DataError(
            "y and the estimator's classes must be of one type, got both text and numbers "
            f"(for example {shown})."
        )
    if any(text):
        return np.array(sorted({v for a in arrays for v in a.tolist()}), dtype=object)
    return np.unique(np.concatenate([np.unique(a) for a in arrays]))


def encode(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return each label's position in the sorted `classes`; every label must be in it."""
    if classes.dtype.kind == "O":
        position = {label: i for i, label in enumerate(classes.tolist())}
        return np.fromiter((position[v] for v in labels.tolist()), np.int64, len(labels))
    return np.searchsorted(classes, labels).astype(np.int64)


def read_target(y: Any, known: Any = None, pos_label: Any = "auto", name: str = "y") -> Target:
    """Read a classification target.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels, or a 0/1 indicator matrix.
    known : array-like of shape (n_classes,) or None
        Classes known besides those in `y` (the estimator's).
    pos_label : object, default="auto"
        Positive class of a binary target; "auto" takes the class with fewer rows in `y`,
        and the greater label when both have as many.
    name : str, default="y"
        What messages call `y`.

    Returns
    -------
    target : Target
        The target as codes.

    Raises
    ------
    DataError
        If `y` is no classification target, or `pos_label` is not one of its classes.
    """
    array = _as_labels(y, name)
    kind = _kind_of(array, name)
    given = not (isinstance(pos_label, str) and pos_label == "auto")
    if kind == "multilabel":
        if given:
            raise DataError(
                "pos_label applies to a binary target; a multilabel target has one positive class "
                f"per column, got pos_label={pos_label!r}."
            )
        codes = (array != 0).astype(np.int64)
        return Target("multilabel", np.arange(codes.shape[1]), codes, codes.sum(axis=0))
    array = array.ravel()
    classes = merge_classes(array, known)
    codes = encode(array, classes)
    counts = np.bincount(codes, minlength=len(classes))
    if len(classes) > 2:
        if given:
            raise DataError(
                f"pos_label applies to a binary target, got pos_label={pos_label!r} for "
                f"{len(classes)} classes; leave it at 'auto'."
            )
        return Target("multiclass", classes, codes, counts)
    if given:
        here = [i for i, c in enumerate(classes.tolist()) if c == pos_label]
        if not here:
            raise DataError(
                f"pos_label must be one of the classes {classes.tolist()}, got {pos_label!r}."
            )
        pos_index = here[0]
    else:
        pos_index = int(np.flatnonzero(counts == counts.min())[-1])
    return Target("binary", classes, codes, counts, pos_index)


def check_weights(sample_weight: Any, n_samples: int) -> np.ndarray | None:
    """Return the weights as float64, or None.

    Raises
    ------
    DataError
        If they have another length than `n_samples`, or are negative, not finite or all zero.
    """
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"sample_weight must hold numbers: {error}") from error
    if weights.ndim == 2 and weights.shape[1] == 1:
        weights = weights.ravel()
    if weights.shape != (n_samples,):
        raise DataError(f"sample_weight must have shape ({n_samples},), got {weights.shape}.")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(
            "sample_weight must be finite and not negative, got a minimum of "
            f"{weights.min():g} and a maximum of {weights.max():g}."
        )
    if not weights.any():
        raise DataError("sample_weight must not be all zero, got a sum of 0.")
    return weights
