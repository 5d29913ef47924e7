"""One network of a stack: how it is trained, and what its callbacks see."""

from __future__ import annotations

import traceback
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..._keras import load_keras
from .._data import TrainingData
from .._epoch_graph import prepare_metrics
from .._train import TrainingResult, _orders, _why_not_fused, recorded
from ._layer_spec import NotStackable
from ._plan import Plan, stack_plan


@dataclass
class Training:
    """A network of :func:`train_stacks`, and how it is trained.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    data : TrainingData
        Training rows.
    epochs, batch_size, seed : int
        As for :func:`train`, like the parameters that are not named here.
    dtype : str, default=None
        Precision in which the network was built.

    Attributes
    ----------
    result : TrainingResult
        Filled in by training.
    error : Exception or None
        What ended training.
    traceback : str or None
        Where it came from.
    seconds : float
        Time of training; the networks of a stack share it equally.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import Training, TrainingData
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> X = np.ones((8, 2), "float32")
    >>> data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    >>> Training(model, data, epochs=3, batch_size=4, seed=0).error is None
    True
    """

    model: Any
    data: TrainingData
    epochs: int
    batch_size: int
    seed: int
    validation: TrainingData | None = None
    callbacks: Sequence[Any] = ()
    user_callbacks: bool = False
    shuffle: bool = True
    validation_batch_size: int | None = None
    validation_freq: int = 1
    verbose: int = 0
    fit_options: dict[str, Any] | None = None
    dtype: str | None = None
    result: TrainingResult = field(default_factory=lambda: TrainingResult(path="stacked"))
    error: Exception | None = None
    traceback: str | None = None
    plan: Plan | None = None
    seconds: float = 0.0
    history: Any = None

    def so_far(self) -> TrainingResult:
        """Return the result as it is now."""
        if self.result.n_epochs or self.history is None:
            return self.result
        return recorded(TrainingResult(path="stacked"), self.history)


class StackError(Exception):
    """A stack failed as a whole; its networks are to be trained one by one instead.

    Examples
    --------
    >>> from skopt_wrap.training import StackError
    >>> str(StackError("ResourceExhaustedError: no memory"))
    'ResourceExhaustedError: no memory'
    """


def stack_key(training: Training) -> Hashable:
    """Return a key, equal for networks that can be trained as one stack.

    Parameters
    ----------
    training : Training
        Network, rows and settings.

    Returns
    -------
    key : hashable
        To group trainings by.

    Raises
    ------
    NotStackable
        When the network must be trained by itself; the message says why.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import Training, TrainingData, stack_key
    >>> X = np.ones((8, 2), "float32")
    >>> data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    >>> def training(rate):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return Training(model, data, epochs=3, batch_size=4, seed=0)
    >>> stack_key(training(0.1)) == stack_key(training(0.01))
    True
    """
    model = training.model
    reason = _why_not_fused(model, training.callbacks, training.fit_options)
    if reason is not None:
        raise NotStackable(reason)
    if model._compile_config.config.get("jit_compile") is True:
        raise NotStackable("jit_compile=True")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if model._compile_config.config.get("metrics") or model._compile_config.config.get(
        "weighted_metrics"
    ):
        prepare_metrics(model, *training.data.take(np.arange(min(2, len(training.data)))))
    training.plan = plan = stack_plan(model, training.data)
    held_out = training.validation
    if held_out is not None and (held_out.sparse or held_out.x.dtype != training.data.x.dtype):
        raise NotStackable("validation rows are of another kind")
    return (
        plan.key,
        tuple(plan.shapes),
        training.batch_size,
        training.validation_batch_size,
        held_out is None,
    )


class Member:
    """One network of a stack."""

    def __init__(self, training: Training) -> None:
        keras = load_keras()
        self.training, self.model = training, training.model
        assert training.plan is not None
        self.plan: Plan = training.plan
        self.orders = _orders(len(training.data), training.seed, training.shuffle)
        self.history = training.history = keras.callbacks.History()
        self.listener = keras.callbacks.CallbackList(
            [*training.callbacks, self.history],
            model=self.model,
            epochs=training.epochs,
            steps=-(-len(training.data) // training.batch_size),
            verbose=0,
        )
        self.watched = bool(training.callbacks)
        self.rows = self.held_out = np.zeros((2, 0), np.int32)

    def call(self, hook: str, *args: Any) -> bool:
        """Call the callbacks; an error of theirs ends this training alone."""
        try:
            getattr(self.listener, hook)(*args)
        except Exception as error:
            self.training.error, self.training.traceback = error, traceback.format_exc()
            return False
        return True

    def rates(self, epoch: int) -> np.ndarray:
        """Return the learning rates of the steps of an epoch."""
        steps = -(-len(self.training.data) // self.training.batch_size)
        if self.plan.schedule is not None:
            return np.zeros(steps, "float32")  # the graph computes them
        from .._rates import rates_of

        found = rates_of(self.training.callbacks, epoch)
        if found is None:
            found = np.full(steps, float(self.model.optimizer.learning_rate))
        return found.astype("float32")

    def set_rate(self, rate: float) -> None:
        """Leave the rate of the last step with the optimizer, where callbacks look for it."""
        if self.plan.schedule is None and self.watched:
            self.model.optimizer.learning_rate = float(rate)
