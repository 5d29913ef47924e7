"""Build the table of English synonyms that `skopt_wrap.sampling` ships, from WordNet 3.0.

Source: the files ``data.*``, ``index.*``, ``*.exc`` and ``cntlist.rev`` of Princeton's WordNet 3.0
(https://wordnet.princeton.edu), as packed by Debian::

    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb wordnet
    python tools/build_synonyms.py wordnet/usr/share/wordnet

writes ``skopt_wrap/sampling/data/synonyms.txt.xz``. The licence of WordNet, which must go with
every copy, is ``WORDNET_LICENSE.txt`` beside it.

The table is text: ``#n``, ``#v``, ``#a`` and ``#r`` open the synsets of nouns, verbs, adjectives
and adverbs, one line each. A digit after a word is the rank of this sense among all senses of the
word, of all parts of speech, ordered by how often texts were tagged with it; no digit is rank 0.
``#xn``, ``#xv`` and ``#xa`` open the irregular forms: the form, then the base.

Left out: expressions of several words, names, words bound to one position in the sentence, and
words that WordNet marks as slurs, vulgar, slang or archaic; then synsets with a single word left.
"""

from __future__ import annotations

import lzma
import re
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "skopt_wrap/sampling/data/synonyms.txt.xz"
PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
USAGES = (  # nouns whose usage domain is unfit for automatic replacement
    "ethnic_slur", "disparagement", "derogation", "obscenity", "dirty_word", "vulgarism",
    "slang", "archaism", "archaicism",
)  # fmt: skip
N_RANKS = 10


def read_ranks(folder: Path) -> dict[tuple[str, str, int], int]:
    """Return the rank of each sense: ``{(word, part, offset): rank}``, over all parts."""
    tagged: dict[tuple[str, str, int], int] = {}
    for line in (folder / "cntlist.rev").read_text("latin-1").splitlines():
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        tagged[word, TYPES[rest[0]], int(number)] = int(count)
    senses = defaultdict(list)
    for order, (part, name) in enumerate(PARTS.items()):
        for line in (folder / f"index.{name}").read_text("latin-1").splitlines():
            if line.startswith(" "):
                continue
            word, _, n_synsets, *rest = line.split()
            for number, offset in enumerate(rest[-int(n_synsets) :], start=1):
                often = tagged.get((word, part, number), 0)
                senses[word].append((-often, number, order, part, int(offset)))
    return {
        (word, part, offset): rank
        for word, found in senses.items()
        for rank, (_, _, _, part, offset) in enumerate(sorted(found))
    }


def read_synsets(folder: Path):
    """Yield part, offset, words (as spelt) and usage pointers of each synset."""
    for part, name in PARTS.items():
        for line in (folder / f"data.{name}").read_text("latin-1").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split(" | ")[0].split()
            n_words = int(fields[3], 16)
            words = fields[4 : 4 + 2 * n_words : 2]
            start = 4 + 2 * n_words
            pointers = fields[start + 1 : start + 1 + 4 * int(fields[start])]
            usages = [
                (int(pointers[i + 1]), int(pointers[i + 3][:2], 16))
                for i in range(0, len(pointers), 4)
                if pointers[i] == ";u"
            ]
            yield part, int(fields[0]), words, usages


def build(folder: Path) -> str:
    """Return the table as text."""
    ranks = read_ranks(folder)
    synsets = list(read_synsets(folder))
    unfit = {offset for part, offset, words, _ in synsets if part == "n" and {*words} & {*USAGES}}
    sections = defaultdict(list)
    kept: dict[str, set[str]] = {part: set() for part in PARTS}
    for part, offset, words, usages in synsets:
        marked = {number for target, number in usages if target in unfit}  # 0: all words
        if 0 in marked:
            continue
        line = []
        for number, word in enumerate(words, start=1):
            rank = ranks.get((word, part, offset), N_RANKS)
            if number not in marked and WORD.fullmatch(word) and rank < N_RANKS:
                line.append(f"{word}{rank or ''}")
        if len(line) > 1:
            sections[part].append(" ".join(sorted(line)))
            kept[part].update(word.rstrip("0123456789") for word in line)
    for part in "nva":
        for line in (folder / f"{PARTS[part]}.exc").read_text("latin-1").splitlines():
            form, *bases = line.split()
            if WORD.fullmatch(form) and bases[0] in kept[part] and form != bases[0]:
                sections[f"x{part}"].append(f"{form} {bases[0]}")
    return "".join(
        f"#{name}\n" + "".join(f"{line}\n" for line in sorted(sections[name])) for name in sections
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    table = build(Path(sys.argv[1]))
    TARGET.write_bytes(lzma.compress(table.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{TARGET}: {table.count(chr(10)):,} lines, {TARGET.stat().st_size:,} bytes")
