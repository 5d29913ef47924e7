"""What both estimators offer beside the methods of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._fit_steps import initialize
from .._inputs._batches import predict_batches
from .._members import spread


class MorePredictions:
    """A network used as it is, predictions for batches, and the disagreement of members."""

    def initialize(self, X: Any, y: Any) -> Any:
        """Build the network for these data, and use it as it is, without training.

        This puts a network that is trained already behind the methods of scikit-learn. With
        ``warm_start=True``, or by ``partial_fit``, training goes on from its weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows as the network takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets. A classifier learns its classes from them, in their sorted order.

        Returns
        -------
        self : object
            The estimator: `history_` is empty, and `n_iter_` is 0.

        Raises
        ------
        DataError, ParameterError, ModelError
            As `fit` raises them.

        Examples
        --------
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> from skopt_wrap import KerasClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
        >>> trained = keras.Sequential(layers)  # trained elsewhere
        >>> classifier = KerasClassifier(trained).initialize(X, y)
        >>> bool((classifier.predict(X) == trained.predict(X, verbose=0).argmax(axis=1)).all())
        True
        """
        return initialize(self, X, y)

    def predict_dataset(
        self, dataset: Any, *, method: str = "predict", steps: int | None = None
    ) -> Any:
        """Return the predictions for all rows of batches that need not fit in memory.

        Parameters
        ----------
        dataset : tf.data.Dataset, keras.utils.PyDataset, generator or callable
            Batches ``X``, ``(X, y)`` or ``(X, y, sample_weight)``, of which X is used; it may be a
            dict by the names of the network's inputs. A callable returns a generator.
        method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}, \
                default="predict"
            What is called on the X of every batch.
        steps : int, default=None
            Batches to use; needed for a dataset without an end.

        Returns
        -------
        predictions : ndarray, or list of ndarray, of shape (n_samples, ...)
            What the method returns, for all batches, in their order.
        """
        return predict_batches(self, dataset, method, steps)

    def predict_spread(self, X: Any) -> np.ndarray:
        """Return how far the members are apart: a measure of doubt.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        spread : ndarray of shape (n_samples,), or (n_samples, n_outputs) for several outputs
            For classes, the total variation distance, in [0, 1], of a member's probabilities from
            the mean, averaged over the members: 0 where all agree. For several labels or numbers,
            a column for each. For numbers, the standard deviation of the members' predictions,
            in the units of `y`.

        Raises
        ------
        ParameterError
            When the estimator was fitted with a single network.
        """
        check_is_fitted(self)
        return spread(self, X)
