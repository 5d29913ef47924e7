"""Copy, send and rebuild networks that hold classes and functions of the user's.

Keras writes a layer, a loss or an activation of the user's into a configuration by its name, and
finds it again only when it was registered. Here the objects themselves travel beside the
configuration, and the network is rebuilt inside a scope that knows their names. Nothing is
registered globally.
"""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ..exceptions import ModelError
from ._backend import load_keras
from ._layers import all_layers
from ._scopes import trusted_config_scope

_LIBRARIES = frozenset("builtins jax keras numpy tensorflow torch".split())
# Bookkeeping of Keras objects, which leads to other networks or back to this one.
_NOT_WALKED = frozenset(
    "_inbound_nodes _outbound_nodes _input_spec _losses _tracker _operations_by_depth "
    "_nodes_by_depth train_function test_function predict_function".split()
)
_FUNCTIONS = ("function", "output_shape", "mask")  # of a Lambda layer
# Modules that cloudpickle sends by value are known to the whole process while it runs.
_LOCK = threading.RLock()


class CustomObjects:
    """Classes and functions that the configurations of Keras objects name, by these names.

    It can be pickled by every pickler: classes and functions of modules that can be imported go by
    reference; those of ``__main__``, of a notebook, of a function's body or of a module without a
    file go by value, with ``cloudpickle``.

    Parameters
    ----------
    *things : keras.Model, layer, loss, metric, optimizer, class, function or container of these
        What is searched for objects that Keras does not define. Of a compiled network, its loss,
        metrics and optimizer too.

    Attributes
    ----------
    objects : dict of str to (class or function)
        Found objects, by their registered name and by their own.

    Raises
    ------
    ModelError
        When two different objects share a name, or a part of a network has no configuration.

    Examples
    --------
    >>> import keras, pickle
    >>> from skopt_wrap._keras import CustomObjects, copy_network
    >>> class Twice(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> model = keras.Sequential([keras.Input((3,)), Twice()])
    >>> found = CustomObjects(model)
    >>> sorted(found.objects)
    ['Twice']
    >>> sent = pickle.loads(pickle.dumps(found))
    >>> with sent.scope():
    ...     again = keras.Sequential.from_config(model.get_config())
    >>> type(again.layers[0]).__name__
    'Twice'
    >>> copy_network(model).layers[0] is model.layers[0]
    False
    """

    def __init__(self, *things: Any) -> None:
        self.objects: dict[str, Any] = {}
        self._lambdas: dict[tuple[str, str], str] = {}
        named = set(_texts([_config_of(thing) for thing in things]))
        for candidate in _candidates(things):
            self._add(candidate, named)
        for layer in _lambda_layers(things):
            self._add_lambdas(layer)

    def _add(self, thing: Any, named: set[str]) -> None:
        registered = load_keras().saving.get_registered_name(thing)
        own = thing.__name__
        if own == "<lambda>" or (registered not in named and own not in named):
            return  # no configuration can name a lambda; those of Lambda layers get names
        for name in dict.fromkeys([registered, own]):
            known = self.objects.setdefault(name, thing)
            if known is not thing and registered == own:
                raise ModelError(
                    f"two different objects of the network are called {name!r} "
                    f"({known.__module__}.{known.__qualname__} and "
                    f"{thing.__module__}.{thing.__qualname__}), and Keras finds them by name only. "
                    "Rename one, or give it a name with keras.saving.register_keras_serializable."
                )

    def _add_lambdas(self, layer: Any) -> None:
        """Give the lambdas of a Lambda layer names of their own: Keras would lose their globals."""
        config = layer.get_config()
        for key in _FUNCTIONS:
            code = _lambda_code(config.get(key))
            if code is None:
                continue
            function = layer._output_shape if key == "output_shape" else getattr(layer, key)
            name = f"skopt_wrap>lambda_{len(self._lambdas)}"
            known = self._lambdas.setdefault((layer.name, f"{key}:{code}"), name)
            if known == name:
                self.objects[name] = function

    def config(self, thing: Any) -> dict[str, Any]:
        """Return the configuration of a layer or network, ready for :meth:`build`.

        Parameters
        ----------
        thing : keras.Layer or keras.Model
            One of the things that were searched, or a part of one.

        Returns
        -------
        config : dict
            As ``get_config`` returns it, with the lambdas of ``Lambda`` layers by name.
        """
        edited: dict[str, Any] = self._named(thing.get_config())
        if isinstance(thing, load_keras().layers.Lambda):
            edited = self._with_names(edited)
        return edited

    def _named(self, config: Any) -> Any:
        if isinstance(config, (list, tuple)):
            return type(config)(self._named(item) for item in config)
        if not isinstance(config, dict):
            return config
        edited = {key: self._named(value) for key, value in config.items()}
        if edited.get("class_name") == "Lambda" and isinstance(edited.get("config"), dict):
            edited["config"] = self._with_names(edited["config"])
        return edited

    def _with_names(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration of a Lambda layer with its lambdas by name."""
        edited = dict(config)
        for key in _FUNCTIONS:
            code = _lambda_code(config.get(key))
            name = self._lambdas.get((config.get("name", ""), f"{key}:{code}"))
            if code is not None and name is not None:
                edited[key] = {
                    "module": "builtins",
                    "class_name": "function",
                    "config": name,
                    "registered_name": name,
                }
        return edited

    def build(self, kind: type, config: Mapping[str, Any]) -> Any:
        """Return ``kind.from_config(config)``, made inside the scope.

        Parameters
        ----------
        kind : type
            Class of the layer or network.
        config : mapping
            Made by :meth:`config`.

        Returns
        -------
        thing : object
            Not compiled.
        """
        with self.scope():
            return kind.from_config(dict(config))  # type: ignore[attr-defined]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Let Keras find the objects by their names inside the block, in this thread."""
        with (
            trusted_config_scope(),
            load_keras().saving.custom_object_scope(self.objects),
        ):
            yield

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        """Return what a pickle holds: bytes that cloudpickle made."""
        return _loaded, (dump_objects((self.objects, self._lambdas)),)


def _loaded(content: bytes) -> CustomObjects:
    """Return the objects of a pickle."""
    found = CustomObjects()
    found.objects, found._lambdas = pickle.loads(content)
    return found


def dump_objects(thing: Any) -> bytes:
    """Return a pickle of anything that holds classes and functions of the user's.

    Parameters
    ----------
    thing : object
        To be pickled.

    Returns
    -------
    content : bytes
        For ``pickle.loads``. Classes and functions of modules that can be imported are in it by
        reference, others by value.
    """
    import cloudpickle

    with _LOCK, ExitStack() as stack:
        for module in _hidden_modules(thing):
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        content: bytes = cloudpickle.dumps(thing)
    return content


def _hidden_modules(thing: Any) -> list[types.ModuleType]:
    """Return the modules of classes and functions in `thing` that no other process can import."""
    from cloudpickle import list_registry_pickle_by_value

    kinds = [base for item in _candidates([thing]) for base in getattr(item, "__mro__", [item])]
    names = {str(kind.__module__) for kind in kinds if not _is_known(kind)}
    hidden = names & set(sys.modules) - {"__main__"} - set(list_registry_pickle_by_value())
    return [sys.modules[name] for name in sorted(hidden) if not _is_importable(name)]


def _is_importable(name: str) -> bool:
    """Return whether a module is found on the search path, not only among the loaded ones."""
    places: Any = None
    parts = name.split(".")
    for i in range(len(parts)):
        whole = ".".join(parts[: i + 1])
        spec = None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None else find(whole, places)
            if spec is not None:
                break
        if spec is None:
            return False
        places = spec.submodule_search_locations
    return True


def copy_network(model: Any, weights: list[np.ndarray] | None = None) -> Any:
    """Return a network of the same layers and weights, which is not compiled.

    Parameters
    ----------
    model : keras.Model
        Sequential or Functional network. It is not changed.
    weights : list of ndarray, default=None
        Weights of the copy; None takes those of `model`.

    Returns
    -------
    copy : keras.Model
        Of the same class. ``trainable`` is that of each layer.
    """
    objects = CustomObjects(model)
    made = objects.build(type(model), objects.config(model))
    if model.built:
        made.set_weights(model.get_weights() if weights is None else weights)
    for old, new in zip(all_layers(model), all_layers(made), strict=True):
        if old.trainable != new.trainable:
            new.trainable = old.trainable
        if new.weights and hasattr(new, "finalize_state"):
            new.finalize_state()
    return made


def copy_operation(operation: Any) -> Any:
    """Return an operation of ``keras.ops`` that has no place in a graph yet.

    Parameters
    ----------
    operation : keras.Operation
        No layer: it has no state.

    Returns
    -------
    copy : keras.Operation
        Of the same name and arguments.
    """
    made = copy.copy(operation)
    made._inbound_nodes, made._outbound_nodes = [], []
    return made


def _config_of(thing: Any) -> Any:
    """Return every configuration in `thing`, as nested containers of texts."""
    if isinstance(thing, (list, tuple, set)):
        return [_config_of(item) for item in thing]
    if isinstance(thing, dict):
        return [_config_of(item) for item in thing.values()]
    if isinstance(thing, type) or inspect.isfunction(thing):
        return [thing.__name__, load_keras().saving.get_registered_name(thing)]
    if not hasattr(thing, "get_config"):
        return []
    kind = type(thing)
    try:
        found = [kind.__name__, load_keras().saving.get_registered_name(kind), thing.get_config()]
    except NotImplementedError as error:
        raise ModelError(
            f"{kind.__name__} {getattr(thing, 'name', '')!r} has no configuration: give the class "
            "of each layer whose constructor takes arguments a method get_config that returns "
            f"them. Keras says: {str(error).strip().splitlines()[0]}"
        ) from error
    return [*found, *(_config_of(item) for item in _compiled(thing))]


def _compiled(thing: Any) -> list[Any]:
    """Return loss, metrics and optimizer of a compiled network."""
    if not getattr(thing, "compiled", False):
        return []
    settings = getattr(getattr(thing, "_compile_config", None), "config", None) or {}
    return [settings, getattr(thing, "optimizer", None)]


def _texts(config: Any) -> Iterator[str]:
    """Yield every text in a configuration."""
    if isinstance(config, str):
        yield config
    elif isinstance(config, dict):
        for value in config.values():
            yield from _texts(value)
    elif isinstance(config, (list, tuple, set)):
        for item in config:
            yield from _texts(item)


def _candidates(things: Any) -> Iterator[Any]:
    """Yield each class and function in `things` that is defined outside of Keras."""
    seen: set[int] = set()
    waiting = list(things)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, int, float, np.ndarray)):
            continue
        seen.add(id(thing))
        if isinstance(thing, type) or inspect.isfunction(thing):
            if not _is_known(thing):
                yield thing
        elif isinstance(thing, functools.partial):
            waiting += [thing.func, *thing.args, *thing.keywords.values()]
        elif isinstance(thing, (list, tuple, set, frozenset)):
            waiting += list(thing)
        elif isinstance(thing, Mapping):
            waiting += list(thing.values())
        elif isinstance(thing, CustomObjects):
            waiting.append(thing.objects)
        elif hasattr(thing, "get_config") and hasattr(thing, "__dict__"):
            waiting.append(type(thing))
            methods = dir(type(thing))
            waiting += [
                value
                for name, value in vars(thing).items()
                # Keras wraps methods, such as `build`, on the object: closures over the object.
                if name not in _NOT_WALKED and not (name in methods and inspect.isroutine(value))
            ]
            waiting += _compiled(thing)


def _is_known(thing: Any) -> bool:
    """Return whether a library that Keras itself needs defines a class or function."""
    return str(thing.__module__).partition(".")[0] in _LIBRARIES


def _lambda_layers(things: Any) -> list[Any]:
    """Return the Lambda layers in networks and layers."""
    keras = load_keras()
    layers = [item for item in things if isinstance(item, keras.Layer)]
    inner = [layer for item in layers for layer in all_layers(item)]
    return [layer for layer in inner if isinstance(layer, keras.layers.Lambda)]


def _lambda_code(config: Any) -> str | None:
    """Return the code of a lambda in a configuration, None for anything else."""
    if isinstance(config, dict) and config.get("class_name") == "__lambda__":
        return str(config["config"].get("code"))
    return None
