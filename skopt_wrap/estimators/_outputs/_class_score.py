"""The accuracy of a classifier, also for labels that are Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from .._targets._several import SeveralClasses


class ClassScoreMixin(ClassifierMixin):
    """scikit-learn's mixin of classifiers; the score takes every form of labels that `fit` does."""

    target_encoder_: Any
    predict: Any

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of the predicted labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels; with several columns a row counts when all of them are right.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Share of the rows whose label is right.
        """
        check_is_fitted(self)
        if isinstance(self.target_encoder_, SeveralClasses):
            predicted = self.predict(X).astype(object)
            right = (np.asarray(y, dtype=object) == predicted).all(axis=1)
            return float(np.average(right, weights=sample_weight))
        return float(super().score(X, self.target_encoder_.comparable(y), sample_weight))
