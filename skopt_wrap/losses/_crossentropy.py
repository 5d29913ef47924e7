"""Losses for rare classes. This file imports Keras, so it is imported only when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ..exceptions import ModelError, ParameterError

_PACKAGE = "skopt_wrap"


def _check_number(name: str, value: Any) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 <= value < np.inf:
        raise ParameterError(f"{name} must be a finite number >= 0, got {value!r}.")
    return float(value)


@keras.saving.register_keras_serializable(package=_PACKAGE)
class SparseCategoricalFocalCrossentropy(keras.losses.Loss):
    r"""Focal loss for class numbers, Keras' categorical focal loss without one-hot labels.

    .. math:: -\alpha_y (1 - p_y)^\gamma \log p_y

    where :math:`p_y` is the probability given to the true class [1]_. Rows that are classified well
    already count little, so many easy rows of a common class cannot outweigh a few hard ones.
    ``KerasClassifier(loss="focal")`` takes it for several output units, and
    ``keras.losses.BinaryFocalCrossentropy`` for one.

    Parameters
    ----------
    gamma : float, default=2.0
        Not negative; 0 gives cross-entropy.
    alpha : float or sequence of float, default=1.0
        Weight of every class, or one a class.
    from_logits : bool, default=False
        Whether the network's outputs are logits.
    reduction : str, default="sum_over_batch_size"
        As in ``keras.losses.Loss``.
    name : str, default="sparse_categorical_focal_crossentropy"
        Name of the loss.
    dtype : str, default=None
        Precision; None takes Keras' default.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    ModelError
        If the network has a single output unit.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object
       detection", ICCV, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.losses import SparseCategoricalFocalCrossentropy
    >>> loss = SparseCategoricalFocalCrossentropy(gamma=2.0, reduction="none")
    >>> np.asarray(loss(np.array([0, 1]), np.array([[0.7, 0.3], [0.8, 0.2]]))).round(2)
    array([0.03, 1.03], dtype=float32)
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] = 1.0,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "sparse_categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma = _check_number("gamma", gamma)
        several = isinstance(alpha, list | tuple | np.ndarray)
        self.alpha = (
            [_check_number("alpha", a) for a in alpha]  # type: ignore[union-attr]
            if several
            else _check_number("alpha", alpha)
        )
        self.from_logits = bool(from_logits)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Parameters
        ----------
        y_true : tensor of shape (n_rows,) or (n_rows, 1)
            Positions of the classes.
        y_pred : tensor of shape (n_rows, n_units)
            Outputs of the network.

        Returns
        -------
        losses : tensor of shape (n_rows,)
            Not reduced.
        """
        classes = y_pred.shape[-1]
        if classes == 1:
            raise ModelError(
                "SparseCategoricalFocalCrossentropy needs one output unit a class, got one unit; "
                "use loss='focal' or keras.losses.BinaryFocalCrossentropy."
            )
        if isinstance(self.alpha, list) and len(self.alpha) != classes:
            raise ParameterError(
                f"alpha must hold one weight a class ({classes}), got {len(self.alpha)}."
            )
        labels = ops.reshape(y_true, ops.shape(y_pred)[:-1])
        return keras.losses.categorical_focal_crossentropy(
            ops.one_hot(ops.cast(labels, "int32"), classes, dtype=y_pred.dtype),
            y_pred,
            alpha=ops.convert_to_tensor(self.alpha, dtype=y_pred.dtype),
            gamma=self.gamma,
            from_logits=self.from_logits,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss.

        Returns
        -------
        config : dict
            Keyword arguments of the constructor.
        """
        own = {"gamma": self.gamma, "alpha": self.alpha, "from_logits": self.from_logits}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class LogitAdjustedCrossentropy(keras.losses.Loss):
    r"""Cross-entropy of logits to which the class priors are added while training.

    .. math:: -\log \frac{e^{f_y(x) + \tau \log \pi_y}}{\sum_k e^{f_k(x) + \tau \log \pi_k}}

    The network learns what the rows say beyond the prior :math:`\pi`, so its own outputs
    :math:`f` minimize the balanced error for :math:`\tau = 1` [1]_. Probabilities of these
    outputs are those of equally frequent classes; :class:`PriorCorrectedClassifier` gives those of
    the data. ``KerasClassifier(loss="logit_adjusted")`` learns the priors from `y`.

    Parameters
    ----------
    prior : sequence of float
        Share of each class in the training rows, positive, of sum 1.
    tau : float, default=1.0
        Strength, not negative; 0 gives cross-entropy.
    from_logits : bool, default=False
        Whether the network's outputs are logits.
    reduction : str, default="sum_over_batch_size"
        As in ``keras.losses.Loss``.
    name : str, default="logit_adjusted_crossentropy"
        Name of the loss.
    dtype : str, default=None
        Precision; None takes Keras' default.

    Raises
    ------
    ParameterError
        If a parameter breaks its rule.
    ModelError
        If the network has another number of output units than `prior` tells (for two classes,
        1 or 2).

    References
    ----------
    .. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit, S. Kumar, "Long-tail learning
       via logit adjustment", ICLR, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.losses import LogitAdjustedCrossentropy
    >>> loss = LogitAdjustedCrossentropy([0.9, 0.1], from_logits=True)
    >>> round(float(loss(np.array([[1]]), np.array([[0.0]]))), 3)  # -log(0.1): a tie is no win
    2.303
    """

    def __init__(
        self,
        prior: Sequence[float],
        tau: float = 1.0,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "logit_adjusted_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        shares = np.asarray(prior, dtype=np.float64)
        if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all():
            raise ParameterError(f"prior must hold a positive share of each class, got {prior!r}.")
        if abs(shares.sum() - 1) > 1e-6:
            raise ParameterError(f"prior must sum to 1, got a sum of {shares.sum():g}.")
        self.prior = shares.tolist()
        self.tau = _check_number("tau", tau)
        self.from_logits = bool(from_logits)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Parameters
        ----------
        y_true : tensor of shape (n_rows,) or (n_rows, 1)
            Positions of the classes.
        y_pred : tensor of shape (n_rows, n_units)
            Outputs of the network.

        Returns
        -------
        losses : tensor of shape (n_rows,)
            Not reduced.
        """
        units, n_classes = y_pred.shape[-1], len(self.prior)
        if units != n_classes and (units, n_classes) != (1, 2):
            raise ModelError(
                f"the network has {units} output units, but prior holds {n_classes} classes."
            )
        shift = self.tau * np.log(self.prior)
        tiny = keras.config.epsilon()
        if units == 1:
            if not self.from_logits:
                y_pred = ops.clip(y_pred, tiny, 1 - tiny)
                y_pred = ops.log(y_pred) - ops.log(1 - y_pred)
            return keras.losses.binary_crossentropy(
                ops.reshape(y_true, ops.shape(y_pred)), y_pred + (shift[1] - shift[0]),
                from_logits=True,
            )  # fmt: skip
        if not self.from_logits:
            y_pred = ops.log(ops.maximum(y_pred, tiny))
        labels = ops.cast(ops.reshape(y_true, ops.shape(y_pred)[:-1]), "int32")
        shifted = y_pred + ops.convert_to_tensor(shift, dtype=y_pred.dtype)
        return keras.losses.sparse_categorical_crossentropy(labels, shifted, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss.

        Returns
        -------
        config : dict
            Keyword arguments of the constructor.
        """
        own = {"prior": self.prior, "tau": self.tau, "from_logits": self.from_logits}
        return {**super().get_config(), **own}
