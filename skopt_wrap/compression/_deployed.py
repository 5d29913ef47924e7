"""Predictions, scores and exports of a compressed network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._export import write_export
from ._parts import take_apart
from ._runtime import LiteRTModel


def _of_classifier(self: Any) -> bool:
    if is_classifier(self):
        return True
    raise AttributeError("only a CompressedModel around a classifier has this method.")


class DeployedMixin:
    """Everything that runs the compressed file and not the network it was made from."""

    quantization: str | None
    scoring: Any
    # Learned by `fit`.
    estimator_: Any
    runtime_: LiteRTModel

    def _raw(self, X: Any) -> tuple[Any, np.ndarray]:
        check_is_fitted(self)
        parts = take_apart(self.estimator_)
        return parts.network.target_encoder_, self.runtime_(parts.network_input(X))

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
        target, raw = self._raw(X)
        return target.labels(raw) if is_classifier(self) else target.values(raw)

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
        target, raw = self._raw(X)
        return target.probabilities(raw)

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
        target, raw = self._raw(X)
        return target.decision(raw)

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
        measure = accuracy_score if is_classifier(self) else r2_score
        return measure(y, self.predict(X), sample_weight=sample_weight)

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
        parts = take_apart(self.estimator_)
        target = parts.network.target_encoder_
        return write_export(
            path,
            self.runtime_,
            output_kind=target.output_kind_,
            target_type=target.target_type_,
            classes=getattr(target, "classes_", None),
            quantization=self.quantization,
            preprocessing=[
                repr(step) for step in parts.transformers if not hasattr(step, "fit_resample")
            ],
        )
