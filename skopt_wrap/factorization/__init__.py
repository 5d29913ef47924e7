"""Fewer parameters by factorization: SVD, Tensor-Train, Tucker-2 and CP of trained Keras networks.

:class:`TensorTrainDense` is a layer by itself; it needs Keras, which is imported when it is first
used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._factorize import factorize
from ._result import Candidate, FactorizationResult, LayerRow
from ._specs import CP, SVD, Factorization, TensorTrain, Tucker

if TYPE_CHECKING:
    from ._layer import TensorTrainDense as TensorTrainDense

__all__ = [
    "CP",
    "Candidate",
    "Factorization",
    "FactorizationResult",
    "LayerRow",
    "SVD",
    "TensorTrain",
    "TensorTrainDense",
    "Tucker",
    "factorize",
]


def __getattr__(name: str) -> object:
    if name == "TensorTrainDense":
        value = import_module(f"{__name__}._layer").TensorTrainDense
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "TensorTrainDense"})
