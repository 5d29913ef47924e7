"""What a fitted step learned, as numbers and texts that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp


def fitted_numbers(step: Any) -> dict[str, Any]:
    """Return class, parameters and learned attributes of a fitted step.

    Parameters
    ----------
    step : estimator
        Fitted.

    Returns
    -------
    described : dict
        ``class``, ``parameters`` and ``learned``; steps inside it in the same form. NaN is None.

    Examples
    --------
    >>> from sklearn.preprocessing import MaxAbsScaler
    >>> from skopt_wrap.compression._delivery._fitted import fitted_numbers
    >>> fitted_numbers(MaxAbsScaler().fit([[2.0], [4.0]]))["learned"]["scale_"]
    [4.0]
    """
    parameters = step.get_params(deep=False) if hasattr(step, "get_params") else {}
    learned = {
        name: value
        for name, value in vars(step).items()
        if name.endswith("_") and not name.startswith("_")
    }
    # learned, but a property
    if "infrequent_categories_" in dir(type(step)) and hasattr(step, "infrequent_categories_"):
        learned["infrequent_categories_"] = step.infrequent_categories_
    return {
        "class": class_name(type(step)),
        "parameters": {name: plain(value) for name, value in parameters.items()},
        "learned": {name: plain(value) for name, value in learned.items()},
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: lists for arrays, None for NaN, names for functions."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, type):
        return class_name(value)
    if sp.issparse(value):
        return plain(value.toarray())
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if np.isfinite(value):
            return value
        return None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(item) for item in value]
    if isinstance(value, slice):
        return {"slice": [plain(end) for end in (value.start, value.stop, value.step)]}
    if hasattr(value, "get_params"):
        return fitted_numbers(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return class_name(value if hasattr(value, "__qualname__") else type(value))


def class_name(owner: Any) -> str:
    """Return the name of a class or a function with its module."""
    module = str(getattr(owner, "__module__", None) or "builtins")
    public = [part for part in module.split(".") if not part.startswith("_")]
    return ".".join([*public, owner.__qualname__])
