"""The learning-rate range test: a few steps, each at a greater rate than the one before."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._keras import load_tensorflow, traced
from ..exceptions import ModelError
from ._data import TrainingData
from ._epoch_graph import prepare_metrics


def range_losses(
    model: Any,
    data: TrainingData,
    rates: np.ndarray,
    *,
    batch_size: int,
    seed: int,
    stop_factor: float = np.inf,
) -> np.ndarray:
    """Train `model` one step at each rate; return the loss of every step before its update.

    Parameters
    ----------
    model : keras.Model
        Compiled and built; it is trained in place.
    data : TrainingData
        Rows. Batches are drawn without replacement, pass by pass; all have the same size.
    rates : ndarray of shape (n_steps,)
        Learning rates.
    batch_size : int
        Rows per step, at most all.
    seed : int
        Seed of the order of rows.
    stop_factor : float, default=inf
        Stop after a loss of more than so many times the first one, or one that is not finite.

    Returns
    -------
    losses : ndarray of shape (n_done,)
        As many as were run.

    Raises
    ------
    ModelError
        When the optimizer has a schedule of its own.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import TrainingData, range_losses
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> X = np.ones((8, 2), "float32")
    >>> data = TrainingData(X, X.sum(axis=1, keepdims=True), np.ones(8, "float32"))
    >>> range_losses(model, data, np.geomspace(1e-4, 0.1, 5), batch_size=4, seed=0).shape
    (5,)
    """
    from ._callback_classes import rate_variable

    tf = load_tensorflow()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    variable = rate_variable(model)
    if variable is None:
        raise ModelError(
            "the rates of a range test cannot be set: the optimizer has a learning-rate schedule."
        )
    batch_size = min(batch_size, len(data))
    prepare_metrics(model, *data.take(np.arange(min(2, len(data)))))

    def step(x: Any, y: Any, weights: Any, rate: Any) -> Any:
        variable.assign(rate)
        model.reset_metrics()  # so that the loss is that of one batch
        return model.train_step((x, y, weights))["loss"]

    run: Any = step if model.run_eagerly else traced(step)
    rng, order, losses = np.random.default_rng(seed), np.empty(0, int), []
    for rate in rates:
        if len(order) < batch_size:
            order = rng.permutation(len(data))
        rows, order = order[:batch_size], order[batch_size:]
        batch = [tf.constant(part) for part in data.take(rows)]
        losses.append(float(run(*batch, tf.constant(rate, variable.dtype))))
        if not np.isfinite(losses[-1]) or losses[-1] > stop_factor * losses[0]:
            break
    return np.array(losses)
