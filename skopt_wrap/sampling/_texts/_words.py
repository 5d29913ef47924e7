"""Transforms of texts that need a vocabulary: synonym replacement and random insertion."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from ...exceptions import DataError, ParameterError
from .._transform import register
from ._protection import finder
from ._synonyms import N_SENSES, bundled_synonyms
from ._text import TextTransform, how_many, split_words

# Punctuation, a word of letters (with inner apostrophes and hyphens), punctuation.
_TOKEN = re.compile(r"(\W*)([^\W\d_]+(?:['\u2019-][^\W\d_]+)*)(\W*)")
_SENTENCE_END = re.compile(r"[.!?:][\"'\u201d\u2019)]*$")
_VOWEL_SOUND = re.compile(r"(?!uni|use|usu|eu|one|once)[aeiou]|hon|heir|hour", re.IGNORECASE)

#: A word with synonyms: its number among the words of the text; the punctuation before it, itself,
#: and the punctuation after it; its synonyms.
Candidate = tuple[int, tuple[str, str, str], Sequence[str]]


@dataclass(frozen=True)
class _Vocabulary(TextTransform):
    """Base class: finds the words of a text that have synonyms."""

    max_magnitude: ClassVar[float] = 1.0

    magnitude: float = 0.1
    n_senses: int = 1
    vocabulary: Any = field(default=None, hash=False, repr=False)
    stop_words: Any = field(default=None, hash=False, repr=False)

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        n = self.n_senses
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= N_SENSES:
            raise ParameterError(
                f"{type(self).__name__}(n_senses=...) must be an integer in [1, {N_SENSES}]. "
                f"Got {n!r}."
            )
        known = self.vocabulary
        if not (known is None or isinstance(known, Mapping) or callable(known)):
            raise ParameterError(
                f"{type(self).__name__}(vocabulary=...) must be None, a dict of lists of str or a "
                f"callable from str to a list of str. Got {type(known).__name__}."
            )
        if isinstance(self.stop_words, str):
            raise ParameterError(
                f"{type(self).__name__}(stop_words=...) must be a collection of words. Got "
                f"{self.stop_words!r}."
            )

    def _look_up(self, word: str) -> Sequence[str]:
        """Return the synonyms of a word in lower case."""
        if self.stop_words is not None and word in self.stop_words:
            return ()
        if self.vocabulary is None:
            return bundled_synonyms(word, self.n_senses)
        known = self.vocabulary
        found = known.get(word, ()) if isinstance(known, Mapping) else known(word)
        if isinstance(found, str) or not all(isinstance(w, str) for w in found or ()):
            raise DataError(
                f"The vocabulary gives {found!r} for {word!r}; it must give a list of str."
            )
        return [w for w in found or () if w and w != word]

    def _changer(self) -> Callable[[str, Random], str]:
        """Return the function that changes one text; it remembers the words looked up."""
        return functools.partial(self._change_with, _Memory(self._look_up))

    def _change_with(self, known: Mapping[str, Sequence[str]], text: str, draw: Random) -> str:
        """Return a changed text; `known` holds the synonyms of a word."""
        parts, words = split_words(text)
        wanted = how_many(self.magnitude, len(words))
        candidates = (
            find_candidates(parts, words, known, names=self.vocabulary is None) if wanted else []
        )
        holds = finder(self.protect)
        if candidates and holds is not None and holds(text):
            candidates = [found for found in candidates if not holds(parts[words[found[0]]])]
        if not candidates:
            return text
        self._use(candidates, wanted, parts, words, draw)
        return "".join(parts)

    def _use(
        self,
        candidates: list[Candidate],
        wanted: int,
        parts: list[str],
        words: list[int],
        draw: Random,
    ) -> None:
        """Change `parts` in place."""
        raise NotImplementedError


def find_candidates(
    parts: list[str], words: list[int], known: Mapping[str, Sequence[str]], *, names: bool
) -> list[Candidate]:
    """Return the words that have synonyms.

    With `names`, what looks like a name is left out: words in capitals, unless the whole text is
    in capitals, and capitalized words inside a sentence.
    """
    found: list[Candidate] = []
    shouted: bool | None = None
    for order, place in enumerate(words):
        word = parts[place]
        if word.isalpha() and word.islower():
            synonyms = known[word]
            if synonyms:
                found.append((order, ("", word, ""), synonyms))
            continue
        match = _TOKEN.fullmatch(word)
        if match is None:
            continue
        word = match[2]
        if not word.islower():
            if not names:
                pass
            elif word.isupper() and len(word) > 1:
                if shouted is None:
                    shouted = len(words) > 1 and all(parts[i] == parts[i].upper() for i in words)
                if not shouted:
                    continue
            elif word[1:] != word[1:].lower() or (
                order and not _SENTENCE_END.search(parts[words[order - 1]])
            ):
                continue
            word = word.lower()
        synonyms = known[word]
        if synonyms:
            found.append((order, (match[1], match[2], match[3]), synonyms))
    return found


class _Memory(dict[str, Sequence[str]]):
    """Synonyms by word; each word of a batch is looked up once."""

    def __init__(self, look_up: Callable[[str], Sequence[str]]) -> None:
        self.look_up = look_up

    def __missing__(self, word: str) -> Sequence[str]:
        self[word] = synonyms = self.look_up(word)
        return synonyms


def _in_case_of(word: str, synonym: str) -> str:
    """Return the synonym in the case of the word that it replaces."""
    if word.islower():
        return synonym
    if word.isupper() and len(word) > 1 and len(synonym) > 1:
        return synonym.upper()
    return synonym[:1].upper() + synonym[1:]


def _mend_article(parts: list[str], words: list[int], order: int) -> None:
    """Turn "a" into "an", or back, before the word at `order`."""
    if not order:
        return
    article, word = parts[words[order - 1]], parts[words[order]]
    if article.lower() in ("a", "an"):
        right = "an" if _VOWEL_SOUND.match(word) else "a"
        shouted = article.isupper() and word.upper() == word
        parts[words[order - 1]] = right.upper() if shouted else _in_case_of(article, right)


@register("synonym_replacement")
@dataclass(frozen=True)
class SynonymReplacement(_Vocabulary):
    """Replace words by synonyms [1]_, from WordNet 3.0 [2]_ unless you give a vocabulary.

    The table comes with the package; nothing is downloaded. Stop words, names (capitalized words
    inside a sentence) and words without a synonym are left alone; upper and lower case, endings
    (-s, -ed, -ing, -er, -est) and "a" or "an" are kept right. Which meaning of a word is meant is
    not known, so the most frequent ones are assumed.

    Parameters
    ----------
    magnitude : float, default=0.1
        Number of replacements, as a fraction of the number of words, in [0, 1]; at least one
        unless it is 0, if some word has a synonym.
    n_senses : int, default=1
        How many senses of a word are used, in [1, 10], the most frequent first: the sense that
        two words share must be among the first so many of both. More senses give more synonyms,
        and worse ones. Has no effect on a `vocabulary` of your own.
    vocabulary : dict or callable, default=None
        Your own synonyms, for another language or field: from a word in lower case to a list of
        words. They are used as they are, in the case of the word replaced; capitalized words are
        not taken for names then.
    stop_words : collection of str, default=None
        Further words, in lower case, to leave alone; with the bundled table, added to common
        English ones.
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are; see :class:`RandomSwap`.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] J. Wei, K. Zou, "EDA: easy data augmentation techniques for boosting performance on
       text classification tasks", EMNLP-IJCNLP, 2019.
    .. [2] C. Fellbaum (ed.), "WordNet: an electronic lexical database", MIT Press, 1998.

    Examples
    --------
    >>> from skopt_wrap.sampling import SynonymReplacement
    >>> SynonymReplacement(0.3)(["The doctors started a difficult story."], rng=0).tolist()
    ['The doctors commenced a hard story.']
    >>> SynonymReplacement(0.3, vocabulary={"katze": ["mieze"]})(["Eine Katze"], rng=0).tolist()
    ['Eine Mieze']
    """

    def _use(
        self,
        candidates: list[Candidate],
        wanted: int,
        parts: list[str],
        words: list[int],
        draw: Random,
    ) -> None:
        """Replace words."""
        if len(candidates) > wanted:
            candidates = draw.sample(candidates, wanted)
        for order, (prefix, word, suffix), synonyms in candidates:
            synonym = synonyms[int(draw.random() * len(synonyms))]
            parts[words[order]] = prefix + _in_case_of(word, synonym) + suffix
            if not prefix and self.vocabulary is None:
                _mend_article(parts, words, order)


@register("random_insertion")
@dataclass(frozen=True)
class RandomInsertion(_Vocabulary):
    """Insert synonyms of the text's own words at random places [1]_.

    Parameters
    ----------
    magnitude : float, default=0.1
        Number of insertions, as a fraction of the number of words, in [0, 1]; at least one unless
        it is 0, if some word has a synonym.
    n_senses : int, default=1
        How many senses of a word are used; see :class:`SynonymReplacement`.
    vocabulary : dict or callable, default=None
        Your own synonyms; see :class:`SynonymReplacement`.
    stop_words : collection of str, default=None
        Further words without synonyms; see :class:`SynonymReplacement`.
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that stay as they are; see :class:`RandomSwap`.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] J. Wei, K. Zou, "EDA: easy data augmentation techniques for boosting performance on
       text classification tasks", EMNLP-IJCNLP, 2019.

    Examples
    --------
    >>> from skopt_wrap.sampling import RandomInsertion
    >>> RandomInsertion(0.1)(["the doctor wrote a story"], rng=0).tolist()
    ['the doctor doc wrote a story']
    """

    def _use(
        self,
        candidates: list[Candidate],
        wanted: int,
        parts: list[str],
        words: list[int],
        draw: Random,
    ) -> None:
        """Insert words."""
        for _ in range(wanted):
            _, (_, word, _), synonyms = candidates[int(draw.random() * len(candidates))]
            synonym = synonyms[int(draw.random() * len(synonyms))]
            if word.isupper() and len(word) > 1:
                synonym = synonym.upper()
            place = words[int(draw.random() * len(words))]
            parts[place] = f"{synonym} {parts[place]}"


__all__ = ["RandomInsertion", "SynonymReplacement"]
