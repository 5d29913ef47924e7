"""Texts that stand for numbers: separators, signs, currencies, percent signs, units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ._units import CURRENCIES, MULTIPLES, factors, normal_unit

_MONEY = "|".join(sorted(map(re.escape, CURRENCIES), key=len, reverse=True))
_PATTERN = re.compile(
    r"\s*(?P<open>\()?\s*(?P<sign>[+\-\u2212\u2013])?\s*"
    rf"(?P<before>{_MONEY})?\s*(?P<inner>[+\-\u2212\u2013])?\s*"
    r"(?P<digits>\d[\d.,'\u2019\u00a0\u202f ]*\d|\d|[.,]\d+)(?P<tail>[.,])?"
    r"(?P<exponent>[eE][+\-]?\d+)?\s*"
    r"(?P<unit>[^\W\d_%]+\.?(?:[/ ][^\W\d_]+\.?)?[23²³]?"
    r"|[%‰°$€£¥₹₽](?:[CF])?)?\s*(?P<close>\))?\s*",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}(?:[ '\u2019\u00a0\u202f]\d{3})+(?:[.,]\d+)?")
_GAPS = re.compile(r"[ '\u2019\u00a0\u202f]")
_DOT = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+")
_COMMA = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?|,\d+")
_LONGEST = 15  # digits that a float64 holds exactly


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : {".", ","}, default="."
        What separates the whole from its fraction; the other one separates thousands.
    unit : str, default=""
        Unit of the values as read.
    factors : dict of str to float, default={}
        Unit written behind a number -> what it is multiplied by. A unit that is not listed makes
        a text no number.
    """

    decimal: str = "."
    unit: str = ""
    factors: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Parts:
    digits: str
    negative: bool
    exponent: str
    unit: str


def _split(text: str) -> _Parts | None:
    match = _PATTERN.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    digits = match["digits"]
    if _GAPS.search(digits):
        if not _GROUPED.fullmatch(digits):
            return None
        digits = _GAPS.sub("", digits)
    signs = [s for s in (match["sign"], match["inner"], match["open"]) if s]
    if len(signs) > 1:
        return None
    behind = normal_unit(match["unit"] or "")
    before = normal_unit(match["before"] or "")
    if before and behind and behind not in MULTIPLES:
        return None
    negative = bool(signs) and signs[0] != "+"
    return _Parts(digits, negative, match["exponent"] or "", behind or before)


def _plain(text: str) -> float | None:
    """Return what Python reads as a number by itself, the fast way; None for the rest."""
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _decimal(digits: Sequence[str]) -> str:
    """Tell the decimal separator of a column from its numbers with a separator."""
    votes: Counter[str] = Counter()
    for text in digits:
        dots, commas = text.count("."), text.count(",")
        if dots and commas:
            votes["," if text.rfind(",") > text.rfind(".") else "."] += 1
        elif commas > 1:
            votes["."] += 1
        elif dots > 1:
            votes[","] += 1
        elif commas == 1:
            whole, _, fraction = text.partition(",")
            if len(fraction) != 3 or len(whole) > 3 or whole in ("", "0"):
                votes[","] += 1
        elif dots == 1:
            whole, _, fraction = text.partition(".")
            if len(fraction) != 3 or len(whole) > 3 or whole in ("", "0"):
                votes["."] += 1
    return "," if votes[","] > votes["."] else "."


def _value(parts: _Parts, style: NumberFormat) -> float:
    factor = style.factors.get(parts.unit, 1.0 if not parts.unit else None)
    pattern = _COMMA if style.decimal == "," else _DOT
    if factor is None or not pattern.fullmatch(parts.digits):
        return np.nan
    other = "." if style.decimal == "," else ","
    number = float(parts.digits.replace(other, "").replace(",", ".") + parts.exponent)
    return (-number if parts.negative else number) * factor


def find_format(
    texts: Sequence[str], counts: Sequence[int], min_share: float
) -> tuple[NumberFormat | None, str]:
    """Find out how numbers are written, if the texts are numbers.

    Codes are no numbers: texts with leading zeros ("00123") or more than 15 digits, and numbers
    behind or before words that differ.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts.
    counts : sequence of int
        How often each occurs.
    min_share : float
        Least share of the rows that must be numbers.

    Returns
    -------
    style : NumberFormat or None
        None where the texts are no numbers.
    reason : str
        Why they are none, where they nearly are; else "".

    Examples
    --------
    >>> from skopt_wrap.quality._text._numbers import find_format, parse_numbers
    >>> texts = ["1.250,5 kg", "800 g", "3,25 kg"]
    >>> style, _ = find_format(texts, [1, 1, 1], 0.95)
    >>> parse_numbers(texts, style).tolist()
    [1250.5, 0.8, 3.25]
    >>> find_format(["01234", "98765"], [5, 5], 0.95)
    (None, 'leading zeros: codes, no numbers')
    """
    total = float(sum(counts))
    read, codes, bad, long = [], 0.0, 0.0, False
    units: Counter[str] = Counter()
    for text, count in zip(texts, counts, strict=True):
        parts = _split(text)
        if parts is None:
            bad += count * (_plain(text) is None)
            if bad > (1 - min_share) * total:
                return None, ""
            continue
        whole = re.split("[.,]", parts.digits)[0]
        codes += count * (len(whole) > 1 and whole[0] == "0")
        long |= len(parts.digits) > _LONGEST and parts.digits.isdigit()
        units[parts.unit] += count
        if "," in parts.digits or "." in parts.digits:
            read.append(parts.digits)
    if total == 0:
        return None, ""
    if codes > 0.01 * total:
        return None, "leading zeros: codes, no numbers"
    if long:
        return None, f"more than {_LONGEST} digits: codes, no numbers"
    named = {unit: n for unit, n in units.items() if unit}
    main = max(named, key=lambda unit: (named[unit], unit)) if named else ""
    by = factors(set(units), main)
    while by is None and sum(units.values()) - min(named.values()) >= min_share * total:
        rare = min(named, key=lambda unit: named[unit])
        del units[rare], named[rare]
        by = factors(set(units), main)
    if by is None:
        return None, f"numbers with units that do not fit together: {', '.join(sorted(named)[:5])}"
    style = NumberFormat(_decimal(read), "" if main in MULTIPLES else main, by)
    lost = np.isnan(parse_numbers(texts, style))
    if np.asarray(counts, dtype=float)[lost].sum() > (1 - min_share) * total:
        return None, ""
    return style, ""


def parse_numbers(texts: Sequence[str], style: NumberFormat) -> np.ndarray:
    """Return the numbers that texts stand for, NaN where they stand for none.

    Parameters
    ----------
    texts : sequence of str
        Texts.
    style : NumberFormat
        How they are written.

    Returns
    -------
    values : ndarray of shape (n_texts,), float64
        The numbers, in the main unit.
    """
    out = np.empty(len(texts))
    simple = style.decimal == "."
    if simple and not any("_" in text for text in texts):
        try:
            return np.array([float(text) for text in texts])
        except ValueError:  # one of them is written in another way
            pass
    for i, text in enumerate(texts):
        number = _plain(text) if simple else None
        if number is None:
            parts = _split(text)
            number = np.nan if parts is None else _value(parts, style)
            if parts is None and text.strip().casefold().lstrip("+-") in ("inf", "infinity"):
                number = float(text)
        out[i] = number
    return out
