"""Turn a fitted estimator into a description in JSON and parts in binary form.

The description is a tree of *nodes*. JSON's own values (null, true, numbers, strings) stand for
themselves. Any other value is an object with a member ``"is"`` that names its kind.
"""

from __future__ import annotations

import datetime
import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch

from ..exceptions import SaveError
from ._archive import ArchiveWriter
from ._arrays import array_bytes
from ._kinds import (
    ESTIMATOR_LIBRARIES,
    has_plain_state,
    holds_other_parts,
    is_function,
    is_keras,
    is_parcel,
)
from ._names import full_name, has_to_be_trusted, joined, name_of
from ._networks import keras_config, names_in_config, names_in_network, network_bytes
from ._sklearn_parts import part_bytes, untrusted_names

# A longer list of numbers is stored as an array, which is smaller and quicker to read.
LONG_LIST = 16
_DEEPEST = 150
_TFLITE_MARK = slice(4, 8)
# What NumPy arrays can hold without Python objects.
_PLAIN_KINDS = "biufcSUmMV"


class Encoder:
    """Describes one estimator; its parts go to the archive.

    Parameters
    ----------
    archive : ArchiveWriter
        Where parts are stored.
    """

    def __init__(self, archive: ArchiveWriter) -> None:
        self.archive = archive
        self.needs_trust: set[str] = set()
        self._known: dict[int, int] = {}
        self._alive: list[Any] = []  # so that no id is given twice
        self._depth = 0

    def encode(self, value: Any, path: str) -> Any:
        """Return the node of a value.

        Parameters
        ----------
        value : object
            Anything in a fitted estimator.
        path : str
            Where it stands, such as ``pipeline.steps[1]``, for errors.

        Returns
        -------
        node : JSON value
            Its description.

        Raises
        ------
        SaveError
            The value is of a kind that a file cannot hold.
        """
        if value is None or value is True or value is False or type(value) in (str, int):
            return _scalar(value, path)
        if type(value) is float:
            return value if math.isfinite(value) else {"is": "float", "value": repr(value)}
        if self._depth > _DEEPEST:
            raise SaveError(f"{path[:200]}: the values are nested too deeply, or hold themselves.")
        self._depth += 1
        try:
            return self._encode(value, path)
        finally:
            self._depth -= 1

    def _encode(self, value: Any, path: str) -> Any:
        if is_parcel(value):
            node = self.encode(value.thing, path)
            return {**node, "dtype": value.dtype} if value.dtype is not None else node
        plain = _PLAIN.get(type(value))
        if plain is not None:
            return plain(self, value, path)
        if id(value) in self._known:
            return {"is": "seen", "number": self._known[id(value)]}
        if isinstance(value, np.generic):
            return _numpy_scalar(self, value, path)
        if isinstance(value, np.dtype):
            return {"is": "dtype", "value": _dtype_text(value, path)}
        if isinstance(value, type) or is_function(value):
            return self._name(value, path)
        return self._numbered(value, path)

    def _numbered(self, value: Any, path: str) -> Any:
        """Return the node of a value that others may refer to by its number."""
        number = len(self._alive)
        self._known[id(value)] = number
        self._alive.append(value)
        node = self._described(value, path)
        return {**node, "number": number}

    def _described(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, np.ma.MaskedArray):
            return _masked(self, value, path)
        if isinstance(value, np.ndarray):
            return _array(self, value, path)
        if type(value) in _CONTAINERS:
            return _CONTAINERS[type(value)](self, value, path)
        if isinstance(value, bytes):
            suffix = ".tflite" if value[_TFLITE_MARK] == b"TFL3" else ".bin"
            return {"is": "bytes", "part": self.archive.add("files", suffix, value)}
        if sparse.issparse(value):
            return _sparse(self, value, path)
        if isinstance(value, np.random.RandomState | np.random.Generator):
            return _random(self, value, path)
        if is_keras(value):
            return self._keras(value, path)
        return self._object(value, path)

    def _keras(self, value: Any, path: str) -> dict[str, Any]:
        import keras

        if isinstance(value, keras.Model):
            content = network_bytes(value, path)
            self._need(names_in_network(content, path))
            return {
                "is": "network",
                "part": self.archive.add("networks", ".keras", content),
                "dtype": None,
            }
        if isinstance(value, keras.callbacks.Callback):
            return self._object(value, path)
        config = keras_config(value, path)
        self._need(names_in_config(config, path))
        return {"is": "keras", "config": config}

    def _need(self, names: set[tuple[str, str]]) -> None:
        self.needs_trust |= {
            joined(module, name) for module, name in names if not module.startswith("skopt_wrap.")
        }

    def _name(self, value: Any, path: str) -> dict[str, Any]:
        name = name_of(value, path)
        if has_to_be_trusted(name["module"], name["name"]):
            self.needs_trust.add(joined(name["module"], name["name"]))
        return {"is": "name", **name}

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        """Describe an object by its class and state, or give it to skops."""
        cls = type(value)
        top = cls.__module__.partition(".")[0]
        plain = has_plain_state(cls)
        if top in ESTIMATOR_LIBRARIES and not holds_other_parts(value):
            content = part_bytes(value, path)
            unknown = untrusted_names(content, path)
            if not (plain and unknown):  # otherwise it is described here, with nothing to trust
                self.needs_trust |= set(unknown)
                return {"is": "skops", "part": self.archive.add("sklearn", ".skops", content)}
        if not plain:
            raise SaveError(
                f"{path}: {full_name(cls)} cannot be described by its attributes: it pickles "
                "itself in a way of its own, or is a kind of list, dict, number or text."
            )
        return {
            **self._name(cls, path),
            "is": "object",
            "state": self._state(value.__getstate__(), path),
        }

    def _state(self, state: Any, path: str) -> Any:
        """Describe what ``__getstate__`` returned; its names are those of attributes."""
        if isinstance(state, dict) and all(type(key) is str for key in state):
            return {
                "is": "attributes",
                "items": [[key, self.encode(item, f"{path}.{key}")] for key, item in state.items()],
            }
        return self.encode(state, path)


def _scalar(value: Any, path: str) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SaveError(f"{path}: a text that is no valid Unicode: {value!r}.") from error
    elif isinstance(value, int) and value.bit_length() > 10_000:
        raise SaveError(f"{path}: a number of {value.bit_length()} bits is not saved.")
    return value


def _list(encoder: Encoder, value: list[Any], path: str) -> Any:
    if len(value) >= LONG_LIST:
        kinds = {type(item) for item in value}
        if kinds == {float} or (kinds == {int} and all(-(2**62) < i < 2**62 for i in value)):
            part = encoder.archive.add("arrays", ".npy", array_bytes(np.array(value)))
            return {"is": "numbers", "part": part}
    return {"is": "list", "items": _items(encoder, value, path)}


def _items(encoder: Encoder, values: Any, path: str) -> list[Any]:
    return [encoder.encode(item, f"{path}[{i}]") for i, item in enumerate(values)]


def _pairs(encoder: Encoder, value: Any, path: str) -> list[Any]:
    return [
        [encoder.encode(key, f"{path} (a key)"), encoder.encode(item, f"{path}[{key!r}]")]
        for key, item in value.items()
    ]


def _set(encoder: Encoder, value: Any, path: str) -> Any:
    items = sorted(value, key=repr)  # equal sets make equal files
    return {"is": type(value).__name__, "items": _items(encoder, items, path)}


def _dtype_text(dtype: np.dtype[Any], path: str) -> str:
    if dtype.fields or dtype.subdtype or dtype.kind not in _PLAIN_KINDS + "O":
        raise SaveError(f"{path}: dtype {dtype} is not saved.")
    return dtype.str


def _numpy_scalar(encoder: Encoder, value: np.generic, path: str) -> Any:
    if (value.dtype.kind in "biuf" and value.itemsize <= 8) or value.dtype.kind == "U":
        node = encoder.encode(value.item(), path)
        return {"is": "numpy scalar", "dtype": value.dtype.str, "value": node}
    part = encoder.archive.add("arrays", ".npy", array_bytes(np.asarray(value)))
    return {"is": "numpy number", "part": part}


def _array(encoder: Encoder, value: np.ndarray, path: str) -> dict[str, Any]:
    if type(value) not in (np.ndarray, np.memmap):
        raise SaveError(f"{path}: an array of type {type(value).__name__} is not saved.")
    if value.dtype.hasobject and not value.dtype.fields:
        return {
            "is": "objects",
            "shape": list(value.shape),
            "items": _items(encoder, value.ravel().tolist(), path),
        }
    if value.dtype.kind not in _PLAIN_KINDS or value.dtype.hasobject:
        raise SaveError(f"{path}: an array of dtype {value.dtype} is not saved.")
    return {"is": "array", "part": encoder.archive.add("arrays", ".npy", array_bytes(value))}


def _masked(encoder: Encoder, value: np.ma.MaskedArray[Any, Any], path: str) -> dict[str, Any]:
    return {
        "is": "masked",
        "data": encoder.encode(np.asarray(value.data), path),
        "mask": encoder.encode(np.ma.getmaskarray(value), path),
    }


def _sparse(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if value.format not in ("csr", "csc", "coo"):
        raise SaveError(
            f"{path}: a sparse {value.format!r} matrix is not saved; use 'csr', 'csc' or 'coo'."
        )
    names = ("data", "row", "col") if value.format == "coo" else ("data", "indices", "indptr")
    return {
        "is": "sparse",
        "format": value.format,
        "matrix": isinstance(value, sparse.spmatrix),
        "shape": list(value.shape),
        "arrays": [encoder.encode(np.array(getattr(value, name)), path) for name in names],
    }


def _random(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, np.random.RandomState):
        state = value.get_state(legacy=False)
    else:
        state = value.bit_generator.state
    kind = type(value).__name__
    return {"is": "random state", "kind": kind, "state": encoder.encode(state, path)}


def _moment(encoder: Encoder, value: Any, path: str) -> Any:
    if getattr(value, "tzinfo", None) not in (None, datetime.UTC):
        raise SaveError(f"{path}: a time of zone {value.tzinfo} is not saved; convert it to UTC.")
    return {"is": type(value).__name__, "value": value.isoformat()}


def _ordered(kind: str) -> Callable[[Encoder, Any, str], dict[str, Any]]:
    return lambda encoder, value, path: {"is": kind, "items": _pairs(encoder, value, path)}


def _default_dict(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {
        "is": "defaultdict",
        "factory": encoder.encode(value.default_factory, path),
        "items": _pairs(encoder, value, path),
    }


# Values without an identity that matters.
_PLAIN: dict[type, Callable[[Encoder, Any, str], Any]] = {
    list: _list,
    tuple: lambda encoder, value, path: {"is": "tuple", "items": _items(encoder, value, path)},
    set: _set,
    frozenset: _set,
    slice: lambda encoder, value, path: {
        "is": "slice",
        "items": _items(encoder, (value.start, value.stop, value.step), path),
    },
    range: lambda encoder, value, path: {
        "is": "range",
        "items": [value.start, value.stop, value.step],
    },
    complex: lambda encoder, value, path: {
        "is": "complex",
        "items": _items(encoder, (value.real, value.imag), path),
    },
    type(Ellipsis): lambda encoder, value, path: {"is": "ellipsis"},
    datetime.datetime: _moment,
    datetime.date: _moment,
    datetime.timedelta: lambda encoder, value, path: {
        "is": "timedelta",
        "items": [value.days, value.seconds, value.microseconds],
    },
}
_CONTAINERS: dict[type, Callable[[Encoder, Any, str], dict[str, Any]]] = {
    Bunch: _ordered("Bunch"),
    dict: _ordered("dict"),
    OrderedDict: _ordered("OrderedDict"),
    defaultdict: _default_dict,
}
