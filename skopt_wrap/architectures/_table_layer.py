"""The first layer of a network that prepares tables.

This file imports Keras: import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from .._keras import Columns, prepare_columns


@keras.saving.register_keras_serializable(package="skopt_wrap")
class PreparedTable(keras.layers.Layer):
    """Scale numbers, fill gaps, and take categories apart; nothing of it is trained.

    An estimator puts it in front of the networks of architectures that ask for prepared tables, and
    sets what it learned from the training rows.

    Parameters
    ----------
    columns : Columns or dict
        What becomes of each column: "numbers", "indicators" of their gaps, "one_hot" (pairs of a
        column of codes and how many categories it has) and "codes" (the same, passed on).
    **kwargs : dict
        Arguments of ``keras.layers.Layer``: name, dtype.

    Attributes
    ----------
    center, factor : keras.Variable of shape (n_numbers,)
        What is subtracted from numbers, and what the difference is multiplied by.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from skopt_wrap.architectures import PreparedTable
    >>> columns = {"numbers": [0], "one_hot": [[1, 3]], "indicators": [0], "codes": []}
    >>> layer = PreparedTable(columns)
    >>> layer(np.array([[0.5, 2.0], [np.nan, 0.0]], "float32")).numpy().round(2).tolist()
    [[0.49000000953674316, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(self, columns: Columns | dict[str, Any], **kwargs: Any) -> None:
        # Codes and large numbers need the precision that they came in.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.columns = columns if isinstance(columns, Columns) else Columns.of(columns)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the statistics, which the estimator sets.

        Parameters
        ----------
        input_shape : tuple of int or None
            (None, n_features).
        """
        shape = (len(self.columns.numbers),)
        for name, start in (("center", "zeros"), ("factor", "ones")):
            weight = self.add_weight(name=name, shape=shape, initializer=start, trainable=False)
            setattr(self, name, weight)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the prepared columns.

        Parameters
        ----------
        inputs : tensor of shape (n_rows, n_features)
            Numbers and codes.
        """
        center, factor = (keras.ops.cast(w, inputs.dtype) for w in (self.center, self.factor))
        return prepare_columns(inputs, center, factor, self.columns)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return (n_rows, n_columns).

        Parameters
        ----------
        input_shape : tuple of int or None
            (None, n_features).
        """
        return (*input_shape[:-1], self.columns.n_columns)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        config = super().get_config()
        config.pop("autocast", None)
        return {**config, "columns": self.columns.config()}
