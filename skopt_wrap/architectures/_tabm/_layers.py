"""Hidden and last layers of networks whose members share weights.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ._average import average_members
from ._losses import MemberLoss, MemberMetric


@keras.saving.register_keras_serializable(package="skopt_wrap")
class MemberDense(keras.layers.Layer):
    r"""A dense layer that several members share, but for factors and biases of their own.

    Member m computes :math:`((x r_m) W) s_m + b_m`, with one W for all.

    Parameters
    ----------
    units : int
        Size of the output of a member.
    n_members : int
        Number of members.
    start : {"ones", "signs", "normal"}, default="ones"
        First values of r: all 1, drawn from {-1, 1}, or drawn from a normal distribution. Members
        differ at first by the drawn ones only.
    groups : sequence of int, default=()
        Sizes of groups of inputs that begin with the same r; inputs behind them stand alone.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import MemberDense
    >>> MemberDense(4, n_members=8)(np.ones((2, 3))).shape
    TensorShape([2, 8, 4])
    """

    def __init__(
        self,
        units: int,
        n_members: int,
        start: str = "ones",
        groups: Sequence[int] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units, self.n_members, self.start_by = units, n_members, start
        self.groups = list(groups)

    def build(self, input_shape: Any) -> None:
        """Create the weights.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of rows, or of rows of every member.
        """
        n, k = int(input_shape[-1]), self.n_members
        uniform = keras.initializers.RandomUniform(-(n**-0.5), n**-0.5)

        def same_for_all(shape: Any, dtype: Any = None) -> Any:
            return ops.repeat(uniform((1, shape[1]), dtype=dtype), k, axis=0)

        def by_group(shape: Any, dtype: Any = None) -> Any:
            sizes = [*self.groups, *[1] * (int(shape[1]) - sum(self.groups))]
            drawn = keras.initializers.RandomNormal(stddev=1.0)((k, len(sizes)), dtype=dtype)
            if self.start_by == "signs":
                drawn = ops.where(drawn < 0, -1.0, 1.0)
            return ops.repeat(drawn, sizes, axis=1)

        first: Any = "ones" if self.start_by == "ones" else by_group
        self.kernel = self.add_weight(shape=(n, self.units), initializer=uniform, name="kernel")
        self.inner = self.add_weight(shape=(k, n), initializer=first, name="inner")
        self.outer = self.add_weight(shape=(k, self.units), initializer="ones", name="outer")
        self.bias = self.add_weight(shape=(k, self.units), initializer=same_for_all, name="bias")

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the outputs.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of rows, or of rows of every member.

        Returns
        -------
        shape : tuple
            (n_rows, n_members, units).
        """
        return (input_shape[0], self.n_members, self.units)

    def call(self, inputs: Any) -> Any:
        """Return the outputs of every member.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_inputs) or (n_rows, n_members, n_inputs)
            Rows that all members get, or rows of every member.

        Returns
        -------
        outputs : tensor of shape (n_rows, n_members, units)
            Outputs.
        """
        x = ops.expand_dims(inputs, 1) if len(inputs.shape) == 2 else inputs
        x = ops.reshape(x * self.inner, (-1, int(inputs.shape[-1])))
        z = ops.reshape(ops.matmul(x, self.kernel), (-1, self.n_members, self.units))
        return z * self.outer + self.bias

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {
            **super().get_config(),
            "units": self.units,
            "n_members": self.n_members,
            "start": self.start_by,
            "groups": self.groups,
        }


@keras.saving.register_keras_serializable(package="skopt_wrap")
class MemberOutputs(keras.layers.Layer):
    """The last layer: every member has weights of its own, and their answers are averaged.

    While the network trains, the layer returns what each member says, and
    :meth:`training_loss` compares each with the target. Otherwise it returns one answer: the mean
    of the members' values or probabilities.

    Parameters
    ----------
    units : int
        Size of the output.
    average : {"values", "labels", "classes"}, default="values"
        What the answers are: values, probabilities of independent labels, or probabilities of
        classes. Members give logits for the latter two.
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import MemberOutputs
    >>> layer = MemberOutputs(3, average="classes")
    >>> layer(np.ones((2, 8, 4))).shape, layer(np.ones((2, 8, 4)), training=True).shape
    (TensorShape([2, 3]), TensorShape([2, 8, 3]))
    """

    def __init__(self, units: int, average: str = "values", **options: Any) -> None:
        super().__init__(**options)
        self.units, self.average = units, average
        # It says what outputs mean; and whether kernel and bias can give them other units.
        names = {"values": "linear", "labels": "sigmoid", "classes": "softmax"}
        self.activation = keras.activations.get(names[average])
        self.linear_outputs = average == "values"

    def build(self, input_shape: Any) -> None:
        """Create the weights.

        Parameters
        ----------
        input_shape : tuple of int
            (n_rows, n_members, n_inputs).
        """
        k, n = int(input_shape[1]), int(input_shape[2])
        uniform = keras.initializers.RandomUniform
        limit = n**-0.5
        self.kernel = self.add_weight(
            shape=(k, n, self.units), initializer=uniform(-limit, limit), name="kernel"
        )
        self.bias = self.add_weight(
            shape=(k, self.units), initializer=uniform(-limit, limit), name="bias"
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the averaged outputs.

        Parameters
        ----------
        input_shape : tuple of int
            (n_rows, n_members, n_inputs).

        Returns
        -------
        shape : tuple
            (n_rows, units).
        """
        return (input_shape[0], self.units)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return one answer for each row, or that of every member while training.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_members, n_inputs)
            Rows of every member.
        training : bool, default=False
            Whether the network trains.

        Returns
        -------
        outputs : tensor of shape (n_rows, units) or (n_rows, n_members, units)
            Averaged values or probabilities, or values or logits of every member.
        """
        by_member = ops.matmul(ops.transpose(inputs, (1, 0, 2)), self.kernel)
        outputs = ops.transpose(by_member, (1, 0, 2)) + self.bias
        return outputs if training else average_members(outputs, self.average)

    def training_loss(self, loss: Any) -> Any:
        """Return the loss that compares every member with the target.

        Parameters
        ----------
        loss : str, callable or keras.losses.Loss
            Of one answer.

        Returns
        -------
        loss : MemberLoss
            The mean of the members' losses.
        """
        return loss if isinstance(loss, MemberLoss) else MemberLoss(loss, self.average)

    def training_metric(self, metric: Any) -> Any:
        """Return a metric that judges the averaged answer while training, too.

        Parameters
        ----------
        metric : str, callable or keras.metrics.Metric
            Of one answer.

        Returns
        -------
        metric : MemberMetric
            The same, for outputs of members.
        """
        if isinstance(metric, MemberMetric):
            return metric
        return MemberMetric(metric, average=self.average, units=self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {**super().get_config(), "units": self.units, "average": self.average}
