"""Checks of the parameters and the data of a search, made before anything is trained."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.utils import Bunch, check_array, get_tags
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_consistent_length

from .._sklearn import check_method_params
from .._texts import is_text_column
from ..architectures import Architecture
from ..estimators import resolved_epochs
from ..exceptions import DataError, ParameterError, SkippedWarning, UnknownParameterError, suggest
from ._auto import own_entries
from ._best_estimator import routing_enabled
from ._candidate._hypermodel import is_hypermodel
from ._candidate._pipeline import CandidatePipeline
from ._candidate._threshold import THRESHOLD
from ._space._conditions import changed
from ._space._presets import default_space
from ._strategies._named import sets_epochs

PRESETS = ("compact", "full")
# Parameters of a search that are for a model that is not an estimator yet.
OF_NEW_NETWORKS = (
    "epochs", "batch_size", "early_stopping", "learning_rate_schedule", "callbacks",
)  # fmt: skip


def check_model(tuned: Any, network: Any) -> None:
    """Refuse a network of the wrong kind, and settings that say nothing."""
    wrong = is_regressor if is_classifier(tuned) else is_classifier
    if wrong(network):
        raise ParameterError(
            f"{type(tuned).__name__} was given model={type(network).__name__}, the wrong "
            "kind of estimator."
        )
    if tuned.study is not None and tuned.storage is None:
        raise ParameterError(f"study={tuned.study!r} names a search inside storage, which is None.")
    if hasattr(tuned.model, "get_params") and not isinstance(tuned.model, type):
        _warn_of_unused(tuned, network)


def _warn_of_unused(tuned: Any, network: Any) -> None:
    own, defaults = network.get_params(deep=False), inspect.signature(type(tuned)).parameters
    for name in OF_NEW_NETWORKS:
        value = getattr(tuned, name)
        if name not in own or name not in defaults:
            continue
        if value not in (defaults[name].default, own[name]):
            warnings.warn(
                f"{name}={value!r} is not used: model is a {type(network).__name__}, whose own "
                f"{name}={own[name]!r} counts. Set it there, or in space.",
                SkippedWarning,
                stacklevel=4,
            )


def given_space(tuned: Any, network: Any, architecture: str | None = None) -> dict[str, Any]:
    """Return the space that the caller gave, or the preset with the caller's changes."""
    space = tuned.space
    if isinstance(space, str):
        space = {"preset": space}
    if space is None and is_hypermodel(tuned.model):
        return {}
    preset = "compact" if space is None else space.get("preset")
    if preset is None:
        if not space and not is_hypermodel(tuned.model):
            raise ParameterError("space is empty: there is nothing to search.")
        return dict(space) if architecture is None else own_entries(space, architecture)
    if preset not in PRESETS:
        raise ParameterError(
            f"space has the preset {preset!r}; it must be one of {PRESETS}. "
            + suggest(str(preset), PRESETS)
        )
    architecture = architecture or getattr(network, "model", None)
    if not isinstance(architecture, str | Architecture):
        raise ParameterError(
            "space=None and presets work for an architecture's name, and space=None for a Keras "
            "Tuner HyperModel or model function, whose first argument must be called hp, and whose "
            f"others need defaults; with model={tuned.model!r} give space={{'parameter': values}}."
        )
    changes = {name: spec for name, spec in (space or {}).items() if name != "preset"}
    if architecture is not None:
        changes = own_entries(changes, architecture)
    entries = default_space(architecture, full=preset == "full", epochs=resolved_epochs(network))
    if sets_epochs(tuned.tuner) and "epochs" not in changes:
        entries.pop("epochs", None)
    return changed(entries, changes)


def check_names(tuned: Any, network: Any, names: Iterable[str]) -> None:
    """Refuse names that look like those of what a search has around its network.

    For a space that was refused already: the network knows its own names only.
    """
    own = network.get_params()
    for name in names:
        part = name.partition("__")[0]
        if part in own:
            continue
        if part in ("preprocessor", "sampler") and getattr(tuned, part) is None:
            raise ParameterError(f"space has {name!r}, but {part} is None.")
        around = [THRESHOLD, "preprocessor", "sampler"]
        if part not in around and get_close_matches(part, around, cutoff=0.6):
            raise UnknownParameterError(
                f"space has {name!r}, which is no parameter. {suggest(part, [*around, *own])}"
            )


def check_data(tuned: Any, pipeline: CandidatePipeline, X: Any, y: Any) -> None:
    """Refuse what no candidate could be fitted on, where no preprocessor may mend it."""
    check_consistent_length(X, y)
    tags = get_tags(pipeline.base).input_tags
    if tuned.preprocessor is not None or tuned.sampler is not None:
        return
    if getattr(pipeline.network, "inputs", None) is not None or (tags.string and _has_text(X)):
        return
    if _of_unequal_length(X) or (tuned._automatic() and is_text_column(X)):
        return
    check_array(
        X,
        accept_sparse=True,
        dtype=None if tags.categorical else "numeric",
        ensure_2d=tags.two_d_array and not tags.three_d_array,
        allow_nd=True,
        ensure_all_finite=not tags.allow_nan,
        input_name="X",
        estimator=tuned,
    )


def _has_text(X: Any) -> bool:
    """Return whether X holds text, or objects that may be text."""
    if hasattr(X, "dtypes") and hasattr(X, "columns"):
        kinds = list(X.dtypes)
    elif hasattr(X, "dtype"):
        kinds = [X.dtype]
    else:
        return bool(len(X)) and isinstance(X[0], str)
    return any(getattr(kind, "kind", "O") in "OUS" for kind in kinds)


def _of_unequal_length(X: Any) -> bool:
    """Return whether X is a list or array of sequences that differ in their lengths."""
    if not isinstance(X, list | tuple) and not (
        getattr(X, "dtype", None) == "object" and getattr(X, "ndim", 0) == 1
    ):
        return False
    lengths = {len(row) for row in X if hasattr(row, "__len__") and not isinstance(row, str)}
    return len(lengths) > 1


def check_metadata(tuned: Any, X: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata that were given, checked against the samples."""
    given = {name: value for name, value in given.items() if value is not None}
    checked: dict[str, Any] = check_method_params(X, params=given)
    if "sample_weight" in given:
        check_consistent_length(X, given["sample_weight"])
        if tuned.sampler is not None:
            raise DataError(
                "sample_weight cannot be used with a sampler: the rows that it makes have none."
            )
    return checked


def route(tuned: Any, metadata: dict[str, Any], pipeline: CandidatePipeline, scoring: Any) -> Bunch:
    """Return who gets which metadata."""
    if routing_enabled():
        return process_routing(tuned, "fit", **metadata)
    fit_params = dict(metadata)
    groups = fit_params.pop("groups", None)
    score_params = {}
    if "sample_weight" in fit_params:
        if scoring.accepts_sample_weight():
            score_params["sample_weight"] = fit_params["sample_weight"]
        else:
            warnings.warn(
                f"scoring={tuned.scoring!r} takes no sample_weight, so that the validation "
                "rows are scored unweighted.",
                SkippedWarning,
                stacklevel=3,
            )
    return Bunch(
        estimator=Bunch(fit={pipeline.prefix + k: v for k, v in fit_params.items()}),
        splitter=Bunch(split={"groups": groups}),
        scorer=Bunch(score=score_params),
    )
