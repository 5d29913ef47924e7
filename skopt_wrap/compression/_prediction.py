"""Predictions, scores and exports of a compressed network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..exceptions import ParameterError
from ._delivery._deliver import Delivery, fold, keep, litert_files
from ._delivery._fitted import plain
from ._litert._export import c_header, write_export
from ._litert._fast_path import FastPath
from ._litert._runtime import LiteRTModel
from ._onnx._export import write_onnx
from ._process import conversion_process
from ._report import CompressionReport
from ._specs import as_quantization
from ._unwrap import restored, split_estimator


def _of_classifier(self: Any) -> bool:
    fast = self.__dict__.get("_fast_path")
    if fast.classifies if fast is not None else is_classifier(self):
        return True
    raise AttributeError("only a CompressedModel around a classifier has this method.")


def _categories(network: Any) -> dict[str, list[Any]]:
    """Return the categories of each column that holds some, in the order of their codes from 1."""
    encoder = getattr(network, "table_encoder_", None)
    if encoder is None:
        return {}
    return {
        str(encoder.labels[number]): list(known) for number, known in encoder.categories.items()
    }


class PredictionMixin:
    """Methods that run the compressed file, and not the network that it was made from."""

    quantization: Any
    scoring: Any
    _fast_path: FastPath
    # Learned by `fit`.
    estimator_: Any
    model_: Any
    runtime_: LiteRTModel
    report_: CompressionReport

    def _fast(self) -> FastPath:
        """Return what runs the file on rows, made at the end of `fit` and after unpickling."""
        fast: FastPath | None = self.__dict__.get("_fast_path")
        if fast is None or fast.runtime is not self.__dict__.get("runtime_"):
            check_is_fitted(self)
            parts = split_estimator(self.estimator_)
            steps = [step for step in parts.transformers if not hasattr(step, "fit_resample")]
            back = [partial(restored, target) for target in reversed(parts.targets)]
            fast = self._fast_path = FastPath(
                parts.network, self.runtime_, steps, parts.decision, back
            )
        return fast

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or values with the compressed file.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or values in float64.
        """
        state = self.__dict__
        fast = state.get("_fast_path")
        short = None if fast is None else fast.label_of_one
        if fast is not None and short is not None and fast.runtime is state.get("runtime_"):
            label = short(X)
            if label is not None:
                return label
        return self._fast().predict(X)

    @available_if(_of_classifier)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities with the compressed file.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), float64
            Probabilities, in the order of `classes_`.
        """
        fast = self._fast()
        return fast.decision.probabilities(fast.target, fast.outputs(X))

    @available_if(_of_classifier)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the class probabilities by the compressed file.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        fast = self._fast()
        return fast.target.log_probabilities(fast.outputs(X))

    @available_if(_of_classifier)
    def decision_function(self, X: Any) -> np.ndarray:
        """Return the confidence in each class by the compressed file.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        d : ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            One column for two classes.
        """
        fast = self._fast()
        return fast.decision.scores(fast.target, fast.outputs(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the compressed file.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; not used when `scoring` is given.

        Returns
        -------
        score : float
            `scoring`, or accuracy or R^2.
        """
        check_is_fitted(self)
        if self.scoring is not None:
            return check_scoring(self, self.scoring)(self, X, y)
        if is_classifier(self):
            y = self._fast().target.comparable(y)
            return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def export(
        self,
        path: str | Path,
        *,
        preprocessing: str = "keep",
        X: Any = None,
        units: Mapping[str, str] | None = None,
    ) -> Path:
        """Write the file, with a description of what goes in and comes out.

        The description is written into the file, with a checksum, and to a JSON file beside it:
        shapes, columns, classes, threshold, operations, versions, the report, and the learned
        numbers of every step that is not in the file. :class:`LiteRTModel` reads it.

        Parameters
        ----------
        path : str or path-like
            Where to write; ``.tflite`` is added when it is missing. The JSON file has the same
            name and ends in ``.json``. A path that ends in ``.onnx`` gives an ONNX file of the
            network's float32 numbers, as :func:`~skopt_wrap.compression.export_onnx` writes it:
            only for `quantization` None.
        preprocessing : {"keep", "fold"}, default="keep"
            "keep": the file is the compressed network, whose input is what the preprocessing
            returns. "fold": the steps in front of the network, the scaling of the target, the
            correction of shares and the threshold become operations of the file. It reads a row as
            the model does, with texts as codes, and answers what `predict_proba` returns and the
            number of the predicted class, or what `predict` of a regressor returns. The network's
            own operations stay as they are. A step that a file cannot hold stays in front, with
            those before it, and is named in the description.
        X : array-like of shape (n_rows, ...), default=None
            Rows as `fit` takes them, with which a file with "fold" is checked, row by row. None:
            rows of `fit`, which this object keeps in memory but not in its pickles.
        units : mapping of str to str, default=None
            Units of columns by name, for the description.

        Returns
        -------
        path : pathlib.Path
            The ``.tflite`` or ``.onnx`` file.

        Raises
        ------
        ParameterError
            For "fold" without rows, or with integer inputs. For an ``.onnx`` file of a model that
            is quantized, and without the packages of the extra ``onnx``.
        ConversionError
            When the file does not answer, to 1e-5, what the model predicts.
        """
        if Path(path).suffix == ".onnx":
            return self._export_onnx(path, preprocessing, X, units)
        delivery = self._deliver(preprocessing, X)
        return write_export(
            path,
            delivery.runtime,
            quantization=as_quantization(self.quantization).mode,
            report=plain(self.report_.to_dict()),
            units=units,
            categories=plain(_categories(split_estimator(self.estimator_).network)),
            **delivery.facts,
        )

    def to_c_array(self, name: str = "model", *, preprocessing: str = "keep", X: Any = None) -> str:
        """Return the file as C source text, for microcontrollers.

        Parameters
        ----------
        name : str, default="model"
            Name of the array; its length is ``<name>_len``.
        preprocessing : {"keep", "fold"}, default="keep"
            As for :meth:`export`.
        X : array-like of shape (n_rows, ...), default=None
            As for :meth:`export`.

        Returns
        -------
        source : str
            A header for C11 and C++11: the array, aligned to 16 bytes, between include guards.
            Its first comment names the operations, for a ``MicroMutableOpResolver``, says which of
            them TensorFlow Lite for Microcontrollers lacks, and gives scale and zero point of
            integer ends. The description that :meth:`export` writes is left out.
        """
        return c_header(self._deliver(preprocessing, X).runtime, name)

    def _export_onnx(
        self, path: str | Path, preprocessing: str, X: Any, units: Mapping[str, str] | None
    ) -> Path:
        """Write an ONNX file.

        Raises
        ------
        ParameterError
            For a quantized model, and without rows.
        """
        check_is_fitted(self)
        mode = as_quantization(self.quantization).mode
        if mode is not None:
            raise ParameterError(
                f"path ends in '.onnx', and an ONNX file holds the network's float32 numbers, "
                f"while this model has quantization={mode!r}: its predictions would be those of "
                "another file. Fit with quantization=None; or write the uncompressed estimator "
                "with skopt_wrap.compression.export_onnx(model.estimator_, path, X); or write a "
                ".tflite file. ONNX Runtime's own quantizer makes int8 of an .onnx file."
            )
        rows = self._rows_for_check(X, "an .onnx file")
        return write_onnx(
            path,
            split_estimator(self.estimator_),
            self.model_,
            rows,
            preprocessing,
            units,
            report=plain(self.report_.to_dict()),
        )

    def _deliver(self, preprocessing: str, X: Any) -> Delivery:
        """Return the file as it is delivered.

        Raises
        ------
        ParameterError
            For another word than "keep" and "fold", and for "fold" without rows.
        """
        check_is_fitted(self)
        parts = split_estimator(self.estimator_)
        if preprocessing == "keep":
            return keep(parts, self.runtime_)
        if preprocessing != "fold":
            raise ParameterError(f"preprocessing must be 'keep' or 'fold', got {preprocessing!r}.")
        rows = self._rows_for_check(X, "preprocessing='fold'")
        with conversion_process().lease() as process:
            return fold(parts, self.runtime_, rows, litert_files(self.runtime_, process))

    def _rows_for_check(self, X: Any, what: str) -> Any:
        """Return rows with which a file is checked.

        Raises
        ------
        ParameterError
            When there are none.
        """
        rows = self.__dict__.get("_check_rows") if X is None else X
        if rows is None or not (rows.shape[0] if hasattr(rows, "shape") else len(rows)):
            raise ParameterError(
                f"{what} needs rows to check the file with, and pickles hold none: "
                "give X, some rows as fit takes them."
            )
        return rows
