"""What `fit` learns of a table, and the network that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._keras import Columns
from ...architectures import prepare_inside, table_meta
from ._encoder import TableEncoder
from ._statistics import center_and_factor

# Categories up to which a column is taken apart into one column for each.
ONE_HOT_LIMIT = 8  # with missing and unknown values, 9 codes


@dataclass(frozen=True)
class Preparation:
    """How a network prepares a table.

    Parameters
    ----------
    columns : Columns
        What becomes of each column.
    center, factor : ndarray of shape (n_numbers,)
        Of each column of numbers.
    n_features : int
        Columns of the table.
    """

    columns: Columns
    center: np.ndarray
    factor: np.ndarray
    n_features: int

    @classmethod
    def learn(
        cls, matrix: np.ndarray, weights: np.ndarray, encoder: TableEncoder | None
    ) -> Preparation:
        """Learn from training rows.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_features)
            Numbers and codes.
        weights : ndarray of shape (n_samples,)
            Sample weights; rows of weight 0 do not count.
        encoder : TableEncoder or None
            Knows the columns of codes; None where all are numbers.
        """
        categories = {} if encoder is None else encoder.categories
        n_features = matrix.shape[1]
        numbers = tuple(k for k in range(n_features) if k not in categories)
        kept = matrix[weights > 0]
        gaps = np.isnan(kept).any(axis=0) if matrix.dtype.kind == "f" else np.zeros(n_features)
        small = {k: len(v) for k, v in categories.items() if len(v) <= ONE_HOT_LIMIT}
        large = {k: len(v) for k, v in categories.items() if len(v) > ONE_HOT_LIMIT}
        columns = Columns(
            numbers=numbers,
            one_hot=tuple(sorted(small.items())),
            indicators=tuple(k for k in numbers if gaps[k]),
            codes=tuple((k, n + 1) for k, n in sorted(large.items())),
        )
        pairs = [center_and_factor(matrix[:, k], weights) for k in numbers]
        center, factor = np.array(pairs, "float64").reshape(-1, 2).T
        return cls(columns, center, factor, n_features)

    def meta(self, n_samples: int) -> dict[str, Any]:
        """Return what a builder is told of the prepared columns."""
        return table_meta(self.columns, n_samples)

    def blank_rows(self, dtype: str) -> np.ndarray:
        """Return two prepared rows of zeros."""
        return np.zeros((2, self.columns.n_columns), dtype)

    def put_in(self, network: Any) -> Any:
        """Return a network that prepares tables by itself and then does what `network` does.

        Parameters
        ----------
        network : keras.Model
            For the prepared columns. It is not changed.
        """
        return prepare_inside(network, self.columns, self.center, self.factor, self.n_features)
