"""The layer TensorTrainDense, whose kernel is a Tensor-Train.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

from ..exceptions import ParameterError, suggest
from ._specs import check_count
from ._tensor_train import balanced_factors, full_ranks

CONTRACTIONS = ("auto", "cores", "kernel")

# Rows that a call is assumed to have when they are not known: a usual batch of training.
_USUAL_ROWS = 32


def contraction_costs(
    input_factors: Sequence[int], output_factors: Sequence[int], ranks: Sequence[int], rows: int
) -> dict[str, int]:
    """Return multiplications needed for `rows` rows, for each order of contraction.

    "left" and "right" apply the cores to the rows, beginning with the first or the last core;
    "kernel" multiplies the cores to the kernel first.

    Examples
    --------
    >>> from skopt_wrap.factorization._layer import contraction_costs
    >>> costs = contraction_costs((28, 28), (32, 32), (20,), rows=1)
    >>> min(costs, key=costs.get)
    'left'
    >>> costs = contraction_costs((28, 28), (32, 32), (20,), rows=1024)
    >>> min(costs, key=costs.get)
    'kernel'
    """
    d, edges = len(input_factors), (1, *ranks, 1)
    left = right = kernel = 0
    for k in range(d):
        size = edges[k] * input_factors[k] * output_factors[k] * edges[k + 1]
        left += prod(output_factors[:k]) * prod(input_factors[k + 1 :]) * size
        right += prod(input_factors[:k]) * prod(output_factors[k + 1 :]) * size
        if k:
            kernel += prod(input_factors[:k]) * prod(output_factors[:k]) * size
    dense = prod(input_factors) * prod(output_factors)
    return {"left": left * rows, "right": right * rows, "kernel": kernel + dense * rows}


@keras.saving.register_keras_serializable(package="skopt_wrap")
class TensorTrainDense(keras.layers.Layer):
    r"""A Dense layer that keeps its kernel as a Tensor-Train.

    ``activation(inputs @ kernel + bias)``, where the kernel of shape
    :math:`(I_1 \cdots I_d,\ J_1 \cdots J_d)` is the product of small cores [1]_:

    .. math:: W[(i_1 \ldots i_d), (j_1 \ldots j_d)] = G_1[i_1, j_1] \cdots G_d[i_d, j_d]

    with matrices :math:`G_k[i_k, j_k]` of shape :math:`(r_{k-1}, r_k)`. With balanced factors it
    saves parameters, not time: a call costs as much as a Dense layer or more. ``factorize`` puts
    it in the place of trained Dense layers, with factors that suit their kernels.

    Parameters
    ----------
    units : int
        Size of the output.
    rank : int or sequence of int, default=16
        Size of the matrices: an int for all of them (less where no more can be used), or one
        number between each two cores.
    n_cores : int, default=2
        Number of cores d, when no factors are given.
    input_factors, output_factors : sequence of int, default=None
        Factors of the number of input features and of `units`, one a core. None chooses factors
        that are as equal as can be, increasing for the features and decreasing for the units.
    activation : str or callable, default=None
        Activation function.
    use_bias : bool, default=True
        Whether to add a bias.
    kernel_initializer : str or keras.initializers.VarianceScaling, default="glorot_uniform"
        Gives the variance that the entries of the kernel start with; the cores are drawn from
        normal distributions whose product has it.
    bias_initializer : str or keras.initializers.Initializer, default="zeros"
        Start of the bias.
    kernel_regularizer : str or keras.Regularizer, default=None
        Penalty on every core.
    bias_regularizer : str or keras.Regularizer, default=None
        Penalty on the bias.
    kernel_constraint : str or keras.constraints.Constraint, default=None
        Constraint on every core.
    bias_constraint : str or keras.constraints.Constraint, default=None
        Constraint on the bias.
    contraction : {"auto", "cores", "kernel"}, default="auto"
        "cores" applies the cores to the rows one after the other, in the cheaper direction;
        "kernel" multiplies them to the kernel first; "auto" takes what needs fewer
        multiplications (32 rows are assumed where their number is not known). Set it to "cores"
        before a conversion: converters fold the constant kernel into the file.
    **kwargs : dict
        Arguments of ``keras.layers.Layer``: name, dtype, trainable.

    Attributes
    ----------
    cores : list of keras.Variable
        One for each factor, of shape (r(k-1), Ik, Jk, rk).
    bias : keras.Variable or None
        Of shape (units,).

    Raises
    ------
    ParameterError
        If a parameter breaks its rule, or factors do not multiply to the sizes of the layer.

    See Also
    --------
    factorize : Replaces the layers of a trained network.

    References
    ----------
    .. [1] A. Novikov, D. Podoprikhin, A. Osokin, D. Vetrov, "Tensorizing neural networks",
       NeurIPS, 2015.

    Examples
    --------
    >>> import keras
    >>> from skopt_wrap import TensorTrainDense
    >>> layer = TensorTrainDense(64, rank=4, activation="relu")
    >>> model = keras.Sequential([keras.Input((100,)), layer])
    >>> layer.input_factors_, layer.output_factors_, layer.count_params()
    ((10, 10), (8, 8), 704)
    """

    def __init__(
        self,
        units: int,
        rank: int | Sequence[int] = 16,
        n_cores: int = 2,
        input_factors: Sequence[int] | None = None,
        output_factors: Sequence[int] | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        contraction: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_count(units, "units")
        self.n_cores = check_count(n_cores, "n_cores", least=2)
        self.rank: Any = (
            _counts(rank, "rank")
            if isinstance(rank, list | tuple | np.ndarray)
            else check_count(rank, "rank")
        )
        self.input_factors = None if input_factors is None else _counts(input_factors)
        self.output_factors = None if output_factors is None else _counts(output_factors)
        if self.output_factors is not None and prod(self.output_factors) != self.units:
            raise ParameterError(
                f"output_factors must multiply to units={self.units}, got {self.output_factors}."
            )
        if contraction not in CONTRACTIONS:
            raise ParameterError(
                f"contraction must be one of {CONTRACTIONS}, got {contraction!r}. "
                + suggest(str(contraction), CONTRACTIONS)
            )
        self.contraction = contraction
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        if not isinstance(self.kernel_initializer, keras.initializers.VarianceScaling):
            raise ParameterError(
                "kernel_initializer must be one that scales the variance (glorot_uniform, "
                f"he_normal, lecun_normal, VarianceScaling …), got {kernel_initializer!r}."
            )
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the cores and the bias.

        Parameters
        ----------
        input_shape : tuple of int or None
            Shape of the inputs; the last size must be known.
        """
        features = input_shape[-1]
        if features is None:
            raise ParameterError("TensorTrainDense needs inputs whose last size is known.")
        self._choose(int(features))
        self._start_cores(int(features))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: int(features)})
        self.built = True

    def _choose(self, features: int) -> None:
        """Settle factors and ranks for that many input features."""
        given = self.input_factors or self.output_factors
        d = len(given) if given else self.n_cores
        inputs = self.input_factors or balanced_factors(features, d)
        outputs = self.output_factors or balanced_factors(self.units, d)[::-1]
        if prod(inputs) != features:
            raise ParameterError(
                f"input_factors must multiply to the number of input features, {features}, got "
                f"{tuple(inputs)}."
            )
        if len(inputs) != len(outputs) or d < 2:
            raise ParameterError(
                "input_factors and output_factors must have one number a core, two at least, got "
                f"{tuple(inputs)} and {tuple(outputs)}."
            )
        limits = full_ranks(inputs, outputs)
        if isinstance(self.rank, int):
            ranks = _usable([min(self.rank, limit) for limit in limits], inputs, outputs)
        else:
            ranks = tuple(self.rank)
            if len(ranks) != len(limits) or any(r > m for r, m in zip(ranks, limits, strict=False)):
                raise ParameterError(
                    f"rank must hold {len(limits)} numbers of at most {limits} for input_factors="
                    f"{tuple(inputs)} and output_factors={tuple(outputs)}, got {ranks}."
                )
        self.input_factors_, self.output_factors_ = tuple(inputs), tuple(outputs)
        self.ranks_ = ranks

    def _start_cores(self, features: int) -> None:
        start = self.kernel_initializer
        fans = {"fan_in": features, "fan_out": self.units}
        fan = fans.get(start.mode, (features + self.units) / 2)
        # An entry is a sum of prod(ranks) products of d independent numbers.
        variance = start.scale / fan / prod(self.ranks_)
        deviation = variance ** (0.5 / len(self.input_factors_))
        edges = (1, *self.ranks_, 1)
        self.cores = []
        for k, (i, j) in enumerate(zip(self.input_factors_, self.output_factors_, strict=True)):
            seed = start.seed + k if isinstance(start.seed, int) else start.seed
            core = self.add_weight(
                name=f"core_{k}",
                shape=(edges[k], i, j, edges[k + 1]),
                initializer=keras.initializers.RandomNormal(stddev=deviation, seed=seed),
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
            self.cores.append(core)

    @property
    def kernel(self) -> Any:
        """The kernel that the cores stand for, a tensor of shape (n_features, units)."""
        tensor = ops.reshape(self.cores[0], (-1, self.cores[0].shape[-1]))
        for core in self.cores[1:]:
            before, _, _, after = core.shape
            tensor = ops.matmul(tensor, ops.reshape(core, (before, -1)))
            tensor = ops.reshape(tensor, (-1, after))
        pairs = zip(self.input_factors_, self.output_factors_, strict=True)
        tensor = ops.reshape(tensor, [size for pair in pairs for size in pair])
        d = len(self.cores)
        tensor = ops.transpose(tensor, [*range(0, 2 * d, 2), *range(1, 2 * d, 2)])
        return ops.reshape(tensor, (-1, self.units))

    def call(self, inputs: Any) -> Any:
        """Return the outputs of the layer.

        Parameters
        ----------
        inputs : tensor of shape (..., n_features)
            Rows.

        Returns
        -------
        outputs : tensor of shape (..., units)
            In the compute dtype of the layer.
        """
        shape = inputs.shape
        rows = inputs if len(shape) == 2 else ops.reshape(inputs, (-1, shape[-1]))
        order = self._order(rows.shape[0])
        if order == "kernel":
            outputs = ops.matmul(rows, self.kernel)
        elif order == "left":
            outputs = self._from_left(rows)
        else:
            outputs = self._from_right(rows)
        if len(shape) > 2:
            if any(size is None for size in shape[1:-1]):
                outputs = ops.reshape(outputs, (*ops.shape(inputs)[:-1], self.units))
            else:
                outputs = ops.reshape(outputs, (-1, *shape[1:-1], self.units))
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _order(self, rows: int | None) -> str:
        costs = contraction_costs(
            self.input_factors_,
            self.output_factors_,
            self.ranks_,
            _USUAL_ROWS if rows is None else rows,
        )
        if self.contraction == "kernel":
            return "kernel"
        if self.contraction == "cores":
            del costs["kernel"]
        return min(costs, key=lambda name: costs[name])

    def _from_left(self, rows: Any) -> Any:
        """Apply the first core first; no step moves an axis."""
        state, rest = rows, prod(self.input_factors_)
        for core in self.cores:
            before, i, j, after = core.shape
            rest //= i
            matrix = ops.reshape(core, (before * i, j * after))
            if rest == 1:
                state = ops.matmul(ops.reshape(state, (-1, before * i)), matrix)
            else:
                state = ops.reshape(state, (-1, before * i, rest))
                state = ops.matmul(ops.transpose(matrix), state)
        return ops.reshape(state, (-1, self.units))

    def _from_right(self, rows: Any) -> Any:
        """Apply the last core first; no step moves an axis."""
        state, done = rows, 1
        for core in reversed(list(self.cores)):
            before, i, j, after = core.shape
            matrix = ops.transpose(core, (1, 3, 0, 2))
            matrix = ops.reshape(matrix, (i * after, before * j))
            if done == 1:
                state = ops.matmul(ops.reshape(state, (-1, i * after)), matrix)
            else:
                state = ops.reshape(state, (-1, i * after, done))
                state = ops.matmul(ops.transpose(matrix), state)
            done *= j
        return ops.reshape(state, (-1, self.units))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the outputs for inputs of a shape.

        Parameters
        ----------
        input_shape : tuple of int or None
            Shape of the inputs.

        Returns
        -------
        output_shape : tuple of int or None
            The same with `units` in the last place.
        """
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer.

        Returns
        -------
        config : dict
            Keyword arguments of the constructor.
        """
        plain = ("units", "rank", "n_cores", "input_factors", "output_factors")
        own = {name: getattr(self, name) for name in (*plain, "use_bias", "contraction")}
        own["activation"] = keras.activations.serialize(self.activation)
        for kind, part in (("initializer", keras.initializers), ("regularizer", keras.regularizers),
                           ("constraint", keras.constraints)):  # fmt: skip
            for name in (f"kernel_{kind}", f"bias_{kind}"):
                own[name] = part.serialize(getattr(self, name))
        return {**super().get_config(), **own}


def _counts(values: Any, name: str = "factors") -> list[int]:
    if not isinstance(values, list | tuple | np.ndarray) or not len(values):
        raise ParameterError(f"{name} must be a sequence of positive integers, got {values!r}.")
    return [check_count(value, name) for value in values]


def _usable(ranks: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]) -> tuple[int, ...]:
    """Return ranks without those that the rank before or after them cannot use."""
    sizes = [i * j for i, j in zip(inputs, outputs, strict=True)]
    ranks = list(ranks)
    for k in range(1, len(ranks)):
        ranks[k] = min(ranks[k], ranks[k - 1] * sizes[k])
    for k in range(len(ranks) - 2, -1, -1):
        ranks[k] = min(ranks[k], ranks[k + 1] * sizes[k + 1])
    return tuple(ranks)
