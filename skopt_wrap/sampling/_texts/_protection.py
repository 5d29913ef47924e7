"""Find the words of a text that must stay as they are: addresses, names, tags and numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from ...exceptions import ParameterError, suggest

# Ends of web addresses without "www.", as in "example.com/page".
_DOMAINS = (
    "com|org|net|edu|gov|info|io|dev|app|ai|co|eu|de|fr|es|it|nl|pl|ch|at|uk|us|ca|au|jp|cn|in|br"
)

#: What can be protected by name: a regular expression that finds it inside a word. Each takes time
#: in proportion to the length of the text, also where it finds nothing.
PATTERNS = {
    "url": rf"\w://\S|(?<!\w)www\.\S|(?<=[\w\-])\.(?:{_DOMAINS})\b",
    "email": r"[\w.+\-]@[\w\-]+\.\w",
    "mention": r"(?<![\w.])@\w",
    "hashtag": r"(?<![\w&])#\w",
    "number": r"(?<!\w)\d",
}

_SIGNS = re.compile(r"[@#\d]|://|\.\w")
_DOT = re.compile(r"\.\w")

#: What text transforms protect unless told otherwise.
DEFAULT = tuple(PATTERNS)


def check_protect(owner: object, protect: Any) -> None:
    """Raise :class:`ParameterError` unless `protect` is None or a collection of names and patterns.

    Parameters
    ----------
    owner : TextTransform
        Named in the message.
    protect : object
        Value of the parameter.
    """
    name = type(owner).__name__
    if protect is None:
        return
    if isinstance(protect, str) or not isinstance(protect, Iterable):
        raise ParameterError(
            f"{name}(protect=...) must be None, or a collection of names ({', '.join(PATTERNS)}) "
            f"and compiled regular expressions, as protect=('url', 'number'). Got {protect!r}."
        )
    for item in protect:
        if isinstance(item, str) and item not in PATTERNS:
            raise ParameterError(
                f"{name}(protect=...) does not know {item!r}. {suggest(item, PATTERNS)} For words "
                f"of your own, pass re.compile(...)."
            )
        if not isinstance(item, str | re.Pattern):
            raise ParameterError(
                f"{name}(protect=...) must hold names and compiled regular expressions. Got "
                f"{item!r}."
            )


def may_match(text: str) -> bool:
    """Return False only for texts that match none of `PATTERNS`.

    Most texts match none. Searching for single characters takes a tenth of the time of a regular
    expression.
    """
    if "@" in text or "#" in text or "://" in text:
        return True
    if not text.isascii():
        return _SIGNS.search(text) is not None
    for digit in "0123456789":
        if digit in text:
            return True
    return "." in text and _DOT.search(text) is not None


@functools.lru_cache(maxsize=64)
def finder(protect: tuple[Any, ...] | None) -> Callable[[str], bool] | None:
    """Return the function that tells whether a text, or a word, holds something protected.

    Parameters
    ----------
    protect : tuple or None
        Names in `PATTERNS` and compiled regular expressions.

    Returns
    -------
    holds : callable or None
        From str to bool; None where nothing is protected.
    """
    if not protect:
        return None
    named = "|".join(PATTERNS[item] for item in protect if isinstance(item, str))
    # Patterns of the user keep flags of their own, so they are not joined with the others.
    own = [item.search for item in protect if not isinstance(item, str)]
    search = re.compile(named, re.IGNORECASE).search

    def holds_named(text: str) -> bool:
        return may_match(text) and search(text) is not None

    def holds_any(text: str) -> bool:
        return (bool(named) and holds_named(text)) or any(find(text) for find in own)

    return holds_any if own else holds_named


def protected_words(text: str, protect: tuple[Any, ...] | None) -> list[str]:
    """Return the words of a text that are protected, with the punctuation around them cut off."""
    holds = finder(protect)
    if holds is None or not holds(text):
        return []
    return [word.strip(".,;:!?()[]{}<>\"'") for word in text.split() if holds(word)]
