"""Rebuild an estimator from its description; see ``_encode`` for the form of the description."""

from __future__ import annotations

import datetime
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from scipy import sparse
from sklearn.utils import Bunch

from ..exceptions import LoadError
from ._archive import ArchiveReader
from ._arrays import array_from_bytes
from ._names import Trust, joined, resolve
from ._networks import load_keras_object, load_network
from ._sklearn_parts import load_part

_DEEPEST = 400
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


class Decoder:
    """Rebuilds the values of one file.

    Parameters
    ----------
    archive : ArchiveReader
        Where parts are read from.
    trust : Trust
        What the user trusts.
    """

    def __init__(self, archive: ArchiveReader, trust: Trust) -> None:
        self.archive = archive
        self.trust = trust
        self._known: dict[int, Any] = {}
        self._depth = 0

    def decode(self, node: Any) -> Any:
        """Return the value of a node.

        Parameters
        ----------
        node : JSON value
            Its description.

        Returns
        -------
        value : object
            What was saved.

        Raises
        ------
        LoadError
            The description is damaged, or names something that is not trusted.
        """
        if node is None or isinstance(node, bool | int | float | str):
            return node
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise LoadError("the description of the estimator is nested too deeply.")
            return self._decode(node)
        finally:
            self._depth -= 1

    def _decode(self, node: Any) -> Any:
        kind = node.get("is") if isinstance(node, dict) else None
        make = _KINDS.get(kind) if isinstance(kind, str) else None
        if make is None:
            raise LoadError(
                f"the description holds a value of kind {str(kind)[:50]!r}, which this version "
                "does not know. It may have been written by a newer version of skopt_wrap."
            )
        try:
            value = make(self, node)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as e:
            if isinstance(e, LoadError):
                raise
            raise LoadError(
                f"the description of a {kind} is damaged: {type(e).__name__}: {e}"
            ) from e
        self.remember(node, value)
        return value

    def remember(self, node: Any, value: Any) -> None:
        """Keep a value under its number, so that others can refer to it."""
        number = node.get("number")
        if isinstance(number, int):
            self._known[number] = value

    def seen(self, number: Any) -> Any:
        """Return the value of a number."""
        if number not in self._known:
            raise LoadError(
                f"the description refers to a value {str(number)[:20]} that is missing."
            )
        return self._known[number]

    def array(self, node: Any) -> np.ndarray:
        """Return the array of a node's part."""
        name = _text(node["part"])
        return array_from_bytes(self.archive.read(name), name)

    def items(self, node: Any) -> list[Any]:
        """Return the decoded items of a node."""
        return [self.decode(item) for item in _list(node["items"])]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise LoadError(f"the description holds {str(value)[:50]!r} where a text is expected.")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise LoadError(f"the description holds {str(value)[:50]!r} where a list is expected.")
    return value


def _float(decoder: Decoder, node: Any) -> float:
    if node["value"] not in ("nan", "inf", "-inf"):
        raise LoadError(f"{str(node['value'])[:50]!r} is no special number.")
    return float(node["value"])


def _object(decoder: Decoder, node: Any) -> Any:
    """Create an object and give it its attributes; its constructor is not called."""
    module, name = _text(node["module"]), _text(node["name"])
    cls = resolve(module, name, decoder.trust)
    if not isinstance(cls, type):
        raise LoadError(f"{joined(module, name)} is no class.")
    value: Any = object.__new__(cls)
    decoder.remember(node, value)
    state = decoder.decode(node["state"])
    if state is None:
        return value
    if isinstance(state, dict) and "_sklearn_version" in state:
        # `load` has compared the versions already, once for the whole file.
        state["_sklearn_version"] = sklearn.__version__
    restore = getattr(value, "__setstate__", None)
    if restore is not None:
        restore(state)
    elif isinstance(state, dict):
        vars(value).update(state)
    else:
        plain, slots = state
        for key, item in {**(plain or {}), **(slots or {})}.items():
            object.__setattr__(value, _text(key), item)
    return value


def _attributes(decoder: Decoder, node: Any) -> dict[str, Any]:
    return {_text(key): decoder.decode(item) for key, item in _list(node["items"])}


def _dict(kind: Callable[[], Any]) -> Callable[[Decoder, Any], Any]:
    def decode(decoder: Decoder, node: Any) -> Any:
        value = kind()
        decoder.remember(node, value)
        for key, item in _list(node["items"]):
            value[decoder.decode(key)] = decoder.decode(item)
        return value

    return decode


def _default_dict(decoder: Decoder, node: Any) -> Any:
    factory = decoder.decode(node["factory"])
    if factory not in (None, bool, dict, float, int, list, set, str, tuple):
        raise LoadError(f"a defaultdict of {factory!r} is not read.")
    value: Any = defaultdict(factory)
    decoder.remember(node, value)
    for key, item in _list(node["items"]):
        value[decoder.decode(key)] = decoder.decode(item)
    return value


def _objects(decoder: Decoder, node: Any) -> np.ndarray:
    items = decoder.items(node)
    flat = np.empty(len(items), dtype=object)
    flat[:] = items if not any(isinstance(i, list | tuple | np.ndarray) for i in items) else None
    for i, item in enumerate(items):
        flat[i] = item
    return flat.reshape([int(length) for length in _list(node["shape"])])


def _sparse(decoder: Decoder, node: Any) -> Any:
    form = _text(node["format"])
    if form not in ("csr", "csc", "coo"):
        raise LoadError(f"a sparse matrix of format {form[:20]!r} is not read.")
    data, first, second = (decoder.decode(item) for item in _list(node["arrays"]))
    shape = tuple(int(length) for length in _list(node["shape"]))
    build = getattr(sparse, f"{form}_{'matrix' if node['matrix'] else 'array'}")
    arguments = (data, (first, second)) if form == "coo" else (data, first, second)
    value = build(arguments, shape=shape)
    if form != "coo":
        value.check_format(full_check=True)  # indices that point outside would crash later
    return value


def _random(decoder: Decoder, node: Any) -> Any:
    state = decoder.decode(node["state"])
    name = state["bit_generator"]
    if name not in _BIT_GENERATORS:
        raise LoadError(f"{str(name)[:50]!r} is no random bit generator.")
    if node["kind"] == "RandomState":
        value = np.random.RandomState()
        value.set_state(state)
        return value
    bits = getattr(np.random, name)()
    bits.state = state
    return np.random.Generator(bits)


def _range(decoder: Decoder, node: Any) -> range:
    return range(*(int(item) for item in _list(node["items"])))


def _numpy_scalar(decoder: Decoder, node: Any) -> np.generic:
    dtype, value = np.dtype(_text(node["dtype"])), decoder.decode(node["value"])
    if dtype.kind not in "biufU" or not isinstance(value, bool | int | float | str):
        raise LoadError(f"{str(value)[:50]!r} is no number or text of NumPy.")
    scalar: np.generic = dtype.type(value)
    return scalar


def _bytes(decoder: Decoder, node: Any) -> bytes:
    return decoder.archive.read(_text(node["part"]))


def _network(decoder: Decoder, node: Any) -> Any:
    name, dtype = _text(node["part"]), node["dtype"]
    if dtype not in (None, "bfloat16", "float16", "float32", "float64"):
        raise LoadError(f"{str(dtype)[:50]!r} is no precision.")
    return load_network(decoder.archive.read(name), dtype, name, decoder.trust)


def _skops(decoder: Decoder, node: Any) -> Any:
    name = _text(node["part"])
    return load_part(decoder.archive.read(name), name, decoder.trust)


_KINDS: dict[str, Callable[[Decoder, Any], Any]] = {
    "Bunch": _dict(Bunch),
    "OrderedDict": _dict(OrderedDict),
    "array": lambda decoder, node: decoder.array(node),
    "attributes": _attributes,
    "bytes": _bytes,
    "complex": lambda decoder, node: complex(*decoder.items(node)),
    "date": lambda decoder, node: datetime.date.fromisoformat(node["value"]),
    "datetime": lambda decoder, node: datetime.datetime.fromisoformat(node["value"]),
    "defaultdict": _default_dict,
    "dict": _dict(dict),
    "dtype": lambda decoder, node: np.dtype(_text(node["value"])),
    "ellipsis": lambda decoder, node: ...,
    "float": _float,
    "frozenset": lambda decoder, node: frozenset(decoder.items(node)),
    "keras": lambda decoder, node: load_keras_object(node["config"], "keras", decoder.trust),
    "list": lambda decoder, node: decoder.items(node),
    "masked": lambda decoder, node: np.ma.MaskedArray(
        decoder.decode(node["data"]), mask=decoder.decode(node["mask"])
    ),
    "name": lambda decoder, node: resolve(node["module"], node["name"], decoder.trust),
    "network": _network,
    "numbers": lambda decoder, node: decoder.array(node).tolist(),
    "numpy number": lambda decoder, node: decoder.array(node)[()],
    "numpy scalar": _numpy_scalar,
    "object": _object,
    "objects": _objects,
    "random state": _random,
    "range": _range,
    "seen": lambda decoder, node: decoder.seen(node["number"]),
    "set": lambda decoder, node: set(decoder.items(node)),
    "skops": _skops,
    "slice": lambda decoder, node: slice(*decoder.items(node)),
    "sparse": _sparse,
    "timedelta": lambda decoder, node: datetime.timedelta(*decoder.items(node)),
    "tuple": lambda decoder, node: tuple(decoder.items(node)),
}
