"""One network of a joint training: how it is trained, and what its callbacks see."""

from __future__ import annotations

import traceback
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..._keras import compile_arguments, load_keras
from ...exceptions import DivergedError
from .._data import TrainingData
from .._divergence import check_finite
from .._epoch_graph import prepare_metrics
from .._result import TrainingResult, recorded
from .._train import TrainingSettings, why_not_fused
from ._layer_spec import NotJointlyTrainable
from ._plan import Plan, joint_plan


class Training:
    """A network of :func:`train_jointly`, and how it is trained.

    Parameters
    ----------
    model : keras.Model
        Compiled and built.
    data : TrainingData
        Training samples.
    settings : TrainingSettings, default=None
        Epochs, batch size and the like; None makes them of `options`.
    validation : TrainingData, default=None
        Samples that are evaluated after every epoch.
    callbacks : sequence of keras.callbacks.Callback
        Called at the beginning and end of training and of every epoch.
    dtype : str, default=None
        Precision in which the network was built.
    **options
        Arguments of :class:`TrainingSettings`.

    Attributes
    ----------
    result : TrainingResult
        Filled in by training.
    error : Exception or None
        What ended training.
    traceback : str or None
        Where it came from.
    seconds : float
        Time of training; networks that are trained jointly share it equally.
    n_joint : int
        Number of networks that were trained jointly, with this one.

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

    def __init__(
        self,
        model: Any,
        data: TrainingData,
        settings: TrainingSettings | None = None,
        *,
        validation: TrainingData | None = None,
        callbacks: Sequence[Any] = (),
        dtype: str | None = None,
        **options: Any,
    ) -> None:
        self.model, self.data, self.dtype = model, data, dtype
        self.settings = TrainingSettings(**options) if settings is None else settings
        self.validation, self.callbacks = validation, callbacks
        self.result = TrainingResult(path="joint")
        self.error: Exception | None = None
        self.traceback: str | None = None
        self.plan: Plan | None = None
        self.seconds, self.n_joint = 0.0, 1
        self.history: Any = None

    def so_far(self) -> TrainingResult:
        """Return the result as it is now."""
        if self.result.n_epochs or self.history is None:
            return self.result
        return recorded(TrainingResult(path="joint"), self.history)


class JointTrainingError(Exception):
    """Joint training failed as a whole; its networks are to be trained one by one instead.

    Examples
    --------
    >>> from skopt_wrap.training import JointTrainingError
    >>> str(JointTrainingError("ResourceExhaustedError: no memory"))
    'ResourceExhaustedError: no memory'
    """


def joint_key(training: Training) -> Hashable:
    """Return a key that is equal for networks which can be trained jointly.

    Parameters
    ----------
    training : Training
        Network, samples and settings.

    Returns
    -------
    key : hashable
        To group trainings by.

    Raises
    ------
    NotJointlyTrainable
        When the network must be trained by itself; the message says why.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.training import Training, TrainingData, joint_key
    >>> X = np.ones((8, 2), "float32")
    >>> data = TrainingData(X, X[:, :1], np.ones(8, "float32"))
    >>> def training(rate):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return Training(model, data, epochs=3, batch_size=4, seed=0)
    >>> joint_key(training(0.1)) == joint_key(training(0.01))
    True
    """
    model = training.model
    reason = why_not_fused(model, training.callbacks, training.settings.fit_options)
    if reason is not None:
        raise NotJointlyTrainable(reason)
    arguments = compile_arguments(model)
    if arguments.get("jit_compile") is True:
        raise NotJointlyTrainable("jit_compile=True")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    if arguments.get("metrics") or arguments.get("weighted_metrics"):
        prepare_metrics(model, *training.data.take(np.arange(min(2, len(training.data)))))
    training.plan = plan = joint_plan(model, training.data)
    held_out = training.validation
    if held_out is not None and (held_out.sparse or held_out.x.dtype != training.data.x.dtype):
        raise NotJointlyTrainable("validation samples are of another kind")
    return (
        plan.key,
        training.settings.batch_size,
        training.settings.validation_batch_size,
        training.settings.drop_remainder,
        held_out is None,
    )


class Member:
    """One network while it is trained jointly with others."""

    def __init__(self, training: Training) -> None:
        from .._callback_classes import BestEpoch, needs_weights

        keras = load_keras()
        self.training, self.model = training, training.model
        assert training.plan is not None
        self.plan: Plan = training.plan
        self.orders = training.settings.orders(len(training.data))
        self.n_steps = training.settings.n_steps(len(training.data))
        self.history = training.history = keras.callbacks.History()
        self.listener = keras.callbacks.CallbackList(
            [*training.callbacks, self.history],
            model=self.model,
            epochs=training.settings.epochs,
            steps=self.n_steps,
            verbose=0,
        )
        self.watched = bool(training.callbacks)
        self.copied = any(needs_weights(callback) for callback in training.callbacks)
        self.best = [c for c in training.callbacks if type(c) is BestEpoch]
        self.rows = self.held_out = np.zeros((2, 0), np.int32)

    def call(self, hook: str, *args: Any) -> bool:
        """Call the callbacks; an error of theirs ends this training alone."""
        try:
            getattr(self.listener, hook)(*args)
        except Exception as error:
            self.training.error, self.training.traceback = error, traceback.format_exc()
            return False
        return True

    def check_finite(self) -> None:
        """Note a divergence as the error of this training."""
        settings, callbacks = self.training.settings, self.training.callbacks
        try:
            check_finite(self.model, self.history.history, settings.epochs, callbacks)
        except DivergedError as error:
            self.training.error, self.training.traceback = error, traceback.format_exc()

    def rates(self, epoch: int) -> np.ndarray:
        """Return the learning rates of the steps of an epoch."""
        steps, dtype = self.n_steps, str(self.plan.weights[0].dtype)
        if self.plan.schedule is not None:
            return np.zeros(steps, dtype)  # the graph computes them
        from .._callback_classes import rates_of

        found = rates_of(self.training.callbacks, epoch)
        if found is None:
            found = np.full(steps, float(self.model.optimizer.learning_rate))
        return found.astype(dtype)

    def set_rate(self, rate: float) -> None:
        """Leave the rate of the last step with the optimizer, where callbacks look for it."""
        if self.plan.schedule is None and self.watched:
            self.model.optimizer.learning_rate = float(rate)
