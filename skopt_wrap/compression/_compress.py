"""Compression of a plain Keras model, for code that uses no estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._keras import output_kind
from ..exceptions import DataError, ParameterError
from ._budget import Budget
from ._fine_tuning_data import FineTuningData
from ._litert._export import c_header, write_export
from ._litert._runtime import LiteRTModel
from ._plan import PLANNED, make_plan
from ._process import conversion_process
from ._report import CompressionReport
from ._serialization import as_graph
from ._specs import Clustering, Pruning, Quantization, as_count
from ._stage import CompressionStage
from ._stages._pipeline import Raw, StagePipeline


@dataclass
class CompressionResult:
    """What :func:`compress` returns.

    Parameters
    ----------
    model : keras.Model
        The network after pruning, before quantization. The model given to :func:`compress`
        itself when it was not pruned.
    runtime : LiteRTModel
        The file, ready to run.
    report : CompressionReport
        Size, score and latency after each stage.
    quantization : str or None
        Mode of the file.
    output_kind : {"logits", "probabilities"}
        What a classifier's outputs are.
    """

    model: Any
    runtime: LiteRTModel
    report: CompressionReport
    quantization: str | None
    output_kind: str

    @property
    def tflite_model(self) -> bytes:
        """The file."""
        return self.runtime.content

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the raw outputs of the file.

        Parameters
        ----------
        X : ndarray of shape (n_rows, ...)
            Rows as the network takes them.

        Returns
        -------
        outputs : ndarray of shape (n_rows, ...), float32
            Raw outputs.
        """
        return self.runtime(X)

    def export(self, path: str | Path) -> Path:
        """Write the file, and a JSON file beside it that says what goes in and comes out.

        Parameters
        ----------
        path : str or path-like
            Where to write; ``.tflite`` is added when it is missing.

        Returns
        -------
        path : pathlib.Path
            The ``.tflite`` file.
        """
        return write_export(
            path,
            self.runtime,
            output_kind=self.output_kind,
            quantization=self.quantization,
        )

    def to_c_array(self, name: str = "model") -> str:
        """Return the file as C source text; see :meth:`CompressedModel.to_c_array`.

        Parameters
        ----------
        name : str, default="model"
            Name of the array.

        Returns
        -------
        source : str
            A header for C11 and C++11.
        """
        return c_header(self.runtime, name)


def compress(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    factorization: Any = None,
    distillation: Any = None,
    pruning: float | Pruning | None = None,
    clustering: int | Clustering | None = None,
    quantization: str | Quantization | None = "int8",
    quantization_aware: bool = False,
    stages: Sequence[CompressionStage] | None = None,
    metric: Callable[[np.ndarray, np.ndarray], float] | None = None,
    X_val: Any = None,
    y_val: Any = None,
    loss: Any = None,
    fine_tune_epochs: int = 10,
    batch_size: int = 32,
    calibration_samples: int = 256,
    max_score_drop: float | None = None,
    max_size: int | str | None = None,
    max_latency: float | str | None = None,
    on_missed_budget: str = "raise",
    runtime: str = "litert",
    num_threads: int = 1,
    random_state: Any = None,
    verbose: int = 0,
) -> CompressionResult:
    """Compress a trained Keras model.

    Parameters
    ----------
    model : keras.Model
        Built model with one input and one output: Sequential, Functional, or a subclassed one whose
        `call` can be traced. Dimensions of a row that it leaves open, such as the number of time
        steps, are fixed at those of `X`. It is not changed.
    X : array-like of shape (n_rows, ...)
        Rows as the network takes them, to calibrate, tune and measure with.
    y : array-like of shape (n_rows, ...), default=None
        Targets as the loss takes them. Needed for pruning with a loss, and for `metric`.
    factorization : str or Factorization, default=None
        Layers as products of smaller ones; see :class:`CompressedModel`.
    distillation : float, str, callable, keras.Model or Distillation, default=None
        A smaller network that learns from `model`; see :class:`CompressedModel`.
    pruning : float or Pruning, default=None
        Fraction in [0, 1) of each kernel to set to zero while fine-tuning.
    clustering : int or Clustering, default=None
        Number of distinct values that each kernel keeps.
    quantization : {"dynamic", "float16", "int8", "int16x8", "int4"}, Quantization or None, \
            default="int8"
        What the file's numbers are; see :class:`CompressedModel`.
    quantization_aware : bool, default=False
        Whether to fine-tune with the rounding of the int8 file.
    stages : sequence of CompressionStage, default=None
        Further stages; see :class:`CompressionStage`.
    metric : callable, default=None
        ``metric(y_true, raw_outputs) -> float``, higher is better, for the report and
        `max_score_drop`. None leaves scores out.
    X_val, y_val : array-like, default=None
        Held-out rows for `metric`; None uses `X` and `y`.
    loss : str or keras.losses.Loss, default=None
        Loss for fine-tuning; None takes the one the model was compiled with. A network without
        a loss, or without `y`, is tuned on the trained network's own outputs.
    fine_tune_epochs : int, default=10
        Epochs of fine-tuning while pruning.
    batch_size : int, default=32
        Rows of one step of fine-tuning.
    calibration_samples : int, default=256
        Rows on which ranges for "int8" and "int16x8" are measured.
    max_score_drop, max_size, max_latency : float, int or str, default=None
        Limits on the result; see :class:`CompressedModel`.
    on_missed_budget : {"raise", "warn"}, default="raise"
        What happens when the result is beyond a limit.
    runtime : {"litert"}, default="litert"
        What runs the file.
    num_threads : int, default=1
        Threads of the LiteRT interpreter.
    random_state : int, RandomState instance or None, default=None
        Draws the calibration rows and seeds fine-tuning.
    verbose : int, default=0
        Above 0, each stage is printed as it begins.

    Returns
    -------
    result : CompressionResult
        File, network and report.

    Raises
    ------
    SkoptWrapError
        See :class:`CompressedModel`. When a stage fails or a limit is missed, the error's
        attribute ``result`` is the CompressionResult of the stages that ended; its
        ``quantization`` is None when the file is not quantized yet.

    See Also
    --------
    CompressedModel : The same as a scikit-learn estimator.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.compression import compress
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    >>> result = compress(model, X, quantization="float16", random_state=0)
    >>> result.predict(X).shape
    (50, 3)
    """
    given = locals()  # before any other name is bound: the parameters
    plan = make_plan({name: given[name] for name in PLANNED})
    budget = Budget.of(max_score_drop, max_size, max_latency, on_missed_budget)
    batch_size = as_count(batch_size, "batch_size")
    X = np.asarray(X)
    wanted = getattr(model, "loss", None) if loss is None else loss
    model, notes = as_graph(model, X)
    if (X_val is None) != (y_val is None):
        raise ParameterError("X_val and y_val must be given together.")
    held_out = X_val is not None
    if held_out:
        X_val = np.asarray(X_val)
        _check_rows(X_val, model, "X_val")
    _check_rows(X, model, "X")
    if y is not None and len(y) != len(X):
        raise DataError(f"X and y must have as many rows, got {len(X)} and {len(y)}.")
    if y is not None and any(stage.trains for stage in plan.stages):
        dtype = np.asarray(y).dtype
        if dtype.kind not in "biuf":
            raise DataError(f"y must hold numbers, as the loss takes them, got dtype {dtype}.")
    x_score, y_score = (X_val, y_val) if held_out else (X, y)
    if metric is not None and y_score is None:
        raise ParameterError("metric needs y, or X_val and y_val.")
    if max_score_drop is not None and metric is None:
        raise ParameterError("max_score_drop needs a metric.")

    def score(raw: Raw) -> float | None:
        return None if metric is None else float(metric(y_score, raw(x_score)))

    def training_data() -> FineTuningData:
        target = None if y is None or wanted is None else np.asarray(y)
        return FineTuningData(X, target, None, wanted, plan.fine_tune_epochs, batch_size)

    with conversion_process().lease() as process:
        pipeline = StagePipeline(
            plan=plan,
            model=model,
            x=X,
            process=process,
            notes=notes,
            report=CompressionReport(
                "validation rows" if held_out else "training rows",
                getattr(metric, "__name__", "metric") if metric is not None else "no metric",
            ),
            score=score,
            seed=int(check_random_state(random_state).randint(2**31 - 1)),
            say=lambda what: print(f"[compress] {what}") if verbose else None,
        )
        try:
            pipeline.run(training_data)
            budget.check(pipeline.report)
        except Exception as error:
            if pipeline.runtime is not None:
                error.result = _result(pipeline, wanted)  # type: ignore[attr-defined]
            raise
    return _result(pipeline, wanted)


def _result(pipeline: StagePipeline, loss: Any) -> CompressionResult:
    """Return what the stages that ended made."""
    assert pipeline.runtime is not None
    kind = output_kind(pipeline.model, loss)
    return CompressionResult(
        pipeline.model, pipeline.runtime, pipeline.report, pipeline.quantization, kind
    )


def _check_rows(X: np.ndarray, model: Any, name: str) -> None:
    """Raise unless `model` takes the rows of `X`."""
    shape = tuple(model.inputs[0].shape[1:])
    if X.shape[1:] != shape:
        raise DataError(f"{name} must have rows of shape {shape}, got an array of shape {X.shape}.")
