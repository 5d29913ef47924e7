"""Texts that stand for dates and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar", "feb february februar", "mar march maerz märz", "apr april",
            "may mai", "jun june juni", "jul july juli", "aug august", "sep sept september",
            "oct october okt oktober", "nov november", "dec december dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+\-]\d{2}:?\d{2})?)?"
)
_ISO = re.compile(
    rf"(?P<year>\d{{4}})(?P<sep>[-/.])(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}}){_TIME}"
)
_NUMERIC = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<sep>[-/.])(?P<second_part>\d{{1,2}})(?P=sep)"
    rf"(?P<year>\d{{4}}|\d{{2}}){_TIME}"
)
_DAY_NAME = re.compile(
    rf"(?:[A-Za-z]{{3,9}},?\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[ \-/]+"
    rf"(?P<month>[^\W\d_]{{3,9}})\.?,?[ \-/]+"
    rf"(?P<year>\d{{4}}|\d{{2}}){_TIME}"
)
_NAME_DAY = re.compile(
    rf"(?:[A-Za-z]{{3,9}},\s+)?(?P<month>[^\W\d_]{{3,9}})\.?[ \-/]+"
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[ \-/]+"
    rf"(?P<year>\d{{4}}){_TIME}"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>[0-2]\d|3[01])")
_FAST = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")
_NONE = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class DateFormat:
    """How the dates of a column are written.

    Attributes
    ----------
    day_first : bool, default=True
        Whether 03/04/2020 is the third of April.
    compact : bool, default=False
        Whether eight digits, 20200403, are a date.
    """

    day_first: bool = True
    compact: bool = False


def _match(text: str, compact: bool) -> tuple[str, re.Match[str]] | None:
    for kind, pattern in (
        ("iso", _ISO), ("numeric", _NUMERIC), ("named", _DAY_NAME), ("named", _NAME_DAY)
    ):  # fmt: skip
        match = pattern.fullmatch(text)
        if match is not None and (
            kind != "named" or match["month"].casefold().rstrip(".") in _MONTHS
        ):
            return kind, match
    match = _COMPACT.fullmatch(text) if compact else None
    return None if match is None else ("compact", match)


def _parse_one(text: str, style: DateFormat) -> np.datetime64:
    found = _match(text.strip(), style.compact)
    if found is None:
        return _NONE
    kind, match = found
    groups = match.groupdict()
    year = int(groups["year"])
    if len(groups["year"]) == 2:
        year += 2000 if year < 70 else 1900
    if kind == "numeric":
        first, second = int(groups["first"]), int(groups["second_part"])
        day_first = style.day_first if match["sep"] != "." else True
        day, month = (first, second) if day_first else (second, first)
    else:
        day = int(groups["day"])
        month = _MONTHS[groups["month"].casefold()] if kind == "named" else int(groups["month"])
    try:
        moment = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "us")
    except ValueError:
        return _NONE
    return moment + _time_of_day(groups)


def _time_of_day(groups: dict[str, str | None]) -> np.timedelta64:
    """Return the time since midnight in UTC; NaT where it is none."""
    if groups.get("hour") is None:
        return np.timedelta64(0, "us")
    hour, minute = int(groups["hour"] or 0), int(groups["minute"] or 0)
    seconds = float((groups["second"] or "0") + (groups["fraction"] or "").replace(",", "."))
    half = (groups["half"] or "").replace(".", "").casefold()
    if half:
        if not 1 <= hour <= 12:
            return np.timedelta64("NaT", "us")
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 24 or minute > 59 or seconds >= 61:
        return np.timedelta64("NaT", "us")
    zone = groups["zone"] or ""
    if zone[:1] in ("+", "-"):
        shift = int(zone[1:3]) * 60 + int(zone[-2:])
        minute -= shift if zone[0] == "+" else -shift
    return np.timedelta64(round((hour * 3600 + minute * 60 + seconds) * 1e6), "us")


def find_format(
    texts: Sequence[str], counts: Sequence[int], min_share: float, day_first: bool = True
) -> tuple[DateFormat | None, str]:
    """Find out how dates are written, if the texts are dates.

    Parameters
    ----------
    texts : sequence of str
        Distinct texts.
    counts : sequence of int
        How often each occurs.
    min_share : float
        Least share of the rows that must be dates.
    day_first : bool, default=True
        What 03/04/2020 means where no value of the column tells.

    Returns
    -------
    style : DateFormat or None
        None where the texts are no dates.
    note : str
        What was assumed; "" where nothing was.

    Examples
    --------
    >>> from skopt_wrap.quality._text._dates import find_format, parse_dates
    >>> style, note = find_format(["04/03/2020", "04/27/2020"], [1, 1], 0.95)
    >>> style.day_first, parse_dates(["04/03/2020"], style)[0].astype("datetime64[D]").item()
    (False, datetime.date(2020, 4, 3))
    """
    total, good = float(sum(counts)), 0.0
    first_above = second_above = slashes = 0
    kinds = set()
    for text, count in zip(texts, counts, strict=True):
        found = _match(text.strip(), compact=True)
        if found is None:
            continue
        kind, match = found
        kinds.add(kind)
        good += count
        if kind == "numeric" and match["sep"] != ".":
            slashes += 1
            first_above += int(match["first"]) > 12
            second_above += int(match["second_part"]) > 12
    if total == 0 or good < min_share * total:
        return None, ""
    note = ""
    if slashes and first_above == second_above == 0:
        order = "day/month/year" if day_first else "month/day/year"
        note = f"the order of day and month is not told by the values; read as {order}"
    elif slashes:
        day_first = first_above >= second_above
    return DateFormat(day_first, "compact" in kinds), note


def parse_dates(texts: Sequence[str], style: DateFormat) -> np.ndarray:
    """Return the dates that texts stand for, NaT where they stand for none.

    Times with a zone are turned to UTC.

    Parameters
    ----------
    texts : sequence of str
        Texts.
    style : DateFormat
        How they are written.

    Returns
    -------
    values : ndarray of shape (n_texts,), datetime64[us]
        The dates.
    """
    if len(texts) > 100 and all(map(_FAST.fullmatch, texts)):
        try:
            return np.array(texts, dtype="datetime64[us]")
        except ValueError:  # a 30th of February is among them
            pass
    return np.array([_parse_one(text, style) for text in texts], dtype="datetime64[us]")
