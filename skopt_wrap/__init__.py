"""Keras from scikit-learn: drop-in estimators, tuning, compression, augmentation, honest scores.

Importing this package loads neither TensorFlow nor Keras: public names are looked up when they
are first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .compression import CompressedModel as CompressedModel
    from .estimators import KerasClassifier as KerasClassifier
    from .estimators import KerasRegressor as KerasRegressor
    from .sampling import AugmentingSampler as AugmentingSampler
    from .scoring import ImbalanceAwareScorer as ImbalanceAwareScorer
    from .tuning import TunedClassifier as TunedClassifier
    from .tuning import TunedRegressor as TunedRegressor

# Public name -> subpackage that defines it. The API reference is generated from this table.
_EXPORTS = {
    "AugmentingSampler": "sampling",
    "CompressedModel": "compression",
    "ImbalanceAwareScorer": "scoring",
    "KerasClassifier": "estimators",
    "KerasRegressor": "estimators",
    "TunedClassifier": "tuning",
    "TunedRegressor": "tuning",
}

_SUBPACKAGES = (
    "architectures",
    "compression",
    "estimators",
    "exceptions",
    "sampling",
    "scoring",
    "training",
    "tuning",
)

__all__ = [*_EXPORTS, "exceptions"]


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        value = getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("skopt_wrap")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS, *_SUBPACKAGES, "__version__"})
