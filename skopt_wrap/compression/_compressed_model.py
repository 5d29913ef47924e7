"""The estimator that trains a network, compresses it, and predicts with the compressed file."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.utils import check_random_state, get_tags

from .._sklearn import HasMethods, Interval, StrOptions, fit_context
from ..estimators import KerasClassifier, KerasRegressor, plain_kind
from ..exceptions import ParameterError
from ._budget import ON_MISSED, Budget
from ._plan import PLANNED, RUNTIMES, make_plan
from ._prediction import PredictionMixin
from ._process import conversion_process
from ._report import CompressionReport, scoring_name
from ._serialization import as_graph
from ._specs import Clustering, Pruning, Quantization
from ._stage import CompressionStage
from ._stages._pipeline import Raw, StageCache, StagePipeline
from ._unwrap import (
    SEEN,
    as_estimator,
    check_estimator,
    check_rows,
    fit_estimator,
    is_frozen,
    plain_network,
    split_estimator,
    weighted_rows,
)

_LEARNED = ("model_", "tflite_model_", "report_", "runtime_", "estimator_")
_UNSAVED = ("_fast_path", "_check_rows")  # no pickle takes rows of the user's along
_MIRRORED = ("n_features_in_", "feature_names_in_", "classes_")


class _Undecided(BaseEstimator):
    """Stands for an estimator until the target tells whether it classifies or regresses."""


class CompressedModel(PredictionMixin, MetaEstimatorMixin, BaseEstimator):
    """Train a Keras estimator, compress its network, and predict with the compressed file.

    A classifier or a regressor, as its `estimator` is. After `fit`, every prediction and every
    score comes from a LiteRT (``.tflite``) file, so that cross-validation and grid search judge
    what will be deployed. The stages run in a fixed order: factorize, distil, prune, cluster,
    quantize. Every converter and TFMOT run in a process of their own: a crash of one of them
    leaves this process unharmed.

    Parameters
    ----------
    estimator : estimator
        :class:`~skopt_wrap.KerasClassifier` or :class:`~skopt_wrap.KerasRegressor`; or one
        that has it as a fitted ``best_estimator_`` (:class:`~skopt_wrap.TunedClassifier`,
        ``GridSearchCV``); or a Pipeline of scikit-learn or imbalanced-learn that ends in one of
        these; or a plain ``keras.Model``, or a builder of one, which is put into a
        KerasClassifier or KerasRegressor with its default settings, by the loss that it was
        compiled with or else by the kind of `y`. Preprocessing is kept in front of the file;
        samplers act only in `fit`. It is cloned and fitted, unless it is wrapped in
        :class:`sklearn.frozen.FrozenEstimator`: then it is used as it is, and `X` only
        calibrates, tunes and scores. Whether a plain network was trained cannot be seen: wrap a
        trained one in FrozenEstimator too, or `fit` trains a copy of it further.
    factorization : {"svd", "tensor-train", "tucker", "cp", "auto"}, Factorization or None, \
            default=None
        Layers as products of smaller ones, 40 % of the parameters of the whole network, or an
        object with the details: :class:`~skopt_wrap.factorization.SVD`,
        :class:`~skopt_wrap.factorization.TensorTrain`, :class:`~skopt_wrap.factorization.Tucker`,
        :class:`~skopt_wrap.factorization.CP`. "auto" picks by measurement.
    distillation : float, str, callable, keras.Model or Distillation, default=None
        A smaller network, the student, that learns from the trained one: a fraction in (0, 1) of
        its width, the name of an architecture, a builder, a network, or a
        :class:`~skopt_wrap.Distillation` with the details.
    pruning : float or Pruning, default=None
        Fraction in [0, 1) of each kernel to set to zero while fine-tuning, or a
        :class:`Pruning` with the details. None and 0 do not prune.
    clustering : int or Clustering, default=None
        Number of distinct values, at least 2, that each kernel keeps, or a :class:`Clustering`
        with the details. Zeros of an earlier pruning stay.
    quantization : {"dynamic", "float16", "int8", "int16x8", "int4"}, Quantization or None, \
            default="int8"
        What the file's numbers are. None: float32. "float16": weights of half the size.
        "dynamic": weights in int8, activations in float. "int8": weights and activations in
        int8, with ranges measured on rows of `X`. "int16x8": activations in int16, more exact
        and far slower. "int4": weights in int4, activations in float; it needs
        ``ai-edge-quantizer``. The file's input and output stay float32, unless a
        :class:`Quantization` with the details says otherwise.
    quantization_aware : bool, default=False
        Whether to fine-tune the network with the rounding of its int8 file, for
        `fine_tune_epochs`; "int8" only. Zeros of pruning and values of clustering are kept. A
        network that cannot be trained so is quantized after training, and a warning and
        ``report_`` say why. ``model_`` stays the network before quantization.
    stages : list of CompressionStage, default=None
        Further stages, of your own or of another package, each of which runs at the place that
        its `order` says; see :class:`CompressionStage`.
    fine_tune_epochs : int, default=10
        Epochs of fine-tuning of each stage that trains.
    max_score_drop : float, default=None
        Largest accepted loss of score against the trained network; see Raises.
    max_size : int or str, default=None
        Largest accepted file, bytes or text such as "50 kB".
    max_latency : float or str, default=None
        Largest accepted median latency of one row, seconds or text such as "1 ms".
    on_missed_budget : {"raise", "warn"}, default="raise"
        What happens when the result is beyond a limit: a BudgetError, or a
        :class:`~skopt_wrap.exceptions.BudgetWarning` and a note in the report. Either names what
        was reached.
    scoring : str or callable, default=None
        Score of the report, of `max_score_drop` and of :meth:`score`; None is accuracy or R^2.
    calibration_samples : int, default=256
        Rows of `X` on which the ranges for "int8" and "int16x8" are measured.
    runtime : {"litert"}, default="litert"
        What runs the file.
    num_threads : int, default=1
        Threads of the LiteRT interpreter.
    random_state : int, RandomState instance or None, default=None
        Draws the calibration rows and seeds fine-tuning. The estimator has its own.
    verbose : int, default=0
        Above 0, each stage is printed as it begins.

    Attributes
    ----------
    estimator_ : estimator
        The fitted, uncompressed estimator. It stays usable when a later stage fails.
    model_ : keras.Model
        The network after pruning, before quantization.
    tflite_model_ : bytes
        The file. When a later stage failed, that of the stage before: it runs in
        :class:`LiteRTModel`, not in :meth:`predict`.
    runtime_ : LiteRTModel
        The file, ready to run.
    report_ : CompressionReport
        Size, score and latency after each stage. Scores are computed on `X_val` when it is
        given to `fit`, else on the training rows.
    classes_ : ndarray of shape (n_classes,)
        Labels; classifiers only.
    n_features_in_ : int
        Features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where `X` has them.

    Raises
    ------
    ParameterError
        For a parameter outside its rule, or an estimator that holds no Keras network.
    ModelError
        For a network that cannot be compressed: subclassed with a `call` that cannot be traced,
        of several inputs or outputs, or quantized already. UnsupportedLayerError names the layer.
    DataError
        For NaN in the weights.
    ConversionError
        When a stage fails, or its file does not agree with the network.
    BudgetError
        When a limit is missed and `on_missed_budget` is "raise". The fitted attributes are
        then set, to be looked at.

    See Also
    --------
    compress : The same for a plain ``keras.Model``.
    CompressionDisplay : Draws ``report_``.

    References
    ----------
    .. [1] Jacob, B. et al. "Quantization and training of neural networks for efficient
       integer-arithmetic-only inference", CVPR, 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skopt_wrap import CompressedModel, KerasClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = KerasClassifier("dense", epochs=30, random_state=0)
    >>> model = CompressedModel(network, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    >>> len(model.tflite_model_) < 20_000
    True
    """

    runtime_: Any
    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        "estimator": [HasMethods(["fit", "predict"]), callable],
        "factorization": [object],  # make_plan checks what names and objects mean
        "distillation": [object],
        "pruning": [Real, Pruning, None],
        "clustering": [Integral, Clustering, None],
        "quantization": [str, Quantization, None],
        "quantization_aware": ["boolean"],
        "stages": [list, tuple, None],
        "fine_tune_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_score_drop": [Real, None],
        "max_size": [Real, str, None],
        "max_latency": [Real, str, None],
        "on_missed_budget": [StrOptions(set(ON_MISSED))],
        "scoring": [str, callable, None],
        "calibration_samples": [Interval(Integral, 1, None, closed="left")],
        "runtime": [StrOptions(set(RUNTIMES))],
        "num_threads": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        factorization: Any = None,
        distillation: Any = None,
        pruning: float | Pruning | None = None,
        clustering: int | Clustering | None = None,
        quantization: str | Quantization | None = "int8",
        quantization_aware: bool = False,
        stages: Sequence[CompressionStage] | None = None,
        fine_tune_epochs: int = 10,
        max_score_drop: float | None = None,
        max_size: int | str | None = None,
        max_latency: float | str | None = None,
        on_missed_budget: str = "raise",
        scoring: Any = None,
        calibration_samples: int = 256,
        runtime: str = "litert",
        num_threads: int = 1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.factorization = factorization
        self.distillation = distillation
        self.pruning = pruning
        self.clustering = clustering
        self.quantization = quantization
        self.quantization_aware = quantization_aware
        self.stages = stages
        self.fine_tune_epochs = fine_tune_epochs
        self.max_score_drop = max_score_drop
        self.max_size = max_size
        self.max_latency = max_latency
        self.on_missed_budget = on_missed_budget
        self.scoring = scoring
        self.calibration_samples = calibration_samples
        self.runtime = runtime
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        X_unlabelled: Any = None,
    ) -> CompressedModel:
        """Fit the estimator and compress its network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows, as `estimator` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, for the estimator, for fine-tuning and for the default score. Rows of
            weight zero calibrate nothing.
        X_val, y_val : array-like, default=None
            Held-out rows for the scores of the report and for `max_score_drop`. Nothing is
            trained on them.
        X_unlabelled : array-like of shape (n_more, ...), default=None
            Rows without labels, on which a student learns from its teacher (`distillation`).

        Returns
        -------
        self : CompressedModel
            The fitted model.
        """
        return self._fit_sharing(
            StageCache(), X, y, sample_weight, X_val=X_val, y_val=y_val, X_unlabelled=X_unlabelled
        )

    def _fit_sharing(
        self,
        cache: StageCache,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        X_unlabelled: Any = None,
    ) -> CompressedModel:
        """Fit as :meth:`fit` does, and share stages with other models by way of `cache`."""
        plan = make_plan({name: getattr(self, name) for name in PLANNED})
        budget = Budget.of(
            self.max_score_drop, self.max_size, self.max_latency, self.on_missed_budget
        )
        if (X_val is None) != (y_val is None):
            raise ParameterError("X_val and y_val must be given together.")
        check_estimator(self.estimator)
        for name in (*_LEARNED, *_MIRRORED, *_UNSAVED):
            self.__dict__.pop(name, None)
        with conversion_process().lease() as process:
            estimator = as_estimator(self.estimator, X, y, self.random_state)
            self.estimator_ = fit_estimator(estimator, X, y, sample_weight)
            for name in _MIRRORED:
                if hasattr(self.estimator_, name):
                    setattr(self, name, getattr(self.estimator_, name))
            parts = split_estimator(self.estimator_)
            X, y, sample_weight = weighted_rows(X, y, sample_weight)
            self._check_rows, rows = check_rows(X), parts.network_input(X)
            network, notes = as_graph(parts.network.model_, rows, "the trained network")
            held_out = X_val is not None
            eval_rows = (X_val, y_val, None) if held_out else (X, y, sample_weight)
            seen = SEEN if is_frozen(self.estimator) else "training rows"
            scored_on = "validation rows" if held_out else seen
            self.report_ = CompressionReport(scored_on, self._metric_name())
            pipeline = StagePipeline(
                plan=plan,
                model=network,
                x=rows,
                process=process,
                notes=notes,
                report=self.report_,
                score=lambda raw: self._score_of(raw, *eval_rows),
                seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
                say=self._say,
                cache=cache,
            )
            epochs = plan.fine_tune_epochs
            try:
                pipeline.run(lambda: parts.training_data(X, y, sample_weight, epochs, X_unlabelled))
            finally:  # a late failure leaves what the earlier stages reached
                self.model_ = pipeline.model
                if pipeline.runtime is not None:
                    self.tflite_model_ = pipeline.runtime.content
        self.runtime_ = pipeline.runtime
        self._fast()
        budget.check(self.report_)
        return self

    def _say(self, what: str) -> None:
        if self.verbose:
            print(f"[CompressedModel] {what}")

    def _metric_name(self) -> str:
        if self.scoring is None:
            return "accuracy" if is_classifier(self) else "r2"
        return scoring_name(self.scoring)

    def _score_of(self, raw: Raw, X: Any, y: Any, sample_weight: Any) -> float:
        """Score this model as if `raw` were its file."""
        view = copy.copy(self)
        view.runtime_ = raw
        return float(view.score(X, y, sample_weight))

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a file to predict with."""
        return "runtime_" in vars(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _UNSAVED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Prepare fast prediction again."""
        super().__setstate__(state)
        if self.__sklearn_is_fitted__():
            self._fast()

    def _inner(self) -> Any:
        """Return what this model is a classifier or a regressor by."""
        network = plain_network(self.estimator)
        if network is None:
            return self.estimator
        if hasattr(self, "estimator_"):
            return self.estimator_
        kinds = {"classifier": KerasClassifier(), "regressor": KerasRegressor()}
        return kinds.get(plain_kind(network) or "", _Undecided())

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        for name in (
            "estimator_type",
            "classifier_tags",
            "regressor_tags",
            "target_tags",
            "input_tags",
            "non_deterministic",
        ):
            setattr(tags, name, copy.deepcopy(getattr(inner, name)))
        return tags
