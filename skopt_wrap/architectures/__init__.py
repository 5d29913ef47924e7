"""Architectures that can be named: ``"dense"``, ``"cnn"`` and ``"lstm"``; and how to add yours.

Each is an :class:`Architecture`: a builder ``f(meta, **parameters) -> keras.Model`` with its search
spaces. Our builders end in linear units (logits or values), so that one set of rules turns outputs
into predictions. Their parameters are the ``model__*`` parameters of
:class:`skopt_wrap.KerasClassifier`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._architecture import Architecture
from ._cnn import CNN, cnn
from ._dense import DENSE, dense
from ._lstm import LSTM, lstm
from ._table_layout import TableLayout, table_meta
from ._table_network import prepare_inside

if TYPE_CHECKING:
    from ._table_layer import PreparedTable as PreparedTable

ARCHITECTURES: dict[str, Architecture] = {a.name: a for a in (DENSE, CNN, LSTM)}
"""Name -> architecture, in the order in which ``model="auto"`` tries them."""

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "PreparedTable",
    "TableLayout",
    "cnn",
    "dense",
    "lstm",
    "prepare_inside",
    "table_meta",
]


def __getattr__(name: str) -> object:
    if name == "PreparedTable":  # it needs Keras
        value = import_module(f"{__name__}._table_layer").PreparedTable
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "PreparedTable"})
