"""The network for texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from .._keras import load_keras
from ..exceptions import ModelError, ParameterError
from ._architecture import Architecture
from ._blocks import check_fraction, close_network, layer_options
from ._recipe import Recipe

# Range of the first vectors.
_SPREAD = 0.05


def text(
    meta: Mapping[str, Any],
    *,
    max_words: int = 20_000,
    n_buckets: int = 16_384,
    part_lengths: Sequence[int] = (3, 4, 5),
    pairs: bool = True,  # noqa: ARG001  the estimator acts on it
    lowercase: bool = True,  # noqa: ARG001  the estimator acts on it
    max_length: int | None = None,
    embedding_dim: int = 64,
    filters: int = 0,
    kernel_size: int = 3,
    dense_units: int = 0,
    dropout: float = 0.3,
) -> Any:
    """Build a network for texts: an average of vectors, weighted by what matters.

    The estimator makes ids of raw texts: words are looked up in those of the training texts, and
    pairs of neighbouring words and parts of words are hashed, so that an unknown word still says
    something. Nothing is downloaded. The network begins at the ids. Each id has a vector and an
    importance, both learned; the text is the average of its vectors, weighted by the exponentials
    of their importance (averages as in fastText [1]_). A convolution over the words may stand
    beside it.

    Parameters
    ----------
    meta : mapping
        What the estimator knows of the data; see :class:`skopt_wrap.KerasClassifier`. The number of
        ids is ``meta["n_ids_"]``, that of words in a row ``meta["n_words_"]``.
    max_words : int, default=20000
        Words that have an id of their own, those that the most training texts have.
    n_buckets : int, default=16384
        Ids of pairs and parts, given by a checksum; 0 leaves pairs and parts out.
    part_lengths : sequence of int, default=(3, 4, 5)
        Numbers of characters of the parts of a word; () leaves parts out.
    pairs : bool, default=True
        Read pairs of neighbouring words.
    lowercase : bool, default=True
        Read capital letters as small ones.
    max_length : int, default=None
        Words of a text that are read. None takes those of the longest training text, at most 1000.
    embedding_dim : int, default=64
        Width of a vector.
    filters : int, default=0
        Filters of a convolution over the words, whose greatest values join the average; 0 leaves it
        out.
    kernel_size : int, default=3
        Words that a filter sees.
    dense_units : int, default=0
        Width of a dense layer before the output; 0 leaves it out.
    dropout : float, default=0.3
        Fraction of the average dropped while training, in [0, 1).

    Returns
    -------
    model : keras.Model
        Uncompiled, ending in ``meta["n_outputs_expected_"]`` linear units, for rows of ids.

    Raises
    ------
    ModelError
        When it is not told the number of ids.
    ParameterError
        When a parameter breaks its rule.

    References
    ----------
    .. [1] A. Joulin et al., "Bag of tricks for efficient text classification", EACL 2017.

    Examples
    --------
    >>> from skopt_wrap import KerasClassifier
    >>> X = ["a good film", "a bad film", "good", None] * 10
    >>> y = [1, 0, 1, 0] * 10
    >>> KerasClassifier("text", epochs=20, random_state=0).fit(X, y).score(X, y)
    1.0
    """
    keras = load_keras()
    from ._text_layers import ImportanceAverage

    check_text_parameters(
        max_words=max_words, n_buckets=n_buckets, part_lengths=part_lengths, max_length=max_length
    )
    for name, value, least in (
        ("embedding_dim", embedding_dim, 1),
        ("filters", filters, 0),
        ("kernel_size", kernel_size, 1),
        ("dense_units", dense_units, 0),
    ):
        _check_count(name, value, least)
    check_fraction("dropout", dropout)
    if "n_ids_" not in meta:
        raise ModelError(
            "The builder 'text' must be told the number of ids. Give model='text' to the "
            "estimator, which makes ids of texts, or Architecture(..., texts=True)."
        )
    n_ids, shape = int(meta["n_ids_"]), tuple(meta["X_shape_"][1:])
    ids = keras.Input(shape, dtype="int32", name="ids")
    uniform = keras.initializers.RandomUniform(-_SPREAD, _SPREAD)
    vectors = keras.layers.Embedding(
        n_ids, embedding_dim, embeddings_initializer=uniform, name="vectors"
    )(ids)
    importance = keras.layers.Embedding(
        n_ids, 1, embeddings_initializer="zeros", name="importance"
    )(ids)
    tensor = ImportanceAverage(name="average")([vectors, importance, ids])
    if filters:
        words = vectors[:, : int(meta.get("n_words_", shape[0]))]
        found = keras.layers.Conv1D(filters, kernel_size, padding="same", activation="relu")(words)
        found = keras.layers.GlobalMaxPooling1D()(found)
        tensor = keras.layers.Concatenate()([tensor, found])
    if dropout:
        tensor = keras.layers.Dropout(dropout)(tensor)
    if dense_units:
        tensor = keras.layers.Dense(dense_units, activation="relu")(tensor)
        if dropout:
            tensor = keras.layers.Dropout(dropout)(tensor)
    options = layer_options(
        l1=0.0, l2=0.0, kernel_initializer="glorot_uniform", bias_initializer="zeros"
    )
    return close_network(ids, tensor, meta, options, "text")


def check_text_parameters(
    *, max_words: Any, n_buckets: Any, part_lengths: Any, max_length: Any
) -> None:
    """Raise for what ids of texts cannot be made with."""
    _check_count("max_words", max_words, 1)
    _check_count("n_buckets", n_buckets, 0)
    if max_length is not None:
        _check_count("max_length", max_length, 1)
    if isinstance(part_lengths, str) or not isinstance(part_lengths, Sequence):
        raise ParameterError(
            f"model__part_lengths must be a sequence of ints >= 1, got {part_lengths!r}."
        )
    for length in part_lengths:
        _check_count("part_lengths", length, 1)


def _check_count(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ParameterError(f"model__{name} must be an int >= {least}, got {value!r}.")


def _optimizer(regression: bool) -> tuple[type, Mapping[str, Any]]:  # noqa: ARG001
    return load_keras().optimizers.Adam, {"learning_rate": 0.01}


def _compact_space() -> dict[str, Any]:
    from scipy.stats import loguniform, uniform

    return {
        "model__embedding_dim": [16, 32, 64, 128],
        "model__dropout": uniform(0.0, 0.6),
        "optimizer__learning_rate": loguniform(2e-3, 3e-2),
    }


def _full_space() -> dict[str, Any]:
    return {
        **_compact_space(),
        "model__max_words": [5000, 20_000],
        "model__n_buckets": [0, 4096, 16_384, 65_536],
        "model__part_lengths": [(3,), (3, 4), (3, 4, 5)],
        "model__pairs": [False, True],
        "model__filters": [0, 32, 64],
        "model__kernel_size": [2, 3, 5],
        "model__dense_units": [0, 64],
        "batch_size": [16, 32, 64],
    }


def _fits(shape: Sequence[int]) -> bool:  # noqa: ARG001  texts have no shape
    return False


TEXT = Architecture(
    "text",
    text,
    _compact_space,
    _full_space,
    fits=_fits,
    texts=True,
    recipe=Recipe(epochs=10, optimizer=_optimizer, learning_rate_schedule="cosine"),
)
