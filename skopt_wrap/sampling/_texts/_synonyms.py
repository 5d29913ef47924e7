"""English synonyms from the bundled table of WordNet 3.0 [1]_, and simple inflection.

References
----------
.. [1] C. Fellbaum (ed.), "WordNet: an electronic lexical database", MIT Press, 1998.
"""

from __future__ import annotations

import functools
import lzma
import re
from collections import defaultdict
from importlib import resources

N_SENSES = 10  # number of senses of a word that the table holds

#: Words that carry grammar rather than meaning; they are never replaced.
STOP_WORDS = frozenset(
    """
    a about above across after again against ago all almost along already also although always am
    among an and another any anybody anyone anything are around as at away back be became because
    been before being below between both but by came can cannot come could did do does doing done
    down during each either else enough even ever every everybody everyone everything few for from
    further get gets getting go goes going gone got had has have having he her here hers herself
    him himself his how however i if in indeed instead into is it its itself just keep kept least
    less let like made make makes making many may maybe me might mine more most much must my myself
    near neither never no nobody none nor not nothing now of off often on once one only onto or
    other others otherwise our ours ourselves out over own per perhaps quite rather really same
    she should since so some somebody someone something sometimes still such take takes than that
    the their theirs them themselves then there therefore these they this those though through thus
    to together too toward towards two under unless until up upon us use used very was we well went
    were what whatever when where whether which while who whoever whom whose why will with within
    without would yes yet you your yours yourself yourselves
    """.split()
)

_VOWELS = "aeiou"
# Short words that double their last consonant ("stopped"). The table lists the common ones as
# irregular forms, so no form of others is made up.
_DOUBLED = re.compile(r"^[^aeiou]*[aeiou][^aeiouwxy]$")
# For each form: its possible endings, and what the base form has instead.
_ENDINGS = {
    "s": (("ies", "y"), ("es", ""), ("s", "")),
    "ed": (("ied", "y"), ("ed", ""), ("ed", "e")),
    "ing": (("ing", ""), ("ing", "e")),
    "er": (("ier", "y"), ("er", ""), ("er", "e")),
    "est": (("iest", "y"), ("est", ""), ("est", "e")),
}
_PARTS = {"s": "nv", "ed": "v", "ing": "v", "er": "a", "est": "a"}


class Thesaurus:
    """English synonyms, ordered by how common their meaning is.

    Parameters
    ----------
    table : str
        The table that ``tools/build_synonyms.py`` describes.
    """

    def __init__(self, table: str) -> None:
        self.synsets: list[list[tuple[str, int]]] = []
        self.senses: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
        self.bases: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.forms: dict[tuple[str, str], list[str]] = defaultdict(list)
        section = ""
        for line in table.splitlines():
            if line[0] == "#":
                section = line[1:]
            elif section[0] == "x":
                form, base = line.split(" ")
                self.bases[form].add((base, section[1]))
                self.forms[base, section[1]].append(form)
            else:
                synset = [_word_and_rank(word) for word in line.split(" ")]
                for word, rank in synset:
                    self.senses[word].append((rank, section, len(self.synsets)))
                self.synsets.append(synset)

    def synonyms(self, word: str, n_senses: int) -> tuple[str, ...]:
        """Return synonyms of a word in its form, those of its most frequent sense first.

        Parameters
        ----------
        word : str
            Word in lower case.
        n_senses : int
            The meaning that both words share must be among the first `n_senses` of each.

        Returns
        -------
        synonyms : tuple of str
            Empty for unknown words and for ambiguous forms.
        """
        if any(_feature(word, part) is None for _, part in self.bases.get(word, ())):
            return ()  # "left", "found": a form of one word that may also be another word
        if word in self.senses:
            return self._of_base(word, "nvar", "", n_senses)
        for feature, endings in _ENDINGS.items():
            for ending, instead in endings:
                base = word.removesuffix(ending) + instead
                if not word.endswith(ending) or base not in self.senses:
                    continue
                parts = "".join(
                    part for part in _PARTS[feature] if self.inflect(base, part, feature) == word
                )
                if parts:
                    return self._of_base(base, parts, feature, n_senses)
        known = [(b, p) for b, p in self.bases.get(word, ()) if b in self.senses]
        if len(known) == 1:
            base, part = known[0]
            return self._of_base(base, part, _feature(word, part) or "", n_senses)
        return ()

    def _of_base(self, base: str, parts: str, feature: str, n_senses: int) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for rank, part, place in sorted(self.senses[base]):
            if rank >= n_senses or part not in parts:
                continue
            for word, own_rank in sorted(self.synsets[place], key=lambda pair: pair[1]):
                if word == base or own_rank >= n_senses:
                    continue
                form = self.inflect(word, part, feature) if feature else word
                if form is not None:
                    found[form] = None
        return tuple(found)

    def inflect(self, base: str, part: str, feature: str) -> str | None:
        """Return a form of a base, or None where no simple rule gives it.

        Parameters
        ----------
        base : str
            Base form.
        part : {"n", "v", "a"}
            Part of speech.
        feature : {"s", "ed", "ing", "er", "est"}
            Ending wanted.

        Returns
        -------
        form : str or None
            The form.
        """
        listed = self.forms.get((base, part), [])
        for form in listed:
            if _feature(form, part) == feature:
                return form
        if feature == "ed" and any(_feature(form, part) is None for form in listed):
            return None  # "bought"; but which of "gave" and "given" the text needs is unknown
        if feature in ("er", "est") and len(base) > 5 and base[-1] != "y":
            return None  # "more", "most"
        if "-" in base or (feature in ("ed", "ing", "er", "est") and _DOUBLED.search(base)):
            return None
        before = base[-2:-1]
        if base[-1] == "y" and before not in _VOWELS:
            stem = base[:-1] + "i"
            return {"s": stem + "es", "ing": base + "ing"}.get(feature, stem + feature)
        if feature == "s":
            if base[-1] == "o" and before not in _VOWELS:
                return None  # "photos", "heroes"
            return base + ("es" if base.endswith(("s", "x", "z", "ch", "sh")) else "s")
        if base[-1] == "e":
            if feature == "ing" and not base.endswith(("ee", "oe", "ye")):
                return base[:-1] + "ing"
            return base + feature.removeprefix("e")
        return base + feature


def _word_and_rank(entry: str) -> tuple[str, int]:
    return (entry[:-1], int(entry[-1])) if entry[-1].isdigit() else (entry, 0)


def _feature(form: str, part: str) -> str | None:
    """Return the regular ending of a listed form; None if it has none ("mice", "went")."""
    endings = {"n": ("s",), "v": ("ing", "ed", "s"), "a": ("est", "er")}[part]
    return next((ending for ending in endings if form.endswith(ending)), None)


@functools.lru_cache(maxsize=1)
def bundled() -> Thesaurus:
    """Return the synonyms that come with the package; the first call takes half a second."""
    path = resources.files("skopt_wrap.sampling").joinpath("data/synonyms.txt.xz")
    return Thesaurus(lzma.decompress(path.read_bytes()).decode())


@functools.lru_cache(maxsize=2**16)
def bundled_synonyms(word: str, n_senses: int) -> tuple[str, ...]:
    """Return the bundled synonyms of a word in lower case; none of a stop word."""
    if word in STOP_WORDS or len(word) < 3:
        return ()
    return bundled().synonyms(word, n_senses)
