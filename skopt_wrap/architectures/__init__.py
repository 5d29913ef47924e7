"""Architectures that can be named: ``"dense"``, ``"cnn"`` and ``"lstm"``; and how to add yours.

Each is an :class:`Architecture`: a builder ``f(meta, **parameters) -> keras.Model`` with its search
spaces. Our builders end in linear units (logits or values), so that one set of rules turns outputs
into predictions. Their parameters are the ``model__*`` parameters of
:class:`skopt_wrap.KerasClassifier`.
"""

from ._architecture import Architecture
from ._cnn import CNN, cnn
from ._dense import DENSE, dense
from ._lstm import LSTM, lstm

ARCHITECTURES: dict[str, Architecture] = {a.name: a for a in (DENSE, CNN, LSTM)}
"""Name -> architecture, in the order in which ``model="auto"`` tries them."""

__all__ = ["ARCHITECTURES", "Architecture", "cnn", "dense", "lstm"]
