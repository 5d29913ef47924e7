"""Texts as integer ids: words are looked up, pairs of words and parts of words are hashed."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .exceptions import DataError

# Ids that no word has.
END, ABSENT, UNKNOWN = 0, 1, 2
N_SPECIAL = 3
# A word is a run of letters, digits and underscores, or one other sign.
_WORD = re.compile(r"\w+|[^\w\s]")
# Words whose parts are remembered while one table is encoded.
_REMEMBERED = 200_000
# Ids of words, and of pairs and parts, in a row, where nothing else is asked for.
_MOST_WORDS, _MOST_MORE = 1000, 2000


class TextEncoder:
    """Integer ids of texts, learned from training texts.

    A row of ids has two parts, each filled with 0 at its end: first the words of the text, then
    the pairs of neighbouring words and the parts of each word that have one of `part_lengths`
    characters. Words are looked up; pairs and parts get one of `n_buckets` ids by their CRC-32
    checksum.

    Attributes
    ----------
    places : dict of str to int
        Id of each known word, from 3 on. Id 0 stands behind the end, 1 for a missing or empty text,
        2 for an unknown word.
    n_words : int
        Ids of words in a row; a text loses what is beyond them.
    n_more : int
        Ids of pairs and parts in a row.
    """

    def __init__(
        self,
        words: Iterable[str] = (),
        *,
        n_words: int = 1,
        n_more: int = 0,
        n_buckets: int = 16_384,
        part_lengths: Sequence[int] = (3, 4, 5),
        pairs: bool = True,
        lowercase: bool = True,
    ) -> None:
        self.places = {word: number for number, word in enumerate(words, start=N_SPECIAL)}
        self.n_words, self.n_more, self.n_buckets = int(n_words), int(n_more), int(n_buckets)
        self.part_lengths = [int(length) for length in part_lengths]
        self.pairs, self.lowercase = bool(pairs), bool(lowercase)

    @property
    def n_ids(self) -> int:
        """Number of ids."""
        return N_SPECIAL + len(self.places) + self.n_buckets

    @classmethod
    def learn(
        cls,
        texts: Sequence[str | None],
        *,
        max_words: int = 20_000,
        max_length: int | None = None,
        **settings: Any,
    ) -> TextEncoder:
        """Return the encoder of training texts.

        Parameters
        ----------
        texts : sequence of str or None
            None where a text is missing.
        max_words : int, default=20000
            Words that are looked up: those that the most texts have.
        max_length : int, default=None
            Words of a text that are read; None takes those of the longest, at most 1000.
        **settings
            Arguments of the constructor.
        """
        made = cls(**settings)
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(set(made.split(text)))
        ordered = sorted(counts, key=lambda word: (-counts[word], word))[:max_words]
        made.places = {word: number for number, word in enumerate(ordered, start=N_SPECIAL)}
        longest = max((len(made.split(text)) for text in texts), default=1)
        made.n_words = max_length or max(1, min(_MOST_WORDS, longest))
        made.n_more = min(_MOST_MORE, max((len(more) for _, more in made._ids(texts)), default=0))
        return made

    def split(self, text: str | None) -> list[str]:
        """Return the words of a text."""
        if text is None:
            return []
        found: list[str] = _WORD.findall(text.lower() if self.lowercase else text)
        return found

    def encode(self, texts: Sequence[str | None]) -> np.ndarray:
        """Return the ids of texts.

        Parameters
        ----------
        texts : sequence of str or None
            None where a text is missing.

        Returns
        -------
        ids : ndarray of shape (n_texts, n_words + n_more), int32
            See the class.
        """
        rows = np.zeros((len(texts), self.n_words + self.n_more), "int32")
        for row, (words, more) in zip(rows, self._ids(texts), strict=True):
            row[: len(words)] = words
            more = more[: self.n_more]
            row[self.n_words : self.n_words + len(more)] = more
        return rows

    def forget(self, rows: np.ndarray) -> np.ndarray:
        """Forget the words that no row has.

        Parameters
        ----------
        rows : ndarray of shape (n_texts, n_words + n_more)
            Rows that :meth:`encode` returned.

        Returns
        -------
        new : ndarray of shape (n_ids,), int32
            The new id of each old one.
        """
        present = np.zeros(self.n_ids, bool)
        present[rows.ravel()] = True
        kept = [word for word, place in self.places.items() if present[place]]
        before = self.places
        self.places = {word: number for number, word in enumerate(kept, start=N_SPECIAL)}
        new = np.arange(N_SPECIAL + len(before) + self.n_buckets, dtype="int32")
        new[N_SPECIAL + len(before) :] -= len(before) - len(kept)
        for word, place in before.items():
            new[place] = self.places.get(word, UNKNOWN)
        return new

    def describe(self) -> dict[str, Any]:
        """Return everything that is needed to compute ids elsewhere, as JSON can hold it."""
        return {
            "words": list(self.places),
            "first_word_id": N_SPECIAL,
            "first_bucket_id": N_SPECIAL + len(self.places),
            "n_buckets": self.n_buckets,
            "hash": "crc32",
            "word_pattern": _WORD.pattern,
            "part_lengths": self.part_lengths,
            "pairs": self.pairs,
            "lowercase": self.lowercase,
            "n_words": self.n_words,
            "n_more": self.n_more,
        }

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> TextEncoder:
        """Return the encoder that :meth:`describe` described."""
        names = "words n_words n_more n_buckets part_lengths pairs lowercase"
        return cls(**{name: description[name] for name in names.split()})

    def _ids(self, texts: Iterable[str | None]) -> Iterator[tuple[list[int], list[int]]]:
        """Yield, for each text, the ids of its words, and those of pairs and parts."""
        parts: dict[str, list[int]] = {}
        for text in texts:
            words = self.split(text)[: self.n_words]
            more: list[int] = []
            if self.n_buckets:
                if self.pairs:
                    more += [self._bucket(f"{one} {two}") for one, two in pairwise(words)]
                for word in words:
                    found = parts.get(word)
                    if found is None:
                        found = [self._bucket(part) for part in self._parts(word)]
                        if len(parts) < _REMEMBERED:
                            parts[word] = found
                    more += found
            yield [self.places.get(word, UNKNOWN) for word in words] or [ABSENT], more

    def _parts(self, word: str) -> Iterator[str]:
        """Yield the parts of a word, whose beginning and end are marked by spaces."""
        marked = f" {word} "
        for length in self.part_lengths:
            if len(marked) > length:  # the whole word has an id of its own
                for start in range(len(marked) - length + 1):
                    yield marked[start : start + length]

    def _bucket(self, part: str) -> int:
        checksum = zlib.crc32(part.encode("utf-8", "surrogatepass"))
        return N_SPECIAL + len(self.places) + checksum % self.n_buckets


def as_texts(X: Any, name: str = "X") -> list[str | None]:
    """Return texts as a list, None where one is missing.

    Parameters
    ----------
    X : list of str, array or Series of shape (n_texts,), or frame or array with one column
        Texts. Bytes are read as UTF-8. None, NaN, ``pandas.NA`` and NaT are missing texts.
    name : str, default="X"
        What messages call it.

    Raises
    ------
    DataError
        For anything else.

    Examples
    --------
    >>> from skopt_wrap._texts import as_texts
    >>> as_texts(["one text", None, b"two"])
    ['one text', None, 'two']
    """
    if isinstance(X, str | bytes):
        raise DataError(
            f"{name} is one text, and a list of texts is needed: [{X[:30]!r}, ...]. Expected 2D "
            "array or a list of texts."
        )
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] != 1:
        columns = list(map(str, getattr(X, "columns", ())))
        shown = f" ({', '.join(columns[:10])})" if columns else ""
        raise DataError(
            f"{name} has {shape[1]} columns{shown}, and model='text' reads one column of texts. "
            "Pick one, join them, or give each its own part of the network by inputs={...}."
        )
    if hasattr(X, "columns"):
        column = X.iloc[:, 0] if hasattr(X, "iloc") else X[X.columns[0]]
        cells = list(column.to_list())
    elif (shape is not None and len(shape) > 2) or shape == ():
        raise DataError(f"{name} must be a list or a column of texts, got shape {shape}.")
    else:
        cells = list(X.to_list()) if hasattr(X, "to_list") else list(X)
        cells = [cell[0] if _is_row(cell) else cell for cell in cells]
    return [_text(cell, row, name) for row, cell in enumerate(cells)]


def _is_row(cell: Any) -> bool:
    """Return whether a cell is a row with one cell in it."""
    return isinstance(cell, list | tuple | np.ndarray) and len(cell) == 1


def _text(cell: Any, row: int, name: str) -> str | None:
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} holds bytes that are no UTF-8, in row {row} ({error}). Decode them first."
            ) from error
    missing = cell is None or type(cell).__name__ in ("NAType", "NaTType")
    if missing or (isinstance(cell, float | np.floating) and cell != cell):
        return None
    raise DataError(
        f"model='text' reads texts, and {name} holds {cell!r} ({type(cell).__name__}) in row {row}."
        " Use model='dense' for numbers, or make texts of them: X.astype(str)."
    )


def is_text_column(X: Any) -> bool:
    """Return whether `X` is a list or column of texts, rather than a table.

    One column of two dimensions is when its texts hardly repeat: it may be one of categories.

    Examples
    --------
    >>> from skopt_wrap._texts import is_text_column
    >>> is_text_column(["a text", None]), is_text_column([[1.0], [2.0]])
    (True, False)
    """
    shape = getattr(X, "shape", None)
    if shape is None and not isinstance(X, list | tuple):
        return False
    if shape is not None and (len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1)):
        return False
    if shape is None and not all(_text_or_missing(cell) for cell in X):
        return False
    try:
        texts = [text for text in as_texts(X) if text is not None]
    except DataError:
        return False
    return shape is None or len(shape) == 1 or len(set(texts)) > max(20, len(texts) // 2)


def _text_or_missing(cell: Any) -> bool:
    return cell is None or isinstance(cell, str | bytes) or (cell != cell) is True
