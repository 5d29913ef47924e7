"""The first layer of a network whose members share weights.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._table_layers import look_up


@keras.saving.register_keras_serializable(package="skopt_wrap")
class PiecewiseEmbedding(keras.layers.Layer):
    r"""Embed the numbers and the categories of a table, and pass on its other columns.

    The range of each number is cut into bins that hold equally many training rows. A number becomes
    :math:`x w + c + \sum_j e_j W_j`, where :math:`e_j` in [0, 1] says how much of bin j lies below
    it. W is 0 at first. A code of a category becomes a vector of numbers that is learned.

    Parameters
    ----------
    n_numbers : int
        Numbers, the first columns of the rows.
    cardinalities : sequence of int, default=()
        Number of codes of each of the last columns.
    n_bins : int, default=48
        Bins of each number; 0 passes numbers on as they are.
    width : int, default=16
        Size of the vector of a number.
    category_width : int, default=8
        Size of the vector of a code.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import PiecewiseEmbedding
    >>> PiecewiseEmbedding(2, width=3)(np.zeros((5, 2))).shape
    TensorShape([5, 6])
    """

    def __init__(
        self,
        n_numbers: int,
        cardinalities: Sequence[int] = (),
        n_bins: int = 48,
        width: int = 16,
        category_width: int = 8,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.n_numbers, self.cardinalities = n_numbers, list(cardinalities)
        self.n_bins, self.width, self.category_width = n_bins, width, category_width

    def build(self, input_shape: Any) -> None:
        """Create bins and weights.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        n, bins, width = self.n_numbers, self.n_bins, self.width
        self.tables = [
            self.add_weight(
                shape=(size, self.category_width),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                name=f"category_{i}",
            )
            for i, size in enumerate(self.cardinalities)
        ]
        if not (n and bins):
            return
        for name in ("lower", "upper", "factor"):
            bounds = self.add_weight(
                shape=(n, bins), initializer="zeros", trainable=False, name=name
            )
            setattr(self, name, bounds)
        uniform = keras.initializers.RandomUniform(-1.0, 1.0)
        self.slope = self.add_weight(shape=(n, width), initializer=uniform, name="slope")
        self.bias = self.add_weight(shape=(n, width), initializer=uniform, name="bias")
        self.kernel = self.add_weight(shape=(n, bins, width), initializer="zeros", name="kernel")

    def start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        """Cut the numbers of some training rows into bins of equally many rows.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_columns)
            Rows.
        rng : numpy.random.Generator
            Not used: bins are not drawn.
        """
        if not (self.n_numbers and self.n_bins):
            return
        shares = np.linspace(0, 1, self.n_bins + 1)
        found = np.zeros((3, self.n_numbers, self.n_bins))
        for i, cuts in enumerate(np.quantile(x[:, : self.n_numbers], shares, axis=0).T):
            edges = np.unique(cuts.astype("float32"))
            width = np.diff(edges)
            # A bin of no width is never entered.
            found[:, i, : len(width)] = edges[:-1], edges[1:], 1 / width
        for variable, value in zip((self.lower, self.upper, self.factor), found, strict=True):
            variable.assign(value)

    @property
    def groups(self) -> list[int]:
        """How many values stand for each number and each code."""
        return [self.width if self.n_bins else 1] * self.n_numbers

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the outputs.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.

        Returns
        -------
        shape : tuple
            Shape of the outputs.
        """
        n_other = int(input_shape[-1]) - len(self.cardinalities) - self.n_numbers
        n_codes = len(self.cardinalities) * self.category_width
        return (input_shape[0], sum(self.groups) + n_other + n_codes)

    def call(self, inputs: Any) -> Any:
        """Return the embedded rows.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_outputs)
            Changed rows.
        """
        n, n_plain = self.n_numbers, int(inputs.shape[-1]) - len(self.cardinalities)
        first, parts = 0, []
        if n and self.n_bins:
            first, x = n, ops.expand_dims(inputs[:, :n], -1)
            inside = ops.minimum(ops.maximum(x, self.lower), self.upper) - self.lower
            shares = ops.transpose(inside * self.factor, (1, 0, 2))
            # One small product for each number: (numbers, rows, bins) x (numbers, bins, width).
            found = ops.transpose(ops.matmul(shares, self.kernel), (1, 0, 2))
            found = found + x * self.slope + self.bias
            parts.append(ops.reshape(found, (-1, n * self.width)))
        if n_plain > first:
            parts.append(inputs[:, first:n_plain])
        for i, table in enumerate(self.tables):
            parts.append(look_up(table, inputs[:, n_plain + i]))
        return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        names = ("n_numbers", "cardinalities", "n_bins", "width", "category_width")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
