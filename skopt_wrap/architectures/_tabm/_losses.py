"""Loss and metrics of a network that returns the answers of all its members while it trains.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ..._keras import from_logits
from ._average import answers_of, average_members, logits_of


@keras.saving.register_keras_serializable(package="skopt_wrap")
class MemberLoss(keras.losses.Loss):
    """The mean of the members' losses; of one answer it is the loss of that answer.

    Parameters
    ----------
    loss : str, callable or keras.losses.Loss
        Loss of one answer for each row. One with ``from_logits=True`` gets logits.
    average : {"values", "labels", "classes"}, default="values"
        What the answers are; see :class:`MemberOutputs`.
    name : str, default="member_loss"
        Name.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import MemberLoss
    >>> answers = np.array([[[0.0], [2.0]]])  # of two members for one row
    >>> float(MemberLoss("mean_squared_error")(np.array([[1.0]]), answers))
    1.0
    """

    def __init__(self, loss: Any, average: str = "values", name: str = "member_loss") -> None:
        loss = keras.losses.get(loss) if isinstance(loss, (str, dict)) else loss
        reduction = getattr(loss, "reduction", "sum_over_batch_size")
        super().__init__(name=name, reduction=reduction, dtype=getattr(loss, "dtype", None))
        self.of_one, self.average = loss, average

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row.

        Parameters
        ----------
        y_true : tensor of shape (n_rows, ...)
            Targets.
        y_pred : tensor of shape (n_rows, units) or (n_rows, n_members, units)
            Averaged answers, or values or logits of every member.

        Returns
        -------
        losses : tensor of shape (n_rows,)
            Losses.
        """
        compute = self.of_one.call if isinstance(self.of_one, keras.losses.Loss) else self.of_one
        takes_logits = bool(from_logits(self.of_one)) and self.average != "values"
        if len(y_pred.shape) < 3:
            return compute(y_true, logits_of(y_pred, self.average) if takes_logits else y_pred)
        k, units = int(y_pred.shape[1]), int(y_pred.shape[2])
        repeated = ops.repeat(y_true, k, axis=0)
        answers = ops.reshape(y_pred, (-1, units))
        if not takes_logits:  # Keras computes cross-entropies of these from the logits all the same
            answers = answers_of(answers, self.average)
        losses = compute(repeated, answers)
        if len(losses.shape) == 0:  # a function that takes the mean by itself
            return losses
        return ops.mean(ops.reshape(losses, (-1, k)), axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        inner = keras.losses.serialize(self.of_one)
        return {"name": self.name, "loss": inner, "average": self.average}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a loss from its arguments.

        Parameters
        ----------
        config : dict
            As :meth:`get_config` returned it.
        """
        return cls(**{**config, "loss": keras.losses.deserialize(config["loss"])})


@keras.saving.register_keras_serializable(package="skopt_wrap")
class MemberMetric(keras.metrics.Metric):
    """A metric of the averaged answer.

    Parameters
    ----------
    metric : str, callable or keras.metrics.Metric
        Metric of one answer for each row.
    average : {"values", "labels", "classes"}, default="values"
        What the answers are; see :class:`MemberOutputs`.
    units : int, default=1
        Size of an answer.
    name : str, default=None
        Name; None takes that of the metric.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import MemberMetric
    >>> metric = MemberMetric("mean_squared_error")
    >>> metric.update_state(np.array([[1.0]]), np.array([[[0.0], [2.0]]]))
    >>> float(metric.result())
    0.0
    """

    def __init__(
        self, metric: Any, average: str = "values", units: int = 1, name: str | None = None
    ) -> None:
        name = name or _name_of(metric)
        super().__init__(name=name)
        self.average, self.units = average, units
        # Which accuracy is meant is known when the first targets come.
        self._text = metric if metric in ("accuracy", "acc") else None
        self.inner = None if self._text else _metric(metric, name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add rows.

        Parameters
        ----------
        y_true : tensor of shape (n_rows, ...)
            Targets.
        y_pred : tensor of shape (n_rows, units) or (n_rows, n_members, units)
            Answers.
        sample_weight : tensor of shape (n_rows,), default=None
            Weights.
        """
        if self.inner is None:
            self.inner = self._accuracy(y_true)
        if len(y_pred.shape) == 3:
            y_pred = average_members(y_pred, self.average)
        self.inner.update_state(y_true, y_pred, sample_weight=sample_weight)

    def _accuracy(self, y_true: Any) -> Any:
        if self.average != "classes":
            return keras.metrics.BinaryAccuracy(name=self.name)
        one_hot = len(y_true.shape) == 2 and int(y_true.shape[1]) == self.units
        metrics = keras.metrics
        kind = metrics.CategoricalAccuracy if one_hot else metrics.SparseCategoricalAccuracy
        return kind(name=self.name)

    def result(self) -> Any:
        """Return the value over all rows that were added."""
        return 0.0 if self.inner is None else self.inner.result()

    def reset_state(self) -> None:
        """Forget all rows."""
        if self.inner is not None:
            self.inner.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor.

        Returns
        -------
        config : dict
            Arguments by name.
        """
        metric = self._text or keras.metrics.serialize(self.inner)
        return {"name": self.name, "metric": metric, "average": self.average, "units": self.units}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a metric from its arguments.

        Parameters
        ----------
        config : dict
            As :meth:`get_config` returned it.
        """
        given = config["metric"]
        metric = given if isinstance(given, str) else keras.metrics.deserialize(given)
        return cls(**{**config, "metric": metric})


def _name_of(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    name = getattr(metric, "name", None) or getattr(metric, "__name__", None)
    return str(name or type(metric).__name__)


def _metric(metric: Any, name: str) -> Any:
    found = keras.metrics.get(metric) if isinstance(metric, (str, dict)) else metric
    if isinstance(found, type):
        found = found(name=name)
    if isinstance(found, keras.metrics.Metric):
        return found
    return keras.metrics.MeanMetricWrapper(found, name=name)
