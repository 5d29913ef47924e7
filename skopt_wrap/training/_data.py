"""Samples, targets and weights of one training or validation set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class TrainingData:
    """Arrays of one data set, aligned by row.

    Parameters
    ----------
    x : ndarray of shape (n_rows, ...) or csr_matrix or csr_array
        Rows as the network takes them; sparse rows are made dense a few batches at a time.
    y : ndarray of shape (n_rows, ...)
        Targets as the loss takes them.
    weights : ndarray of shape (n_rows,)
        Sample weights.
    rows : ndarray of shape (n_rows,), default=None
        Positions in `x`, which may hold the rows of other data sets too; None when `x` holds
        these rows only.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.training import TrainingData
    >>> len(TrainingData(np.zeros((3, 2)), np.zeros(3), np.ones(3)))
    3
    """

    x: Any
    y: np.ndarray
    weights: np.ndarray
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return self.y.shape[0]

    @property
    def sparse(self) -> bool:
        """Whether the rows are kept in a sparse matrix."""
        return sp.issparse(self.x)

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the dense rows, targets and weights at the positions `rows`."""
        x = self.x[rows if self.rows is None else self.rows[rows]]
        return (x.toarray() if self.sparse else x), self.y[rows], self.weights[rows]


def batch_plan(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Split an order of rows into a table of whole batches and, where rows remain, a last one.

    Parameters
    ----------
    order : ndarray of shape (n_rows,)
        Positions of the rows in the order in which they are used.
    batch_size : int
        Rows per batch.

    Returns
    -------
    tables : list of ndarray of shape (n_batches, rows_per_batch)
        int32 tables, one or two of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.training._data import batch_plan
    >>> [table.tolist() for table in batch_plan(np.arange(5), 2)]
    [[[0, 1], [2, 3]], [[4]]]
    """
    order = order.astype(np.int32, copy=False)
    whole = len(order) // batch_size * batch_size
    tables = []
    if whole:
        tables.append(order[:whole].reshape(-1, batch_size))
    if whole < len(order):
        tables.append(order[whole:].reshape(1, -1))
    return tables
