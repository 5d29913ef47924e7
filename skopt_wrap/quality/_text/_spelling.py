"""One category in many spellings: case, spaces, forms of Unicode, slips of the keyboard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

_SPACES = re.compile(r"\s+")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
                        | dict.fromkeys("\u2018\u2019\u00b4`", "'")
                        | dict.fromkeys("\u200b\u200c\u200d\ufeff\u00ad"))  # fmt: skip


def tidy(text: str) -> str:
    r"""Return a text without double, leading and trailing spaces, in one form of Unicode.

    Examples
    --------
    >>> from skopt_wrap.quality._text._spelling import tidy
    >>> tidy("  New\u00a0  York ")
    'New York'
    """
    if text.isascii():
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split())


def spelling_key(text: str) -> str:
    """Return what spellings of one category have in common.

    Case, spaces, accents, and the marks ``- _ .`` between words do not count. Signs that carry a
    meaning do: ``A+`` and ``A-`` have different keys.

    Examples
    --------
    >>> from skopt_wrap.quality._text._spelling import spelling_key
    >>> spelling_key("NEW_york ") == spelling_key("New York") == spelling_key("new-york")
    True
    >>> spelling_key("A+") == spelling_key("A-")
    False
    """
    text = tidy(text).casefold()
    if not text.isascii():
        split = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in split if not unicodedata.combining(c)) or text
    joined = re.sub(r"(?<=[^\W\d_])[-_. /](?=[^\W\d_])", " ", text)
    return _SPACES.sub(" ", joined.replace("_", " ")).strip(" .,;:_'\"") or text


def edit_distance(a: str, b: str, limit: int) -> int:
    """Return the number of slips between two texts, or `limit` + 1 where there are more.

    A slip is a letter too many, too few or wrong, or two neighbours exchanged (the optimal string
    alignment distance).

    Parameters
    ----------
    a, b : str
        Texts.
    limit : int
        Greatest number of interest.

    Returns
    -------
    distance : int
        The distance.

    Examples
    --------
    >>> from skopt_wrap.quality._text._spelling import edit_distance
    >>> edit_distance("germany", "gemrany", 2), edit_distance("red", "blue", 2)
    (1, 3)
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before, row = list(range(len(b) + 1)), list(range(len(b) + 1))
    two_before = before
    for i, x in enumerate(a, start=1):
        row = [i] + [0] * len(b)
        for j, y in enumerate(b, start=1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], two_before[j - 2] + 1)
        if min(row) > limit:
            return limit + 1
        two_before, before = before, row
    return min(row[-1], limit + 1)


def allowed_slips(text: str, max_distance: int) -> int:
    """Return how many slips a text of this length may have: none below 5 letters, 2 from 10 on."""
    return min(max_distance, 0 if len(text) < 5 else 1 if len(text) < 10 else 2)


def _slips_only(a: str, b: str) -> bool:
    """Say whether two texts differ in the way of slips: in no digit, first letter or short word."""
    if a[0] != b[0] or re.sub(r"\D", "", a) != re.sub(r"\D", "", b):
        return False
    words, others = a.split(), b.split()
    if len(words) != len(others):
        return True
    return all(x == y or min(len(x), len(y)) >= 4 for x, y in zip(words, others, strict=True))


def near_duplicates(
    keys: Sequence[str], counts: Sequence[float], *, max_distance: int, rare: float
) -> dict[str, str]:
    """Return which rare spellings are slips of a frequent one.

    Two texts are never joined when they differ in a digit, in their first letter or in a word of
    less than four letters.

    Parameters
    ----------
    keys : sequence of str
        Distinct texts.
    counts : sequence of float
        How often each occurs.
    max_distance : int
        Greatest edit distance; texts of less than 10 letters are allowed 1, of less than 5 none.
    rare : float
        A spelling is a slip if it occurs at most this many times as often as the other one.

    Returns
    -------
    targets : dict of str to str
        Slip -> the frequent spelling.

    Examples
    --------
    >>> from skopt_wrap.quality._text._spelling import near_duplicates
    >>> near_duplicates(["germany", "germny", "france"], [90, 2, 80], max_distance=2, rare=0.1)
    {'germny': 'germany'}
    """
    if max_distance == 0 or len(keys) < 2:
        return {}
    order = np.argsort(-np.asarray(counts, dtype=float), kind="stable")
    letters = sorted(set("".join(keys)))
    place = {letter: i for i, letter in enumerate(letters)}
    bags = np.zeros((len(keys), len(letters)), dtype=np.int16)
    for i, key in enumerate(keys):
        for letter in key:
            bags[i, place[letter]] += 1
    targets: dict[str, str] = {}
    for rank, i in enumerate(order[::-1]):
        key, limit = keys[i], allowed_slips(keys[i], max_distance)
        more = order[: len(order) - rank - 1]
        if limit == 0 or not len(more) or not key:
            continue
        near = np.abs(bags[more] - bags[i]).sum(axis=1) <= 2 * limit
        for j in more[near]:
            other = keys[j]
            if counts[i] > rare * counts[j]:
                break  # those that follow are rarer still
            if other and _slips_only(key, other) and edit_distance(key, other, limit) <= limit:
                targets[key] = other
                break
    return {slip: _root(slip, targets) for slip in targets}


def _root(slip: str, targets: dict[str, str]) -> str:
    while slip in targets:
        slip = targets[slip]
    return slip
