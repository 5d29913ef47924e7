"""The target of a classifier: labels as the loss takes them, and raw outputs as labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ...exceptions import DataError, InputWarning, ModelError
from ._arrays import count_columns as _columns
from ._arrays import output_table

_TINY = np.finfo("float64").tiny


class ClassTarget:
    """Labels to numbers that a loss takes, and raw outputs to probabilities and labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Labels of any type, or a multilabel indicator.
    classes : array-like of shape (n_classes,), default=None
        All labels, where `y` need not hold each of them.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels; column numbers for a multilabel indicator.
    target_type_ : {"binary", "multiclass", "multilabel-indicator"}
        Type of the target.
    encoding_ : {"column", "index", "onehot", "multilabel"}
        Form of the numbers, chosen by :meth:`match`.
    output_kind_ : {"logits", "probabilities"}
        Meaning of the network's outputs, set by :meth:`match`.
    one_hot_ : bool
        Whether each row of a multilabel indicator holds exactly one label, as one-hot classes do.
    soft_ : bool
        Whether training rows come with class probabilities instead of labels.
    class_prior_ : ndarray of shape (n_classes,), float64
        Share of each class, set by :meth:`learn_prior`.

    Raises
    ------
    DataError
        For a single class, or labels that are no classes.

    Examples
    --------
    >>> from skopt_wrap.estimators import ClassTarget
    >>> target = ClassTarget(["no", "yes", "no"])
    >>> target.match(units=1, encoding="column", output_kind="logits")
    >>> target.transform(["yes"])
    array([[1.]], dtype=float32)
    >>> target.labels([[2.0]])
    array(['yes'], dtype='<U3')
    """

    def __init__(self, y: Any, classes: Any = None) -> None:
        y = np.asarray(y)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise DataError(
                "y has several columns with several classes each (multiclass-multioutput); "
                "give one column, a 0/1 indicator, or fit one classifier per column "
                "(sklearn.multioutput.MultiOutputClassifier)."
            )
        self.y_dtype_ = y.dtype
        self.one_hot_ = kind == "multilabel-indicator" and bool((np.sum(y, axis=1) == 1).all())
        if kind == "multilabel-indicator":
            self.classes_ = np.arange(y.shape[1])
            self.target_type_ = kind
        else:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
            if len(self.classes_) < 2:
                raise DataError(
                    f"y holds only one class, {self.classes_[0]!r}; a classifier needs at least "
                    "two classes."
                )
            self.target_type_ = "binary" if len(self.classes_) == 2 else "multiclass"
        self.n_outputs_ = y.shape[1] if kind == "multilabel-indicator" else 1
        self.encoding_ = self.output_kind_ = ""
        self.soft_ = False

    def learn_prior(self, y: Any, sample_weight: Any = None) -> None:
        """Learn the share of each class, for losses that need it.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels; every one of `classes_` must occur.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        """
        totals = np.bincount(self.index(y), weights=sample_weight, minlength=len(self.classes_))
        # A class whose rows all weigh nothing counts as half a row.
        totals = np.maximum(totals, 0.5 * totals.sum() / len(y))
        self.class_prior_ = totals / totals.sum()

    @property
    def n_units(self) -> int:
        """Output units that the target asks of a network; a binary one may also have two."""
        return 1 if self.target_type_ == "binary" else len(self.classes_)

    def match(self, *, units: int, encoding: str, output_kind: str) -> None:
        """Settle the form of the numbers for a network.

        Parameters
        ----------
        units : int
            Output units of the network.
        encoding : {"column", "index", "onehot", "multilabel"}
            Form that the loss takes.
        output_kind : {"logits", "probabilities"}
            Meaning of the outputs.

        Raises
        ------
        ModelError
            When the network has another number of output units than the target needs.
        """
        allowed = {1, 2} if self.target_type_ == "binary" else {self.n_units}
        if units not in allowed:
            wanted = "1 (sigmoid) or 2 (softmax)" if 1 in allowed else str(self.n_units)
            raise ModelError(
                f"The network has {units} output units, but a {self.target_type_} target with "
                f"{len(self.classes_)} classes needs {wanted}. Let the builder take `meta` and "
                'end in Dense(meta["n_outputs_expected_"]).'
            )
        self.encoding_, self.output_kind_ = encoding, output_kind

    def check(self, y: np.ndarray, name: str = "y") -> None:
        """Raise unless `y` has the columns and the classes of the target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        name : str, default="y"
            What the message calls them.

        Raises
        ------
        DataError
            For another number of columns, an unknown class, or an indicator that holds more than
            0 and 1.
        """
        multilabel = self.target_type_ == "multilabel-indicator"
        columns = 1 if y.ndim == 1 else y.shape[1]
        if y.ndim > 2 or columns != self.n_outputs_ or (y.ndim == 2) is not multilabel:
            raise DataError(
                f"{name} has {_columns(columns)}, but the target has {_columns(self.n_outputs_)} "
                f"({self.target_type_}). Give {name} in the form of the first y."
            )
        if not multilabel:
            self.index(y, name)
        elif not np.isin(y, (0, 1)).all():
            raise DataError(f"{name} is an indicator of labels: it must hold 0 and 1 only.")

    def index(self, y: Any, name: str = "y") -> np.ndarray:
        """Return the position of each label in `classes_`.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.
        name : str, default="y"
            What a message calls them.

        Returns
        -------
        index : ndarray of shape (n_samples,), int32
            Positions.

        Raises
        ------
        DataError
            For a label that is not among `classes_`.
        """
        y = np.asarray(y)
        known = np.isin(y, self.classes_)
        if not known.all():
            unseen = np.unique(y[~known])[:5].tolist()
            raise DataError(
                f"{name} holds classes {unseen} that the estimator does not know; its classes are "
                f"{self.classes_[:20].tolist()}."
            )
        return np.searchsorted(self.classes_, y).astype("int32")

    def comparable(self, y: Any) -> Any:
        """Return `y` as scikit-learn's metrics compare it with predictions.

        They refuse whole numbers in an array of Python objects, which `fit` takes.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.

        Returns
        -------
        y : array-like
            The same labels, in the dtype of `classes_` where they came as objects.
        """
        if (
            getattr(getattr(y, "dtype", None), "kind", "") == "O"
            and self.classes_.dtype.kind in "iu"
        ):
            return np.asarray(y).astype(self.classes_.dtype)
        return y

    def transform(self, y: Any, dtype: str = "float32") -> np.ndarray:
        """Return `y` as the loss takes it.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        dtype : str, default="float32"
            Dtype of the numbers, where they are no positions.

        Returns
        -------
        encoded : ndarray of shape (n_samples,) or (n_samples, n_units)
            Numbers, in the form that :meth:`match` settled.
        """
        y = np.asarray(y)
        self.check(y)
        if self.encoding_ == "multilabel":
            return y.astype(dtype)
        index = self.index(y)
        if self.encoding_ == "index":
            return index
        if self.encoding_ == "onehot":
            return np.eye(len(self.classes_), dtype=dtype)[index]
        return index[:, None].astype(dtype)

    def transform_soft(
        self, probabilities: Any, classes: Any, dtype: str = "float32"
    ) -> np.ndarray:
        """Return class probabilities as the loss takes them.

        Parameters
        ----------
        probabilities : array-like of shape (n_samples, n_columns)
            Probabilities of some or all classes.
        classes : array-like of shape (n_columns,)
            The label that each column belongs to.
        dtype : str, default="float32"
            Dtype of the numbers.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_units)
            Numbers, in the form that :meth:`match` settled.

        Raises
        ------
        ModelError
            When the loss takes positions of labels.
        """
        if self.encoding_ not in ("column", "onehot"):
            raise ModelError(
                "Class probabilities need a loss that takes them, such as "
                "loss='categorical_crossentropy'; the network's takes labels."
            )
        probabilities = np.asarray(probabilities, dtype)
        rows = np.zeros((len(probabilities), len(self.classes_)), dtype)
        rows[:, self.index(classes)] = probabilities
        return rows[:, 1:] if self.encoding_ == "column" else rows

    def decision(self, raw: Any) -> np.ndarray:
        """Return the confidence in each class before it becomes a probability.

        Parameters
        ----------
        raw : array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        confidence : ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            One number per row for two classes, positive for ``classes_[1]``.
        """
        raw = output_table(raw)
        if self.target_type_ == "binary" and raw.shape[1] == 2:
            raw = raw if self.output_kind_ == "logits" else np.log(np.maximum(raw, _TINY))
            return raw[:, 1] - raw[:, 0]
        if self.output_kind_ == "probabilities":
            if self.target_type_ == "multiclass":
                raw = np.log(np.maximum(raw, _TINY))
            else:
                raw = np.log(np.maximum(raw, _TINY)) - np.log(np.maximum(1 - raw, _TINY))
        return raw[:, 0] if self.target_type_ == "binary" else raw

    def probabilities(self, raw: Any) -> np.ndarray:
        """Return class probabilities.

        Parameters
        ----------
        raw : array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            One column per class, or per label of a multilabel target.
        """
        raw = output_table(raw)
        if self.target_type_ == "multilabel-indicator":
            return expit(raw) if self.output_kind_ == "logits" else raw
        if raw.shape[1] == 1:
            logits = self.output_kind_ == "logits"
            return np.hstack([expit(-raw), expit(raw)] if logits else [1 - raw, raw])
        if self.output_kind_ == "logits":
            return softmax(raw, axis=1)
        total = raw.sum(axis=1, keepdims=True)
        return raw / np.where(total > 0, total, 1)

    def log_probabilities(self, raw: Any) -> np.ndarray:
        """Return the logarithm of :meth:`probabilities`, exact for small ones.

        Parameters
        ----------
        raw : array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            One column per class.
        """
        raw = output_table(raw)
        if self.output_kind_ == "logits" and self.target_type_ != "multilabel-indicator":
            if raw.shape[1] == 1:
                raw = np.hstack([np.zeros_like(raw), raw])
            return raw - logsumexp(raw, axis=1, keepdims=True)
        return np.log(np.maximum(self.probabilities(raw), _TINY))

    def labels(self, raw: Any) -> np.ndarray:
        """Return the predicted labels.

        Parameters
        ----------
        raw : array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from `classes_`, or a 0/1 indicator.
        """
        decision = self.decision(raw)
        if self.target_type_ == "multilabel-indicator":
            return (decision > 0).astype(self.y_dtype_)
        index = decision.argmax(axis=1) if decision.ndim == 2 else (decision > 0).astype(int)
        return self.classes_[index]


def make_target(
    y: np.ndarray, weights: np.ndarray, classes: Any, *, loss_is_given: bool
) -> ClassTarget:
    """Return the target of a classifier, for labels that were validated.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Labels.
    weights : ndarray of shape (n_samples,)
        Sample weights.
    classes : array-like of shape (n_classes,) or None
        All labels, where `y` need not hold each of them.
    loss_is_given : bool
        Whether the loss says what an indicator means.

    Raises
    ------
    DataError
        When the samples that count hold a single class.

    Warns
    -----
    InputWarning
        For an indicator that may be one-hot classes as well.
    """
    target = ClassTarget(y, classes)
    if target.one_hot_ and not loss_is_given:
        warnings.warn(
            f"y has {y.shape[1]} columns with a single 1 in each row. They are taken as "
            f"{y.shape[1]} independent labels (multilabel). If each sample has one class, give "
            "the labels: y.argmax(axis=1), or y.idxmax(axis=1) of a frame. "
            "loss='binary_crossentropy' says that the labels are independent.",
            InputWarning,
            stacklevel=2,
        )
    present = np.unique(y[weights > 0]) if y.ndim == 1 else target.classes_
    if classes is None and len(present) < 2:
        raise DataError(
            f"y holds only one class, {present[0]!r}, among the rows with a positive "
            "sample_weight; a classifier needs at least two classes."
        )
    if y.ndim == 1 and classes is None:
        target.learn_prior(y, weights)
    return target
