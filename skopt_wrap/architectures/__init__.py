"""Architectures that can be named, such as ``"dense"`` and ``"text"``; and how to add yours.

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
from ._fine_tuned import FineTuned
from ._lstm import LSTM, lstm
from ._parameters import check_parameters
from ._realmlp import REALMLP, realmlp
from ._recipe import Recipe, recipe_of, register_layers
from ._series._inception import INCEPTIONTIME, inceptiontime
from ._series._lite import LITE, lite
from ._table_layout import TableLayout, table_meta
from ._table_network import prepare_inside
from ._tabm._network import TABM, tabm
from ._text import TEXT, check_text_parameters, text

if TYPE_CHECKING:
    from ._grouped_adam import GroupedAdam as GroupedAdam
    from ._hidden_layers import FadingDropout as FadingDropout
    from ._hidden_layers import ParametricActivation as ParametricActivation
    from ._hidden_layers import TangentDense as TangentDense
    from ._series._filters import SettledFilters as SettledFilters
    from ._table_layer import PreparedTable as PreparedTable
    from ._table_layers import FeatureScale as FeatureScale
    from ._table_layers import RobustScale as RobustScale
    from ._table_layers import TableEmbedding as TableEmbedding
    from ._tabm._embedding import PiecewiseEmbedding as PiecewiseEmbedding
    from ._tabm._layers import MemberDense as MemberDense
    from ._tabm._layers import MemberOutputs as MemberOutputs
    from ._tabm._losses import MemberLoss as MemberLoss
    from ._tabm._losses import MemberMetric as MemberMetric
    from ._text_layers import ImportanceAverage as ImportanceAverage

# They need Keras, which is imported when one of them is first used.
_KERAS_NAMES = {
    "FadingDropout": "_hidden_layers",
    "FeatureScale": "_table_layers",
    "GroupedAdam": "_grouped_adam",
    "MemberDense": "_tabm._layers",
    "MemberLoss": "_tabm._losses",
    "MemberMetric": "_tabm._losses",
    "MemberOutputs": "_tabm._layers",
    "ImportanceAverage": "_text_layers",
    "ParametricActivation": "_hidden_layers",
    "PiecewiseEmbedding": "_tabm._embedding",
    "PreparedTable": "_table_layer",
    "RobustScale": "_table_layers",
    "SettledFilters": "_series._filters",
    "TableEmbedding": "_table_layers",
    "TangentDense": "_hidden_layers",
}

ARCHITECTURES: dict[str, Architecture] = {
    a.name: a for a in (DENSE, REALMLP, TABM, CNN, LSTM, LITE, INCEPTIONTIME, TEXT)
}
"""Name -> architecture, in the order in which ``model="auto"`` tries them."""

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "FadingDropout",
    "FeatureScale",
    "FineTuned",
    "GroupedAdam",
    "MemberDense",
    "MemberLoss",
    "MemberMetric",
    "MemberOutputs",
    "ImportanceAverage",
    "ParametricActivation",
    "PiecewiseEmbedding",
    "PreparedTable",
    "Recipe",
    "RobustScale",
    "SettledFilters",
    "TableEmbedding",
    "TableLayout",
    "TangentDense",
    "check_parameters",
    "check_text_parameters",
    "cnn",
    "dense",
    "inceptiontime",
    "lite",
    "lstm",
    "prepare_inside",
    "realmlp",
    "recipe_of",
    "register_layers",
    "tabm",
    "table_meta",
    "text",
]


def __getattr__(name: str) -> object:
    if name in _KERAS_NAMES:
        value = getattr(import_module(f"{__name__}.{_KERAS_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_KERAS_NAMES})
