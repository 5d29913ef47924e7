"""Kinds of data that a network cannot be trained on, refused with the column and the way out."""

from __future__ import annotations

import datetime
import inspect
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...exceptions import DataError

_TEMPORAL_TYPES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
)
# Beginnings of the names that pandas, polars and pyarrow give to types of dates and times.
_TEMPORAL_NAMES = ("date", "time", "period", "duration", "interval[date", "<m8", "<M8")
_LOOKED_AT = 100  # cells of a column of Python objects


def check_kind(data: Any, name: str) -> None:
    """Raise for dates, times and complex numbers, which a network would take as plain numbers.

    Parameters
    ----------
    data : array-like, sparse matrix or frame
        X or y, not validated yet.
    name : str
        ``"X"`` or ``"y"``, for the message.

    Raises
    ------
    DataError
        Names the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._targets._kinds import check_kind
    >>> check_kind(np.arange(3), "y")
    """
    if data is None or sp.issparse(data):
        return
    temporal, numbers_of_two_parts = [], []
    for label, values in _columns(data):
        kind = _kind(values)
        if kind == "temporal":
            temporal.append(label)
        elif kind == "complex":
            numbers_of_two_parts.append(label)
    if temporal:
        raise DataError(
            f"{name} holds dates or times{_named(temporal)}, which a network would take as counts "
            "of nanoseconds. Make numbers of them first, such as (date - start).dt.days or the "
            "month and the weekday."
        )
    if numbers_of_two_parts:
        raise DataError(
            f"Complex data not supported: {name} holds complex numbers"
            f"{_named(numbers_of_two_parts)}. Give real and imaginary part as two columns."
        )


def check_container(data: Any) -> None:
    """Raise for an X that holds batches or several inputs, and say what takes it.

    Raises
    ------
    DataError
        For a dict, a generator, a ``tf.data.Dataset``, a ``PyDataset`` or a data loader.
    """
    kind = type(data).__name__
    if isinstance(data, Mapping) and not sp.issparse(data):  # SciPy keeps one format in a dict
        raise DataError(
            f"X is a dict of {len(data)} entries, but X must be one array or frame. Join them, for "
            "instance np.hstack(list(X.values())) or a DataFrame; with the parameter `inputs` each "
            "input of the network takes its columns."
        )
    if hasattr(data, "as_numpy_iterator") or _is_batches(data):
        raise DataError(
            f"X is a {kind} of batches: give it to fit_dataset, which takes a tf.data.Dataset or "
            "a keras.utils.PyDataset of batches (X, y), and to predict_dataset for predictions."
        )
    if inspect.isgenerator(data) or (hasattr(data, "__next__") and not hasattr(data, "shape")):
        raise DataError(
            f"X is a {kind}: make one array of it, np.concatenate(list(X)), or give it to "
            "fit_dataset and predict_dataset, which take generators of batches."
        )


def _is_batches(data: Any) -> bool:
    libraries = ("keras", "tf_keras", "tensorflow", "torch")
    return any(
        base.__name__ in ("PyDataset", "Sequence", "DataLoader")
        and base.__module__.partition(".")[0] in libraries
        for base in type(data).__mro__
    )


def explained(error: ValueError, data: Any, name: str) -> DataError | None:
    """Return an error that says what works here, for one of scikit-learn's; None when that will do.

    Parameters
    ----------
    error : ValueError
        What the validation raised.
    data : array-like
        What was validated.
    name : {"X", "y"}
        Its name.
    """
    if is_about_text(error):
        way = (
            "Encode text first, for instance with a OneHotEncoder or TargetEncoder in a "
            "ColumnTransformer, or a TfidfVectorizer for sentences."
            if name == "X"
            else "For labels take a KerasClassifier."
        )
        return DataError(f"{name} must hold numbers ({error}).{text_column(data)} {way}")
    if "inhomogeneous" in str(error) or "array element with a sequence" in str(error):
        return DataError(
            f"{name} has samples of unequal length. The networks 'lstm' and 'cnn' take them as "
            "they are, and so do builders; for others bring them to one length first, for instance "
            f"with keras.utils.pad_sequences({name}, dtype='float32')."
        )
    return None


def text_column(data: Any) -> str:
    """Return the words that name the first column whose cells are text and no numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.estimators._targets._kinds import text_column
    >>> text_column(np.array([["1", "owner"], ["2", "guest"]]))
    " Column 1 holds text such as 'owner'."
    """
    for label, values in _columns(data, split=True):
        for cell in itertools.islice(np.asarray(values, dtype=object).ravel(), 10_000):
            if isinstance(cell, (str, bytes)) and not _is_number(cell):
                shown = repr(label) if isinstance(label, str) else label
                return f" Column {shown} holds text such as {cell!r}."
    return ""


def is_about_text(error: ValueError) -> bool:
    """Return whether scikit-learn raised an error because it found text among numbers."""
    text = str(error)
    return "could not convert string to float" in text or "arrays of bytes/strings" in text


def _is_number(cell: str | bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _columns(data: Any, *, split: bool = False) -> Iterator[tuple[Any, Any]]:
    """Yield (label, values) of each column; an array is one column, unless it is to be split."""
    if hasattr(data, "columns") and hasattr(data, "shape"):
        labels = list(data.columns)
        for number, label in enumerate(labels):
            yield label, data.iloc[:, number] if hasattr(data, "iloc") else data[label]
        return
    values = data if hasattr(data, "dtype") else _as_array(data)
    if split and getattr(values, "ndim", 1) == 2:
        values = np.asarray(values)
        yield from ((number, values[:, number]) for number in range(values.shape[1]))
    elif getattr(values, "ndim", 1) == 2 and getattr(values.dtype, "kind", "") == "O":
        yield from ((number, values[:, number]) for number in range(values.shape[1]))
    else:
        yield None, values


def _as_array(data: Any) -> Any:
    try:
        return np.asarray(data)
    except Exception:  # what is no array at all is refused by the validation that follows
        return np.empty(0)


def _kind(values: Any) -> str | None:
    dtype = getattr(values, "dtype", None)
    dtype = getattr(getattr(dtype, "categories", None), "dtype", dtype)
    kind = getattr(dtype, "kind", None)
    if kind in ("m", "M") or str(dtype).lower().startswith(_TEMPORAL_NAMES):
        return "temporal"
    if kind == "c":
        return "complex"
    if dtype is None or str(dtype).lower() not in ("object", "o"):
        return None
    for cell in itertools.islice(np.asarray(values, dtype=object).ravel(), _LOOKED_AT):
        period = type(cell).__name__ == "Period" and type(cell).__module__.startswith("pandas")
        if period or isinstance(cell, _TEMPORAL_TYPES):
            return "temporal"
        if isinstance(cell, complex):
            return "complex"
    return None


def _named(labels: list[Any]) -> str:
    named = [repr(label) for label in labels if label is not None]
    if not named:
        return ""
    more = ", ..." if len(named) > 5 else ""
    return f" in the column{'s' if len(named) > 1 else ''} {', '.join(named[:5])}{more}"
