"""The loss of a student network. This file imports Keras, so it is imported only when needed."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..exceptions import ParameterError

OUTPUTS = ("softmax", "sigmoid", "linear")
_TINY = 1e-7


@keras.saving.register_keras_serializable(package="skopt_wrap")
class DistillationLoss(keras.losses.Loss):
    r"""Loss of a student that learns from a teacher's outputs and from labels.

    .. math:: (1 - \alpha)\, L(y, s) + \alpha\, T^2\, \mathrm{KL}(p_t^{(T)} \| p_s^{(T)})
        + \beta\, \lVert h_t - h_s \rVert^2 / d

    where the probabilities of teacher and student are softened by the temperature :math:`T` [1]_
    and the last term compares hint layers [2]_. For regression the middle term is the mean squared
    difference of the outputs. The teacher itself is no part of the network: what it answers stands
    in the target, beside the labels.

    Parameters
    ----------
    loss : keras.losses.Loss or callable, default=None
        Loss on the labels; a callable ``f(y_true, y_pred)`` gives a number a row. None uses no
        labels.
    outputs : {"softmax", "sigmoid", "linear"}, default="softmax"
        What turns logits into probabilities; "linear" is for regression.
    n_units : int, default=1
        Output units of teacher and student.
    from_logits : bool, default=True
        Whether the student's outputs are logits.
    temperature : float, default=4.0
        Softening, positive.
    alpha : float, default=0.7
        Weight of the teacher, in [0, 1].
    hint_weight : float, default=1.0
        Weight of the hint layers.
    reduction : str, default="sum_over_batch_size"
        As in ``keras.losses.Loss``.
    name : str, default="distillation_loss"
        Name of the loss.
    dtype : str, default=None
        Precision; None takes Keras' default.

    Raises
    ------
    ParameterError
        If `outputs` is unknown.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
       arXiv:1503.02531, 2015.
    .. [2] A. Romero et al., "FitNets: hints for thin deep nets", ICLR, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.losses import DistillationLoss
    >>> loss = DistillationLoss(n_units=2, alpha=1.0)
    >>> teacher = np.array([[1.0, -1.0]])
    >>> float(loss(teacher, teacher))
    0.0
    """

    def __init__(
        self,
        loss: Any = None,
        outputs: str = "softmax",
        n_units: int = 1,
        from_logits: bool = True,
        temperature: float = 4.0,
        alpha: float = 0.7,
        hint_weight: float = 1.0,
        reduction: str = "sum_over_batch_size",
        name: str = "distillation_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if outputs not in OUTPUTS:
            raise ParameterError(f"outputs must be one of {OUTPUTS}, got {outputs!r}.")
        self.loss = keras.saving.deserialize_keras_object(loss) if isinstance(loss, dict) else loss
        self.outputs = outputs
        self.n_units = int(n_units)
        self.from_logits = bool(from_logits)
        self.temperature = float(temperature)
        self.alpha = float(alpha)
        self.hint_weight = float(hint_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Parameters
        ----------
        y_true : tensor of shape (n_rows, n_units + n_hints + [1 + n_targets])
            Logits or values of the teacher, its hint activations, and, when there is a loss on
            labels, whether the row has a label (0 or 1) and the label as that loss takes it.
        y_pred : tensor of shape (n_rows, n_units + n_hints)
            Outputs and projected hint activations of the student.

        Returns
        -------
        losses : tensor of shape (n_rows,)
            Not reduced.
        """
        width = y_pred.shape[-1]
        student, teacher = y_pred[:, : self.n_units], y_true[:, : self.n_units]
        total = self.alpha * self._soft(teacher, student)
        if self.loss is not None:
            labelled, labels = y_true[:, width], y_true[:, width + 1 :]
            compare = getattr(self.loss, "call", self.loss)
            total = total + (1.0 - self.alpha) * labelled * compare(labels, student)
        if width > self.n_units:
            hints = ops.square(y_true[:, self.n_units : width] - y_pred[:, self.n_units :])
            total = total + self.hint_weight * ops.mean(hints, axis=-1)
        return total

    def _soft(self, teacher: Any, student: Any) -> Any:
        """Return the distance of the student's outputs from the teacher's."""
        if self.outputs == "linear":
            return ops.mean(ops.square(teacher - student), axis=-1)
        temperature = self.temperature
        if not self.from_logits:
            student = ops.clip(student, _TINY, 1.0 - _TINY)
            rest = ops.log(1.0 - student) if self.outputs == "sigmoid" else 0.0
            student = ops.log(student) - rest
        teacher, student = teacher / temperature, student / temperature
        if self.outputs == "softmax":
            log_t, log_s = ops.log_softmax(teacher), ops.log_softmax(student)
            distance = ops.sum(ops.exp(log_t) * (log_t - log_s), axis=-1)
        else:
            on = ops.sigmoid(teacher)
            distance = ops.mean(
                on * (ops.log_sigmoid(teacher) - ops.log_sigmoid(student))
                + (1.0 - on) * (ops.log_sigmoid(-teacher) - ops.log_sigmoid(-student)),
                axis=-1,
            )
        return temperature**2 * distance

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the same loss.

        Returns
        -------
        config : dict
            For ``from_config``.
        """
        return {
            **super().get_config(),
            "loss": None if self.loss is None else keras.saving.serialize_keras_object(self.loss),
            "outputs": self.outputs,
            "n_units": self.n_units,
            "from_logits": self.from_logits,
            "temperature": self.temperature,
            "alpha": self.alpha,
            "hint_weight": self.hint_weight,
        }
