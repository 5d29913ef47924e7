"""The target of a regressor: `y` as the loss takes it, and raw outputs in the shape of `y`.

A network learns targets of mean 0 and standard deviation 1 best, whatever the units of `y` are.
Mean and deviation are learned from the training rows. While the network trains, its outputs and its
loss are in those units. Afterwards the last layer is changed so that it returns the units of `y`;
where that is not possible, the estimator changes the outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...exceptions import DataError, ModelError
from ._arrays import count_columns, output_table
from ._scaling import QuantileScaling, StandardScaling


class ValueTarget:
    """Numbers to the shape that a loss takes, and raw outputs back to the shape of `y`.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Numbers.

    Attributes
    ----------
    n_outputs_ : int
        Columns of `y`.
    target_type_ : {"continuous", "continuous-multioutput"}
        Type of the target.
    scaling_ : StandardScaling, QuantileScaling or None
        How targets are scaled for training; None leaves them as they are.
    in_network_ : bool
        Whether the trained network returns the units of `y` by itself.

    Raises
    ------
    DataError
        When `y` has more than two dimensions.

    Examples
    --------
    >>> from skopt_wrap.estimators import ValueTarget
    >>> target = ValueTarget([1.0, 2.0])
    >>> target.transform([1.0, 2.0]).shape, target.values([[3.0], [4.0]])
    ((2, 1), array([3., 4.]))
    """

    # Of targets that were pickled before there was a scaling, too.
    scaling_: StandardScaling | QuantileScaling | None = None
    in_network_: bool = True

    def __init__(self, y: Any) -> None:
        y = np.asarray(y)
        if y.ndim > 2:
            raise DataError(f"y must have one or two dimensions, got shape {y.shape}.")
        self.one_dimensional_ = y.ndim == 1
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        self.target_type_ = "continuous" if self.n_outputs_ == 1 else "continuous-multioutput"
        self.output_kind_ = "values"
        self.column_names_: tuple[Any, ...] = ()

    def learn_scaling(self, y: np.ndarray, weights: np.ndarray, kind: str | None) -> None:
        """Learn from training rows how targets are scaled.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        weights : ndarray of shape (n_samples,)
            Sample weights.
        kind : {"standard", "quantile"} or None
            Mean and standard deviation, quantiles of a normal distribution, or nothing.
        """
        table = np.asarray(y, dtype="float64").reshape(len(y), self.n_outputs_)
        if kind is None:
            self.scaling_ = None
        elif kind == "quantile":
            self.scaling_ = QuantileScaling.of(table, weights)
        else:
            self.scaling_ = StandardScaling.of(table, weights)
        self.in_network_ = kind != "quantile"

    @property
    def n_units(self) -> int:
        """Output units that the target asks of a network."""
        return self.n_outputs_

    def match(self, *, units: int, encoding: str, output_kind: str) -> None:
        """Check the number of output units of a network.

        Parameters
        ----------
        units : int
            Output units of the network.
        encoding, output_kind : str
            Not used; values have one form.

        Raises
        ------
        ModelError
            When the network has another number of output units than the target has columns.
        """
        if units != self.n_outputs_:
            raise ModelError(
                f"The network has {units} output units, but y has {self.n_outputs_} columns. "
                'Let the builder take `meta` and end in Dense(meta["n_outputs_expected_"]).'
            )

    def check(self, y: np.ndarray, name: str = "y") -> None:
        """Raise unless `y` has as many columns as the target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        name : str, default="y"
            What the message calls them.

        Raises
        ------
        DataError
            For another number of columns.
        """
        columns = 1 if y.ndim == 1 else y.shape[1]
        if y.ndim > 2 or columns != self.n_outputs_:
            raise DataError(
                f"{name} has {count_columns(columns)}, but the target has "
                f"{count_columns(self.n_outputs_)}. Give {name} in the form of the first y."
            )

    def transform(self, y: Any, dtype: str = "float32") -> np.ndarray:
        """Return `y` as a table.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        dtype : str, default="float32"
            Dtype of the table.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            Numbers in the units of the trained network's outputs.
        """
        table = self._table(y)
        if self.scaling_ is not None and not self.in_network_:
            table = self.scaling_.scaled(table)
        return table.astype(dtype)

    def transform_for_training(self, y: Any, dtype: str = "float32") -> np.ndarray:
        """Return `y` as a table in the units that the network is trained in.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        dtype : str, default="float32"
            Dtype of the table.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            Scaled numbers. They differ from those of :meth:`transform` where the trained network
            returns the units of `y` by itself.
        """
        table = self._table(y)
        return (table if self.scaling_ is None else self.scaling_.scaled(table)).astype(dtype)

    def _table(self, y: Any) -> np.ndarray:
        y = np.asarray(y)
        self.check(y)
        table = y.reshape(len(y), self.n_outputs_)
        return table if self.scaling_ is None else table.astype("float64")

    def values(self, raw: Any) -> np.ndarray:
        """Return predictions in the shape of `y`.

        Parameters
        ----------
        raw : array-like of shape (n_samples, n_units)
            Raw outputs of the network.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Predictions.
        """
        raw = output_table(raw)
        if self.scaling_ is not None and not self.in_network_:
            raw = self.scaling_.unscaled(raw)
        return raw[:, 0] if self.one_dimensional_ else raw
