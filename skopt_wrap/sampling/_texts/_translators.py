"""Open translation models from folders: CTranslate2 or Marian, with sentencepiece."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...exceptions import ParameterError

# File names of sentencepiece models that are looked for: of the source and of the target language.
_PIECES = (
    ("source.spm", "target.spm"),
    ("sentencepiece.model", "sentencepiece.model"),
    ("spm.model", "spm.model"),
)


def check_folder(folder: Path) -> None:
    """Raise :class:`ParameterError` unless a folder holds a model and its sentencepiece models.

    Parameters
    ----------
    folder : Path
        Folder.
    """
    if not (folder / "model.bin").is_file():
        _find_marian(folder)
    _find_pieces(folder)


def _find_pieces(folder: Path) -> tuple[Path, Path]:
    """Return the sentencepiece models of a folder, of source and target language."""
    for names in _PIECES:
        source, target = (folder / name for name in names)
        if source.is_file() and target.is_file():
            return source, target
    known = ", ".join(" + ".join(dict.fromkeys(names)) for names in _PIECES)
    raise ParameterError(f"{folder} has no sentencepiece models. Looked for: {known}.")


def _find_marian(folder: Path) -> tuple[Path, list[Path]]:
    """Return model and vocabularies of a folder with one Marian model."""
    named = _decoder_files(folder)
    models = named.get("models") or sorted(folder.glob("*.npz"))
    if not models:
        raise ParameterError(
            f"{folder} is no folder of a model: it has neither model.bin (CTranslate2) nor a *.npz "
            "file (Marian). Pass another folder, or a callable."
        )
    vocabularies = named.get("vocabs") or sorted(folder.glob("*vocab*.yml"))
    if len(models) > 1:
        rule, found = "one model", models
    elif not vocabularies or (len(vocabularies) > 1 and "vocabs" not in named):
        rule, found = "decoder.yml with `vocabs`, or one *vocab*.yml file", vocabularies
    else:
        missing = [path for path in (*models, *vocabularies) if not path.is_file()]
        if not missing:
            return models[0], vocabularies
        rule, found = "the files that decoder.yml names; missing", missing
    names = [path.name for path in found]
    raise ParameterError(f"The folder of a Marian model, {folder}, needs {rule}. Found: {names}.")


def _decoder_files(folder: Path) -> dict[str, list[Path]]:
    """Return the models and the vocabularies that Marian's ``decoder.yml`` names, if it is there.

    Relative paths, and absolute ones that do not exist, are looked up in the folder.
    """
    file = folder / "decoder.yml"
    if not file.is_file():
        return {}
    try:
        import yaml  # comes with ctranslate2
    except ImportError as error:
        raise _missing_extra() from error

    settings = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    found = {}
    for key in ("models", "vocabs"):
        paths = [Path(name) for name in settings.get(key) or ()]
        found[key] = [path if path.is_file() else folder / path.name for path in paths]
    return {key: paths for key, paths in found.items() if paths}


def _missing_extra() -> ParameterError:
    """Return the error for model folders without the libraries that they need."""
    return ParameterError(
        "Model folders need ctranslate2 and sentencepiece: pip install "
        "'skopt_wrap[translation]'. Or pass a callable."
    )


@functools.lru_cache(maxsize=4)
def open_folder(path: str, n_best: int) -> Callable[[list[str]], list[list[str]]]:
    """Return the translator of a model folder; the last four stay open.

    Parameters
    ----------
    path : str
        Folder.
    n_best : int
        Translations to return for each text, the best first.

    Returns
    -------
    translate : callable
        From a list of str to a list of lists of str.
    """
    try:
        import ctranslate2
        import sentencepiece
    except ImportError as error:
        raise _missing_extra() from error

    folder = Path(path)
    source, target = (
        sentencepiece.SentencePieceProcessor(model_file=str(file)) for file in _find_pieces(folder)
    )
    if (folder / "model.bin").is_file():
        model, end = ctranslate2.Translator(path, device="cpu"), _end_of_source(folder)
    else:
        with tempfile.TemporaryDirectory(prefix="skopt_wrap_") as temporary:
            converted = Path(temporary, "model")
            _convert_marian(folder, converted)
            # The model is in memory from here on, so the files may be deleted.
            model, end = ctranslate2.Translator(str(converted)), _end_of_source(converted)

    def translate(texts: list[str]) -> list[list[str]]:
        pieces = [[*source.encode(text, out_type=str), *end] for text in texts]
        results = model.translate_batch(
            pieces, beam_size=max(2, n_best), num_hypotheses=n_best, max_decoding_length=256
        )
        return [[target.decode(tokens) for tokens in result.hypotheses] for result in results]

    return translate


def _end_of_source(folder: Path) -> list[str]:
    """Return the end mark for the tokens of a text; none where the model adds it itself."""
    file = folder / "config.json"
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return [] if config.get("add_source_eos") else ["</s>"]


def _convert_marian(folder: Path, output: Path) -> None:
    """Convert a Marian model to one of CTranslate2."""
    from ctranslate2.converters import MarianConverter

    model, vocabularies = _find_marian(folder)
    try:
        MarianConverter(str(model), [str(file) for file in vocabularies]).convert(str(output))
    except Exception as error:
        raise ParameterError(
            f"{model} cannot be converted to a model of CTranslate2: {type(error).__name__}: "
            f"{error}"
        ) from error


__all__ = ["check_folder", "open_folder"]
