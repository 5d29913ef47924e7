"""Keras networks and other Keras objects inside a saved file, and the check of their settings.

Keras builds a network from a description that names classes and functions. The description is read
before Keras sees it, and whatever is not a known part of Keras has to be trusted by the user.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._keras import dtype_scope, load_keras
from ..exceptions import LoadError, SaveError
from ._json_text import parse_json
from ._names import Trust, full_name, joined, resolve, untrusted
from ._zip_files import open_nested_zip

# Modules of Keras whose classes only describe networks and their training.
_MODULES = {
    "keras",
    "keras.activations",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.models",
    "keras.ops",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.quantizers",
    "keras.regularizers",
    "keras.random",
}
_MODULE_PREFIXES = ("keras.src.ops.", "keras.src.models.", "keras.src.layers.")
# Functions are named without their module; they are looked up in these modules.
_FUNCTION_MODULES = ("activations", "losses", "metrics", "initializers", "regularizers", "ops")
# Values that Keras writes as if they were classes.
_VALUES = {
    "__bytes__", "__complex__", "__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__",
    "__tensor__", "__tuple__", "__typespec__", "slice", "ellipsis",
}  # fmt: skip
# Layers that hold or load code.
_CODE = {"FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper", "__lambda__"}
# Settings of layers that name a file, which Keras would read.
_FILE_SETTINGS = ("vocabulary", "file_path", "filepath", "path")
_WEIGHTS = "model.weights.h5"
_CONFIG = "config.json"
_PARTS = {"metadata.json", _CONFIG, _WEIGHTS}


def network_bytes(network: Any, path: str) -> bytes:
    """Return the `.keras` file of a network.

    Parameters
    ----------
    network : keras.Model
        The network, with its optimizer where it was compiled.
    path : str
        Where it stands in the estimator, for errors.

    Returns
    -------
    content : bytes
        The file.

    Raises
    ------
    SaveError
        Keras cannot write it, or it holds code.
    """
    keras = load_keras()
    with tempfile.TemporaryDirectory(prefix="skopt_wrap_") as folder:
        file = Path(folder) / "network.keras"
        try:
            keras.saving.save_model(network, file)
        except Exception as error:  # a layer of the user's may raise anything
            raise SaveError(f"{path}: Keras cannot save the network: {error}") from error
        content = file.read_bytes()
    with _saving(path):
        names_in_network(content, path)
    return content


@contextlib.contextmanager
def _saving(path: str) -> Iterator[None]:
    """Turn what makes a network unsafe to load into an error of saving."""
    try:
        yield
    except LoadError as error:
        raise SaveError(f"{path}: the network could not be loaded again: {error}") from error


def load_network(content: bytes, dtype: str | None, name: str, trust: Trust) -> Any:
    """Return the network of a `.keras` file.

    Parameters
    ----------
    content : bytes
        The file.
    dtype : str or None
        The global precision under which the network was compiled; None is the present one.
    name : str
        The part's name, for errors.
    trust : Trust
        Custom objects that the user trusts.

    Returns
    -------
    network : keras.Model
        The network.

    Raises
    ------
    LoadError
        The file names something that is not trusted, or Keras cannot read it.
    """
    needed = names_in_network(content, name)
    objects = _custom_objects(needed, trust)
    keras = load_keras()
    scope = contextlib.nullcontext() if dtype is None else dtype_scope(dtype)
    with tempfile.TemporaryDirectory(prefix="skopt_wrap_") as folder:
        file = Path(folder) / "network.keras"
        file.write_bytes(content)
        try:
            with scope:
                return keras.saving.load_model(file, custom_objects=objects, safe_mode=True)
        except Exception as error:  # Keras raises all kinds of errors for a damaged description
            raise LoadError(f"{name}: Keras cannot load the network: {error}") from error


def keras_config(item: Any, path: str) -> Any:
    """Return the description of a Keras object, such as an optimizer or a loss, as JSON values."""
    try:
        text = json.dumps(load_keras().saving.serialize_keras_object(item), allow_nan=False)
    except Exception as error:  # an object of the user's may raise anything
        raise SaveError(f"{path}: Keras cannot describe {item!r}: {error}") from error
    config = json.loads(text)
    with _saving(path):
        names_in_config(config, path)
    return config


def load_keras_object(config: Any, name: str, trust: Trust) -> Any:
    """Return the Keras object of a description."""
    objects = _custom_objects(names_in_config(config, name), trust)
    try:
        return load_keras().saving.deserialize_keras_object(
            config, custom_objects=objects, safe_mode=True
        )
    except Exception as error:  # as for networks
        raise LoadError(f"{name}: Keras cannot make the object: {error}") from error


def names_in_network(content: bytes, name: str) -> set[tuple[str, str]]:
    """Return the names in a `.keras` file that the user has to trust; check its parts.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        The part's name, for errors.

    Returns
    -------
    names : set of (str, str)
        Modules and names of custom objects.

    Raises
    ------
    LoadError
        The file is damaged or holds code.
    """
    archive, infos = open_nested_zip(content, name)
    found = {info.filename for info in infos}
    if found != _PARTS:
        strange = sorted(found ^ _PARTS)
        raise LoadError(
            f"{name}: a network's file holds {sorted(_PARTS)}; {strange} are strange or missing. "
            "Layers with files of their own (assets) are not saved."
        )
    config = parse_json(archive.read(_CONFIG), f"{name}/{_CONFIG}")
    parse_json(archive.read("metadata.json"), f"{name}/metadata.json")
    _check_weights(archive.read(_WEIGHTS), name)
    return names_in_config(config, name)


def _check_weights(content: bytes, name: str) -> None:
    """Refuse weights that point to other files or grow while they are read."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            total = _bytes_of_group(file, name, depth=0)
    except LoadError:
        raise
    except Exception as error:  # h5py raises all kinds of errors for damaged files
        raise LoadError(f"{name}: the weights are damaged: {error}") from error
    if total > len(content):
        raise LoadError(f"{name}: the weights state {total:,} bytes, more than the file has.")


def _bytes_of_group(group: Any, name: str, depth: int) -> int:
    import h5py

    if depth > 64:
        raise LoadError(f"{name}: the weights are nested too deeply.")
    total = 0
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise LoadError(f"{name}: the weights hold a link, {key[:80]!r}.")
        item = group[key]
        if isinstance(item, h5py.Group):
            total += _bytes_of_group(item, name, depth + 1)
            continue
        plain = not (item.external or item.is_virtual or item.chunks or item.compression)
        if not plain or item.dtype.hasobject:
            raise LoadError(f"{name}: the weights {key[:80]!r} are not stored as plain numbers.")
        total += item.nbytes
    return total


def names_in_config(config: Any, name: str) -> set[tuple[str, str]]:
    """Return the names in a description of Keras that the user has to trust.

    Parameters
    ----------
    config : object
        JSON values.
    name : str
        The part's name, for errors.

    Returns
    -------
    names : set of (str, str)
        Modules and names.

    Raises
    ------
    LoadError
        The description holds code, or names a file.
    """
    names: set[tuple[str, str]] = set()
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item.values()
            if "class_name" in item:
                names |= _named(item, name)
            elif isinstance(item.get("config"), str) or "registered_name" in item:
                raise LoadError(f"{name}: a description without class_name: {str(item)[:100]}")
    return names


def _named(item: Mapping[str, Any], name: str) -> set[tuple[str, str]]:
    """Return what one description needs to be trusted."""
    kind, module, config = item["class_name"], item.get("module"), item.get("config")
    if not isinstance(kind, str) or not isinstance(module, str | None):
        raise LoadError(f"{name}: {str(kind)[:100]!r} of {str(module)[:100]!r} is no class.")
    if kind in _CODE:
        raise LoadError(
            f"{name}: the network holds {kind!r}, which carries or loads code. Write a layer class "
            "of your own instead, and name it in `trusted`."
        )
    if isinstance(config, dict):
        for setting in _FILE_SETTINGS:
            if isinstance(config.get(setting), str):
                raise LoadError(f"{name}: {kind!r} would read the file {config[setting]!r}.")
    if kind == "function":
        return _named_function(config, module, item.get("registered_name"), name)
    if kind in _VALUES and module in (None, "builtins"):
        return set()
    registered = item.get("registered_name")
    if module in _MODULES or (module or "").startswith(_MODULE_PREFIXES):
        # Keras looks a registered name up first.
        if registered in (None, kind):
            return set()
        raise LoadError(f"{name}: {kind!r} of Keras is registered as {registered!r}.")
    return {("" if module == "builtins" else module or "", kind)}


def _named_function(
    config: Any, module: str | None, registered: Any, name: str
) -> set[tuple[str, str]]:
    if not isinstance(config, str):
        raise LoadError(f"{name}: a function is described by {str(config)[:100]!r}.")
    if module in (None, "builtins") and registered in (None, "function", config):
        keras = load_keras()
        if any(callable(getattr(getattr(keras, m), config, None)) for m in _FUNCTION_MODULES):
            return set()
    return {("" if module == "builtins" else module or "", config)}


def _custom_objects(names: set[tuple[str, str]], trust: Trust) -> dict[str, Any]:
    """Return custom objects under every name that Keras may look for."""
    missing = [
        joined(module, kind)
        for module, kind in names
        if not module.startswith("skopt_wrap.") and trust.lacks(module, kind)
    ]
    if missing:
        raise untrusted(missing)
    objects: dict[str, Any] = {}
    for module, kind in names:
        if module.startswith("skopt_wrap."):
            found = resolve(f"skopt_wrap.{module.split('.')[1]}", kind, trust)
        else:
            found = trust.resolve(module, kind)
        objects[kind] = objects[full_name(found)] = found
        registered = load_keras().saving.get_registered_name(found)
        objects[registered] = found
    return objects
