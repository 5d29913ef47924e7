"""Sample weights multiplied with the weights of the classes."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from ...exceptions import DataError, ParameterError
from ...losses import effective_class_weight
from ._classes import ClassTarget


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
