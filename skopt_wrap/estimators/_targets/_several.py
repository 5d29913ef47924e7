"""Targets of networks with several outputs: some columns of `y` for each output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ..._keras import OutputForm
from ...exceptions import DataError, ModelError
from ._arrays import check_labels, output_table
from ._classes import ClassTarget
from ._values import ValueTarget


class SeveralValues(ValueTarget):
    """The target of a regressor whose network has several outputs.

    The columns of `y` go to the outputs from left to right, as many as each has units; by name,
    where the columns of a frame are called like the outputs.

    Parameters
    ----------
    y : array-like of shape (n_samples, n_columns)
        Numbers.
    form : OutputForm
        The outputs.
    column_names : sequence of str, default=()
        Names of the columns of `y`.

    Raises
    ------
    ModelError
        When the outputs have another number of units than `y` has columns.

    Examples
    --------
    >>> from skopt_wrap._keras import OutputForm
    >>> from skopt_wrap.estimators._targets._several import SeveralValues
    >>> target = SeveralValues([[1.0, 2.0]], OutputForm("list", ("a", "b"), (1, 1)))
    >>> target.values([[[3.0]], [[4.0]]])
    array([[3., 4.]])
    """

    def __init__(self, y: Any, form: OutputForm, column_names: Sequence[str] = ()) -> None:
        super().__init__(y)
        self.columns_ = _columns_of_outputs(form, self.n_outputs_, column_names)
        self.parts_ = [ValueTarget(np.zeros((1, len(columns)))) for columns in self.columns_]

    def encode(self, y: Any, dtype: str = "float32") -> list[np.ndarray]:
        """Return the numbers of each output.

        Parameters
        ----------
        y : array-like of shape (n_samples, n_columns)
            Numbers.
        dtype : str, default="float32"
            Dtype of the result.

        Returns
        -------
        encoded : list of ndarray of shape (n_samples, n_units)
            One per output.
        """
        table = self.transform(y, dtype)
        return [table[:, columns] for columns in self.columns_]

    def values(self, raw: Any) -> np.ndarray:
        """Return predictions in the shape of `y`.

        Parameters
        ----------
        raw : list of array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        values : ndarray of shape (n_samples, n_columns), float64
            Predictions.
        """
        tables = [output_table(part) for part in raw]
        values = np.empty((len(tables[0]), self.n_outputs_))
        for columns, table in zip(self.columns_, tables, strict=True):
            values[:, columns] = table
        return values[:, 0] if self.one_dimensional_ else values


class SeveralClasses:
    """The target of a classifier with several columns of classes, one for each output.

    Parameters
    ----------
    y : array-like of shape (n_samples, n_columns)
        Labels; columns may have labels of different types.
    column_names : sequence of str, default=()
        Names of the columns of `y`.

    Attributes
    ----------
    classes_ : list of ndarray of shape (n_classes,)
        Sorted labels of each column.
    parts_ : list of ClassTarget
        Target of each column.
    columns_ : list of int
        Column of `y` that each output predicts, set by :meth:`match_outputs`.

    Raises
    ------
    DataError
        For a column with a single class.

    Examples
    --------
    >>> from skopt_wrap.estimators._targets._several import SeveralClasses
    >>> SeveralClasses([["a", "x"], ["b", "y"], ["c", "x"]]).n_units
    [3, 1]
    """

    target_type_ = "multiclass-multioutput"
    soft_ = one_hot_ = False
    encoding_ = output_kind_ = ""

    def __init__(self, y: Any, column_names: Sequence[str] = ()) -> None:
        y = np.asarray(y)
        self.y_dtype_, self.n_outputs_ = y.dtype, y.shape[1]
        self.column_names_ = tuple(column_names)
        self.parts_ = [ClassTarget(labels) for labels in label_columns(y)]
        self.classes_ = [part.classes_ for part in self.parts_]
        self.columns_ = list(range(y.shape[1]))

    @property
    def n_units(self) -> list[int]:
        """Units that the target asks of each output; a binary one may also have two."""
        return [part.n_units for part in self.parts_]

    def match_outputs(self, form: OutputForm) -> None:
        """Settle which column each output predicts.

        Parameters
        ----------
        form : OutputForm
            The outputs.

        Raises
        ------
        ModelError
            When there are more or fewer outputs than columns.
        """
        if len(form) != self.n_outputs_:
            raise ModelError(
                f"The network has {len(form)} outputs ({', '.join(form.names)}), but y has "
                f"{self.n_outputs_} columns of classes; each output predicts one column."
            )
        one_each = OutputForm(form.kind, form.names, (1,) * len(form), form.layer_names)
        order = _columns_of_outputs(one_each, self.n_outputs_, self.column_names_)
        self.columns_ = [int(columns[0]) for columns in order]

    @property
    def output_parts(self) -> list[ClassTarget]:
        """Targets in the order of the outputs."""
        return [self.parts_[column] for column in self.columns_]

    def check(self, y: np.ndarray, name: str = "y") -> None:
        """Raise unless `y` has the columns and the classes of the target.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_columns)
            Labels.
        name : str, default="y"
            What the message calls them.

        Raises
        ------
        DataError
            For another number of columns, and for an unknown class.
        """
        if y.ndim != 2 or y.shape[1] != self.n_outputs_:
            raise DataError(
                f"{name} has {1 if y.ndim == 1 else y.shape[1]} columns, but the target has "
                f"{self.n_outputs_} columns of classes. Give {name} in the form of the first y."
            )
        for number, (part, labels) in enumerate(zip(self.parts_, label_columns(y), strict=True)):
            part.check(labels, f"{name}, column {number},")

    def encode(self, y: Any, dtype: str = "float32") -> list[np.ndarray]:
        """Return the labels of each output as its loss takes them.

        Parameters
        ----------
        y : array-like of shape (n_samples, n_columns)
            Labels.
        dtype : str, default="float32"
            Dtype of numbers that are no positions.

        Returns
        -------
        encoded : list of ndarray
            One per output.
        """
        y = np.asarray(y)
        self.check(y)
        labels = label_columns(y)
        return [self.parts_[column].transform(labels[column], dtype) for column in self.columns_]

    def labels(self, raw: Any) -> np.ndarray:
        """Return the predicted labels.

        Parameters
        ----------
        raw : list of array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        labels : ndarray of shape (n_samples, n_columns)
            Labels of each column.
        """
        columns = self._by_column(raw, "labels")
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) == 1 and self.y_dtype_.kind != "O":
            return np.stack(columns, axis=1)
        table = np.empty((len(columns[0]), len(columns)), dtype=object)
        for number, column in enumerate(columns):
            table[:, number] = column
        return table

    def probabilities(self, raw: Any) -> list[np.ndarray]:
        """Return the class probabilities of each column.

        Parameters
        ----------
        raw : list of array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        probabilities : list of ndarray of shape (n_samples, n_classes)
            One per column of `y`.
        """
        return self._by_column(raw, "probabilities")

    def log_probabilities(self, raw: Any) -> list[np.ndarray]:
        """Return the logarithm of :meth:`probabilities`.

        Parameters
        ----------
        raw : list of array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        log_probabilities : list of ndarray of shape (n_samples, n_classes)
            One per column of `y`.
        """
        return self._by_column(raw, "log_probabilities")

    def decision(self, raw: Any) -> list[np.ndarray]:
        """Return the confidence in each class of each column.

        Parameters
        ----------
        raw : list of array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        confidence : list of ndarray of shape (n_samples,) or (n_samples, n_classes)
            One per column of `y`.
        """
        return self._by_column(raw, "decision")

    def _by_column(self, raw: Any, method: str) -> list[np.ndarray]:
        """Call a method of the target of each output; return the results by column."""
        results: list[Any] = [None] * self.n_outputs_
        for column, outputs in zip(self.columns_, raw, strict=True):
            call: Callable[[Any], np.ndarray] = getattr(self.parts_[column], method)
            results[column] = call(outputs)
        return results


def has_class_columns(y: np.ndarray) -> bool:
    """Return whether a table holds several columns of labels, and is no indicator."""
    if y.dtype.kind == "O" and len({type(cell) for cell in y[0]}) > 1:
        return True
    return bool(type_of_target(y, input_name="y") == "multiclass-multioutput")


def label_columns(y: np.ndarray) -> list[np.ndarray]:
    """Return the columns of a table of labels, each in the type of its own labels."""
    if y.dtype != object:
        return [y[:, number] for number in range(y.shape[1])]
    return [np.array(y[:, number].tolist()) for number in range(y.shape[1])]


def check_label_table(y: Any) -> np.ndarray | None:
    """Return several columns of labels of different types as a table of objects.

    None for a `y` of one column, or whose columns have one type.
    """
    columns = None
    if hasattr(y, "columns") and hasattr(y, "iloc") and y.shape[1] > 1:
        columns = [y.iloc[:, number] for number in range(y.shape[1])]
    elif isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 2 and y.shape[1] > 1:
        columns = label_columns(y)
    if columns is None:
        return None
    checked = [check_labels(column) for column in columns]
    kinds = {"number" if c.dtype.kind in "biuf" else "text" for c in checked}
    if len(kinds) == 1:
        return None
    table = np.empty((len(checked[0]), len(checked)), dtype=object)
    for number, column in enumerate(checked):
        table[:, number] = column.tolist()
    return table


def _columns_of_outputs(
    form: OutputForm, n_columns: int, column_names: Sequence[str]
) -> list[np.ndarray]:
    """Return the columns of `y` that each output predicts."""
    if sum(form.units) != n_columns:
        raise ModelError(
            f"The network has {len(form)} outputs with "
            f"{', '.join(f'{u} ({n})' for n, u in zip(form.names, form.units, strict=True))} "
            f"units, {sum(form.units)} in all, but y has {n_columns} "
            f"column{'' if n_columns == 1 else 's'}."
        )
    given = np.array(list(map(str, column_names)), dtype=object)
    for names in (form.names, form.layer_names):
        found = [np.flatnonzero(given == name) for name in names]
        if found and tuple(map(len, found)) == form.units and len(given) == n_columns:
            return found
    ends = np.cumsum(form.units)
    return [np.arange(end - units, end) for end, units in zip(ends, form.units, strict=True)]
