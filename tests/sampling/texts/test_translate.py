"""BackTranslation with callables, and with a small model made here."""

from __future__ import annotations

import json
import tempfile

import numpy as np
import pytest

from skopt_wrap.exceptions import DataError, ParameterError, SkippedWarning
from skopt_wrap.sampling import AugmentingSampler, BackTranslation
from skopt_wrap.sampling._texts._translate import trigram_similarity


def same(texts):
    return list(texts)


def reword(texts):
    return [text.replace("big", "large") for text in texts]


def test_translation_is_batched_and_skips_blank_texts():
    sizes = []

    def forward(texts):
        sizes.append(len(texts))
        return reword(texts)

    texts = [f"a big house {i}" for i in range(7)] + ["", "  "]
    result = BackTranslation(forward, same, batch_size=3)(texts, rng=0).tolist()
    assert sizes == [3, 3, 1]
    assert result == [f"a large house {i}" for i in range(7)] + ["", "  "]


def test_guard_keeps_the_source_of_bad_results():
    def backward(texts):
        return ["", "something else entirely", "a big old house"]

    sources = ["a big house", "a big cat", "a big house"]
    result = BackTranslation(same, backward)(sources, rng=0).tolist()
    assert result == ["a big house", "a big cat", "a big old house"]
    strict = BackTranslation(same, reword, min_similarity=0.99)
    assert strict(["a big cat"], rng=0).tolist() == ["a big cat"]
    own = BackTranslation(
        same, reword, similarity=lambda a, b: [0.0 if "cat" in t else 1 for t in a]
    )
    assert own(["a big cat", "a big dog"], rng=0).tolist() == ["a big cat", "a large dog"]


def test_similarity_is_the_dice_coefficient():
    values = trigram_similarity(["abc", "abc", "abcd"], ["abc", "xyz", "abce"])
    # " abc", "abcd ": _ab abc bcd cd_ ; _ab abc bce ce_ have two of four in common
    np.testing.assert_allclose(values, [1.0, 0.0, 0.5])


def test_diversity_draws_from_the_first_alternatives():
    def backward(texts):
        return [[f"{text} {extra}" for extra in "abcd"] for text in texts]

    results = BackTranslation(same, backward, diversity=3)(["one text"] * 200, rng=0)
    counts = {end: sum(text.endswith(end) for text in results) for end in "abcd"}
    assert min(counts[end] for end in "abc") > 40 and counts["d"] == 0
    again = BackTranslation(same, backward, diversity=3)(["one text"] * 200, rng=0)
    assert results.tolist() == again.tolist()
    assert set(BackTranslation(same, backward)(["one text"] * 9, rng=0)) == {"one text a"}


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (lambda texts: texts[:-1], "backward returned 1 lines for 2 texts"),
        (lambda texts: "text", "returned str"),
        (lambda texts: [None] * len(texts), "must return str"),
        (lambda texts: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_failing_batch_is_reported_and_the_others_are_used(result, reason):
    def backward(texts):
        return result(texts) if "bad" in texts[0] else reword(texts)

    texts = ["a big house", "a big cat", "bad big cat", "big dog", "a big owl", "a big fox"]
    transform = BackTranslation(same, backward, batch_size=2)
    with pytest.warns(SkippedWarning, match=f"(?s)batch of 2 texts.*'bad big cat'.*{reason}"):
        changed = transform(texts, rng=0).tolist()
    assert changed[2:4] == texts[2:4]
    assert changed[:2] + changed[4:] == reword(texts[:2] + texts[4:])
    with pytest.raises(DataError, match=reason):
        BackTranslation(same, backward, batch_size=2, on_error="raise")(texts, rng=0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"forward": None}, "forward"),
        ({"backward": 3}, "backward"),
        ({"batch_size": 0}, "batch_size"),
        ({"diversity": 1.5}, "diversity"),
        ({"min_similarity": 2}, "min_similarity"),
        ({"similarity": "bleu"}, "similarity"),
        ({"on_error": "ignore"}, "on_error"),
        ({"forward": "/no/such/folder"}, "model.bin"),
    ],
)
def test_translation_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        BackTranslation(**{"forward": same, "backward": same, **params})


def test_sampler_translates():
    sampler = AugmentingSampler("text", BackTranslation(same, reword), factor=2, random_state=0)
    X, _ = sampler.fit_resample(["a big house", "a big cat"], [0, 1])
    assert X == ["a big house", "a big cat", "a large house", "a large cat"]


def build_pieces(folder, sentencepiece):
    """Train a sentencepiece model on a few sentences; return it opened."""
    folder.mkdir()
    sentences = [f"the {a} {b} {c}" for a in "big old red".split() for b in "cat dog".split()
                 for c in "runs sleeps eats".split()]  # fmt: skip
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_prefix=str(folder / "sentencepiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(str(folder / "sentencepiece.model"))


def build_folder(folder):
    """Write a transformer of random weights and its sentencepiece model."""
    ctranslate2 = pytest.importorskip("ctranslate2")
    sentencepiece = pytest.importorskip("sentencepiece")
    from ctranslate2.specs import TransformerSpec
    from ctranslate2.specs.model_spec import LayerSpec

    pieces = build_pieces(folder, sentencepiece)
    vocabulary = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    rng, width = np.random.default_rng(0), 8
    spec = TransformerSpec.from_config(1, 2)

    def fill(module):
        for value in list(vars(module).values()):
            for item in value if isinstance(value, list) else ():
                if isinstance(item, LayerSpec):
                    fill(item)
            if isinstance(value, LayerSpec):
                fill(value)
        kind = type(module).__name__
        if kind == "LayerNormSpec":
            module.gamma, module.beta = np.ones(width, "float32"), np.zeros(width, "float32")
        elif kind == "EmbeddingsSpec":
            module.weight = rng.normal(size=(len(vocabulary), width)).astype("float32")
        elif kind == "LinearSpec":
            module.weight = rng.normal(size=shapes(module)).astype("float32")
            module.bias = np.zeros(len(module.weight), "float32")

    def shapes(module):
        return sizes.get(id(module), (width, width))

    sizes = {id(spec.decoder.projection): (len(vocabulary), width)}
    for layer in [*spec.encoder.layer, *spec.decoder.layer]:
        sizes[id(layer.ffn.linear_0)], sizes[id(layer.ffn.linear_1)] = (16, width), (width, 16)
        sizes[id(layer.self_attention.linear[0])] = (3 * width, width)
        if hasattr(layer, "attention"):
            sizes[id(layer.attention.linear[1])] = (2 * width, width)
    fill(spec)
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(folder))
    assert ctranslate2.contains_model(str(folder))
    return folder


def test_model_folder_translates(tmp_path):
    folder = build_folder(tmp_path / "model")
    texts = ["the big cat runs", "the red dog eats", ""] * 3
    transform = BackTranslation(folder, str(folder), min_similarity=0.0, diversity=2, batch_size=4)
    first, again = transform(texts, rng=0).tolist(), transform(texts, rng=0).tolist()
    assert first == again and len(first) == 9 and first[2] == ""
    assert all(isinstance(text, str) for text in first) and first != texts


def test_model_folder_needs_its_pieces(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ParameterError, match=r"source\.spm"):
        BackTranslation(tmp_path, tmp_path)


def build_marian(folder):
    """Write a transformer of random weights as Marian does, and its sentencepiece model."""
    pytest.importorskip("ctranslate2")
    sentencepiece = pytest.importorskip("sentencepiece")
    import yaml

    pieces = build_pieces(folder, sentencepiece)
    tokens = ["</s>", "<unk>"] + [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
    lines = [f"{json.dumps(token, ensure_ascii=False)}: {i}\n" for i, token in enumerate(tokens)]
    (folder / "model.vocab.yml").write_text("".join(lines), encoding="utf-8")
    config = {
        "type": "transformer", "enc-depth": 1, "dec-depth": 1, "transformer-heads": 2,
        "transformer-preprocess": "", "transformer-postprocess": "dan",
        "transformer-postprocess-emb": "d", "transformer-ffn-activation": "swish",
        "transformer-decoder-autoreg": "self-attention", "transformer-no-projection": False,
        "transformer-guided-alignment-layer": "last",
    }  # fmt: skip
    rng, width, inner = np.random.default_rng(0), 8, 16
    weights = {"Wemb": rng.normal(size=(len(tokens), width))}
    weights["decoder_ff_logit_out_b"] = np.zeros((1, len(tokens)))
    for side, blocks in (("encoder", ["self"]), ("decoder", ["self", "context"])):
        for block in blocks:
            for letter in "qkvo":
                weights[f"{side}_l1_{block}_W{letter}"] = rng.normal(size=(width, width))
                weights[f"{side}_l1_{block}_b{letter}"] = np.zeros((1, width))
        for number, shape in ((1, (width, inner)), (2, (inner, width))):
            weights[f"{side}_l1_ffn_W{number}"] = rng.normal(size=shape)
            weights[f"{side}_l1_ffn_b{number}"] = np.zeros((1, shape[1]))
        for block in [*(f"{block}_Wo" for block in blocks), "ffn_ffn"]:
            weights[f"{side}_l1_{block}_ln_scale"] = np.ones((1, width))
            weights[f"{side}_l1_{block}_ln_bias"] = np.zeros((1, width))
    content = {name: value.astype("float32") for name, value in weights.items()}
    text = yaml.safe_dump(config).encode() + b"\0"
    content["special:model.yml"] = np.frombuffer(text, dtype=np.int8)
    np.savez(folder / "model.npz", **content)
    return folder


def test_marian_folder_translates(tmp_path, monkeypatch):
    folder = build_marian(tmp_path / "marian")
    import ctranslate2
    import sentencepiece

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    texts = ["the big cat runs", "the red dog eats", ""]
    there = BackTranslation(folder, same, min_similarity=0.0)(texts, rng=0).tolist()
    assert there[2] == "" and all(a != b for a, b in zip(there[:2], texts[:2], strict=True))
    assert not list(temporary.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == [
        "model.npz", "model.vocab.yml", "sentencepiece.model", "sentencepiece.vocab"
    ]  # fmt: skip
    # Converted beforehand, the model adds the end of a text by itself, too.
    vocabulary = str(folder / "model.vocab.yml")
    converter = ctranslate2.converters.MarianConverter(str(folder / "model.npz"), [vocabulary])
    converter.convert(str(tmp_path / "converted"))
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "sentencepiece.model"))
    tokens = [pieces.encode(text, out_type=str) for text in texts[:2]]
    results = ctranslate2.Translator(str(tmp_path / "converted")).translate_batch(
        tokens, max_decoding_length=256
    )
    expected = [pieces.decode(result.hypotheses[0]) for result in results]
    (tmp_path / "converted" / "spm.model").write_bytes(
        (folder / "sentencepiece.model").read_bytes()
    )
    other = BackTranslation(tmp_path / "converted", same, min_similarity=0.0)(texts, rng=0)
    assert there[:2] == other.tolist()[:2] == expected


def test_marian_folder_follows_its_decoder_settings(tmp_path):
    folder = build_marian(tmp_path / "marian")
    names = [f"{side}.vocab.yml" for side in ("one", "two")]
    for name in names:
        (folder / name).write_bytes((folder / "model.vocab.yml").read_bytes())
    (folder / "model.vocab.yml").unlink()
    with pytest.raises(ParameterError, match=r"decoder\.yml.*one\.vocab\.yml.*two\.vocab\.yml"):
        BackTranslation(folder, same)
    settings = {"models": ["/trained/at/model.npz"], "vocabs": names}
    (folder / "decoder.yml").write_text(json.dumps(settings))
    text = BackTranslation(folder, same, min_similarity=0.0)(["the big cat runs"], rng=0).tolist()
    assert text != ["the big cat runs"]
    (folder / "decoder.yml").write_text(json.dumps({**settings, "vocabs": ["three.yml"]}))
    with pytest.raises(ParameterError, match=r"missing.*three\.yml"):
        BackTranslation(folder, same)
    (folder / "second.npz").write_bytes(b"")
    (folder / "decoder.yml").unlink()
    with pytest.raises(ParameterError, match="one model"):
        BackTranslation(folder, same)


def test_marian_folder_of_another_architecture_is_refused(tmp_path):
    folder = build_marian(tmp_path / "marian")
    content = dict(np.load(folder / "model.npz"))
    text = content["special:model.yml"].tobytes().replace(b"type: transformer", b"type: s2s")
    content["special:model.yml"] = np.frombuffer(text, dtype=np.int8)
    np.savez(folder / "model.npz", **content)
    with pytest.raises(DataError, match=r"(?s)cannot be converted.*'transformer'"):
        BackTranslation(folder, same, on_error="raise")(["the big cat"], rng=0)
