"""What a classifier predicts: labels, probabilities, confidences."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._rows import refuse_arguments


class ClassPredictions:
    """The methods of :class:`~skopt_wrap.KerasClassifier` that predict."""

    target_encoder_: Any
    network_output: Any

    def predict(self, X: Any, **unknown: Any) -> np.ndarray:
        """Return the predicted labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        **unknown
            Nothing is taken; the error says what to do instead of ``predict(X, batch_size=...)``.

        Returns
        -------
        labels : ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels from `classes_`, or a 0/1 indicator; one column for each output of a network
            with several.
        """
        refuse_arguments("predict", unknown)
        outputs = self.network_output(X)
        return self.target_encoder_.labels(outputs)

    def predict_proba(self, X: Any, **unknown: Any) -> Any:
        """Return class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        **unknown
            Nothing is taken; the error says what to do instead of ``predict(X, batch_size=...)``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            One column per class, in the order of `classes_`; for a multilabel target the
            probability of each label. A list of such arrays, one for each column of `y`, where
            the network has several outputs, as scikit-learn's multi-output classifiers give it.
        """
        refuse_arguments("predict_proba", unknown)
        outputs = self.network_output(X)
        return self.target_encoder_.probabilities(outputs)

    def predict_log_proba(self, X: Any, **unknown: Any) -> Any:
        """Return the logarithm of the class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        **unknown
            Nothing is taken; the error says what to do instead of ``predict(X, batch_size=...)``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            One column per class; a list of arrays where the network has several outputs.
        """
        refuse_arguments("predict_log_proba", unknown)
        outputs = self.network_output(X)
        return self.target_encoder_.log_probabilities(outputs)

    def decision_function(self, X: Any, **unknown: Any) -> Any:
        """Return the confidence in each class before it becomes a probability.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.
        **unknown
            Nothing is taken; the error says what to do instead of ``predict(X, batch_size=...)``.

        Returns
        -------
        confidence : ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            One number per row for two classes, positive for ``classes_[1]``; a list of arrays
            where the network has several outputs.
        """
        refuse_arguments("decision_function", unknown)
        outputs = self.network_output(X)
        return self.target_encoder_.decision(outputs)
