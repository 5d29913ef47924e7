"""Layers of networks for tables. This file imports Keras: import it inside functions only.

Variables of these layers may carry two attributes that :class:`GroupedAdam` reads: `rate_factor`,
a factor of the learning rate, and `decays`, whether the variable is subject to weight decay.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any

import keras
import numpy as np
from keras import ops


def grouped(variable: Any, rate_factor: float, decays: bool = True) -> Any:
    """Return `variable`, marked for the optimizer."""
    variable.rate_factor, variable.decays = float(rate_factor), decays
    return variable


def look_up(table: Any, codes: Any) -> Any:
    """Return the rows of `table` for some codes.

    Its gradient is dense. Of a sparse one, Adam of Keras squares equal rows one by one instead of
    their sum, so that frequent codes would take steps that are too large.
    """
    dense = ops.reshape(table, table.shape)
    return ops.take(dense, ops.cast(codes, "int32"), axis=0)


def weighted_quantiles(x: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Return quantiles of each column, as if each row were repeated as often as its weight says.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
        Values.
    weights : ndarray of shape (n_rows,)
        Not negative.
    shares : sequence of float
        Shares of the rows below the quantiles.

    Returns
    -------
    quantiles : ndarray of shape (n_shares, n_columns)
        By the inverted distribution function, so values of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures._table_layers import weighted_quantiles
    >>> weighted_quantiles(np.array([[1.0], [2.0], [9.0]]), np.array([1, 1, 3]), [0.25, 0.5])
    array([[2.],
           [9.]])
    """
    found = np.quantile(x, shares, axis=0, weights=weights, method="inverted_cdf")
    return np.asarray(found)


@keras.saving.register_keras_serializable(package="skopt_wrap")
class RobustScale(keras.layers.Layer):
    """Scale columns by their quantiles and clip them smoothly, to sizes below 3.

    ``z / sqrt(1 + (z / 3)**2)`` with ``z = (x - center) * factor``. Center and factor are learned
    from training rows by :meth:`learn`, not by gradients.

    Parameters
    ----------
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import RobustScale
    >>> layer = RobustScale()
    >>> layer.build((None, 1))
    >>> layer.learn(np.arange(5.0).reshape(5, 1), np.ones(5))
    >>> np.asarray(layer(np.array([[2.0], [3.0]]))).round(3).tolist()
    [[0.0], [0.493]]
    """

    def build(self, input_shape: Any) -> None:
        """Create center and factor.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        shape = (int(input_shape[-1]),)
        self.center = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="center"
        )
        self.factor = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="factor"
        )

    def learn(self, x: np.ndarray, weights: np.ndarray) -> None:
        """Set median and interquartile range, or the range where the latter is 0.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_columns)
            Training rows.
        weights : ndarray of shape (n_rows,)
            Their weights.
        """
        low, middle, high = weighted_quantiles(x, weights, [0.25, 0.5, 0.75])
        used = x[weights > 0]
        spread = high - low
        spread = np.where(spread == 0, (used.max(axis=0) - used.min(axis=0)) / 2, spread)
        self.center.assign(middle)
        self.factor.assign(np.where(spread == 0, 0.0, 1 / np.where(spread == 0, 1.0, spread)))

    def call(self, inputs: Any) -> Any:
        """Return the scaled rows.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_outputs)
            Changed rows.
        """
        z = (inputs - self.center) * self.factor
        return z / ops.sqrt(1.0 + ops.square(z / 3.0))


@keras.saving.register_keras_serializable(package="skopt_wrap")
class TableEmbedding(keras.layers.Layer):
    r"""Embed the numbers and the categories of a table, and pass on its other columns.

    A number x becomes :math:`(x, W \cos(2 \pi x w + b) + c)` with w, b, W and c of its own, a code
    of a category a vector of numbers that is learned.

    Parameters
    ----------
    n_numbers : int
        Numbers, the first columns of the rows.
    cardinalities : sequence of int, default=()
        Number of codes of each of the last columns.
    n_frequencies : int, default=16
        Cosines for each number; 0 passes numbers on as they are.
    width : int, default=3
        Size of what the cosines are reduced to.
    frequency_scale : float, default=0.1
        Standard deviation of the first w.
    category_width : int, default=8
        Size of the vector of a code.
    rate_factor : float, default=0.1
        Factor of the learning rate for what embeds numbers.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import TableEmbedding
    >>> TableEmbedding(2, width=3)(np.zeros((5, 2))).shape
    TensorShape([5, 8])
    """

    def __init__(
        self,
        n_numbers: int,
        cardinalities: Sequence[int] = (),
        n_frequencies: int = 16,
        width: int = 3,
        frequency_scale: float = 0.1,
        category_width: int = 8,
        rate_factor: float = 0.1,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.n_numbers, self.cardinalities = n_numbers, list(cardinalities)
        self.n_frequencies, self.width = n_frequencies, width
        self.frequency_scale, self.category_width = frequency_scale, category_width
        self.rate_factor = rate_factor

    def build(self, input_shape: Any) -> None:
        """Create the embeddings.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        n, k, width = self.n_numbers, self.n_frequencies, self.width
        uniform = keras.initializers.RandomUniform
        self.tables = [
            self.add_weight(
                shape=(size, self.category_width),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                name=f"category_{i}",
            )
            for i, size in enumerate(self.cardinalities)
        ]
        if not (n and k):
            return
        start = {
            "frequencies": ((n, k), keras.initializers.RandomNormal(stddev=self.frequency_scale)),
            "phases": ((n, k), uniform(-pi, pi)),
            "kernel": ((n, k, width), uniform(-(k**-0.5), k**-0.5)),
            "bias": ((n, width), uniform(-(k**-0.5), k**-0.5)),
        }
        for name, (shape, initializer) in start.items():
            variable = self.add_weight(shape=shape, initializer=initializer, name=name)
            setattr(self, name, grouped(variable, self.rate_factor))

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
        embedded = self.n_numbers * self.width if self.n_frequencies else 0
        n_plain = int(input_shape[-1]) - len(self.cardinalities)
        return (input_shape[0], embedded + n_plain + len(self.tables) * self.category_width)

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
        n = self.n_numbers
        n_plain = int(inputs.shape[-1]) - len(self.cardinalities)
        parts = []
        if n and self.n_frequencies:
            x = ops.expand_dims(inputs[:, :n], -1)
            waves = ops.cos(2 * pi * x * self.frequencies + self.phases)
            # One small product for each number: (numbers, rows, k) x (numbers, k, width).
            found = ops.matmul(ops.transpose(waves, (1, 0, 2)), self.kernel)
            found = ops.transpose(found, (1, 0, 2)) + self.bias
            parts.append(ops.reshape(found, (-1, n * self.width)))
        parts.append(inputs[:, :n_plain])
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
        names = (
            "n_numbers cardinalities n_frequencies width frequency_scale category_width rate_factor"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


@keras.saving.register_keras_serializable(package="skopt_wrap")
class FeatureScale(keras.layers.Layer):
    """Multiply each column by a factor that is learned, 1 at first.

    Parameters
    ----------
    rate_factor : float, default=6.0
        Factor of the learning rate.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import FeatureScale
    >>> np.asarray(FeatureScale()(np.ones((1, 3)))).tolist()
    [[1.0, 1.0, 1.0]]
    """

    def __init__(self, rate_factor: float = 6.0, **options: Any) -> None:
        super().__init__(**options)
        self.rate_factor = rate_factor

    def build(self, input_shape: Any) -> None:
        """Create the factors.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        scale = self.add_weight(shape=(int(input_shape[-1]),), initializer="ones", name="scale")
        self.scale = grouped(scale, self.rate_factor)

    def call(self, inputs: Any) -> Any:
        """Return the scaled rows.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_outputs)
            Changed rows.
        """
        return inputs * self.scale

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {**super().get_config(), "rate_factor": self.rate_factor}
