"""Clone, copy and pickle estimators that hold Keras objects and the user's classes and functions.

A class or function of the user's may be defined in ``__main__`` or a notebook, and is registered
nowhere. It is sent beside the estimator: by reference where another process can import it, by value
(``cloudpickle``) where none can.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ._keras import CustomObjects, Parcel, copy_by_parcel
from ._sklearn import clone_parametrized

_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.ndarray, np.generic)


class CopyMixin:
    """``clone``, ``copy.deepcopy`` and pickle for an estimator with Keras objects in it.

    Its parameters and attributes may hold networks, losses, metrics, optimizers, callbacks and
    builders, of Keras or of the user's.
    """

    def _network_dtype(self) -> str | None:
        """Return the precision in which the fitted networks were built; None is the global one."""
        return None

    def __sklearn_clone__(self) -> Any:
        source = type(self).__new__(type(self))
        for name, value in vars(self).items():
            vars(source)[name] = _ToClone(value) if _is_network(value) else value
        with _scope_of(vars(self)):
            return clone_parametrized(source)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        with _scope_of(vars(self)):
            for name, value in vars(self).items():
                vars(new)[name] = self._copied(value, memo)
        return new

    def _copied(self, value: Any, memo: dict[int, Any]) -> Any:
        if not _is_network(value):
            return copy.deepcopy(value, memo)
        if id(value) not in memo:
            memo[id(value)] = copy_by_parcel(value, self._network_dtype())
        return memo[id(value)]

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        given = {*self._get_param_names(), "_extra_params"}  # type: ignore[attr-defined]
        dtype = self._network_dtype()
        return {name: _packed(value, dtype, name in given) for name, value in state.items()}


class _ToClone:
    """A network among the parameters, which ``clone`` asks to copy itself."""

    def __init__(self, network: Any) -> None:
        self.network = network

    def __sklearn_clone__(self) -> Any:
        return copy_by_parcel(self.network)


def _packed(value: Any, dtype: str | None, given: bool) -> Any:
    """Return `value` as a pickle holds it; what the user gave may be of any class."""
    if isinstance(value, _PLAIN):
        return value
    if type(value) is dict:
        return {name: _packed(item, dtype, given) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_packed(item, dtype, given) for item in value])
    if _is_network(value):
        return Parcel(value, dtype)
    return Parcel(value) if given or _is_keras(value) else value


def _is_network(value: Any) -> bool:
    """Return whether `value` is a Keras model, without loading Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.Model)


def _is_keras(value: Any) -> bool:
    return "keras" in sys.modules and hasattr(value, "get_config") and not isinstance(value, type)


@contextmanager
def _scope_of(attributes: Mapping[str, Any]) -> Iterator[None]:
    """Let Keras find the custom parts of all Keras objects among `attributes`, which are copied."""
    things = list(_keras_things(attributes))
    if not things:
        yield
        return
    with CustomObjects(*things).scope():
        yield


def _keras_things(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _keras_things(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _keras_things(item)
    elif _is_keras(value):
        yield value
