"""Named networks: ``dense``, ``cnn`` and ``lstm``.

Each is a builder ``f(meta, **knobs) -> keras.Model`` that ends in linear units (logits or
values), so that one set of rules turns outputs into predictions. Their knobs are the ``model__*``
parameters of :class:`skopt_wrap.KerasClassifier`.
"""

from collections.abc import Callable
from typing import Any

from ._cnn import cnn
from ._dense import dense
from ._lstm import lstm

ARCHITECTURES: dict[str, Callable[..., Any]] = {"cnn": cnn, "dense": dense, "lstm": lstm}
"""Name -> builder."""

__all__ = ["ARCHITECTURES", "cnn", "dense", "lstm"]
