"""Sample weights multiplied with the weights of the classes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from ...exceptions import DataError, InputWarning, ParameterError
from ...losses import effective_class_weight
from ._classes import ClassTarget

# Rows of the most frequent class for each row of a class, from which the latter is called rare.
RARE = 20


def warn_of_rare_classes(y: np.ndarray, target: Any) -> None:
    """Say what the package offers, where a class is 20 times as rare as another one.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_columns)
        Labels of all rows that `fit` was given.
    target : ClassTarget
        Knows the classes. A target of several labels or outputs is left alone.

    Warns
    -----
    InputWarning
        Once for all rare classes.
    """
    if target.target_type_ not in ("binary", "multiclass"):
        return
    counts = np.bincount(target.index(y), minlength=len(target.classes_))
    rare = (counts > 0) & (counts * RARE <= counts.max())
    if not rare.any():
        return
    names = np.asarray(target.classes_)
    warnings.warn(
        f"For each row of {_some(names[rare])} there are {RARE} or more of the class "
        f"{_plain(names[counts.argmax()])!r}, and all rows count the same, so that rare classes "
        "may never be predicted. Any of these helps: class_weight='balanced'; "
        "loss='logit_adjusted' or 'focal'; AugmentingSampler, which makes rows of rare classes; a "
        "threshold of your own (sklearn.model_selection.TunedThresholdClassifierCV). Score by "
        "balanced accuracy or average precision. To keep all as it is, give class_weight={}.",
        InputWarning,
        stacklevel=8,
    )


def _some(names: np.ndarray) -> str:
    shown = [repr(_plain(name)) for name in names[:3]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"the class{'es' if len(names) > 1 else ''} {', '.join(shown)}{more}"


def _plain(name: Any) -> Any:
    return name.item() if isinstance(name, np.generic) else name


def weigh_classes(
    class_weight: Any, y: np.ndarray, weights: np.ndarray, target: ClassTarget
) -> np.ndarray:
    """Return `weights` multiplied with the weight of each sample's class.

    Parameters
    ----------
    class_weight : dict, "balanced", "effective" or None
        As the user gave it.
    y : ndarray of shape (n_samples,)
        Labels.
    weights : ndarray of shape (n_samples,)
        Sample weights.
    target : ClassTarget
        Knows the classes.

    Raises
    ------
    DataError
        For a class that is not known, and for a multilabel target.
    ParameterError
        For a weight that is negative or not finite.
    """
    if class_weight is None:
        return weights
    if target.target_type_ in ("multilabel-indicator", "multiclass-multioutput"):
        raise DataError("class_weight has no meaning for a multilabel target or several outputs.")
    index = target.index(y)
    present = np.unique(index)
    if isinstance(class_weight, Mapping):
        unknown = set(class_weight) - set(target.classes_.tolist())
        if unknown:
            raise DataError(
                f"class_weight names {sorted(map(str, unknown))}, which are not among the "
                f"classes {target.classes_.tolist()}."
            )
        for label, value in class_weight.items():
            if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
                raise ParameterError(
                    f"class_weight must hold finite numbers >= 0, got {value!r} for the class "
                    f"{label!r}."
                )
        labels = target.classes_.tolist()
        of_class = np.array([float(class_weight.get(label, 1)) for label in labels])
        return weights * of_class[index]
    of_class = np.ones(len(target.classes_))
    if class_weight == "effective":
        used = weights > 0
        found = effective_class_weight(index[used], sample_weight=weights[used])
        of_class[list(found)] = list(found.values())
    else:
        of_class[present] = compute_class_weight(
            "balanced", classes=present, y=index, sample_weight=weights
        )
    return weights * of_class[index]
