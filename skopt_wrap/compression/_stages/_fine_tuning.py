"""Fine-tuning on Keras 3, in the process of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._keras import load_keras, predict_raw, seed_scope, training_loss
from ...training import TrainingData, train
from .._fine_tuning_data import ON_OWN_OUTPUTS, FineTuningData


def fine_tune_on(
    model: Any,
    network: Any,
    tuning: FineTuningData,
    learning_rate: float,
    seed: int,
    callbacks: Sequence[Any] = (),
    constrained: bool = False,
    hold: float = 0.0,
) -> list[str]:
    """Train `network` in place with Adam, whose rate falls to zero along a cosine.

    Parameters
    ----------
    model : keras.Model
        The network before the stage: what it answers is the target when there is no loss.
    network : keras.Model
        What is trained.
    tuning : FineTuningData
        Rows and settings.
    learning_rate : float
        At the first step.
    seed : int
        Of shuffling and dropout.
    callbacks : sequence of keras.callbacks.Callback
        Called at every epoch.
    constrained : bool, default=False
        Whether variables of `network` itself have constraints that its configuration lacks.
    hold : float, default=0.0
        Part of the steps before the rate falls.

    Returns
    -------
    notes : list of str
        For the report.
    """
    keras = load_keras()
    notes = []
    x = tuning.x.astype(str(model.inputs[0].dtype), copy=False)
    y, loss = tuning.y, tuning.loss
    if y is None or loss is None:
        y, loss = predict_raw(model, x), "mse"
        notes.append(ON_OWN_OUTPUTS)
    given = tuning.sample_weight
    weights = np.ones(len(x), "float32") if given is None else np.asarray(given, "float32")
    rate = tuning.rate(keras.optimizers.schedules, learning_rate, hold)
    with seed_scope(seed % 2**32):
        network.compile(optimizer=keras.optimizers.Adam(rate), loss=training_loss(network, loss))
        train(
            network,
            TrainingData(x, np.asarray(y), weights),
            epochs=tuning.epochs,
            batch_size=tuning.batch_size,
            seed=seed % 2**32,
            callbacks=callbacks,
            # The network itself has to be trained, not one of equal configuration.
            fused=not constrained,
        )
    return notes
