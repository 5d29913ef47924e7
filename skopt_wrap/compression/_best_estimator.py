"""The methods of a search that its best estimator answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _classifies(self: BestEstimatorMixin) -> bool:
    if is_classifier(self):
        return True
    raise AttributeError("only a CompressionSearch around a classifier has this method.")


class BestEstimatorMixin:
    """Predictions, scores and files of ``best_estimator_``."""

    # Learned by `fit`.
    best_estimator_: Any

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels or values with the file of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or values in float64.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_classifies)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities with the file of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), float64
            Probabilities, in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_classifies)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the class probabilities by the file of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X)

    @available_if(_classifies)
    def decision_function(self, X: Any) -> np.ndarray:
        """Return the confidence in each class by the file of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows.

        Returns
        -------
        d : ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            One column for two classes.
        """
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the file of the best estimator.

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
        return self.best_estimator_.score(X, y, sample_weight)

    def export(self, path: str | Path) -> Path:
        """Write the file of the best estimator; see :meth:`CompressedModel.export`.

        Parameters
        ----------
        path : str or path-like
            Where to write.

        Returns
        -------
        path : pathlib.Path
            The ``.tflite`` file.
        """
        check_is_fitted(self)
        return self.best_estimator_.export(path)
