"""``KerasClassifier``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .._sklearn import StrOptions, fit_context
from ..exceptions import DataError
from ._base import BaseKerasEstimator
from ._fit_steps import FitRequest
from ._losses import takes_one_hot, weighs_classes
from ._outputs._class_predictions import ClassPredictions
from ._outputs._class_score import ClassScoreMixin
from ._targets._arrays import check_labels
from ._targets._class_weight import warn_of_rare_classes, weigh_classes
from ._targets._classes import SEVERAL_COLUMNS, ClassTarget, make_target
from ._targets._one_hot import OneHotTarget
from ._targets._several import SeveralClasses, check_label_table, has_class_columns


class KerasClassifier(ClassPredictions, ClassScoreMixin, BaseKerasEstimator):
    """A Keras network as a scikit-learn classifier.

    Works wherever scikit-learn takes a classifier: pipelines, searches, cross-validation,
    calibration, voting, stacking. Equal networks share one traced graph, so that the second fit
    of an architecture pays nothing for tracing.

    Parameters
    ----------
    model : str, callable or keras.Model, default="dense"
        The network. A name stands for a builder of :mod:`skopt_wrap.architectures`. A callable
        ``f(**parameters)`` or ``f(meta, **parameters)`` returns a Keras model, compiled or not;
        `meta` is a dict with ``n_features_in_``, ``X_shape_``, ``X_dtype_``, ``X_max_`` (integers),
        ``y_dtype_``, ``classes_``, ``n_classes_``, ``target_type_``, ``n_outputs_``,
        ``n_outputs_expected_`` (units that the last layer needs) and, for frames,
        ``feature_names_in_``. A callable that compiles may take ``compile_kwargs`` (a dict of
        optimizer, loss and metrics). A Keras model is copied with its weights at every `fit`, and
        never changed.
    inputs : dict of str to columns, default=None
        For a builder or a Keras model with several inputs: the columns of `X` that each input
        takes, by its name, such as ``{"numbers": slice(0, 8), "text": "review"}``. Columns are a
        name, a position, a slice, a list of them, a mask, or a function of `X` that returns one of
        these. The cells of a column may hold numbers, text, arrays of one shape, or sequences.
    loss : str, class, callable or keras.losses.Loss, default=None
        None takes the cross-entropy that suits target and network, averaged over the sum of the
        sample weights. Text and classes keep Keras' reduction; ``from_logits`` follows the
        network's last activation unless ``loss__from_logits`` is given. "focal" (arguments
        ``loss__gamma=2.0``, ``loss__alpha``) and "logit_adjusted" (``loss__tau=1.0``; the class
        priors are those of `y`) are for rare classes; see :mod:`skopt_wrap.losses`.
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
        Share of the rows, in [0, 1), held out to be evaluated after every epoch, in the
        proportions of the classes.
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
        Copied for every fit. ``callbacks__<argument>`` sets an argument of the classes given,
        ``callbacks__<position or key>__<argument>`` of one. Callbacks that act at every step
        make training take ``keras.Model.fit``.
    augment : sampler with a method ``flow``, default=None
        Makes every epoch's batches of the training rows, changed afresh, as
        :class:`~skopt_wrap.sampling.AugmentingSampler` does; validation rows stay as they are.
        It is cloned; ``augment__<name>`` sets its parameters. Training takes
        ``keras.Model.fit``. A `random_state` of None in it takes the estimator's; `class_weight`
        acts besides the balance that it makes. Where it mixes labels, as
        ``MixUp(soft_labels=True)``, the network learns from class probabilities:
        ``loss=None`` is cross-entropy then, and a loss of yours must take them.
    class_weight : dict, "balanced", "effective" or None, default=None
        Weights of the classes, multiplied with the sample weights. "effective" follows the
        effective number of rows; see :func:`skopt_wrap.losses.effective_class_weight`.
    members : int, default=None
        Networks trained with seeds of their own, jointly where possible, whose probabilities are
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
        Prefixed parameters: ``model__*`` (parameters of the builder; also without the prefix),
        ``optimizer__*``, ``loss__*``, ``metrics__*``, ``callbacks__*``,
        ``learning_rate_schedule__*``, ``compile__*``, ``fit__*`` and ``predict__batch_size``.

    Attributes
    ----------
    model_ : keras.Model
        The trained network.
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted; column numbers for a multilabel target.
    n_classes_ : int
        Number of classes.
    history_ : dict of str to list of float
        Loss and metrics of every epoch.
    n_iter_, epochs_, batch_size_ : int
        Epochs that were run, epochs that were asked for, and rows per step.
    n_features_in_, feature_names_in_ : int, ndarray of str
        ``X.shape[1]``, and column names for frames.
    output_form_ : OutputForm
        Names, units and nesting of the network's outputs.
    input_columns_ : dict of str to ndarray of int
        With `inputs`: the positions of the columns that each input takes.
    input_shapes_ : dict of str to tuple of int
        With `inputs`: the shape of a row of each input.
    sequence_length_ : int
        For sequences of unequal length: the steps that they were filled up to.
    target_encoder_ : ClassTarget
        Turns labels into numbers and raw outputs into predictions.
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

    Warns
    -----
    InputWarning
        When `y` may be one-hot classes as well as independent labels.

    See Also
    --------
    KerasRegressor : The same for numbers.
    TunedClassifier : Searches the parameters of a network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skopt_wrap import KerasClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = KerasClassifier(optimizer__learning_rate=0.01, epochs=20, random_state=0)
    >>> bool(make_pipeline(StandardScaler(), classifier).fit(X, y).score(X, y) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseKerasEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced", "effective"}), None],
    }

    def __init__(
        self,
        model: Any = "dense",
        *,
        inputs: Any = None,
        loss: Any = None,
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
        class_weight: Any = None,
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
        self.class_weight = class_weight
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
    ) -> KerasClassifier:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows: tables, images (n, h, w, c), sequences (n, t, f) or integer token ids (n, t).
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels of any type; or a 0/1 indicator of several labels; or one column of labels for
            each output of the network; or, with ``loss="categorical_crossentropy"``, one-hot rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        X_val, y_val : array-like, default=None
            Validation data, evaluated after every epoch. Under metadata routing,
            ``Pipeline(..., transform_input=["X_val"])`` passes them through the steps before.
        **overrides
            `epochs`, `batch_size`, `callbacks`, `shuffle`, `validation_split` and `verbose` for
            this call.

        Returns
        -------
        self : KerasClassifier
            Fitted estimator.
        """
        request = FitRequest(
            X, y, sample_weight, X_val, y_val, overrides, keep=self.warm_start, advise=True
        )
        return self._fit(request)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> KerasClassifier:
        """Train one epoch more, on data that may be a part of all.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed at the first call unless `y` holds each of them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : KerasClassifier
            Fitted estimator.
        """
        known: Any = getattr(self, "classes_", None)
        if classes is not None and isinstance(known, list):
            raise DataError("classes are those of one column; y has several (one for each output).")
        if not (known is None or classes is None or np.array_equal(np.unique(classes), known)):
            raise DataError(
                f"classes={np.unique(classes).tolist()} differ from those of the first call, "
                f"{known.tolist()}."
            )
        return self._fit(FitRequest.one_epoch(X, y, sample_weight, classes))

    @fit_context(prefer_skip_nested_validation=True)
    def fit_dataset(
        self,
        dataset: Any,
        classes: Any = None,
        *,
        validation_data: Any = None,
        steps_per_epoch: int | None = None,
    ) -> KerasClassifier:
        """Train on batches that need not fit in memory, by ``keras.Model.fit``.

        Parameters
        ----------
        dataset : tf.data.Dataset, keras.utils.PyDataset, generator or callable
            Batches ``(X, y)`` or ``(X, y, sample_weight)``, shuffled and batched by the caller. X
            may be a dict by the names of the network's inputs. A callable returns a new generator
            at every call; a generator itself can be read once.
        classes : array-like of shape (n_classes,), default=None
            All labels; None takes one pass over the dataset to collect them.
        validation_data : tf.data.Dataset, keras.utils.PyDataset or callable, default=None
            Batches evaluated after every epoch.
        steps_per_epoch : int, default=None
            Batches that make an epoch; needed for an infinite dataset.

        Returns
        -------
        self : KerasClassifier
            Fitted estimator.
        """
        return self._fit_dataset(dataset, classes, validation_data, steps_per_epoch)

    def _check_y(self, y: Any) -> np.ndarray:
        table = check_label_table(y)
        return check_labels(y) if table is None else table

    def _make_target(
        self, y: np.ndarray, weights: np.ndarray, classes: Any, names: Sequence[Any] = ()
    ) -> Any:
        if y.ndim == 2 and takes_one_hot(self, y):
            return OneHotTarget(y, names)
        if y.ndim == 2 and has_class_columns(y):
            if isinstance(self.model, str):
                raise DataError(SEVERAL_COLUMNS)
            return SeveralClasses(y, names)
        target = make_target(y, weights, classes)
        target.column_names_ = tuple(names)
        return target

    def _class_weights(self, y: np.ndarray, weights: np.ndarray, target: ClassTarget) -> np.ndarray:
        return weigh_classes(self.class_weight, y, weights, target)

    def _advise(self, y: np.ndarray, target: ClassTarget, request: FitRequest) -> None:
        given = (self.class_weight, request.sample_weight, self.augment)
        if all(item is None for item in given) and not weighs_classes(self.loss):
            warn_of_rare_classes(y, target)

    def _stratify(self, y: np.ndarray, target: ClassTarget) -> np.ndarray | None:
        if isinstance(target, OneHotTarget):
            return target.index(y)
        return y if y.ndim == 1 else None

    def _check_split(self, y_train: np.ndarray, target: ClassTarget) -> None:
        if y_train.ndim == 2:
            return
        missing = np.setdiff1d(target.classes_, y_train)
        if len(missing):
            raise DataError(
                f"validation_split leaves no training row of the classes {missing.tolist()}."
            )

    def _describe(self, X: Any, y: np.ndarray, target: ClassTarget) -> None:
        super()._describe(X, y, target)
        self.classes_ = target.classes_
        several = isinstance(target.classes_, list)
        self.n_classes_ = list(map(len, target.classes_)) if several else len(target.classes_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
