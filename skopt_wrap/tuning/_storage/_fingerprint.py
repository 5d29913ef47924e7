"""Describe a search by texts and hashes that are equal in every process.

A stored search is only continued when nothing that its scores depend on has changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import partial
from types import CodeType
from typing import Any

import joblib
import numpy as np
from scipy import sparse

from ..._pipelines import last_step, leading_steps

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEPTH = 12
# Parameters of the search that limit or show it; its trials are the same without them.
_FREE = {
    "max_trials", "max_time", "trial_timeout", "storage", "study", "resume", "n_jobs",
    "max_trials_per_worker", "max_joint_bytes", "verbose", "error_score", "random_state",
}  # fmt: skip
# Those that the pipeline, the space or the splits already stand for.
_ELSEWHERE = {
    "model", "space", "cv", "epochs", "batch_size", "early_stopping", "learning_rate_schedule",
    "callbacks", "preprocessor", "sampler",
}  # fmt: skip


def digest(array: Any) -> str:
    """Return shape, type and content hash of data in one line.

    Parameters
    ----------
    array : array-like, sparse matrix or frame
        The data.

    Returns
    -------
    text : str
        Equal for equal data, in every process.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._fingerprint import digest
    >>> digest([[1.0, 2.0]])
    'ndarray of float64, shape (1, 2), hash ...'
    """
    if sparse.issparse(array):
        parts = [array.tocsr().data, array.tocsr().indices, array.tocsr().indptr]
        content = "".join(_hash(part) for part in parts)
    elif hasattr(array, "dtypes") and hasattr(array, "columns"):
        content = _hash(np.asarray(array)) + repr(list(array.columns))
    else:
        array = np.asarray(array)
        content = _hash(array)
    kind = getattr(array, "dtype", "mixed columns")
    short = hashlib.sha256(content.encode()).hexdigest()[:16]
    return f"{type(array).__name__} of {kind}, shape {array.shape}, hash {short}"


def _hash(array: Any) -> str:
    array = np.asarray(array)
    if array.dtype.hasobject:
        return hashlib.sha256(repr(array.tolist()).encode()).hexdigest()
    return str(joblib.hash(np.ascontiguousarray(array)))


def describe(value: Any, depth: int = _DEPTH) -> str:
    """Return a text that stands for a parameter's value and is equal in every process.

    Functions are told by name and code, estimators and other objects by class and parameters or
    attributes; memory addresses are left out.

    Parameters
    ----------
    value : object
        Any parameter.
    depth : int, default=12
        How deep to look into nested objects.

    Returns
    -------
    text : str
        The description.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._fingerprint import describe
    >>> describe({"b": (1, None), "a": 0.5})
    "{'a': 0.5, 'b': (1, None)}"
    """
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if depth == 0:
        return type(value).__qualname__
    inner = partial(describe, depth=depth - 1)
    if isinstance(value, np.ndarray) or sparse.issparse(value) or hasattr(value, "columns"):
        return digest(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{inner(k)}: {inner(v)}" for k, v in value.items())) + "}"
    if isinstance(value, (list, tuple)):
        ends = "[]" if isinstance(value, list) else "()"
        return ends[0] + ", ".join(map(inner, value)) + ends[1]
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(inner, value))) + "}"
    if isinstance(value, type):
        return value.__qualname__
    if isinstance(value, CodeType):
        digested = hashlib.sha256(value.co_code).hexdigest()[:8]
        return f"<{digested} {inner(value.co_consts)} {value.co_names}>"
    if isinstance(value, partial):
        return f"partial({inner(value.func)}, {inner(value.args)}, {inner(value.keywords)})"
    if getattr(value, "__code__", None) is not None:
        code = hashlib.sha256(inner(value.__code__).encode()).hexdigest()[:8]
        return f"{value.__qualname__} [code {code}]"
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return type(value).__name__
    return type(value).__qualname__ + _describe_object(value, inner)


def _describe_object(value: Any, inner: Any) -> str:
    if hasattr(value, "dist") and hasattr(value, "kwds"):  # a frozen scipy distribution
        return f"({value.dist.name!r}, {inner(value.args)}, {inner(value.kwds)})"
    for method, arguments in (("get_params", {"deep": False}), ("get_config", {})):
        getter = getattr(value, method, None)
        if getter is not None:
            try:
                return f"({inner(getter(**arguments))})"
            except (AttributeError, NotImplementedError, TypeError):
                continue
    state = getattr(value, "__dict__", None)
    return f"({inner(state)})" if state else _ADDRESS.sub("", repr(value))


def define(
    tuned: Any, pipeline: Any, space: Any, task: Any, seeds: tuple[int, int]
) -> dict[str, str]:
    """Return what the scores of a search depend on, by name.

    Parameters
    ----------
    tuned : TunedClassifier or TunedRegressor
        Whose parameters define the search.
    pipeline : CandidatePipeline
        The candidate.
    space : SearchSpace
        The space.
    task : Task
        Data, splits and metadata.
    seeds : tuple of two int
        Of the strategy, and of the networks.

    Returns
    -------
    definition : dict of str to str
        Names mapped to descriptions.
    """
    definition = {"X": digest(task.X), "y": digest(task.y)}
    names = dict.fromkeys(item.name for item in space.hyperparameters.space)
    definition["order of the space"] = ", ".join(names)
    definition["cv"] = (
        f"{len(task.splits)} splits, hash "
        + hashlib.sha256(
            "".join(_hash(rows) for split in task.splits for rows in split).encode()
        ).hexdigest()[:16]
    )
    for kind, params in (("fit", task.fit_params), ("score", task.score_params)):
        for name, value in params.items():
            described = digest(value) if hasattr(value, "__len__") else describe(value)
            definition[f"{kind} parameter {name}"] = described
    for item in space.hyperparameters.space:
        spec = space.given.get(item.name, item)
        # The same name may occur under several conditions of a model function.
        key = f"space[{item.name!r}]"
        definition[key] = definition.get(key, "") + describe(spec)
    definition["estimator"] = type(pipeline.base).__qualname__
    for name, step in leading_steps(pipeline.base):
        definition[f"estimator {name}"] = describe(step)
    params = last_step(pipeline.base).get_params(deep=False)
    definition |= {f"model's {name}": describe(value) for name, value in params.items()}
    if pipeline.hypermodel is not None:
        definition["model's model"] = describe(pipeline.hypermodel)
    for name, value in tuned.get_params(deep=False).items():
        if name not in _FREE | _ELSEWHERE:
            definition[name] = describe(value)
    definition["random_state"] = f"seeds {seeds[0]} and {seeds[1]}"
    return definition


def differences(stored: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return what differs between two definitions, one sentence for each name.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._fingerprint import differences
    >>> differences({"cv": "3 splits"}, {"cv": "5 splits"})
    ['cv was 3 splits and is now 5 splits']
    """
    found = []
    for name in sorted(stored.keys() | wanted.keys()):
        before, after = stored.get(name, "absent"), wanted.get(name, "absent")
        if before != after:
            found.append(f"{name} was {_short(before)} and is now {_short(after)}")
    return found


def _short(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
