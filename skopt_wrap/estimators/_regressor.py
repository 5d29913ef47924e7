"""``KerasRegressor``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin

from .._sklearn import StrOptions, fit_context
from ._base import BaseKerasEstimator
from ._fit_steps import FitRequest
from ._outputs._form import is_several
from ._rows import refuse_arguments
from ._targets._arrays import check_values
from ._targets._units import enter_units, place_units, refuse_scaling, scaling_kind, target_scale
from ._targets._values import ValueTarget


class KerasRegressor(RegressorMixin, BaseKerasEstimator):
    """A Keras network as a scikit-learn regressor, for one or several outputs.

    Targets may have any units: the architectures of this package are trained on targets of mean 0
    and standard deviation 1, and predictions come back in the units of `y`. See `target_scaling`.

    Parameters
    ----------
    model : str, callable or keras.Model, default="dense"
        The network; see :class:`KerasClassifier`.
    inputs : dict of str to columns, default=None
        For a builder or a Keras model with several inputs: the columns of `X` that each input
        takes, by its name, such as ``{"numbers": slice(0, 8), "text": "review"}``. Columns are a
        name, a position, a slice, a list of them, a mask, or a function of `X` that returns one of
        these. The cells of a column may hold numbers, text, arrays of one shape, or sequences.
    loss : str, class, callable or keras.losses.Loss, default=None
        None takes the mean squared error, averaged over the sum of the sample weights.
    target_scaling : {"auto", "quantile"} or bool, default="auto"
        How targets are scaled while the network trains. True subtracts the mean of the training
        rows and divides by their standard deviation; afterwards the last layer is changed so that
        the network itself returns the units of `y`. "auto" does so for architectures by name, with
        the mean squared error, the mean absolute error, and Huber or log-cosh with their default
        threshold, which counts in standard deviations then. It leaves targets alone for builders,
        networks, and losses that need the original scale: Poisson, relative and logarithmic errors,
        losses of yours. "quantile" is for heavy tails: the ranks of the targets become those of a
        normal distribution. The way back lies outside of the network then, in `target_encoder_`,
        and predictions stay within the range of the training targets. False changes nothing.
    optimizer : str, class or keras.optimizers.Optimizer, default="auto"
        "auto" takes that of the recipe, or "adam". An object is copied. ``optimizer__<name>`` sets
        its arguments.
    metrics : str, metric, class, list or dict of them, default=None
        Metrics recorded in `history_`; objects are copied. ``metrics__<argument>`` sets an argument
        of the classes given.
    epochs, batch_size : int or "auto", default="auto"
        Passes over the data, and rows per step: -1 takes all rows, None those that Keras takes, 32.
        "auto" takes what the recipe of the architecture says: 50 and 32 where there is none.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Columns of categories in a table, for "dense", "realmlp" and "tabm": names, numbers or one
        bool a column. With "from_dtype": those of type category, string or bool, and of objects
        that are no numbers.
    validation_split : float, default=0.0
        Share of the rows, in [0, 1), held out to be evaluated after every epoch.
    early_stopping : "auto", bool, int or keras.callbacks.EarlyStopping, default="auto"
        Stop after 10 epochs (True) or so many (int) without a lower validation loss, and restore
        the best weights; without validation data, 10 % of the rows are held out. "auto" follows
        the recipe: "realmlp" and "tabm" keep the best epoch on held-out rows; others do not stop.
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
        Loss and metrics of every epoch, in the units that the network is trained in.
    target_scale_ : ndarray of shape (n_outputs_,), float64
        One of those units in units of `y`: multiply the mean absolute errors of `history_` by it,
        and mean squared errors by its square. Ones where targets are not scaled, and for
        "quantile".
    n_iter_, epochs_, batch_size_ : int
        Epochs that were run, epochs that were asked for, and rows per step.
    n_features_in_ : int
        ``X.shape[1]``.
    feature_names_in_ : ndarray of str
        Column names, for frames.
    output_form_ : OutputForm
        Names, units and nesting of the network's outputs.
    input_columns_ : dict of str to ndarray of int
        With `inputs`: the positions of the columns that each input takes.
    input_shapes_ : dict of str to tuple of int
        With `inputs`: the shape of a row of each input.
    sequence_length_ : int
        For sequences of unequal length: the steps that they were filled up to.
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
    >>> bool(regressor.fit(X, 1000 + y).score(X, 1000 + y) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseKerasEstimator._parameter_constraints,
        "target_scaling": ["boolean", StrOptions({"auto", "quantile"})],
    }

    target_scale_: np.ndarray

    def __init__(
        self,
        model: Any = "dense",
        *,
        inputs: Any = None,
        loss: Any = None,
        target_scaling: bool | str = "auto",
        optimizer: Any = "auto",
        metrics: Any = None,
        epochs: int | str = "auto",
        batch_size: int | str | None = "auto",
        categorical_features: Any = "from_dtype",
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
        self.inputs = inputs
        self.loss = loss
        self.target_scaling = target_scaling
        self.optimizer = optimizer
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.categorical_features = categorical_features
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
        dataset : tf.data.Dataset, keras.utils.PyDataset, generator or callable
            Batches ``(X, y)`` or ``(X, y, sample_weight)``, shuffled and batched by the caller. X
            may be a dict by the names of the network's inputs. A callable returns a new generator
            at every call; a generator itself can be read once.
        validation_data : tf.data.Dataset, keras.utils.PyDataset or callable, default=None
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
        outputs = self.network_output(X)  # says first that the estimator is not fitted
        return self.target_encoder_.values(outputs)

    def _check_y(self, y: Any) -> np.ndarray:
        return check_values(y, self._floatx)

    def _make_target(
        self, y: np.ndarray, weights: np.ndarray, classes: Any, names: Sequence[Any] = ()
    ) -> ValueTarget:
        target = ValueTarget(y)
        target.column_names_ = tuple(names)
        return target

    def _learn_target(self, y: np.ndarray, weights: np.ndarray, target: ValueTarget) -> None:
        target.learn_scaling(y, weights, scaling_kind(self))

    def _place_target(self, network: Any, target: Any) -> None:
        if is_several(target):
            refuse_scaling(self)
        else:
            place_units(network, target)

    def _training_target(self, y: np.ndarray, target: Any) -> Any:
        if is_several(target):
            return super()._training_target(y, target)
        return self.output_form_.pack([target.transform_for_training(y, self._floatx)])

    def _finish_target(self, network: Any, target: Any) -> None:
        if is_several(target):
            self.target_scale_ = np.ones(target.n_outputs_)
        else:
            enter_units(network, target)
            self.target_scale_ = target_scale(target)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
