"""Predictions, scores and exports of a compressed network."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._litert._export import c_header, write_export
from ._litert._fast_path import FastPath
from ._litert._runtime import LiteRTModel
from ._specs import as_quantization
from ._unwrap import restored, split_estimator


def _of_classifier(self: Any) -> bool:
    fast = self.__dict__.get("_fast_path")
    if fast.classifies if fast is not None else is_classifier(self):
        return True
    raise AttributeError("only a CompressedModel around a classifier has this method.")


class PredictionMixin:
    """Methods that run the compressed file, and not the network that it was made from."""

    quantization: Any
    scoring: Any
    _fast_path: FastPath
    # Learned by `fit`.
    estimator_: Any
    runtime_: LiteRTModel

    def _fast(self) -> FastPath:
        """Return what runs the file on rows, made at the end of `fit` and after unpickling."""
        fast: FastPath | None = self.__dict__.get("_fast_path")
        if fast is None or fast.runtime is not self.__dict__.get("runtime_"):
            check_is_fitted(self)
            parts = split_estimator(self.estimator_)
            steps = [step for step in parts.transformers if not hasattr(step, "fit_resample")]
            back = [partial(restored, target) for target in reversed(parts.targets)]
            fast = self._fast_path = FastPath(
                parts.network, self.runtime_, steps, parts.threshold, back
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
        return fast.target.probabilities(fast.outputs(X))

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
        return fast.target.decision(fast.outputs(X))

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

    def export(self, path: str | Path) -> Path:
        """Write the file, and a JSON file beside it that says what goes in and comes out.

        Parameters
        ----------
        path : str or path-like
            Where to write; ``.tflite`` is added when it is missing. The JSON file has the same
            name and ends in ``.json``.

        Returns
        -------
        path : pathlib.Path
            The ``.tflite`` file.
        """
        check_is_fitted(self)
        parts = split_estimator(self.estimator_)
        target = parts.network.target_encoder_
        return write_export(
            path,
            self.runtime_,
            output_kind=target.output_kind_,
            target_type=target.target_type_,
            classes=getattr(target, "classes_", None),
            quantization=as_quantization(self.quantization).mode,
            decision_threshold=parts.threshold,
            preprocessing=[
                repr(step) for step in parts.transformers if not hasattr(step, "fit_resample")
            ],
            target_transformers=[repr(target.transformer_) for target in parts.targets],
        )

    def to_c_array(self, name: str = "model") -> str:
        """Return the file as C source text, for microcontrollers.

        Parameters
        ----------
        name : str, default="model"
            Name of the array; its length is ``<name>_len``.

        Returns
        -------
        source : str
            A header for C11 and C++11: the array, aligned to 16 bytes, between include guards.
            Its first comment names the operations, for a ``MicroMutableOpResolver``.
        """
        check_is_fitted(self)
        return c_header(self.runtime_, name)
