"""Values that stand for "missing": words in text, and numbers far from all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._tables._column import Column, without_levels
from ._base import ChangeLog, Operation, Step, count, some

WORDS = (
    "", "?", "??", "-", "--", "---", ".", "..", "...", "*", "na", "n/a", "n.a.", "n.a", "n / a",
    "<na>", "#n/a", "#na", "nan", "-nan", "nat", "nil", "none", "null", "(null)", "<null>", "\\n",
    "missing", "(missing)", "unknown", "(unknown)", "undefined", "not available",
    "not applicable", "no data", "nodata", "#null!", "#div/0!", "#value!", "#ref!", "#name?",
    "#num!", "k.a.", "tbd",
)  # fmt: skip
NUMBERS = (
    -99.0, -999.0, -9999.0, -99999.0, -999999.0, -888.0, -8888.0, -777.0, -7777.0, -998.0, -997.0,
    -9998.0, -9997.0, -999.9, -99.9, -9.99, -999.99, -99.99, -999.25, 999.0, 9999.0, 99999.0,
    999999.0, 9999999.0, 998.0, 997.0, 9998.0, 9997.0, 888.0, 8888.0, 99.0, 999.9, 99.9, 999.99,
    9999.99, 32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0, 1e20, -1e20,
    1e30, -1e30, 9.969209968386869e36, -3.4028234663852886e38, -1.7976931348623157e308,
)  # fmt: skip


@dataclass(frozen=True)
class _Words(Step):
    words: frozenset[str] = frozenset()

    def apply(self, column: Column, log: ChangeLog) -> Column:
        return without_levels(column, find_words(column, self.words))


def find_words(column: Column, words: frozenset[str]) -> list[int]:
    """Return the places of the levels that are one of the words, whatever their case."""
    longest = max(map(len, words), default=0)
    texts = enumerate(column.texts().tolist())
    return [
        i
        for i, text in texts
        if (len(text) <= longest or text[0].isspace() or text[-1].isspace())
        and text.strip().casefold() in words
    ]


class TextSentinels(Operation):
    """Words that mean "missing", such as ``n/a``, ``?`` and empty texts, become missing.

    Parameters
    ----------
    words : tuple of str, default=()
        Further words. Case and spaces around them do not matter.
    keep : tuple of str, default=()
        Words that are values in these data, such as "none" for a house without a garage.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import DataCleaner, TextSentinels
    >>> X = pd.DataFrame({"colour": ["red", "?", "blue", "N/A"]})
    >>> DataCleaner([TextSentinels()]).fit_transform(X)["colour"].isna().tolist()
    [False, True, False, True]
    """

    name: ClassVar[str] = "text_sentinels"
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "words": [tuple, list],
        "keep": [tuple, list],
    }

    def __init__(self, words: tuple[str, ...] = (), keep: tuple[str, ...] = ()) -> None:
        self.words = words
        self.keep = keep

    def learn_column(self, column: Column) -> Step:
        """Look at one column; see :class:`Operation`."""
        kept = {word.strip().casefold() for word in self.keep}
        words = frozenset(
            {word.casefold() for word in (*WORDS, *(w.strip() for w in self.words))} - kept
        )
        hits = find_words(column, words)
        if not hits:
            return _Words(self.name, "text", words=words)
        n = int(column.counts()[hits].sum())
        found = f"{some(column.texts()[hits].tolist())} in {count(n, 'row')}"
        return _Words(self.name, "text", found, "set missing", n, words=words)


@dataclass(frozen=True)
class _Numbers(Step):
    numbers: tuple[float, ...] = ()

    def apply(self, column: Column, log: ChangeLog) -> Column:
        return column.without(np.isin(column.values, self.numbers)) if self.numbers else column


class Sentinels(Operation):
    """Numbers that mean "missing", such as -999, become missing.

    A number is taken for a sentinel if it is one that programs write for "missing" (all nines,
    limits of integers, fill values of file formats), is the least or the greatest value of its
    column, and lies apart: it is the only negative number, or further from all other values than
    99 % of these are from each other.

    Parameters
    ----------
    values : tuple of float, default=()
        Numbers that mean "missing" in these data; they need not lie apart.
    detect : bool, default=True
        Whether to look for others.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality import DataCleaner, Sentinels
    >>> X = np.array([[21.0], [35.0], [-999.0], [48.0]])
    >>> DataCleaner([Sentinels()]).fit_transform(X).ravel().tolist()
    [21.0, 35.0, nan, 48.0]
    """

    name: ClassVar[str] = "sentinels"
    kinds: ClassVar[tuple[str, ...]] = ("number",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "values": [tuple, list],
        "detect": ["boolean"],
    }

    def __init__(self, values: tuple[float, ...] = (), detect: bool = True) -> None:
        self.values = values
        self.detect = detect

    def learn_column(self, column: Column) -> Step | None:
        """Look at one column; see :class:`Operation`."""
        chosen = [float(v) for v in self.values]
        if self.detect:
            chosen += [v for v in find_sentinels(column.values) if v not in chosen]
        if not chosen:
            return None
        n = int(np.isin(column.values, chosen).sum())
        found = f"{', '.join(f'{v:g}' for v in chosen)} in {count(n, 'row')}" if n else ""
        done = "set missing" if n else ""
        return _Numbers(self.name, "number", found, done, n, numbers=tuple(chosen))


def find_sentinels(values: np.ndarray) -> list[float]:
    """Return the numbers that stand for "missing".

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers; NaN and infinities are passed over.

    Returns
    -------
    sentinels : list of float
        Those found, in the order of discovery.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.quality._operations._sentinels import find_sentinels
    >>> find_sentinels(np.array([3.0, 5.0, -999.0, 4.0]))
    [-999.0]
    >>> find_sentinels(np.array([-999.0, -998.0, -1001.0, -1002.0]))
    []
    """
    found: list[float] = []
    if not len(values):
        return found
    if values.dtype.kind in "iu" and not _extremes(values) & _LISTED:
        return found
    rest = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    while len(rest) and (hits := [v for v in _extremes(rest) if v in _LISTED]):
        fresh = [v for v in hits if _lies_apart(v, rest)]
        if not fresh:
            break
        found += fresh
        rest = rest[~np.isin(rest, fresh)]
    return found


# Fill values are often kept as float32, which rounds them.
_LISTED = frozenset(NUMBERS) | frozenset(float(np.float32(v)) for v in NUMBERS if abs(v) < 1e38)


def _extremes(values: np.ndarray) -> set[float]:
    return {float(values.min()), float(values.max())} if len(values) else set()


def _lies_apart(value: float, values: np.ndarray) -> bool:
    others = values[values != value].astype(np.float64)
    if len(others) < 2:
        return False
    # Further sentinels on the same side must not hide this one.
    plain = others[~np.isin(others, NUMBERS)]
    others = plain if len(plain) >= 2 else others
    low, high = np.percentile(others, [0.5, 99.5])
    if value < 0:
        if others.min() >= 0:
            return value <= -9.9
        return others.min() - value > max(high - low, 0.0) and value < others.min()
    repeated = np.count_nonzero(values == value) > 1
    apart = value > others.max() and value - others.max() > high - low
    return bool(apart and (repeated or value - others.max() > 5 * (high - low)) and high > low)
