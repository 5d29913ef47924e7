"""The layer of the network for texts that Keras does not have."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="skopt_wrap")
class ImportanceAverage(keras.layers.Layer):
    r"""Average the vectors of a text, weighted by the exponentials of their importance.

    :math:`\sum_i e^{s_i} v_i / \sum_i e^{s_i}` over the places whose id is not 0.

    Parameters
    ----------
    **options
        Arguments of ``keras.layers.Layer``.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.architectures import ImportanceAverage
    >>> vectors = np.array([[[1.0], [3.0], [9.0]]])
    >>> ids, importance = np.array([[5, 7, 0]]), np.zeros((1, 3, 1))
    >>> np.asarray(ImportanceAverage()([vectors, importance, ids])).tolist()
    [[2.0]]
    """

    def call(self, inputs: Any) -> Any:
        """Return the averages.

        Parameters
        ----------
        inputs : list of tensor
            Vectors of shape (n_rows, n_ids, width), importance of shape (n_rows, n_ids, 1), and ids
            of shape (n_rows, n_ids).

        Returns
        -------
        outputs : tensor of shape (n_rows, width)
            Averages; zeros for a row without ids.
        """
        vectors, importance, ids = inputs
        there = ops.cast(ops.expand_dims(ops.not_equal(ids, 0), -1), importance.dtype)
        weights = ops.exp(importance) * there
        total = ops.sum(weights, axis=1)
        return ops.sum(vectors * weights, axis=1) / ops.maximum(total, 1e-6)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the outputs.

        Parameters
        ----------
        input_shape : list of tuple
            Shapes of the inputs.

        Returns
        -------
        shape : tuple
            Shape of the outputs.
        """
        vectors = input_shape[0]
        return (vectors[0], vectors[-1])
