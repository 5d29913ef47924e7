"""Rows that are given to more than one fit: one copy for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...training import TrainingData
from .._fit_steps import Fitting
from ._fit_job import FitJob


class SharedRows:
    """The arrays that are given to more than one job, as networks take them."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._kept: list[Any] = []  # so that their ids stay theirs
        self._encoded: dict[tuple[int, str], np.ndarray | None] = {}

    def expect(self, arrays: Iterable[Any]) -> None:
        """Note ``X`` of each job that takes some of its rows."""
        for X in arrays:
            self._counts[id(X)] += 1
            self._kept.append(X)

    def put_in(self, data: TrainingData, fitting: Fitting, job: FitJob) -> TrainingData:
        """Return `data` with the shared array in the place of its own copy of some rows."""
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        rows = _positions(job.rows, len(x))
        split = fitting.split[0]
        return replace(data, x=x, rows=rows if split is None else rows[split])

    def held_out(self, fitting: Fitting, job: FitJob) -> TrainingData | None:
        """Return the validation rows, in the shared array where they come from it."""
        data, split = fitting.held_out, fitting.split[1]
        if data is None or split is None:
            return data
        x = self._rows(fitting, job, data.x)
        if x is None:
            return data
        return replace(data, x=x, rows=_positions(job.rows, len(x))[split])

    def _rows(self, fitting: Fitting, job: FitJob, like: Any) -> np.ndarray | None:
        """Return all rows of ``job.X``, or None when there is nothing to share."""
        own_length = hasattr(fitting.estimator, "sequence_length_")
        if job.rows is None or self._counts[id(job.X)] < 2 or sp.issparse(like) or own_length:
            return None
        encoder = fitting.estimator.table_encoder_
        if encoder is not None and encoder.categories:
            return None  # each fit has codes of its own
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
