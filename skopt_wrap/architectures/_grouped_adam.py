"""Adam with a learning rate for each group of variables. Import it inside functions only."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ._hidden_layers import flat_cos


@keras.saving.register_keras_serializable(package="skopt_wrap")
class GroupedAdam(keras.optimizers.Adam):
    """Adam whose rate and decay depend on the variable, with decay that ends before training.

    A variable with an attribute `rate_factor` f has f times the learning rate. Before each step it
    is multiplied by ``1 - rate * decay * f**2 * left``, unless it has an attribute `decays` that is
    False; `left` is 1 in the first half of the training and falls to 0 along a cosine.

    Parameters
    ----------
    learning_rate : float or schedule, default=0.04
        Rate of a variable with factor 1.
    beta_1 : float, default=0.9
        As in ``keras.optimizers.Adam``.
    beta_2 : float, default=0.95
        As in ``keras.optimizers.Adam``.
    epsilon : float, default=1e-8
        As in ``keras.optimizers.Adam``.
    decay : float, default=0.0
        Weight decay, apart from the gradient.
    name : str, default="grouped_adam"
        Name of the optimizer.
    **options
        Other arguments of ``keras.optimizers.Adam``.

    Examples
    --------
    >>> from skopt_wrap.architectures import GroupedAdam
    >>> GroupedAdam(0.1, decay=0.02).get_config()["decay"]
    0.02
    """

    def __init__(
        self,
        learning_rate: Any = 0.04,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        name: str = "grouped_adam",
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            name=name,
            **options,
        )
        self.decay = decay

    def build(self, variables: Any) -> None:
        """Create the state, and read the factors of the variables.

        Parameters
        ----------
        variables : list of keras.Variable
            What is trained.
        """
        if self.built:
            return
        super().build(variables)
        self.left = self.add_variable((), initializer="ones", dtype="float32", name="left")
        self.rate_factors = [float(getattr(v, "rate_factor", 1.0)) for v in variables]
        self.decaying = [bool(getattr(v, "decays", True)) for v in variables]

    def set_progress(self, share: float) -> None:
        """Follow the progress of training.

        Parameters
        ----------
        share : float
            Share of the training that is over, in [0, 1].
        """
        now = flat_cos(share)
        if self.built and float(self.left) != now:
            self.left.assign(now)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable.

        Parameters
        ----------
        gradient : tensor
            Its gradient.
        variable : keras.Variable
            The variable.
        learning_rate : tensor
            Rate of a variable with factor 1.
        """
        number = self._get_variable_index(variable)
        factor = self.rate_factors[number]
        rate = ops.cast(learning_rate, variable.dtype) * factor
        if self.decay and self.decaying[number]:
            decay = self.decay * factor * rate * ops.cast(self.left, variable.dtype)
            self.assign_sub(variable, variable * decay)
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        return {**super().get_config(), "decay": self.decay}
