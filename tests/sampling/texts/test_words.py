"""Synonyms, their table, and the transforms that use them."""

from __future__ import annotations

import pickle
from collections import Counter
from importlib import resources

import pytest
from sklearn.base import clone

from skopt_wrap.exceptions import DataError, ParameterError
from skopt_wrap.sampling import AugmentingSampler, RandomCase, RandomInsertion, SynonymReplacement
from skopt_wrap.sampling._texts._synonyms import STOP_WORDS, Thesaurus, bundled, bundled_synonyms

TABLE = """#n
dog hound1
cab taxi
party side1
#v
begin commence start
halt stop
buy purchase
#a
big large
#xn
mice mouse
#xv
began begin
beginning begin
begun begin
bought buy
stopped stop
stopping stop
#xa
bigger big
biggest big
"""


def test_table_is_shipped_with_its_licence():
    data = resources.files("skopt_wrap.sampling").joinpath("data")
    licence = data.joinpath("WORDNET_LICENSE.txt").read_text()
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence
    assert len(data.joinpath("synonyms.txt.xz").read_bytes()) < 260_000
    assert len(bundled().synsets) > 20_000


@pytest.mark.parametrize(
    ("word", "synonyms"),
    [
        ("begin", ("commence", "start")),
        ("begins", ("commences", "starts")),
        ("beginning", ("commencing", "starting")),
        ("began", ()),  # past or participle: unknown
        ("commenced", ("started",)),  # never "begined"
        ("starting", ("beginning", "commencing")),
        ("stopped", ("halted",)),
        ("halting", ("stopping",)),
        ("purchased", ()),
        ("larger", ("bigger",)),
        ("biggest", ("largest",)),
        ("cabs", ("taxis",)),
        ("parties", ()),  # "side" in a rarer sense only
        ("dog", ()),
        ("mice", ()),
        ("unknown", ()),
    ],
)
def test_thesaurus_keeps_simple_inflection(word, synonyms):
    assert Thesaurus(TABLE).synonyms(word, 1) == synonyms


def test_thesaurus_senses_are_the_quality_knob():
    thesaurus = Thesaurus(TABLE)
    assert thesaurus.synonyms("parties", 2) == ("sides",)
    assert thesaurus.synonyms("dog", 2) == ("hound",)
    assert set(bundled_synonyms("car", 1)) == {"auto", "automobile", "motorcar"}
    assert "gondola" not in bundled_synonyms("car", 2)
    assert len(bundled_synonyms("car", 10)) > len(bundled_synonyms("car", 1))


def test_stop_words_and_ambiguous_forms_have_no_synonyms():
    assert not any(bundled_synonyms(word, 10) for word in STOP_WORDS)
    assert bundled_synonyms("left", 10) == () == bundled_synonyms("found", 10)


def all_results(transform, text, n=40):
    return {transform([text], rng=seed)[0] for seed in range(n)}


def test_replacement_keeps_case_punctuation_and_gaps():
    transform = SynonymReplacement(1.0, vocabulary={"katze": ["mieze"], "hund": ["köter"]})
    assert transform(['"Katze",  hund!\nKATZE'], rng=0)[0] == '"Mieze",  köter!\nMIEZE'
    assert transform(["KATZE UND HUND."], rng=0)[0] == "MIEZE UND KÖTER."


def test_replacement_leaves_names_alone():
    assert all_results(SynonymReplacement(1.0), "we met Miss Car there") == {
        "we met Miss Car there"
    }
    changed = all_results(SynonymReplacement(1.0), "It works. Cars are loud")
    assert any("Automobiles" in text for text in changed)


def test_replacement_mends_articles():
    results = all_results(SynonymReplacement(1.0), "We saw a car there")
    assert "We saw an auto there" in results and "We saw a motorcar there" in results
    assert all("a auto" not in text for text in results)


def test_replacement_changes_as_many_words_as_asked():
    text = " ".join(["car"] * 20)
    for magnitude, changed in ((0.0, 0), (0.01, 1), (0.25, 5), (1.0, 20)):
        words = SynonymReplacement(magnitude)([text], rng=0)[0].split()
        assert sum(word != "car" for word in words) == changed


def test_insertion_keeps_the_text_and_adds_synonyms():
    text = "the doctor wrote a story"
    for result in all_results(RandomInsertion(0.4), text):
        added = Counter(result.split()) - Counter(text.split())
        assert added.total() == 2
        assert all(w in {"doc", "physician", "tale", "narration", "narrative"} for w in added)


def test_vocabulary_may_be_a_callable():
    seen = []

    def look_up(word):
        seen.append(word)
        return ["auto"] if word == "wagen" else None

    transform = SynonymReplacement(1.0, vocabulary=look_up, stop_words=["der"])
    assert transform(["der Wagen", "der wagen"], rng=0).tolist() == ["der Auto", "der auto"]
    assert seen == ["wagen"]


@pytest.mark.parametrize("cls", [SynonymReplacement, RandomInsertion])
def test_vocabulary_mistakes_are_named(cls):
    with pytest.raises(DataError, match="must give a list of str"):
        cls(1.0, vocabulary={"a": "b"})(["a b"], rng=0)
    with pytest.raises(ParameterError, match="vocabulary"):
        cls(vocabulary=["a"])
    with pytest.raises(ParameterError, match="n_senses"):
        cls(n_senses=0)
    with pytest.raises(ParameterError, match="stop_words"):
        cls(stop_words="the")


@pytest.mark.parametrize("cls", [SynonymReplacement, RandomInsertion, RandomCase])
@pytest.mark.parametrize("text", ["", " ", "a", "  a ", "1 2", "äöü ß", "car's - ...", "x" * 999])
def test_word_transform_copes_with_odd_texts(cls, text):
    for seed in range(5):
        result = cls(0.5)([text], rng=seed)[0]
        assert isinstance(result, str) and bool(result.strip()) == bool(text.strip())


def test_case_keeps_the_letters():
    text = "The quick BROWN fox"
    results = all_results(RandomCase(0.5), text)
    assert len(results) > 10 and all(r.lower() == text.lower() for r in results)
    assert RandomCase(0.0)([text], rng=0)[0] == text


def test_sampler_with_synonyms_is_a_value():
    transform = SynonymReplacement(0.5, vocabulary={"a": ["b"]})
    assert hash(transform) and transform == pickle.loads(pickle.dumps(transform))
    sampler = AugmentingSampler("text", [transform], factor=2, random_state=0)
    X, _ = clone(sampler).fit_resample(["a a a a", "c c"], [0, 1])
    assert X[2].split().count("b") == 2 and X[3] == "c c"
