"""Keras objects as something that every pickler takes, with the user's classes and functions."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

from ._backend import load_keras
from ._custom_objects import CustomObjects, dump_objects
from ._scopes import dtype_scope


class Parcel:
    """Stands in a pickle for an object that holds classes and functions of the user's.

    Keras writes its objects with the custom parts by name. The parts travel beside them (see
    :class:`CustomObjects`), and loading gives the object itself.

    Parameters
    ----------
    thing : object
        A network with weights, compile settings and optimizer state; a loss, metric, optimizer or
        callback; a builder; or any other object.
    dtype : str, default=None
        Precision in which networks in it were built. Keras compiles what it loads in the global
        precision.

    Examples
    --------
    >>> import keras, pickle
    >>> from skopt_wrap._keras import Parcel
    >>> class Twice(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> type(pickle.loads(pickle.dumps(Parcel(Twice())))).__name__
    'Twice'
    """

    def __init__(self, thing: Any, dtype: str | None = None) -> None:
        self.thing, self.dtype = thing, dtype

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        thing = self.thing
        if isinstance(thing, type) or not hasattr(thing, "get_config"):
            return pickle.loads, (dump_objects(thing),)
        objects = CustomObjects(thing)
        content = _parts(thing, objects) if _needs_parts(thing, objects) else dump_objects(thing)
        return _load, (content, objects if objects.objects else None, self.dtype)


def copy_by_parcel(thing: Any, dtype: str | None = None) -> Any:
    """Return a copy of a Keras object, as a pickle would give it."""
    load, arguments = Parcel(thing, dtype).__reduce__()
    return load(*arguments)


def _needs_parts(thing: Any, objects: CustomObjects) -> bool:
    """Return whether Keras' own archive of a network could not be loaded as it is.

    The archive loses the globals of lambdas. And it gives a subclassed model the arguments `name`,
    `trainable` and `dtype`, which not every constructor takes.
    """
    if not isinstance(thing, load_keras().Model):
        return False
    return (
        bool(objects._lambdas)
        if not is_subclassed(thing)
        else _config_arguments(thing) != (thing.get_config())
    )


def _config_arguments(model: Any) -> dict[str, Any]:
    """Return the part of the configuration that the constructor of a subclassed model takes."""
    config = dict(model.get_config())
    if "from_config" in vars(type(model)):
        return config
    legal = inspect.signature(type(model).__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in legal.values()):
        return config
    return {name: value for name, value in config.items() if name in legal}


def _parts(model: Any, objects: CustomObjects) -> dict[str, Any]:
    """Return a network part by part."""
    optimizer: Any = getattr(model, "optimizer", None)
    built = optimizer is not None and optimizer.built
    subclassed = is_subclassed(model)
    return {
        "class": type(model).__name__ if subclassed else None,
        # Keras leaves `built` False for a subclassed model that it builds by its configuration.
        "build": model.get_build_config() if subclassed and model.weights else None,
        "functional": type(model) is not load_keras().Sequential,
        "config": _config_arguments(model) if subclassed else objects.config(model),
        "weights": model.get_weights(),
        "compile": model.get_compile_config() if model.compiled else None,
        "optimizer": [v.numpy() for v in optimizer.variables] if built else [],
    }


def _load(content: Any, objects: CustomObjects | None, dtype: str | None) -> Any:
    keras = load_keras()
    objects = CustomObjects() if objects is None else objects
    with dtype_scope(dtype), objects.scope():
        if isinstance(content, bytes):
            return pickle.loads(content)
        if content["class"] is not None:
            model = objects.objects[content["class"]].from_config(content["config"])
            if content["build"] is not None:
                model.build_from_config(content["build"])
        else:
            kind = keras.Model if content["functional"] else keras.Sequential
            model = objects.build(kind, content["config"])
        if content["weights"]:
            model.set_weights(content["weights"])
        if content["compile"] is not None:
            model.compile_from_config(content["compile"])
        if content["optimizer"]:
            model.optimizer.build(model.trainable_variables)
            for variable, value in zip(
                model.optimizer.variables, content["optimizer"], strict=True
            ):
                variable.assign(value)
        return model


def is_subclassed(model: Any) -> bool:
    functional = type(model).__name__ == "Functional" and inspect.getmodule(type(model)) is not None
    own = type(model).__module__.partition(".")[0] == "keras"
    return not (type(model) is load_keras().Sequential or (functional and own))
