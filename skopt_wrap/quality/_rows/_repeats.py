"""Rows that occur more than once, with the same label or with another one."""

from __future__ import annotations

import numpy as np

from .._tables._read import Source


def row_groups(source: Source) -> np.ndarray:
    """Return a number for each row; rows of one number are equal in every column.

    Parameters
    ----------
    source : Source
        The table. Missing values equal each other.

    Returns
    -------
    groups : ndarray of shape (n_samples,), int64
        The place of the first row that is equal.
    """
    groups = np.zeros(source.n, dtype=np.int64)
    for place in range(len(source.names)):
        column = source.column(place)
        values = column.values
        if column.kind == "date":
            values = values.astype(np.int64)
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, one zero
        codes = np.unique(values, return_inverse=True)[1]
        pair = groups * (int(codes.max()) + 1) + codes
        groups = np.unique(pair, return_inverse=True)[1]
        if int(groups.max()) + 1 == source.n:
            break
    first = np.full(int(groups.max()) + 1, source.n)
    np.minimum.at(first, groups, np.arange(source.n))
    return first[groups]


def duplicates(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which rows repeat an earlier row with the same label.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        As :func:`row_groups` returns.
    labels : ndarray of shape (n_samples,), int
        Codes of the labels.

    Returns
    -------
    mask : ndarray of shape (n_samples,), bool
        True for repetitions; the first row of each kind is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._rows._repeats import duplicates
    >>> duplicates(np.array([0, 1, 0, 0]), np.array([0, 0, 0, 1])).tolist()
    [False, False, True, False]
    """
    pairs = np.stack([groups, labels], axis=1)
    first = np.unique(pairs, axis=0, return_index=True)[1]
    mask = np.ones(len(groups), dtype=bool)
    mask[first] = False
    return mask


def conflicts(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which rows have a label that most of their equals do not have.

    Where no label has a majority among equal rows, all of them are in conflict.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
        As :func:`row_groups` returns.
    labels : ndarray of shape (n_samples,), int
        Codes of the labels.

    Returns
    -------
    mask : ndarray of shape (n_samples,), bool
        True for rows in conflict.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._rows._repeats import conflicts
    >>> groups, labels = np.array([0, 0, 0, 3, 3, 5]), np.array([0, 0, 1, 0, 1, 1])
    >>> conflicts(groups, labels).tolist()
    [False, False, True, True, True, False]
    """
    codes = np.unique(groups, return_inverse=True)[1]
    table = np.zeros((int(codes.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(table, (codes, labels), 1)
    most = table.max(axis=1)
    single = (table == most[:, None]).sum(axis=1) == 1
    agrees = single[codes] & (table[codes, labels] == most[codes])
    several = (table > 0).sum(axis=1) > 1
    return several[codes] & ~agrees
