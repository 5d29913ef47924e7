"""Columns that name the row: an index, a key, a code that never occurs twice."""

from __future__ import annotations

import re
from numbers import Integral
from typing import ClassVar

import numpy as np

from ..._sklearn import Interval
from .._tables._column import Column
from ._base import Operation, Step

_NAMES = re.compile(
    r"(?:^|[_\-. ])(?:id|ids|uid|uuid|guid|key|index|idx|rownames|rowid|row[_ ]?(?:no|num|number)?"
    r"|unnamed: ?\d+|nr|no|number|identifier|code)$|[a-z]I[Dd]$|^(?:id|index)(?:[_\-. ]|$)",
)
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_LETTERS_DIGITS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")


class Identifiers(Operation):
    """Columns that only name the row are dropped: a network would learn them by heart.

    A column is an identifier if every row has a value, no value occurs twice, and one of these
    holds: whole numbers that count up (or down) by one; whole numbers in a column that is called
    like an identifier ("id", "customer_id", "index"); texts without spaces that are UUIDs, have
    one common pattern ("C0012"), or stand in a column that is called like an identifier.

    Parameters
    ----------
    min_samples : int, default=20
        With fewer rows than this, only the name of a column can tell.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, Identifiers
    >>> X = pd.DataFrame({"row": np.arange(30), "size": np.arange(30) % 7})
    >>> list(DataCleaner([Identifiers()]).fit_transform(X).columns)
    ['size']
    """

    name: ClassVar[str] = "identifiers"
    kinds: ClassVar[tuple[str, ...]] = ("number", "text")
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "min_samples": [Interval(Integral, 2, None, closed="left")]
    }

    def __init__(self, min_samples: int = 20) -> None:
        self.min_samples = min_samples

    def learn_column(self, column: Column) -> Step | None:
        """Look at one column; see :class:`Operation`."""
        found = identifier_reason(column, self.min_samples)
        if found is None:
            return None
        return Step(self.name, column.kind, found, "dropped", column.n, True)


def is_named_like_an_id(name: str) -> bool:
    """Say whether the name of a column says "identifier".

    Examples
    --------
    >>> from skopt_wrap.quality._operations._identifiers import is_named_like_an_id
    >>> [is_named_like_an_id(name) for name in ("customer_id", "CustomerID", "Unnamed: 0", "paid")]
    [True, True, True, False]
    """
    return bool(_NAMES.search(name) or _NAMES.search(name.casefold()))


def identifier_reason(column: Column, min_samples: int = 20) -> str | None:
    """Return why a column is an identifier; None where it is none."""
    if column.n < 5 or column.kind not in ("number", "text"):
        return None
    named, many = is_named_like_an_id(column.name), column.n >= min_samples
    if not (named or many):
        return None
    if column.kind == "text":
        if len(column.texts()) < column.n or (column.values < 0).any():
            return None
        return _text_reason(column, named, many)
    values = column.values
    if values.dtype.kind == "f":
        head = values[:1000]
        if not np.isfinite(head).all() or (head != np.rint(head)).any():
            return None
        if not np.isfinite(values).all() or (values != np.rint(values)).any():
            return None
    steps = np.diff(values)
    if (steps == 1).all() or (steps == -1).all():
        return "an index: counts the rows"
    if named and (np.diff(np.sort(values)) > 0).all():
        return "an identifier: by its name, and no value occurs twice"
    return None


def _text_reason(column: Column, named: bool, many: bool) -> str | None:
    sample = column.texts()[:: max(1, column.n // 200)].tolist()
    if any(" " in text.strip() for text in sample):
        return None
    if named:
        return "an identifier: by its name, and no value occurs twice"
    if many and all(_UUID.fullmatch(text) for text in sample):
        return "an identifier: UUIDs"
    if not many or not all(any(c.isdigit() for c in text) for text in sample):
        return None
    shapes = {_DIGITS.sub("9", text) for text in sample}
    if len(shapes) == 1 or len({_LETTERS_DIGITS.sub("a", shape) for shape in shapes}) == 1:
        return "an identifier: codes of one pattern, and no value occurs twice"
    return None
