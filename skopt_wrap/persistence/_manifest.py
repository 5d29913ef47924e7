"""What a saved file says of itself: versions, parameters, data, training, checksums."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._pipelines import last_step

FORMAT_VERSION = 1
# Distributions whose version decides whether a file can be read as it was written.
DECISIVE = ("keras", "scikit-learn")
_TOLD = ("skopt_wrap", "keras", "tensorflow", "scikit-learn", "imbalanced-learn", "numpy", "scipy",
         "ai-edge-litert", "skops")  # fmt: skip
_LONGEST_LIST = 1000
_LONGEST_TEXT = 2000
_DEEPEST = 20
_SCHEMA = ("n_features_in_", "feature_names_in_", "X_shape_", "X_dtype_", "y_dtype_",
           "target_type_", "classes_", "n_outputs_")  # fmt: skip
_TRAINING = ("refit_time_", "n_iter_", "best_score_", "best_params_", "best_threshold_",
             "n_splits_", "fit_path_")  # fmt: skip


def installed_versions() -> dict[str, str]:
    """Return Python's version and those of the libraries that a file depends on.

    Returns
    -------
    versions : dict of str
        Names of distributions with their versions; those that are not installed are left out.
    """
    versions = {"python": platform.python_version()}
    for name in _TOLD:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def describe(
    estimator: Any, *, licence: str | None, description: str | None, trust: Iterable[str]
) -> dict[str, Any]:
    """Return the manifest of an estimator, without the list of parts.

    Parameters
    ----------
    estimator : object
        What is saved.
    licence, description : str or None
        As the user gave them.
    trust : iterable of str
        Names that have to be trusted by whoever loads the file.

    Returns
    -------
    manifest : dict
        JSON values only.
    """
    known = sources(estimator)
    return {
        "format": "skopt_wrap",
        "format_version": FORMAT_VERSION,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": installed_versions(),
        "licence": licence,
        "description": description,
        "estimator": {
            "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
            "fitted": is_fitted(estimator),
            "parameters": _parameters(estimator),
            "fitted_attributes": fitted_attributes(estimator),
        },
        "data": _first_found(_SCHEMA, known),
        "training": _first_found(_TRAINING, known),
        "trust": sorted(set(trust)),
    }


def is_fitted(estimator: Any) -> bool:
    """Whether an estimator was fitted; what has no ``fit`` counts as fitted."""
    if not hasattr(estimator, "fit"):
        return True
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def fitted_attributes(estimator: Any) -> list[str]:
    """Return the names of what an estimator learned."""
    names = vars(estimator) if hasattr(estimator, "__dict__") else {}
    return sorted(name for name in names if name.endswith("_") and not name.startswith("_"))


def sources(estimator: Any) -> list[Any]:
    """Return the estimators that may know the data: the outer one, the last step, inner ones."""
    found = [estimator]
    for candidate in found:
        inner = [last_step(candidate)]
        inner += [getattr(candidate, n, None) for n in ("best_estimator_", "estimator_")]
        found += [i for i in inner if i is not None and not any(i is known for known in found)]
        if len(found) > 10:
            break
    return found


def _first_found(names: Iterable[str], sources: Iterable[Any]) -> dict[str, Any]:
    """Return attributes as JSON values, each from the first estimator that has it."""
    found: dict[str, Any] = {}
    for name in names:
        for source in sources:
            value = getattr(source, name, None)
            if value is not None:
                found[name.rstrip("_")] = as_json(value)
                break
    return found


def _parameters(estimator: Any) -> dict[str, Any]:
    if not hasattr(estimator, "get_params"):
        return {}
    return {name: as_json(value) for name, value in estimator.get_params(deep=False).items()}


def as_json(value: Any, depth: int = 0) -> Any:
    """Return a value for reading: JSON values as they are, others as texts.

    Parameters
    ----------
    value : object
        Any value.
    depth : int, default=0
        How deep the value lies; what lies deeper than 20 is left out.

    Returns
    -------
    value : JSON value
        Long lists and texts are cut.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.persistence._manifest import as_json
    >>> as_json({"rate": np.float32(0.5), "classes": np.array(["a", "b"])})
    {'rate': 0.5, 'classes': ['a', 'b']}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, list | tuple):
        cut = [f"... {len(value)} in all"] if len(value) > _LONGEST_LIST else []
        return [as_json(item, depth + 1) for item in value[:_LONGEST_LIST]] + cut
    if isinstance(value, Mapping):
        return {
            str(key): as_json(item, depth + 1) for key, item in list(value.items())[:_LONGEST_LIST]
        }
    return _named(value)


def _named(value: Any) -> str:
    """Return a text for a value, without the address that Python's own texts hold."""
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        holder = getattr(value, "__module__", None) or "builtins"  # methods of built-in types
        return f"{holder}.{value.__qualname__}"
    text = repr(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return kind if " at 0x" in text else text[:_LONGEST_TEXT]
