"""Train one compiled Keras model: fused where it can be, by ``model.fit`` where it cannot."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._keras import load_keras
from ..exceptions import TrainingInterruptedWarning
from ._callbacks import keep_best, unfusable_callback
from ._data import TrainingData, batch_plan
from ._epoch_graph import as_tensors, graph_for, kept_on_failure

_VALIDATION_BATCH = 1024


@dataclass
class TrainingResult:
    """What a training run leaves besides the trained model.

    Parameters
    ----------
    history : dict of str to list of float
        Loss and metrics of every epoch.
    n_epochs : int
        Epochs that were run.
    path : {"fused", "stacked", "fit"}
        Whether an epoch was one graph, of this network or of a stack of them, or ``model.fit`` was
        called.
    reason : str or None
        Why training was not fused.
    interrupted : bool
        Whether the user interrupted it and the best weights so far were kept.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    n_epochs: int = 0
    path: str = "fused"
    reason: str | None = None
    interrupted: bool = False


def train(
    model: Any,
    data: TrainingData,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    validation: TrainingData | None = None,
    callbacks: Sequence[Any] = (),
    user_callbacks: bool = False,
    shuffle: bool = True,
    validation_batch_size: int | None = None,
    validation_freq: int = 1,
    verbose: int = 0,
    fit_options: dict[str, Any] | None = None,
    fused: bool = True,
) -> TrainingResult:
    """Train `model` in place.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    data : TrainingData
        Training rows.
    epochs, batch_size : int
        Passes over the data, and rows per step.
    seed : int
        Seed of the order of rows.
    validation : TrainingData, default=None
        Rows evaluated after every `validation_freq` epochs.
    callbacks : sequence of keras.callbacks.Callback
        Called at the beginning and end of training and of every epoch.
    user_callbacks : bool, default=False
        Whether `callbacks` holds objects that may keep a reference to the model.
    shuffle : bool, default=True
        Use the rows in a new order every epoch.
    validation_batch_size : int, default=None
        Rows per evaluation step; None takes 1024.
    validation_freq : int, default=1
        Evaluate after every so many epochs.
    verbose : int, default=0
        Show a progress bar over epochs.
    fit_options : dict, default=None
        Further arguments of ``keras.Model.fit``; they make training take that road.
    fused : bool, default=True
        False takes the road of ``keras.Model.fit`` in any case: a fused graph may be another
        network's of equal configuration, and so knows nothing of what was attached to variables of
        this one, such as a constraint.

    Returns
    -------
    result : TrainingResult
        History, and which road was taken.

    Warns
    -----
    TrainingInterruptedWarning
        When the user interrupts and early stopping or a checkpoint asked for the best weights.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import TrainingData, train
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> X = np.ones((8, 2), "float32")
    >>> data = TrainingData(X, X.sum(axis=1, keepdims=True), np.ones(8, "float32"))
    >>> train(model, data, epochs=3, batch_size=4, seed=0).n_epochs
    3
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    reason = _why_not_fused(model, callbacks, fit_options) if fused else "fused=False"
    orders = _orders(len(data), seed, shuffle)
    if reason is not None:
        return _train_by_fit(
            model,
            data,
            orders,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            callbacks=callbacks,
            validation_batch_size=validation_batch_size,
            options={"validation_freq": validation_freq, **(fit_options or {})},
            verbose=verbose,
            reason=reason,
        )
    with graph_for(model, data, share=not user_callbacks) as graph:
        return _train_fused(
            graph,
            data,
            orders,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            callbacks=callbacks,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
            verbose=verbose,
        )


def _why_not_fused(
    model: Any, callbacks: Sequence[Any], fit_options: dict[str, Any] | None
) -> str | None:
    keras = load_keras()
    if fit_options:
        return f"fit arguments {sorted(fit_options)}"
    if model.run_eagerly:
        return "run_eagerly=True"
    for name in ("fit", "train_step", "test_step", "make_train_function"):
        # The fused loop reads loss and metrics from the model, not what its own steps return.
        if getattr(type(model), name) is not getattr(keras.Model, name):
            return f"{type(model).__name__} defines its own {name}"
    return unfusable_callback(callbacks)


def _orders(n_rows: int, seed: int, shuffle: bool) -> Iterator[np.ndarray]:
    """Yield the order of rows of every epoch."""
    rng = np.random.default_rng(seed)
    while True:
        yield rng.permutation(n_rows) if shuffle else np.arange(n_rows)


def _train_fused(
    graph: Any,
    data: TrainingData,
    orders: Iterator[np.ndarray],
    *,
    epochs: int,
    batch_size: int,
    validation: TrainingData | None,
    callbacks: Sequence[Any],
    validation_batch_size: int | None,
    validation_freq: int,
    verbose: int,
) -> TrainingResult:
    from ._rates import rates_of

    keras = load_keras()
    model, result = graph.model, TrainingResult()
    tensors = as_tensors(data)
    if validation is not None:
        rows = validation_batch_size or _VALIDATION_BATCH
        val_tensors = as_tensors(validation)
        val_tables = batch_plan(np.arange(len(validation)), rows)
    history = keras.callbacks.History()
    listener = keras.callbacks.CallbackList(
        [*callbacks, history],
        model=model,
        epochs=epochs,
        steps=-(-len(data) // batch_size),
        verbose=0,
    )
    logs: dict[str, float] = {}
    model.stop_training = False
    listener.on_train_begin()
    bar = _progress(epochs, verbose)
    try:
        for epoch in range(epochs):
            listener.on_epoch_begin(epoch)
            tables = batch_plan(next(orders), batch_size)
            logs = graph.train_epoch(tensors, tables, rates_of(callbacks, epoch))
            if validation is not None and (epoch + 1) % validation_freq == 0:
                logs |= graph.evaluate(val_tensors, val_tables)
            listener.on_epoch_end(epoch, logs)
            bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)
            bar.update()
            if model.stop_training:
                break
    except KeyboardInterrupt:
        result.interrupted = _accept_interrupt(callbacks, len(history.epoch))
        if not result.interrupted:
            raise
    finally:
        bar.close()
    listener.on_train_end(logs)
    if epochs:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    return recorded(result, history)


def _train_by_fit(
    model: Any,
    data: TrainingData,
    orders: Iterator[np.ndarray],
    *,
    epochs: int,
    batch_size: int,
    validation: TrainingData | None,
    callbacks: Sequence[Any],
    validation_batch_size: int | None,
    options: dict[str, Any],
    verbose: int,
    reason: str,
) -> TrainingResult:
    from ._batches import BatchSequence, NewOrder

    batches, held_out = BatchSequence(data, batch_size), None
    if validation is not None:
        held_out = BatchSequence(validation, validation_batch_size or _VALIDATION_BATCH)
    return train_batches(
        model,
        batches,
        epochs=epochs,
        validation=held_out,
        callbacks=[NewOrder(batches, orders), *callbacks],
        verbose=verbose,
        fit_options=options,
        reason=reason,
    )


def train_batches(
    model: Any,
    batches: Any,
    *,
    epochs: int,
    validation: Any = None,
    callbacks: Sequence[Any] = (),
    verbose: int = 0,
    fit_options: dict[str, Any] | None = None,
    reason: str = "batches are made by the caller",
) -> TrainingResult:
    """Train `model` in place by ``keras.Model.fit`` on ready batches.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    batches : tf.data.Dataset or keras.utils.PyDataset
        Batches ``(x, y)`` or ``(x, y, sample_weight)``, in the order in which they are used.
    epochs : int
        Passes over the batches.
    validation : tf.data.Dataset, keras.utils.PyDataset or TrainingData, default=None
        Batches, or rows, evaluated after every epoch.
    callbacks : sequence of keras.callbacks.Callback
        Passed on.
    verbose : int, default=0
        Passed on.
    fit_options : dict, default=None
        Further arguments of ``keras.Model.fit``.
    reason : str
        Why training was not fused, for the result.

    Returns
    -------
    result : TrainingResult
        History, and the reason.

    Examples
    --------
    >>> import keras, numpy as np, tensorflow as tf
    >>> from skopt_wrap.training import train_batches
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> rows = tf.data.Dataset.from_tensor_slices((np.ones((8, 2)), np.ones((8, 1)))).batch(4)
    >>> train_batches(model, rows, epochs=2).n_epochs
    2
    """
    keras = load_keras()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if isinstance(validation, TrainingData):
        from ._batches import BatchSequence

        validation = BatchSequence(validation, _VALIDATION_BATCH)
    result = TrainingResult(path="fit", reason=reason)
    history = keras.callbacks.History()
    with kept_on_failure(model):
        try:
            model.fit(
                batches,
                epochs=epochs,
                validation_data=validation,
                callbacks=[*callbacks, history],
                shuffle=False,
                verbose=verbose,
                **(fit_options or {}),
            )
        except KeyboardInterrupt:
            result.interrupted = _accept_interrupt(callbacks, len(history.epoch))
            if not result.interrupted:
                raise
            for callback in callbacks:
                callback.on_train_end()
    return recorded(result, history)


def _accept_interrupt(callbacks: Sequence[Any], n_epochs: int) -> bool:
    """Whether to go on after an interrupt: when a callback holds the best weights so far."""
    if not keep_best(callbacks):
        return False
    warnings.warn(
        f"Training was interrupted after {n_epochs} epochs; the best weights so far are kept.",
        TrainingInterruptedWarning,
        stacklevel=4,
    )
    return True


def recorded(result: TrainingResult, history: Any) -> TrainingResult:
    """Return `result` with what a ``keras.callbacks.History`` recorded."""
    result.n_epochs = len(history.epoch)
    result.history = {name: [float(v) for v in vs] for name, vs in history.history.items()}
    return result


def _progress(epochs: int, verbose: int) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=epochs, desc="fit", unit="epoch", disable=not verbose, leave=verbose > 1)
