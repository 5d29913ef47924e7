"""Back-translation: translate texts to another language and back, with the user's translators."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...exceptions import DataError, ParameterError, SkippedWarning
from .._transform import check_fraction, check_option
from ._protection import protected_words
from ._text import TextTransform
from ._translators import check_folder, open_folder


@dataclass(frozen=True)
class BackTranslation(TextTransform):
    """Paraphrase texts by translating them to another language and back [1]_.

    Nothing is downloaded: you give both translators, as functions or as folders of models.
    Results that are empty or too unlike their source are dropped, and the source stays.

    Parameters
    ----------
    forward, backward : callable, str or path
        Translators to the other language and back. A callable maps a list of str to a list of
        the same length, of str or of lists of alternatives. A path names a folder with a model
        of CTranslate2 (``model.bin`` and its vocabulary) or of Marian (one ``*.npz`` file; its
        vocabularies as ``decoder.yml`` names them, or one ``*vocab*.yml`` file for both sides),
        and its sentencepiece models (``source.spm`` and ``target.spm``, or
        ``sentencepiece.model`` for both); it needs the extra ``skopt_wrap[translation]``. A
        Marian model is converted when it is first used, in a temporary folder.
    batch_size : int, default=32
        Texts given to a translator at once.
    diversity : int, default=1
        Number of alternatives from which one is drawn, in both directions: the best
        translations that a folder's model finds, or the first ones that a callable returns.
    min_similarity : float, default=0.3
        Least similarity of a result and its source, in [0, 1].
    similarity : callable, default=None
        ``similarity(sources, results)`` returns one number for each pair. None: the Dice
        coefficient of their sets of three letters in a row, in [0, 1].
    on_error : {"warn", "raise"}, default="warn"
        What happens when a translator raises or returns another number of lines. "warn": the
        batch stays as it is, with a :class:`~skopt_wrap.exceptions.SkippedWarning` that tells
        which and why; all other batches are used. "raise": a
        :class:`~skopt_wrap.exceptions.DataError`.
    protect : collection of str and compiled patterns, or None, \
            default=("url", "email", "mention", "hashtag", "number")
        Words that a result must still hold, as they are; see :class:`RandomSwap`. A result that
        lost or changed one of them is dropped.
    probability : float, default=1.0
        Probability, in [0, 1], that a text is changed.

    References
    ----------
    .. [1] R. Sennrich, B. Haddow, A. Birch, "Improving neural machine translation models with
       monolingual data", ACL, 2016.

    Examples
    --------
    >>> from skopt_wrap.sampling import BackTranslation
    >>> def to_german(texts):
    ...     return [text.replace("big", "gross") for text in texts]
    >>> def to_english(texts):
    ...     return [text.replace("gross", "large") for text in texts]
    >>> BackTranslation(to_german, to_english)(["a big old house"], rng=0).tolist()
    ['a large old house']
    """

    calls_others: ClassVar[bool] = True

    forward: Any = None
    backward: Any = None
    batch_size: int = field(default=32, kw_only=True)
    diversity: int = field(default=1, kw_only=True)
    min_similarity: float = field(default=0.3, kw_only=True)
    similarity: Any = field(default=None, kw_only=True)
    on_error: str = field(default="warn", kw_only=True)

    def __post_init__(self) -> None:
        """Check the parameters; folders are opened when they are first used."""
        super().__post_init__()
        for name in ("forward", "backward"):
            value = getattr(self, name)
            if not (callable(value) or isinstance(value, str | os.PathLike)):
                raise ParameterError(
                    f"BackTranslation({name}=...) must be a callable from a list of str to a list "
                    f"of str, or the path of a model folder. Got {value!r}."
                )
            if not callable(value):
                check_folder(Path(value))
        for name in ("batch_size", "diversity"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ParameterError(
                    f"BackTranslation({name}=...) must be an integer >= 1. Got {value!r}."
                )
        if not (self.similarity is None or callable(self.similarity)):
            raise ParameterError(
                f"BackTranslation(similarity=...) must be None or a callable. Got "
                f"{self.similarity!r}."
            )
        check_fraction(self, "min_similarity", 0.0, 1.0)
        check_option(self, "on_error", ("warn", "raise"))

    def _apply(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Translate every text that is not blank, batch by batch."""
        rows = [i for i, text in enumerate(X) if text.strip()]
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            sources = [X[i] for i in batch]
            try:
                results = self._there_and_back(sources, rng)
            except Exception as error:
                message = (
                    f"BackTranslation left a batch of {len(batch)} texts as it was (the first is "
                    f"{sources[0][:60]!r}): {type(error).__name__}: {error}"
                )
                if self.on_error == "raise":
                    raise DataError(message) from error
                warnings.warn(message, SkippedWarning, stacklevel=2)
                continue
            for i, result in zip(batch, results, strict=True):
                X[i] = result
        return X

    def _there_and_back(self, sources: list[str], rng: np.random.Generator) -> list[str]:
        """Return the results; the source where the result is empty or too unlike it."""
        foreign = self._translate("forward", sources, rng)
        results = self._translate("backward", foreign, rng)
        alike = np.asarray((self.similarity or trigram_similarity)(sources, results), dtype=float)
        if alike.shape != (len(sources),):
            raise DataError(
                f"similarity returned shape {alike.shape} for {len(sources)} pairs of texts."
            )
        return [
            result if result.strip() and good and self._keeps(source, result) else source
            for source, result, good in zip(
                sources, results, alike >= self.min_similarity, strict=True
            )
        ]

    def _keeps(self, source: str, result: str) -> bool:
        """Return whether a result still holds the protected words of its source."""
        return all(word in result for word in protected_words(source, self.protect))

    def _translate(self, name: str, texts: list[str], rng: np.random.Generator) -> list[str]:
        """Run one translator, check what it returns, and draw one of the alternatives."""
        translator = getattr(self, name)
        if not callable(translator):
            translator = open_folder(str(Path(translator).resolve()), self.diversity)
        lines = translator(list(texts))
        if isinstance(lines, str) or not isinstance(lines, Sequence | np.ndarray):
            raise DataError(f"{name} returned {type(lines).__name__}; it must return a list.")
        if len(lines) != len(texts):
            raise DataError(f"{name} returned {len(lines)} lines for {len(texts)} texts.")
        chosen = []
        for line in lines:
            options = line[: self.diversity] if isinstance(line, list | tuple) else [line]
            if not options or not all(isinstance(option, str) for option in options):
                raise DataError(f"{name} returned {line!r}; it must return str, or lists of str.")
            chosen.append(options[int(rng.integers(len(options)))] if options[1:] else options[0])
        return chosen


def trigram_similarity(sources: Sequence[str], results: Sequence[str]) -> np.ndarray:
    """Return the Dice coefficient of the three letters in a row that two texts have.

    Parameters
    ----------
    sources, results : sequence of str
        Texts, in pairs.

    Returns
    -------
    similarity : ndarray of shape (n_pairs,)
        1 for equal texts, 0 for texts with nothing in common.
    """
    values = []
    for pair in zip(sources, results, strict=True):
        first, second = (
            Counter(padded[i : i + 3] for i in range(len(padded) - 2))
            for padded in (f" {' '.join(text.lower().split())} " for text in pair)
        )
        total = first.total() + second.total()
        values.append(2 * (first & second).total() / total if total else float(pair[0] == pair[1]))
    return np.array(values)


__all__ = ["BackTranslation"]
