"""One category in many spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from ..._sklearn import Interval, StrOptions
from .._tables._column import Column
from .._text._spelling import allowed_slips, edit_distance, near_duplicates, spelling_key, tidy
from ._base import ChangeLog, Operation, Step, count

_PROBE = 2000  # texts that tell free text from categories


@dataclass(frozen=True)
class _Spell(Step):
    exact: dict[str, str] = field(default_factory=dict)  # text as it was -> category
    by_key: dict[str, str] = field(default_factory=dict)  # spelling key -> category
    max_distance: int = 0
    unseen: str = "keep"

    def apply(self, column: Column, log: ChangeLog) -> Column:
        unseen: list[str] = []

        def spell(texts: Sequence[str]) -> list[str | None]:
            out: list[str | None] = []
            for text in texts:
                known = self.exact.get(text)
                if known is None:
                    known = self._find(text)
                if known is None:
                    unseen.append(text)
                    known = None if self.unseen == "missing" else tidy(text)
                out.append(known)
            return out

        new = column.map_levels(spell)
        if unseen:
            rows = dict(zip(column.texts().tolist(), column.counts().tolist(), strict=True))
            rule = "set missing" if self.unseen == "missing" else "kept"
            names = len(unseen)
            what = "new category" if names == 1 else f"{names} new categories"
            log.add(column.name, what, sum(rows[text] for text in unseen), rule)
        return new

    def _find(self, text: str) -> str | None:
        key = spelling_key(text)
        if key in self.by_key:
            return self.by_key[key]
        targets = near_duplicates(
            [key, *_close(key, self.by_key, self.max_distance)],
            [0, *(1 for _ in _close(key, self.by_key, self.max_distance))],
            max_distance=self.max_distance,
            rare=1.0,
        )
        return self.by_key.get(targets.get(key, ""))


def _close(key: str, known: dict[str, str], max_distance: int) -> list[str]:
    limit = allowed_slips(key, max_distance)
    if limit == 0:
        return []
    near = {other: edit_distance(key, other, limit) for other in known}
    return sorted((o for o, d in near.items() if d <= limit), key=near.__getitem__)


class Categories(Operation):
    """Spellings of one category are joined.

    Spellings that differ in case, spaces, accents, forms of Unicode or in the marks between words
    are one category, written as its most frequent spelling. A rare spelling that is a few slips of
    the keyboard away from a frequent one is joined with it too; two categories that differ in a
    digit, in their first letter or in a word of less than four letters are never joined so.

    Columns of free text, and columns with more than `max_categories` spellings, are left alone.

    On `transform`, a new spelling of a known category is joined with it in the same way. A
    category that `fit` did not see is counted and kept.

    Parameters
    ----------
    max_distance : int, default=2
        Greatest number of slips (letters too many, too few or wrong, neighbours exchanged). Texts
        of less than 10 letters are allowed 1, of less than 5 none. 0 joins nothing by slips.
    rare : float, default=0.1
        A spelling is a slip if it occurs at most this many times as often as the frequent one, in
        [0, 1].
    max_categories : int, default=1000
        Columns with more different spellings are left alone.
    unseen : {"keep", "missing"}, default="keep"
        What becomes of a category that `fit` did not see.

    Examples
    --------
    >>> import pandas as pd
    >>> from skopt_wrap.quality import Categories, DataCleaner
    >>> X = pd.DataFrame({"city": ["London"] * 20 + ["Londno", "LONDON ", "Oslo", "oslo"]})
    >>> DataCleaner([Categories()]).fit_transform(X)["city"].value_counts().to_dict()
    {'London': 22, 'Oslo': 2}
    """

    name: ClassVar[str] = "categories"
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "max_distance": [Interval(Integral, 0, 4, closed="both")],
        "rare": [Interval(Real, 0, 1, closed="both")],
        "max_categories": [Interval(Integral, 2, None, closed="left")],
        "unseen": [StrOptions({"keep", "missing"})],
    }

    def __init__(
        self,
        max_distance: int = 2,
        rare: float = 0.1,
        max_categories: int = 1000,
        unseen: str = "keep",
    ) -> None:
        self.max_distance = max_distance
        self.rare = rare
        self.max_categories = max_categories
        self.unseen = unseen

    def learn_column(self, column: Column) -> Step | None:
        """Look at one column; see :class:`Operation`."""
        texts, counts = column.texts(), column.counts()
        if not len(texts) or len(texts) > self.max_categories or is_free_text(column):
            return None
        exact, joined, slips = join_spellings(
            texts.tolist(), counts.tolist(), max_distance=self.max_distance, rare=self.rare
        )
        by_key = {spelling_key(text): name for text, name in exact.items()}
        changed = [i for i, text in enumerate(texts) if exact[text] != text]
        n = int(counts[changed].sum()) if changed else 0
        found = done = ""
        if changed:
            names = [f"{len(texts)} spellings of {len(set(exact.values()))} categories"]
            if slips:
                shown = "; ".join(f"{a!r} for {b!r}" for a, b in slips[:3])
                names.append(f"{count(len(slips), 'slip')} ({shown}{', ...' * (len(slips) > 3)})")
            elif joined:
                names.append("such as " + " and ".join(map(repr, joined[0][:2])))
            found, done = ", ".join(names), "joined" if joined or slips else "spaces tidied"
        return _Spell(
            self.name, "text", found, done, n, exact=exact, by_key=by_key,
            max_distance=self.max_distance, unseen=self.unseen,
        )  # fmt: skip


def is_free_text(column: Column) -> bool:
    """Say whether texts are sentences rather than categories: many, long, of several words."""
    texts, n = column.texts(), int((column.values >= 0).sum())
    if len(texts) < 20 or len(texts) < 0.5 * n:
        return False
    probe = texts[:: max(1, len(texts) // _PROBE)].tolist()
    return bool(np.mean([len(text.split()) for text in probe]) >= 3)


def join_spellings(
    texts: Sequence[str], counts: Sequence[float], *, max_distance: int, rare: float
) -> tuple[dict[str, str], list[list[str]], list[tuple[str, str]]]:
    """Return the category of each spelling.

    Parameters
    ----------
    texts : sequence of str
        Distinct spellings.
    counts : sequence of float
        How often each occurs.
    max_distance, rare : int, float
        See :class:`Categories`.

    Returns
    -------
    category : dict of str to str
        For each spelling, the category as it is to be written.
    joined : list of list of str
        Groups of spellings that differ in case, spaces and marks, more than spaces at the ends.
    slips : list of tuple (str, str)
        Spelling of a slip, and the category it was joined with.

    Examples
    --------
    >>> from skopt_wrap.quality._operations._categories import join_spellings
    >>> join_spellings(["a b", "A  b", "c"], [3, 1, 1], max_distance=1, rare=0.1)[0]
    {'a b': 'a b', 'A  b': 'a b', 'c': 'c'}
    """
    groups: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        groups.setdefault(spelling_key(text), []).append(i)
    totals = {key: float(sum(counts[i] for i in places)) for key, places in groups.items()}
    slips = near_duplicates(
        list(groups), list(totals.values()), max_distance=max_distance, rare=rare
    )
    written = {}
    for key, places in groups.items():
        votes: dict[str, float] = {}
        for i in places:
            votes[tidy(texts[i])] = votes.get(tidy(texts[i]), 0) + counts[i]
        most = max(votes.values())
        written[key] = next(text for text in votes if votes[text] == most)  # the first of equals
    category = {
        texts[i]: written[slips.get(key, key)] for key, places in groups.items() for i in places
    }
    joined = [
        [texts[i] for i in places]
        for places in groups.values()
        if len({tidy(texts[i]) for i in places}) > 1
    ]
    return category, joined, [(written[a], written[b]) for a, b in slips.items()]
