"""Losses, class weights and corrections for classes that are not equally frequent.

The loss classes need Keras, which is imported when one of them is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._priors import PriorCorrectedClassifier, correct_prior, estimate_prior
from ._weights import effective_class_weight

if TYPE_CHECKING:
    from ._crossentropy import LogitAdjustedCrossentropy as LogitAdjustedCrossentropy
    from ._crossentropy import (
        SparseCategoricalFocalCrossentropy as SparseCategoricalFocalCrossentropy,
    )
    from ._distillation import DistillationLoss as DistillationLoss

_KERAS_NAMES = {
    "DistillationLoss": "_distillation",
    "LogitAdjustedCrossentropy": "_crossentropy",
    "SparseCategoricalFocalCrossentropy": "_crossentropy",
}

__all__ = [
    "DistillationLoss",
    "LogitAdjustedCrossentropy",
    "PriorCorrectedClassifier",
    "SparseCategoricalFocalCrossentropy",
    "correct_prior",
    "effective_class_weight",
    "estimate_prior",
]


def __getattr__(name: str) -> object:
    if name in _KERAS_NAMES:
        value = getattr(import_module(f"{__name__}.{_KERAS_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_KERAS_NAMES})
