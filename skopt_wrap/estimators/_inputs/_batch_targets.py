"""The targets of a batch: one array, or one for each output of the network by name or in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...exceptions import DataError
from ._cells import decoded


def is_nested(y: Any) -> bool:
    """Return whether a batch gives its targets as a dict, or as a list or tuple of arrays."""
    if isinstance(y, Mapping):
        return True
    if not isinstance(y, list | tuple) or not y:
        return False
    return all(hasattr(part, "shape") and np.ndim(part) for part in y)


def as_parts(y: Any) -> Any:
    """Return nested targets as a dict or tuple of arrays."""
    if isinstance(y, Mapping):
        return {str(name): np.asarray(part) for name, part in y.items()}
    return tuple(np.asarray(part) for part in y)


def target_table(y: Any) -> np.ndarray:
    """Return the targets of a batch as one array, a column for each output or unit.

    Parameters
    ----------
    y : array, or dict, list or tuple of arrays of shape (n_samples,) or (n_samples, n_columns)
        Targets of a batch.

    Returns
    -------
    table : ndarray
        `y` itself where it is an array; else of shape (n_samples, n_columns), of objects where the
        parts are of several kinds.

    Raises
    ------
    DataError
        When the parts have different numbers of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._inputs._batch_targets import target_table
    >>> target_table({"age": np.array([30, 40]), "place": np.zeros((2, 2))}).shape
    (2, 3)
    """
    if not is_nested(y):
        return np.asarray(y)
    parts = [np.asarray(part) for part in (y.values() if isinstance(y, Mapping) else y)]
    lengths = sorted({len(part) for part in parts})
    if len(lengths) > 1:
        raise DataError(
            "Found input variables with inconsistent numbers of samples: in a batch, the targets "
            f"of the outputs have {lengths} rows."
        )
    columns = [decoded(part).reshape(len(part), -1) for part in parts]
    kinds = {part.dtype.kind for part in columns}
    if len(kinds & set("OUS")) and len(kinds) > 1:
        columns = [part.astype(object) for part in columns]
    return np.concatenate(columns, axis=1)


def target_names(y: Any) -> tuple[str, ...]:
    """Return the output's name for each column of :func:`target_table`, where `y` is a dict."""
    if not isinstance(y, Mapping):
        return ()
    widths = {str(name): int(np.prod(np.shape(part)[1:])) for name, part in y.items()}
    return tuple(name for name, width in widths.items() for _ in range(width))
