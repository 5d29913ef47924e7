"""Train one compiled Keras model: an epoch as one graph where it can be, else ``model.fit``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._keras import load_keras, reset_states
from ..exceptions import TrainingInterruptedWarning
from ._callbacks import keep_best, progress_bar, unfusable_callback
from ._data import TrainingData, batch_plan
from ._divergence import check_finite, is_lost
from ._epoch_graph import EpochGraph, as_tensors, graph_for, kept_on_failure
from ._errors import errors_in_words
from ._result import TrainingResult, recorded

VALIDATION_BATCH = 1024


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Parameters
    ----------
    epochs, batch_size : int
        Passes over the data, and samples per step.
    seed : int
        Seed of the order of the samples.
    shuffle : bool, default=True
        Use the samples in a new order every epoch.
    drop_remainder : bool, default=False
        Leave out the samples at the end of an order that make no whole batch.
    validation_batch_size, validation_freq : int
        Samples per evaluation step (None takes 1024), and epochs from one evaluation to the next.
    verbose : int, default=0
        Show a progress bar over epochs.
    fit_options : dict, default=None
        Further arguments of ``keras.Model.fit``, which is called when there are any.
    user_callbacks : bool, default=False
        Whether the callbacks hold objects that may keep a reference to the model.
    fused : bool, default=True
        False calls ``keras.Model.fit``. A fused graph may belong to another network of equal
        configuration, so it knows nothing of constraints and the like on variables of this one.

    Examples
    --------
    >>> from skopt_wrap.training import TrainingSettings
    >>> TrainingSettings(epochs=3, batch_size=32, seed=0).n_steps(100)
    4
    """

    epochs: int
    batch_size: int
    seed: int
    shuffle: bool = True
    drop_remainder: bool = False
    validation_batch_size: int | None = None
    validation_freq: int = 1
    verbose: int = 0
    fit_options: dict[str, Any] | None = None
    user_callbacks: bool = False
    fused: bool = True

    def orders(self, n_samples: int) -> Iterator[np.ndarray]:
        """Yield the order of the samples in every epoch.

        Parameters
        ----------
        n_samples : int
            Number of training samples.

        Yields
        ------
        order : ndarray of shape (n_used,)
            Positions of the samples.
        """
        rng = np.random.default_rng(self.seed)
        while True:
            order = rng.permutation(n_samples) if self.shuffle else np.arange(n_samples)
            yield order[: self.n_steps(n_samples) * self.batch_size]

    def n_steps(self, n_samples: int) -> int:
        """Return the number of steps of an epoch.

        Parameters
        ----------
        n_samples : int
            Number of training samples.

        Returns
        -------
        n_steps : int
            Whole batches, and one more where samples remain that are not dropped.
        """
        if self.drop_remainder and n_samples >= self.batch_size:
            return n_samples // self.batch_size
        return -(-n_samples // self.batch_size)


def train(
    model: Any,
    data: TrainingData,
    settings: TrainingSettings | None = None,
    *,
    validation: TrainingData | None = None,
    callbacks: Sequence[Any] = (),
    **options: Any,
) -> TrainingResult:
    """Train `model` in place.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    data : TrainingData
        Training samples.
    settings : TrainingSettings, default=None
        Epochs, batch size and the like; None makes them of `options`.
    validation : TrainingData, default=None
        Samples evaluated after every ``settings.validation_freq`` epochs.
    callbacks : sequence of keras.callbacks.Callback
        Called at the beginning and end of training and of every epoch.
    **options
        Arguments of :class:`TrainingSettings`, or changes of `settings`.

    Returns
    -------
    result : TrainingResult
        History, and how the network was trained.

    Raises
    ------
    DivergedError
        When weights or last loss are not finite; `model` is as it was before.
    ModelError
        When Keras or TensorFlow cannot compute loss, metrics or a step.

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
    if settings is None:
        settings = TrainingSettings(**options)
    elif options:
        settings = replace(settings, **options)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    reason = "fused=False"
    if settings.fused:
        reason = why_not_fused(model, callbacks, settings.fit_options) or ""
    with errors_in_words(model):
        if reason:
            return _train_by_fit(model, data, settings, validation, callbacks, reason)
        with graph_for(model, data, share=not settings.user_callbacks) as graph:
            return _train_fused(graph, data, settings, validation, callbacks)


def why_not_fused(
    model: Any, callbacks: Sequence[Any], fit_options: dict[str, Any] | None
) -> str | None:
    """Return why an epoch of `model` cannot be one graph, or None when it can."""
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


def _train_fused(
    graph: EpochGraph,
    data: TrainingData,
    settings: TrainingSettings,
    validation: TrainingData | None,
    callbacks: Sequence[Any],
) -> TrainingResult:
    from ._callback_classes import rates_of

    keras = load_keras()
    model, result, epochs = graph.model, TrainingResult(), settings.epochs
    tensors, orders = as_tensors(data), settings.orders(len(data))
    if validation is not None:
        size = settings.validation_batch_size or VALIDATION_BATCH
        val_tensors = as_tensors(validation)
        val_tables = batch_plan(np.arange(len(validation)), size)
    history = keras.callbacks.History()
    listener = keras.callbacks.CallbackList(
        [*callbacks, history],
        model=model,
        epochs=epochs,
        steps=settings.n_steps(len(data)),
        verbose=0,
    )
    logs: dict[str, float] = {}
    model.stop_training = False
    listener.on_train_begin()
    bar = progress_bar(epochs, settings.verbose)
    try:
        for epoch in range(epochs):
            listener.on_epoch_begin(epoch)
            tables = batch_plan(next(orders), settings.batch_size)
            logs = graph.train_epoch(tensors, tables, rates_of(callbacks, epoch))
            if validation is not None and (epoch + 1) % settings.validation_freq == 0:
                logs |= graph.evaluate(val_tensors, val_tables)
            listener.on_epoch_end(epoch, logs)
            bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)
            bar.update()
            if model.stop_training or is_lost(model, logs):
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
    check_finite(model, history.history, epochs, callbacks)
    return recorded(result, history)


def _train_by_fit(
    model: Any,
    data: TrainingData,
    settings: TrainingSettings,
    validation: TrainingData | None,
    callbacks: Sequence[Any],
    reason: str,
) -> TrainingResult:
    from ._batches import BatchSequence, NewOrder

    batches, held_out = BatchSequence(data, settings.batch_size), None
    if validation is not None:
        held_out = BatchSequence(validation, settings.validation_batch_size or VALIDATION_BATCH)
    orders = settings.orders(len(data))
    batches.order = batches.order[: settings.n_steps(len(data)) * settings.batch_size]
    return train_batches(
        model,
        batches,
        epochs=settings.epochs,
        validation=held_out,
        callbacks=[NewOrder(batches, orders), *callbacks],
        verbose=settings.verbose,
        fit_options={"validation_freq": settings.validation_freq, **(settings.fit_options or {})},
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
        Further arguments of ``keras.Model.fit``; ``validation_batch_size`` for validation data that
        are given as TrainingData.
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
    options = dict(fit_options or {})
    if isinstance(validation, TrainingData):
        from ._batches import BatchSequence

        size = options.pop("validation_batch_size", None) or VALIDATION_BATCH
        validation = BatchSequence(validation, size)
    from ._callback_classes import CountSteps, ResetStates, StopWhenLost

    more: list[Any] = [ResetStates()] if reset_states(model) else []
    if _of_unknown_length(model, batches, options):
        more.append(CountSteps())
    result = TrainingResult(path="fit", reason=reason)
    history = keras.callbacks.History()
    with kept_on_failure(model), warnings.catch_warnings():
        # The end of batches of unknown length interrupts nothing.
        if not options.get("steps_per_epoch"):
            warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)
        try:
            model.fit(
                batches,
                epochs=epochs,
                validation_data=validation,
                callbacks=[*callbacks, history, StopWhenLost(), *more],
                shuffle=False,
                verbose=verbose,
                **options,
            )
        except KeyboardInterrupt:
            result.interrupted = _accept_interrupt(callbacks, len(history.epoch))
            if not result.interrupted:
                raise
            for callback in callbacks:
                callback.on_train_end()
        check_finite(model, history.history, epochs, callbacks)
    return recorded(result, history)


def _of_unknown_length(model: Any, batches: Any, options: dict[str, Any]) -> bool:
    """Return whether Keras finds the end of `batches` by running out of them."""
    if options.get("steps_per_epoch") or not hasattr(batches, "cardinality"):
        return False
    plain = not getattr(model.optimizer, "gradient_accumulation_steps", None)
    return plain and int(batches.cardinality()) < 0 and hasattr(model.optimizer, "iterations")


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
