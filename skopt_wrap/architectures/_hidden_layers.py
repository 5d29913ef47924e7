"""Hidden layers of networks for tables.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from .._keras import random_bytes
from ._table_layers import grouped


@keras.saving.register_keras_serializable(package="skopt_wrap")
class TangentDense(keras.layers.Layer):
    r"""A dense layer in neural tangent parametrisation: :math:`x W / \sqrt{n} + b` for n inputs.

    Parameters
    ----------
    units : int
        Size of the output.
    rate_factor : float, default=1.0
        Factor of the learning rate of the kernel.
    bias_rate_factor : float, default=0.1
        Factor of the learning rate of the bias, which does not decay.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import TangentDense
    >>> TangentDense(4)(np.ones((2, 3))).shape
    TensorShape([2, 4])
    """

    linear_outputs = True  # kernel and bias can give the outputs other units

    def __init__(
        self,
        units: int,
        rate_factor: float = 1.0,
        bias_rate_factor: float = 0.1,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units, self.rate_factor = units, rate_factor
        self.bias_rate_factor = bias_rate_factor
        self.activation = keras.activations.linear  # says that outputs are logits, not shares

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        n = int(input_shape[-1])
        self.share = n**-0.5
        normal = keras.initializers.RandomNormal(stddev=1.0)
        kernel = self.add_weight(shape=(n, self.units), initializer=normal, name="kernel")
        bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.kernel = grouped(kernel, self.rate_factor)
        self.bias = grouped(bias, self.bias_rate_factor, decays=False)

    def start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        """Give every unit variance 1 on the rows `x`, and a bias from five of them.

        The bias is minus a random convex combination of the unit's values on the five rows.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_inputs)
            Inputs of the layer for some training rows.
        rng : numpy.random.Generator
            Draws kernel and rows.
        """
        kernel = rng.normal(size=(x.shape[1], self.units))
        values = x @ kernel * self.share
        deviation = values.std(axis=0)
        deviation = np.where(deviation > 1e-12, deviation, 1.0)
        values /= deviation
        shares = rng.exponential(size=(5, self.units))
        rows = rng.integers(len(x), size=(5, self.units))
        picked = np.take_along_axis(values, rows, axis=0)
        self.kernel.assign(kernel / deviation)
        self.bias.assign(-(picked * shares / shares.sum(axis=0)).sum(axis=0))

    def rescale(self, factor: float) -> None:
        """Multiply all outputs by a factor.

        Parameters
        ----------
        factor : float
            The factor.
        """
        for variable in (self.kernel, self.bias):
            variable.assign(variable * factor)

    def call(self, inputs: Any) -> Any:
        """Return the outputs.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_outputs)
            Changed rows.
        """
        return ops.matmul(inputs, self.kernel) * self.share + self.bias

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        names = ("units", "rate_factor", "bias_rate_factor")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="skopt_wrap")
class ParametricActivation(keras.layers.Layer):
    """``x + a (f(x) - x)`` with a factor a for each unit that is learned, 1 at first.

    Parameters
    ----------
    activation : str
        A Keras activation.
    rate_factor : float, default=0.1
        Factor of the learning rate.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import ParametricActivation
    >>> np.asarray(ParametricActivation("relu")(np.array([[-1.0, 2.0]]))).tolist()
    [[0.0, 2.0]]
    """

    def __init__(self, activation: str, rate_factor: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        self.activation = keras.activations.get(activation)
        self.rate_factor = rate_factor

    def build(self, input_shape: Any) -> None:
        """Create the factors.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        alpha = self.add_weight(shape=(int(input_shape[-1]),), initializer="ones", name="alpha")
        self.alpha = grouped(alpha, self.rate_factor)

    def call(self, inputs: Any) -> Any:
        """Return the outputs.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_outputs)
            Changed rows.
        """
        return inputs + self.alpha * (self.activation(inputs) - inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        name = keras.activations.serialize(self.activation)
        return {**super().get_config(), "activation": name, "rate_factor": self.rate_factor}


@keras.saving.register_keras_serializable(package="skopt_wrap")
class FadingDropout(keras.layers.Layer):
    """Dropout whose rate is constant for half of the training and falls to 0 in the other half.

    Rates are multiples of 1/256, because a random byte decides on each value: that takes a quarter
    of the random numbers.

    Parameters
    ----------
    rate : float
        Share that is dropped at first, in [0, 1).
    seed : int, default=None
        Of the first draw.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import FadingDropout
    >>> np.asarray(FadingDropout(0.5)(np.ones((1, 2)), training=False)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Create the share of the rate that is left.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of the rows.
        """
        self.left = self.add_weight(shape=(), initializer="ones", trainable=False, name="left")

    def set_progress(self, share: float) -> None:
        """Follow the progress of training.

        Parameters
        ----------
        share : float
            Share of the training that is over, in [0, 1].
        """
        now = flat_cos(share)
        if float(self.left) != now:  # for half of the training it is 1
            self.left.assign(now)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, some of them 0 while training.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_columns)
            Rows.
        training : bool, default=False
            Whether values are dropped.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_columns)
            Rows.
        """
        if not training or not self.rate:
            return inputs
        dropped = ops.clip(ops.round(self.rate * self.left * 256.0), 0.0, 255.0)
        drawn = random_bytes(ops.shape(inputs), self.seed_generator.next())
        scale = ops.cast(256.0 / (256.0 - dropped), inputs.dtype)
        return inputs * ops.where(drawn >= ops.cast(dropped, "uint8"), scale, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def flat_cos(share: float) -> float:
    """Return 1 for the first half of a training, and a cosine that falls to 0 in the second.

    Examples
    --------
    >>> from skopt_wrap.architectures._hidden_layers import flat_cos
    >>> flat_cos(0.2), flat_cos(0.75), flat_cos(1.0)
    (1.0, 0.5, 0.0)
    """
    return 1.0 if share < 0.5 else float(1 + np.cos(np.pi * (2 * share - 1))) / 2
