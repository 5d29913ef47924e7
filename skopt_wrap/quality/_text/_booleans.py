"""Texts that stand for true and false."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# (true, false) in the languages and programs that write them.
PAIRS = (
    ("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"),
    ("ja", "nein"), ("oui", "non"), ("si", "no"), ("sí", "no"), ("sim", "não"), ("да", "нет"),
    ("wahr", "falsch"), ("vrai", "faux"), ("1", "0"),
)  # fmt: skip
_TRUE = {pair[0] for pair in PAIRS}
_FALSE = {pair[1] for pair in PAIRS}


def parse_booleans(texts: Sequence[str]) -> np.ndarray:
    """Return 1.0 for texts that mean true, 0.0 for false, NaN for others.

    Parameters
    ----------
    texts : sequence of str
        Case and spaces around them do not matter.

    Returns
    -------
    values : ndarray of shape (n_texts,), float64
        The values.

    Examples
    --------
    >>> from skopt_wrap.quality._text._booleans import parse_booleans
    >>> parse_booleans(["Yes", " no", "maybe"]).tolist()
    [1.0, 0.0, nan]
    """
    words = [text.strip().casefold() for text in texts]
    return np.array([1.0 if w in _TRUE else 0.0 if w in _FALSE else np.nan for w in words])


def are_booleans(texts: Sequence[str]) -> bool:
    """Say whether the texts are a pair of words for true and false, in any spelling.

    Examples
    --------
    >>> from skopt_wrap.quality._text._booleans import are_booleans
    >>> are_booleans(["Yes", "yes ", "NO"]), are_booleans(["f", "m"])
    (True, False)
    """
    words = {text.strip().casefold() for text in texts}
    if words <= {"0", "1"}:  # numbers
        return False
    known = [set(pair) for pair in PAIRS]
    return len(words) >= 2 and (
        words in known or (words <= _TRUE | _FALSE and bool(words & _TRUE) and bool(words & _FALSE))
    )
