"""Transforms of texts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from skopt_wrap.sampling import AugmentingSampler, KeyboardTypos, RandomDeletion, RandomSwap
from skopt_wrap.sampling._texts._text import NEIGHBOURS, split_words

TEXT = "The  quick brown fox,\njumps over the lazy dog!"


@pytest.mark.parametrize("transform", [RandomSwap(0.3), RandomDeletion(0.3), KeyboardTypos(0.3)])
@pytest.mark.parametrize("text", ["", " ", "a", "  a ", "1 2", "äöü ß"])
def test_text_transform_copes_with_short_texts(transform, text):
    for seed in range(20):
        result = transform([text], rng=seed)[0]
        assert isinstance(result, str) and bool(result.strip()) == bool(text.strip())


def test_split_words_loses_nothing():
    parts, words = split_words(TEXT)
    assert "".join(parts) == TEXT
    assert [parts[i] for i in words] == TEXT.split()


def test_swap_keeps_the_words_and_the_gaps():
    for seed in range(30):
        result = RandomSwap(0.1)([TEXT], rng=seed)[0]
        assert Counter(result.split()) == Counter(TEXT.split()) and result != TEXT
        assert sum(a != b for a, b in zip(result.split(), TEXT.split(), strict=True)) == 2
        assert [c for c in result if c.isspace()] == [c for c in TEXT if c.isspace()]


def test_deletion_removes_words_at_the_rate_and_keeps_their_order():
    texts = [" ".join(f"w{i}" for i in range(50))] * 200
    results = RandomDeletion(0.2)(texts, rng=0)
    lengths = np.array([len(text.split()) for text in results])
    assert abs(lengths.mean() / 50 - 0.8) < 0.02
    for text in results[:20]:
        numbers = [int(word[1:]) for word in text.split(" ")]
        assert numbers == sorted(numbers)


def test_deletion_never_empties_a_text():
    assert all(len(t.split()) == 1 for t in RandomDeletion(1.0)(["a b c"] * 20, rng=0))


def test_keyboard_neighbours_are_mutual_and_near():
    assert len(NEIGHBOURS) == 26
    assert all(a in NEIGHBOURS[b] for a in NEIGHBOURS for b in NEIGHBOURS[a])
    assert set(NEIGHBOURS["q"]) == {"w", "a"}
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")


def test_typos_replace_letters_only_and_keep_case():
    result = KeyboardTypos(1.0)([TEXT + " 123 Äß"], rng=0)[0]
    for old, new in zip(TEXT + " 123 Äß", result, strict=True):
        if old.lower() in NEIGHBOURS:
            assert new.lower() in NEIGHBOURS[old.lower()] and new.isupper() == old.isupper()
        else:
            assert new == old


def test_typos_happen_at_the_rate():
    text = "a" * 20000
    result = KeyboardTypos(0.05)([text], rng=0)[0]
    assert abs(sum(c != "a" for c in result) / 20000 - 0.05) < 0.005


def test_sampler_balances_texts():
    texts = ["good film", "bad film", "bad story in a film", "dull and long"]
    X, y = AugmentingSampler(random_state=0).fit_resample(texts, ["pos", "neg", "neg", "neg"])
    assert y.count("pos") == 3 and all(sorted(t) for t in X)
    assert X[:4] == texts and X[4] != "good film"
