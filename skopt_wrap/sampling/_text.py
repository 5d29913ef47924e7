"""Transforms of texts: Easy Data Augmentation without synonyms, and keyboard typos.

Batches are one-dimensional object arrays of str.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ._transform import Transform, register

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
    """Base of the transforms of texts; ``_change`` maps one text to another."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    needs_float: ClassVar[bool] = False

    def _apply(self, X, rng):
        """Change every text."""
        for i, text in enumerate(X):
            X[i] = self._change(text, rng)
        return X

    def _change(self, text: str, rng: np.random.Generator) -> str:
        """Return a changed text."""
        raise NotImplementedError


def split_words(text: str) -> tuple[list[str], list[int]]:
    """Return the text cut into words and gaps, and the places of the words in that list."""
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
    ['the fox brown quick']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _change(self, text, rng):
        """Exchange words of one text."""
        parts, words = split_words(text)
        if len(words) < 2 or self.magnitude == 0:
            return text
        for _ in range(max(1, round(self.magnitude * len(words)))):
            first = int(rng.integers(len(words)))
            # Among the other words, so that the pair is never one word twice.
            second = (first + 1 + int(rng.integers(len(words) - 1))) % len(words)
            a, b = words[first], words[second]
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
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] J. Wei, K. Zou, "EDA: easy data augmentation techniques for boosting performance on
       text classification tasks", EMNLP-IJCNLP, 2019.

    Examples
    --------
    >>> from skopt_wrap.sampling import RandomDeletion
    >>> RandomDeletion(0.3)(["the quick brown fox"], rng=1).tolist()
    ['the quick fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.1

    def _change(self, text, rng):
        """Delete words of one text."""
        parts, words = split_words(text)
        if len(words) < 2:
            return text
        keep = rng.random(len(words)) >= self.magnitude
        if not keep.any():
            keep[rng.integers(len(words))] = True
        if keep.all():
            return text
        for place, kept in zip(words, keep, strict=True):
            if not kept:
                # The gap after a word goes with it; after the last word, the gap before it.
                parts[place] = ""
                gap = place + 1 if place != words[-1] else place - 1
                parts[gap] = ""
        return "".join(parts).rstrip() if not keep[-1] else "".join(parts)


@register("keyboard_typos")
@dataclass(frozen=True)
class KeyboardTypos(TextTransform):
    """Replace letters by a neighbour on a QWERTY keyboard; case is kept.

    Parameters
    ----------
    magnitude : float, default=0.02
        Probability that a letter from a to z is replaced, in [0, 1].
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    Examples
    --------
    >>> from skopt_wrap.sampling import KeyboardTypos
    >>> KeyboardTypos(0.1)(["Quick brown fox"], rng=1).tolist()
    ['Quick broen fox']
    """

    max_magnitude: ClassVar[float] = 1.0
    magnitude: float = 0.02

    def _change(self, text, rng):
        """Mistype one text."""
        places = np.flatnonzero(rng.random(len(text)) < self.magnitude)
        if not places.size:
            return text
        letters = list(text)
        for place, draw in zip(places, rng.random(places.size), strict=True):
            letter = letters[place]
            near = NEIGHBOURS.get(letter.lower())
            if near:
                new = near[int(draw * len(near))]
                letters[place] = new.upper() if letter.isupper() else new
        return "".join(letters)


__all__ = ["KeyboardTypos", "RandomDeletion", "RandomSwap"]
