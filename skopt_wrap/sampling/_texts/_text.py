"""Transforms of texts that need no vocabulary: swapped or deleted words, upper case, typos.

Batches are one-dimensional object arrays of str.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

import numpy as np

from .._transform import Transform, register
from ._protection import DEFAULT, check_protect, finder

_GAPS = re.compile(r"(\s+)")

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _keyboard_neighbours() -> dict[str, str]:
    """Return the letters next to each letter of a QWERTY keyboard."""
    # Each row is shifted by about half a key against the row above.
    place = {
        letter: (row, column + row / 2)
        for row, letters in enumerate(_ROWS)
        for column, letter in enumerate(letters)
    }
    return {
        a: "".join(
            b
            for b, (row, column) in place.items()
            if a != b and abs(row - place[a][0]) <= 1 and abs(column - place[a][1]) <= 1
        )
        for a in place
    }


NEIGHBOURS = _keyboard_neighbours()


@dataclass(frozen=True)
class TextTransform(Transform):
    """Base class of the transforms of texts; `_change` returns one changed text."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    needs_float: ClassVar[bool] = False

    protect: Any = field(default=DEFAULT, kw_only=True)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        check_protect(self, self.protect)
        if self.protect is not None:
            object.__setattr__(self, "protect", tuple(self.protect))  # to be hashable

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change every text."""
        # A single number from Python's generator takes a tenth of the time of one from NumPy's.
        draw, change = Random(int(rng.integers(2**63))), self._changer()
        for i, text in enumerate(X):
            X[i] = change(text, draw)
        return X

    def _changer(self) -> Callable[[str, Random], str]:
        """Return the function that changes one text of a batch."""
        return self._change

    def _change(self, text: str, draw: Random) -> str:
        """Return a changed text."""
        raise NotImplementedError

    def _split(self, text: str) -> tuple[list[str], list[int]]:
        """Return the words and white space of a text, and where the words that may change are."""
        parts, words = split_words(text)
        holds = finder(self.protect)
        if holds is not None and holds(text):
            words = [place for place in words if not holds(parts[place])]
        return parts, words


def how_many(magnitude: float, n_words: int) -> int:
    """Return the number of changes in a text: a share of its words, at least one."""
    return max(1, round(magnitude * n_words)) if magnitude else 0


def split_words(text: str) -> tuple[list[str], list[int]]:
    """Return the list of words and white space of a text, and the positions of its words."""
    parts = _GAPS.split(text)
    return parts, [i for i in range(0, len(parts), 2) if parts[i]]


@register("random_swap")
@dataclass(frozen=True)
class RandomSwap(TextTransform):
    """Exchange pairs of words [1]_.

    White space stays in its place; texts of fewer than two words are left alone. The order of
    words can carry the label ("dog bites man").

    Parameters
    ----------
    magnitude : float, default=0.1
        Number of exchanges, as a fraction of the number of words, in [0, 1]; at least one unless
        it is 0.
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are: those that hold a web or e-mail address, a @name, a #tag, a
        number, or a match of your own ``re.compile(...)``. None protects nothing.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] J. Wei, K. Zou, "EDA: easy data augmentation techniques for boosting performance on
       text classification tasks", EMNLP-IJCNLP, 2019.

    Examples
    --------
    >>> from skopt_wrap.sampling import RandomSwap
    >>> RandomSwap(0.1)(["the quick brown fox"], rng=0).tolist()
    ['the brown quick fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _change(self, text: str, draw: Random) -> str:
        """Exchange words of one text."""
        parts, words = self._split(text)
        if len(words) < 2:
            return text
        for _ in range(how_many(self.magnitude, len(words))):
            a, b = draw.sample(words, 2)
            parts[a], parts[b] = parts[b], parts[a]
        return "".join(parts)


@register("random_deletion")
@dataclass(frozen=True)
class RandomDeletion(TextTransform):
    """Delete each word with a small probability; one word always remains [1]_.

    Can change the label by deleting the word that carries it ("not").

    Parameters
    ----------
    magnitude : float, default=0.1
        Probability that a word is deleted, in [0, 1].
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are: those that hold a web or e-mail address, a @name, a #tag, a
        number, or a match of your own ``re.compile(...)``. None protects nothing.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] J. Wei, K. Zou, "EDA: easy data augmentation techniques for boosting performance on
       text classification tasks", EMNLP-IJCNLP, 2019.

    Examples
    --------
    >>> from skopt_wrap.sampling import RandomDeletion
    >>> RandomDeletion(0.3)(["the quick brown fox"], rng=4).tolist()
    ['the brown fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _change(self, text: str, draw: Random) -> str:
        """Delete words of one text."""
        parts, words = split_words(text)
        if len(words) < 2:
            return text
        holds = finder(self.protect)
        kept = holds if holds is not None and holds(text) else None
        random, magnitude = draw.random, self.magnitude
        lost = [
            place
            for place in words
            if random() < magnitude and not (kept is not None and kept(parts[place]))
        ]
        if len(lost) == len(words):
            del lost[draw.randrange(len(lost))]
        if not lost:
            return text
        for place in lost:
            # The white space after the word is deleted too; after the last word, that before it.
            parts[place] = ""
            parts[place + 1 if place != words[-1] else place - 1] = ""
        changed = "".join(parts)
        return changed.rstrip() if lost[-1] == words[-1] else changed


@register("random_case")
@dataclass(frozen=True)
class RandomCase(TextTransform):
    """Change the case of words: all lower, all upper, or the first letter only.

    Parameters
    ----------
    magnitude : float, default=0.1
        Probability that a word is changed, in [0, 1].
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are: those that hold a web or e-mail address, a @name, a #tag, a
        number, or a match of your own ``re.compile(...)``. None protects nothing.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    Examples
    --------
    >>> from skopt_wrap.sampling import RandomCase
    >>> RandomCase(0.5)(["the quick brown fox"], rng=1).tolist()
    ['the QUICK BROWN Fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _change(self, text: str, draw: Random) -> str:
        """Change the case of words of one text."""
        parts, words = self._split(text)
        for place in words:
            if draw.random() < self.magnitude:
                word = parts[place]
                cases = [w for w in (word.lower(), word.upper(), word.capitalize()) if w != word]
                if cases:
                    parts[place] = cases[int(draw.random() * len(cases))]
        return "".join(parts)


@register("keyboard_typos")
@dataclass(frozen=True)
class KeyboardTypos(TextTransform):
    """Replace letters by a neighbour on a QWERTY keyboard; case is kept.

    Parameters
    ----------
    magnitude : float, default=0.02
        Probability that a letter from a to z is replaced, in [0, 1].
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are: those that hold a web or e-mail address, a @name, a #tag, a
        number, or a match of your own ``re.compile(...)``. None protects nothing.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    Examples
    --------
    >>> from skopt_wrap.sampling import KeyboardTypos
    >>> KeyboardTypos(0.1)(["Quick brown fox"], rng=2).tolist()
    ['Quick brlwn fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.02

    def _change(self, text: str, draw: Random) -> str:
        """Mistype one text."""
        if not self.magnitude:
            return text
        # The distances between typos have a geometric distribution: one draw for each typo is
        # enough, not one for each letter.
        step = -math.log1p(-self.magnitude) if self.magnitude < 1.0 else math.inf
        place = int(draw.expovariate(1.0) / step)
        letters = None
        safe = self._protected_letters(text)
        while place < len(text):
            letter = text[place]
            near = NEIGHBOURS.get(letter.lower())
            if near and not (safe is not None and safe[place]):
                letters = letters or list(text)
                new = near[int(draw.random() * len(near))]
                letters[place] = new.upper() if letter.isupper() else new
            place += 1 + int(draw.expovariate(1.0) / step)
        return text if letters is None else "".join(letters)

    def _protected_letters(self, text: str) -> list[bool] | None:
        """Return for each letter whether its word is protected; None where no word is."""
        holds = finder(self.protect)
        if holds is None or not holds(text):
            return None
        parts, _ = split_words(text)
        return [flag for part in parts for flag in [holds(part)] * len(part)]


__all__ = ["KeyboardTypos", "RandomCase", "RandomDeletion", "RandomSwap"]
