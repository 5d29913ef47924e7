"""Raw texts for an architecture that reads texts: the estimator makes ids of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ..._params import builder_parameters
from ..._texts import TextEncoder, as_texts
from ...architectures import check_text_parameters
from ...exceptions import DataError, ParameterError

# Parameters of a builder that say how ids are made.
_SETTINGS = ("max_words", "max_length", "n_buckets", "part_lengths", "pairs", "lowercase")
_CHECKED = {"max_words": 1, "max_length": None, "n_buckets": 0, "part_lengths": ()}


def reads_texts(estimator: Any) -> bool:
    """Return whether the network of an estimator reads ids of texts."""
    return bool(getattr(estimator._builder(), "texts", False))


def check_texts(estimator: Any, X: Any, *, reset: bool, dataset: bool) -> np.ndarray:
    """Return texts as ids; learn the words when `reset`.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Learns its `text_encoder_` when `reset`.
    X : list of str, array or Series of shape (n_samples,), or one column
        Texts.
    reset : bool
        Whether these are the texts of a first fit.
    dataset : bool
        Whether they are a batch of a dataset.

    Returns
    -------
    ids : ndarray of shape (n_samples, n_ids), int32
        See :class:`skopt_wrap._texts.TextEncoder`.

    Raises
    ------
    DataError
        For what holds no texts, and for a dataset.
    """
    if dataset:
        raise DataError(
            "fit_dataset sees one batch of texts at a time, and model='text' has to know the words "
            "of all of them first. Give the texts to fit, or part by part to partial_fit."
        )
    texts = as_texts(X)
    if not texts:
        raise DataError("Found array with 0 sample(s): X holds no text; at least one is needed.")
    column = np.array(texts, dtype=object)[:, None]
    validate_data(
        estimator, X if hasattr(X, "columns") else column, reset=reset, skip_check_array=True
    )
    if reset:
        if all(text is None for text in texts):
            raise DataError("X holds missing values only, and no text.")
        estimator.text_encoder_ = TextEncoder.learn(texts, **_settings(estimator))
    ids: np.ndarray = estimator.text_encoder_.encode(texts)
    return ids


def learn_texts(estimator: Any, fitting: Any) -> None:
    """Let the words that no training row of a first fit has become unknown ones.

    Parameters
    ----------
    estimator : KerasClassifier or KerasRegressor
        Its `text_encoder_` forgets them.
    fitting : Fitting
        Training rows, and rows for validation.
    """
    if estimator.text_encoder_ is None:
        return
    new = estimator.text_encoder_.forget(fitting.X[fitting.weights > 0])
    fitting.X = new[fitting.X]
    if fitting.validation is not None:
        X, y, weights = fitting.validation
        fitting.validation = (new[X], y, weights)


def text_meta(encoder: TextEncoder | None) -> dict[str, Any]:
    """Return what a builder is told of the ids of texts."""
    return {} if encoder is None else {"n_ids_": encoder.n_ids, "n_words_": encoder.n_words}


def _settings(estimator: Any) -> dict[str, Any]:
    if estimator.augment is not None:
        raise ParameterError(
            f"augment={estimator.augment!r} would change ids, and model='text' reads texts. Put "
            "the sampler in front: imblearn.pipeline.make_pipeline(sampler, KerasClassifier(...))."
        )
    known = {**builder_parameters(estimator._builder())[0], **estimator._routed("model")}
    settings = {name: known[name] for name in _SETTINGS if name in known}
    check_text_parameters(**{name: settings.get(name, at) for name, at in _CHECKED.items()})
    return settings
