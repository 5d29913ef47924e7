"""Addresses, names, tags and numbers stay as they are; every transform takes linear time."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

from skopt_wrap.exceptions import ParameterError
from skopt_wrap.sampling import (
    AugmentingSampler,
    BackTranslation,
    KeyboardTypos,
    RandomCase,
    RandomDeletion,
    RandomInsertion,
    RandomSwap,
    SynonymReplacement,
    available_transforms,
)
from skopt_wrap.sampling._texts._protection import PATTERNS, finder

STRONG = [
    KeyboardTypos(1.0),
    RandomCase(1.0),
    RandomDeletion(1.0),
    RandomSwap(1.0),
    SynonymReplacement(1.0, n_senses=10),
    RandomInsertion(1.0),
    SynonymReplacement(1.0, vocabulary=lambda word: ["other"]),
]

PROTECTED = {
    "url": [
        "https://good-movie.com/big?story=1",
        "http://example.org",
        "HTTPS://EXAMPLE.ORG/A",
        "www.big-story.net",
        "ftp://doctor.story/file",
        "example.com/doctor",
        "(https://good.movie/story),",
    ],
    "email": [
        "doctor@hospital.org",
        "mailto:doctor@hospital.org",
        "<first.last+tag@mail.story.co.uk>",
    ],
    "mention": ["@doctor", "@big_story:", "(@good)"],
    "hashtag": ["#movie", "#good_story!"],
    "number": ["42", "3.14", "1,000,000", "12kg", "2nd", "$5", "10:30", "+49-30-123", "50%"],
}
ALL = [(name, word) for name, words in PROTECTED.items() for word in words]


@pytest.mark.parametrize(("name", "word"), ALL)
@pytest.mark.parametrize("transform", STRONG, ids=repr)
def test_protected_words_stay(transform, name, word):
    text = f"the good doctor told {word} a big story about the movie"
    for seed in range(5):
        changed = transform([text], rng=seed)[0]
        assert word in changed.split()
        assert changed != text
    assert finder((name,))(word)


def test_protected_words_stay_in_their_place_when_others_are_swapped():
    text = "one #two three @four five six"
    for seed in range(20):
        words = RandomSwap(1.0)([text], rng=seed)[0].split()
        assert (words[1], words[3]) == ("#two", "@four")


@pytest.mark.parametrize("transform", STRONG[:5], ids=repr)
def test_nothing_is_protected_where_that_is_asked_for(transform):
    texts = ["@doctor #movie @story #good"] * 20
    free = type(transform)(magnitude=1.0, protect=None)(texts, rng=0)
    assert (free != texts).any()
    kept = type(transform)(magnitude=1.0, protect=("mention", "hashtag"))(texts, rng=0)
    assert kept.tolist() == texts


def test_own_patterns_are_protected():
    texts = ["the ACME story of the good doctor"] * 20
    typos = KeyboardTypos(1.0, protect=[re.compile("ACME"), re.compile("story", re.IGNORECASE)])
    changed = typos(texts, rng=0)
    assert all({"ACME", "story"} <= set(text.split()) for text in changed)
    assert hash(typos) == hash(KeyboardTypos(1.0, protect=typos.protect))


def test_ordinary_words_are_not_protected():
    holds = finder(tuple(PATTERNS))
    for word in [
        "good.",
        "e.g.",
        "story...",
        "C#",
        "R&D",
        "well-known",
        "it's",
        "a/b",
        "(doctor)",
        "w12",
        "B2B",
    ]:
        assert not holds(word), word


@pytest.mark.parametrize(
    ("protect", "message"),
    [
        ("url", r"must be None, or a collection of names \(url, email"),
        (["urls"], r"does not know 'urls'. Did you mean 'url'"),
        ([3], "must hold names and compiled regular expressions. Got 3"),
        (5, "Got 5"),
    ],
)
def test_protect_is_checked(protect, message):
    for cls in (KeyboardTypos, RandomInsertion):
        with pytest.raises(ParameterError, match=message):
            cls(protect=protect)


def test_back_translation_drops_results_that_lost_a_protected_word():
    lose = BackTranslation(lambda texts: texts, lambda texts: [t.replace("@", "") for t in texts])
    assert lose(["ask @doctor now", "no name here"], rng=0).tolist()[0] == "ask @doctor now"
    keep = BackTranslation(lambda t: t, lambda t: [x.replace("now", "today") for x in t])
    assert keep(["ask (@doctor), now"], rng=0).tolist() == ["ask (@doctor), today"]
    free = BackTranslation(
        lambda t: t, lambda t: [x.replace("@", "") for x in t], protect=None, min_similarity=0.0
    )
    assert free(["ask @doctor now"], rng=0).tolist() == ["ask doctor now"]


def test_default_policy_protects():
    texts = [f"the good doctor wrote to @anna about story {i} at www.story.org" for i in range(40)]
    sampler = AugmentingSampler("text", factor=2, random_state=0)
    new, _ = sampler.fit_resample(texts, np.arange(40) % 2)
    for text, source in zip(new[40:], sampler.sample_indices_[40:], strict=True):
        assert text != texts[source]
        assert {"@anna", "www.story.org", str(source)} <= set(text.split())


@pytest.mark.parametrize("name", available_transforms("text"))
@pytest.mark.parametrize("unit", ["the good movie was big ", "a-", "a.", "x@", "aaaaaaaaaa"])
def test_time_grows_in_proportion_to_the_length(name, unit):
    def seconds(n):  # of the processor, so that other programs do not count
        sampler = AugmentingSampler("text", name, factor=1, keep_original=False, random_state=0)
        texts = [unit * n, "b c"]
        taken = []
        for _ in range(2):
            start = time.process_time()
            sampler.fit_resample(texts, [0, 1])
            taken.append(time.process_time() - start)
        return min(taken)

    seconds(10)  # loads the vocabulary
    short, long = seconds(1_000), seconds(16_000)
    assert long < 80 * short + 0.05, "16 times the length; 256 times if it were quadratic"
