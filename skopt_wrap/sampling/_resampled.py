"""Put the originals and the new samples together, in one container and with their dtypes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from ._columns import (
    has_large_integers,
    is_frame,
    numeric_columns,
    numeric_part,
    write_numeric,
)
from ._containers import Data, stack, take
from ._row_blocks import Job, collect_sparse, fill
from ._strategy import Target, one_hot


def new_data(
    data: Data, job: Job, seed: np.random.SeedSequence, kept: np.ndarray, n_jobs: int | None
) -> Any:
    """Return the originals that are kept and the new samples in one container."""
    values = data.values
    start = len(kept)
    if data.kind == "tabular" and _by_column(values):
        return _new_table(data, job, seed, kept, n_jobs)
    if 0 < start < data.n:
        values = take(values, kept)
    if sparse.issparse(values):
        new = collect_sparse(job, seed, n_jobs) if job.n_new else values[:0]
        return sparse.vstack([values, new], format="csr") if start else new
    out = np.empty((start + job.n_new, *values.shape[1:]), dtype=values.dtype)
    out[:start] = values[:start]
    fill(out[start:], job, seed, n_jobs)
    return out


def _new_table(
    data: Data, job: Job, seed: np.random.SeedSequence, kept: np.ndarray, n_jobs: int | None
) -> Any:
    """Return the kept rows and the new ones of a table whose columns have several dtypes.

    Rows are copied first, in whatever dtypes they have; then changed numbers are written.
    """
    if job.values is data.values:
        result = take(data.values, np.concatenate([kept, job.sources]))
    else:
        new = take(job.values, job.sources)
        result = stack(take(data.values, kept), new) if len(kept) else new
    if not job.n_new or not job.policy.stages or not numeric_columns(data.values):
        return result
    part = numeric_part(job.values)
    changed = np.empty((job.n_new, part.shape[1]))
    before = part[job.sources]
    fill(changed, replace(job, values=part), seed, n_jobs)
    return write_numeric(result, len(kept), before, changed, data.values)


def mixed_target(y: Any, y_new: Any, target: Target, labels: np.ndarray, kept: np.ndarray) -> Any:
    """Return the target with the mixed labels of the new samples."""
    whole = np.concatenate([one_hot(target)[kept], labels])
    if target.labels is not None or isinstance(y, list | tuple):
        return whole if np.ndim(y_new) == 2 or target.labels is not None else whole[:, 0]
    if hasattr(y_new, "columns"):
        return type(y_new)(whole, columns=y_new.columns)
    if hasattr(y_new, "name"):
        return type(y_new)(whole[:, 0], name=y_new.name)
    return whole.reshape(y_new.shape)


def _by_column(X: Any) -> bool:
    """Return whether a table has to be worked on column by column, to keep its dtypes."""
    if sparse.issparse(X):
        return False
    return is_frame(X) or X.dtype.kind not in "iuf" or has_large_integers(X)
