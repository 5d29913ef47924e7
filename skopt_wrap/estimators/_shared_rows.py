"""One copy of the rows that several fits take their own from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..training import TrainingData
from ._fit_steps import Fitting


class SharedRows:
    """The arrays that are given to more than one job, as networks take them.

    Parameters
    ----------
    arrays : iterable of array-like
        ``X`` of each job that takes some of its rows.
    """

    def __init__(self, arrays: Iterable[Any]) -> None:
        self._counts = Counter(id(X) for X in arrays)
        self._encoded: dict[tuple[int, str], np.ndarray | None] = {}

    def put_in(self, data: TrainingData, fitting: Fitting, job: Any) -> TrainingData:
        """Return `data` with the shared array in the place of its own copy of some rows."""
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        rows = _positions(job.rows, len(x))
        split = fitting.split[0]
        return replace(data, x=x, rows=rows if split is None else rows[split])

    def held_out(self, fitting: Fitting, job: Any) -> TrainingData | None:
        """Return the validation rows, in the shared array where they come from it."""
        data, split = fitting.held_out, fitting.split[1]
        if data is None or split is None:
            return data
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        return replace(data, x=x, rows=_positions(job.rows, len(x))[split])

    def _rows(self, fitting: Fitting, job: Any, like: Any) -> np.ndarray | None:
        """Return all rows of ``job.X``, or None when there is nothing to share."""
        if job.rows is None or self._counts[id(job.X)] < 2 or sp.issparse(like):
            return None
        key = (id(job.X), like.dtype.str)
        if key not in self._encoded:
            try:
                X = fitting.estimator._check_X(job.X, reset=False)
            except ValueError:
                X = None  # rows that no fit takes, perhaps; each keeps a copy of its own
            self._encoded[key] = None if X is None else X.astype(like.dtype, copy=False)
        return self._encoded[key]


def _positions(rows: Any, n_rows: int) -> np.ndarray:
    return np.arange(n_rows)[rows]
