"""Times of rows, and groups of rows that have a reference of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import DataError, ParameterError
from ._columns import Column

CALENDAR = ("hour", "weekday", "month")
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def read_timestamps(timestamp: Any, X: Any, n_rows: int) -> np.ndarray | None:
    """Return the time of each row, from `timestamp` or from the index of a frame.

    Parameters
    ----------
    timestamp : array-like of shape (n_rows,), one time, or None
        Times as `numpy.datetime64` takes them; those with a zone keep the clock of their zone.
    X : object
        Rows; a pandas frame with a DatetimeIndex has times.
    n_rows : int
        Number of rows.

    Returns
    -------
    times : ndarray of shape (n_rows,), dtype datetime64[s], or None
        None without times.

    Raises
    ------
    DataError
        If there are fewer or more times than rows, or they cannot be read.
    """
    if timestamp is None:
        index = getattr(X, "index", None)
        if type(index).__name__ != "DatetimeIndex":
            return None
        timestamp = index
    zone_free = getattr(timestamp, "tz_localize", None)
    if callable(zone_free) and getattr(timestamp, "tz", None) is not None:
        timestamp = zone_free(None)
    try:
        times = np.asarray(timestamp, dtype="datetime64[s]")
    except (TypeError, ValueError) as error:
        raise DataError(f"timestamp cannot be read as times: {error}") from error
    if times.ndim == 0:
        times = np.full(n_rows, times)
    if times.shape != (n_rows,):
        raise DataError(f"timestamp has shape {times.shape}, but X has {n_rows} rows.")
    if np.isnat(times).any():
        raise DataError("timestamp holds missing times. Drop these rows, or give their times.")
    return times


def check_clock(times: np.ndarray | None, latest: np.datetime64 | None) -> np.datetime64 | None:
    """Return the latest time; raise when the clock goes back.

    Raises
    ------
    DataError
        If a row is older than one that came before it.
    """
    if times is None or not len(times):
        return latest
    before = times[0] if latest is None else latest
    steps = np.concatenate([[before], times])
    back = np.flatnonzero(np.diff(steps) < np.timedelta64(0, "s"))
    if back.size:
        i = int(back[0])
        raise DataError(
            f"the clock goes back: row {i} has the time {steps[i + 1]}, after {steps[i]}. A stream "
            "is watched in the order of time; sort the rows."
        )
    return np.datetime64(times[-1])


def row_groups(
    reference_by: str | None, times: np.ndarray | None, columns: list[Column], n_rows: int
) -> np.ndarray:
    """Return the name of each row's group.

    Parameters
    ----------
    reference_by : {"hour", "weekday", "month"}, name of a column, or None
        What the groups are.
    times : ndarray of shape (n_rows,) or None
        Time of each row.
    columns : list of Column
        Columns of the rows.
    n_rows : int
        Number of rows.

    Returns
    -------
    names : ndarray of shape (n_rows,), dtype object
        Empty texts without groups.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.monitoring._groups import row_groups
    >>> times = np.array(["2026-01-05T10:00", "2026-01-11T23:30"], dtype="datetime64[s]")
    >>> row_groups("weekday", times, [], 2).tolist(), row_groups("hour", times, [], 2).tolist()
    (['Monday', 'Sunday'], ['10', '23'])
    """
    if reference_by is None:
        return np.full(n_rows, "", dtype=object)
    by_name = {column.name: column for column in columns}
    if reference_by in by_name:
        return np.array([str(v) for v in by_name[reference_by].values.tolist()], dtype=object)
    if reference_by not in CALENDAR:
        raise ParameterError(
            f"reference_by must be one of {CALENDAR} or a column of X, got {reference_by!r}; the "
            f"columns are {list(by_name)[:20]}."
        )
    if times is None:
        raise DataError(
            f"reference_by={reference_by!r} needs the time of each row: give timestamp, or a frame "
            "with a DatetimeIndex."
        )
    if reference_by == "weekday":
        days = times.astype("datetime64[D]").astype(np.int64)
        return np.array([_WEEKDAYS[(d + 3) % 7] for d in days], dtype=object)
    unit, cycle = ("h", 24) if reference_by == "hour" else ("M", 12)
    numbers = times.astype(f"datetime64[{unit}]").astype(np.int64) % cycle
    return np.array([str(v + (reference_by == "month")) for v in numbers], dtype=object)


def group_numbers(names: np.ndarray, known: list[str]) -> np.ndarray:
    """Return the number of each row's group.

    Raises
    ------
    DataError
        If a group has no reference rows.
    """
    if known == [""]:
        return np.zeros(len(names), dtype=np.intp)
    table = {name: i for i, name in enumerate(known)}
    unknown = sorted(set(names.tolist()) - set(known))
    if unknown:
        raise DataError(
            f"the reference has no rows of the groups {unknown[:10]}; it has {known[:31]}. Fit it "
            "on rows of all groups, or choose a coarser reference_by."
        )
    return np.array([table[name] for name in names], dtype=np.intp)
