"""Samples, targets and weights of one training or validation set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class TrainingData:
    """Arrays of one data set, aligned by row.

    Parameters
    ----------
    x : ndarray of shape (n_rows, ...) or csr_matrix or csr_array, or dict of ndarray
        Rows as the network takes them; sparse rows are made dense a few batches at a time. A dict
        holds an array for each input of the network.
    y : ndarray of shape (n_rows, ...), or list or dict of ndarray
        Targets as the loss takes them; for each output of the network, where it has several.
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
    y: Any
    weights: np.ndarray
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return self.weights.shape[0]

    @property
    def sparse(self) -> bool:
        """Whether the rows are kept in a sparse matrix."""
        return sp.issparse(self.x)

    @property
    def plain(self) -> bool:
        """Whether the network has one input of numbers and one output."""
        nested = isinstance(self.x, Mapping) or isinstance(self.y, Mapping | list)
        return not nested and self.x.dtype != object

    def take(self, rows: np.ndarray) -> tuple[Any, Any, np.ndarray]:
        """Return the dense rows, targets and weights at the positions `rows`."""
        at = rows if self.rows is None else self.rows[rows]
        x = self.x[at].toarray() if self.sparse else map_arrays(lambda a: a[at], self.x)
        return x, map_arrays(lambda a: a[rows], self.y), self.weights[rows]


def map_arrays(function: Callable[[np.ndarray], Any], nested: Any) -> Any:
    """Apply a function to an array, or to each array of a list or dict.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.training._data import map_arrays
    >>> map_arrays(len, {"a": np.zeros(3), "b": np.zeros(2)})
    {'a': 3, 'b': 2}
    """
    if isinstance(nested, Mapping):
        return {name: function(array) for name, array in nested.items()}
    if isinstance(nested, list):
        return [function(array) for array in nested]
    return function(nested)


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
