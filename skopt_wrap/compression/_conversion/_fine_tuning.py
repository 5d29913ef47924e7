"""Fine-tuning of a tf_keras copy, the same for every stage. Runs in the conversion process only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .._fine_tuning_data import ON_OWN_OUTPUTS, FineTuningData

# Weights of a layer that stages change; biases, normalizations and depthwise kernels are not.
KERNELS = ("kernel", "recurrent_kernel", "pointwise_kernel", "embeddings")


def fine_tune(
    model: Any,
    copy: Any,
    tuning: FineTuningData,
    learning_rate: float,
    callbacks: Sequence[Any] = (),
    hold: float = 0.0,
) -> list[str]:
    """Train `copy` in place with Adam, whose rate falls to zero along a cosine.

    Parameters
    ----------
    model : keras.Model
        The Keras 3 network before the stage: what it answers is the target when there is no loss.
    copy : tf_keras.Model
        What is trained.
    tuning : FineTuningData
        Rows and settings; its ``loss`` as ``portable_loss`` returns it.
    learning_rate : float
        At the first step.
    callbacks : sequence of tf_keras.callbacks.Callback
        Passed on.
    hold : float, default=0.0
        Part of the steps before the rate falls.

    Returns
    -------
    notes : list of str
        For the report.
    """
    import tf_keras

    x = tuning.x.astype(model.inputs[0].dtype)
    notes: list[str] = []
    if tuning.loss is not None and tuning.y is not None:
        y = tuning.y
        loss = getattr(tf_keras.losses, tuning.loss["kind"])(**tuning.loss["settings"])
    else:
        y, loss = outputs(model, x), "mse"
        notes = [ON_OWN_OUTPUTS]
    rate = tuning.rate(tf_keras.optimizers.schedules, learning_rate, hold)
    copy.compile(optimizer=tf_keras.optimizers.Adam(rate), loss=loss)
    copy.fit(
        x,
        y,
        sample_weight=tuning.sample_weight,
        batch_size=tuning.batch_size,
        epochs=tuning.epochs,
        verbose=0,
        callbacks=list(callbacks),
    )
    return notes


def outputs(model: Any, x: np.ndarray) -> np.ndarray:
    """Return what `model`, of Keras 2 or 3, answers for the rows `x`."""
    parts = [np.asarray(model(x[i : i + 256], training=False)) for i in range(0, len(x), 256)]
    return np.concatenate(parts)


def kernels(layer: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and values of each kernel of a Keras 3 layer."""
    for weight in layer.weights:
        if weight.name in KERNELS:
            yield weight.name, weight.numpy()
