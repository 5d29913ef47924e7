"""A metric of probabilities for a network that ends in logits. Imports Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="skopt_wrap")
class ProbabilityMetric(keras.metrics.Metric):
    """A metric that turns logits into probabilities before another one gets them.

    Parameters
    ----------
    metric : keras.metrics.Metric
        It takes probabilities.
    shared : bool, default=False
        Whether the probabilities of a row add up to 1.
    name : str, default=None
        Name in the history.
    dtype : str, default=None
        Precision; None takes Keras' default.
    """

    def __init__(
        self, metric: Any, shared: bool = False, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.metric = metric
        self.shared = shared

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add rows.

        Parameters
        ----------
        y_true, y_pred : tensor of shape (n, units)
            Target and logits.
        sample_weight : tensor of shape (n,), default=None
            Weights of the rows.
        """
        shares = ops.softmax(y_pred, axis=-1) if self.shared else ops.sigmoid(y_pred)
        return self.metric.update_state(y_true, shares, sample_weight=sample_weight)

    def result(self) -> Any:
        """Return the value over the rows since the last reset."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Forget all rows."""
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, the metric in Keras' form."""
        inner = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": inner, "shared": self.shared}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ProbabilityMetric:
        """Build the metric from what :meth:`get_config` returned."""
        inner = keras.saving.deserialize_keras_object(config["metric"])
        return cls(**{**config, "metric": inner})
