"""``KerasRegressor``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from .._sklearn import fit_context
from ._base import BaseKerasEstimator
from ._fit_steps import FitRequest
from ._rows import refuse_arguments
from ._targets._arrays import check_values
from ._targets._values import ValueTarget


class KerasRegressor(RegressorMixin, BaseKerasEstimator):
    """A Keras network as a scikit-learn regressor, for one or several outputs.

    Targets are used as they are: scale them with
    :class:`sklearn.compose.TransformedTargetRegressor` when they are large.

    Parameters
    ----------
    model : {"dense", "realmlp", "cnn", "lstm"}, callable or keras.Model, default="dense"
        The network; see :class:`KerasClassifier`.
    loss : str, class, callable or keras.losses.Loss, default=None
        None takes the mean squared error, averaged over the sum of the sample weights.
    optimizer : str, class or keras.optimizers.Optimizer, default="auto"
        "auto" takes that of the recipe, or "adam". An object is copied. ``optimizer__<name>`` sets
        its arguments.
    metrics : str, metric, class, list or dict of them, default=None
        Metrics recorded in `history_`; objects are copied. ``metrics__<argument>`` sets an argument
        of the classes given.
    epochs, batch_size : int or "auto", default="auto"
        Passes over the data, and rows per step (-1 takes all rows). "auto" takes what the recipe
        of the architecture says: 50 and 32 where there is none.
    validation_split : float, default=0.0
        Share of the rows, in [0, 1), held out to be evaluated after every epoch.
    early_stopping : "auto", bool, int or keras.callbacks.EarlyStopping, default="auto"
        Stop after 10 epochs (True) or so many (int) without a lower validation loss, and restore
        the best weights; without validation data, 10 % of the rows are held out. "auto" follows
        the recipe: "realmlp" keeps the best epoch on held-out rows; others do not stop.
    learning_rate_schedule : str, float, LearningRateSchedule or callable, default=None
        Name of a schedule over all steps of the fit, which starts from the optimizer's rate:
        "constant", "step", "exponential", "polynomial", "cosine", "warmup_cosine", "coslog",
        "cosine_restarts", "one_cycle" or "reduce_on_plateau", with options
        ``learning_rate_schedule__*`` such as ``warmup=0.1`` (see
        :func:`skopt_wrap.training.schedule_rates`). Or a constant rate, a
        ``keras.optimizers.schedules`` object, or ``f(epoch, rate) -> rate``.
    callbacks : callback, class, list or dict of them, default=None
        Copied for every fit; see :class:`KerasClassifier`.
    augment : sampler with a method ``flow``, default=None
        Makes every epoch's batches of the training rows, changed afresh, as
        :class:`~skopt_wrap.sampling.AugmentingSampler` does; validation rows stay as they are.
        It is cloned; ``augment__<name>`` sets its parameters. Training takes
        ``keras.Model.fit``. A `random_state` of None in it takes the estimator's.
    members : int, default=None
        Networks trained with seeds of their own, jointly where possible, whose predictions are
        averaged in one `model_`; `predict_spread` tells how far they are apart. None trains one.
    dtype : {"float32", "float64", "mixed_float16", "mixed_bfloat16"}, default=None
        Precision of the network; None takes Keras' global policy.
    warm_start : bool, default=False
        Whether a further `fit` goes on with the network that is there.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows, dropout and held-out rows.
    verbose : int, default=0
        1 shows a progress bar, which 2 leaves standing.
    **extra
        Prefixed parameters; see :class:`KerasClassifier`.

    Attributes
    ----------
    model_ : keras.Model
        The trained network.
    history_ : dict of str to list of float
        Loss and metrics of every epoch.
    n_iter_, epochs_, batch_size_ : int
        Epochs that were run, epochs that were asked for, and rows per step.
    n_features_in_ : int
        ``X.shape[1]``.
    feature_names_in_ : ndarray of str
        Column names, for frames.
    target_encoder_ : ValueTarget
        Turns raw outputs into predictions in the shape of `y`.
    fit_path_ : str
        "fused", or why ``keras.Model.fit`` was called.
    X_shape_, X_dtype_, y_dtype_, input_dtype_, target_type_, n_outputs_, n_outputs_expected_
        What a builder is told of the data.

    Raises
    ------
    ParameterError, UnknownParameterError
        For values and names that break a rule, before training.
    DataError
        For X, y, weights or validation data that cannot be used.
    ModelError, BuilderError
        For a network that cannot be built or does not suit the data.
    DivergedError
        When training or prediction gives numbers that are not finite.
    BackendError
        When Keras runs on a backend other than TensorFlow.

    See Also
    --------
    KerasClassifier : The same for labels.
    TunedRegressor : Searches the parameters of a network.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skopt_wrap import KerasRegressor
    >>> X, y = make_regression(n_samples=100, n_features=4, random_state=0)
    >>> regressor = KerasRegressor(optimizer__learning_rate=0.01, epochs=40, random_state=0)
    >>> bool(regressor.fit(X, y / 100).score(X, y / 100) > 0.9)
    True
    """

    def __init__(
        self,
        model: Any = "dense",
        *,
        loss: Any = None,
        optimizer: Any = "auto",
        metrics: Any = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        validation_split: float = 0.0,
        early_stopping: Any = "auto",
        learning_rate_schedule: Any = None,
        callbacks: Any = None,
        augment: Any = None,
        members: int | None = None,
        dtype: str | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        **extra: Any,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_split = validation_split
        self.early_stopping = early_stopping
        self.learning_rate_schedule = learning_rate_schedule
        self.callbacks = callbacks
        self.augment = augment
        self.members = members
        self.dtype = dtype
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._set_extra(extra)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        **overrides: Any,
    ) -> KerasRegressor:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows: tables, images (n, h, w, c), sequences (n, t, f) or integer token ids (n, t).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        X_val, y_val : array-like, default=None
            Validation data, evaluated after every epoch.
        **overrides
            `epochs`, `batch_size`, `callbacks`, `shuffle`, `validation_split` and `verbose` for
            this call.

        Returns
        -------
        self : KerasRegressor
            Fitted estimator.
        """
        request = FitRequest(X, y, sample_weight, X_val, y_val, overrides, keep=self.warm_start)
        return self._fit(request)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> KerasRegressor:
        """Train one epoch more, on data that may be a part of all.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : KerasRegressor
            Fitted estimator.
        """
        return self._fit(FitRequest.one_epoch(X, y, sample_weight))

    @fit_context(prefer_skip_nested_validation=True)
    def fit_dataset(
        self,
        dataset: Any,
        *,
        validation_data: Any = None,
        steps_per_epoch: int | None = None,
    ) -> KerasRegressor:
        """Train on batches that need not fit in memory, by ``keras.Model.fit``.

        Parameters
        ----------
        dataset : tf.data.Dataset or keras.utils.PyDataset
            Batches ``(X, y)`` or ``(X, y, sample_weight)``, shuffled and batched by the caller.
        validation_data : tf.data.Dataset or keras.utils.PyDataset, default=None
            Batches evaluated after every epoch.
        steps_per_epoch : int, default=None
            Batches that make an epoch; needed for an infinite dataset.

        Returns
        -------
        self : KerasRegressor
            Fitted estimator.
        """
        return self._fit_dataset(dataset, None, validation_data, steps_per_epoch)

    def predict(self, X: Any, **unknown: Any) -> np.ndarray:
        """Return the predicted numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        **unknown
            Nothing is taken; the error says what to do instead of ``predict(X, batch_size=...)``.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Predictions in the shape of `y`.
        """
        refuse_arguments("predict", unknown)
        return self.target_encoder_.values(self.network_output(X))

    def _check_y(self, y: Any) -> np.ndarray:
        return check_values(y, self._floatx)

    def _make_target(self, y: np.ndarray, weights: np.ndarray, classes: Any) -> ValueTarget:
        return ValueTarget(y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
