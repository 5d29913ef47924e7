"""Callbacks and metrics given as objects or classes, one or many, with routed arguments."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

from .._params import class_arguments, takes_positional
from ..exceptions import ParameterError, UnknownParameterError, suggest


def make_parts(
    name: str, given: Any, options: Mapping[str, Any], base: type, *, text: bool = False
) -> list[Any]:
    """Return fresh objects: classes called with their arguments, objects copied.

    Parameters
    ----------
    name : {"callbacks", "metrics"}
        The parameter, for messages.
    given : None, object, class, or list, tuple or dict of them
        As the user gave them.
    options : mapping
        Routed arguments: of every class that takes one of that name (``patience``), or of one
        class by its position or key (``0__patience``); with a number in the place of the name
        (``0__0``), they are given by position.
    base : type
        The Keras class that objects and classes must belong to.
    text : bool, default=False
        Whether names and plain functions are legal too; they are passed on.

    Raises
    ------
    ParameterError
        For something that is no such part.
    UnknownParameterError
        For an argument that reaches no class.
    """
    if isinstance(given, Mapping):
        named = {str(key): item for key, item in given.items()}
    else:
        items = [] if given is None else given
        items = items if isinstance(items, (list, tuple)) else [items]
        named = {str(i): item for i, item in enumerate(items)}
    used: set[str] = set()
    parts = [_make(name, key, item, options, base, text, used) for key, item in named.items()]
    unused = sorted(set(options) - used)
    if unused:
        classes = [key for key, item in named.items() if inspect.isclass(item)]
        raise UnknownParameterError(
            f"{name}__{unused[0]} reaches none of the {name}; give classes (not objects), and "
            f"their arguments by name, or as {name}__<position or key>__<argument>. "
            f"Classes given: {classes}."
        )
    return parts


def _make(
    name: str,
    key: str,
    item: Any,
    options: Mapping[str, Any],
    base: type,
    text: bool,
    used: set[str],
) -> Any:
    if text and (isinstance(item, str) or inspect.isfunction(item)):
        return item
    if not inspect.isclass(item):
        if not isinstance(item, base):
            raise ParameterError(f"{name} must hold keras.{name} objects or classes, got {item!r}.")
        # Metrics hold variables, which cannot be deep-copied; their configuration can.
        part: Any = item
        return type(part).from_config(part.get_config()) if text else copy.deepcopy(item)
    if not issubclass(item, base):
        raise ParameterError(f"{name} holds {item!r}, which is no subclass of {base.__name__}.")
    legal, open_ended = class_arguments(item)
    arguments = {}
    for option, value in options.items():
        owner, separator, rest = option.partition("__")
        if separator and owner == key:
            arguments[rest] = value
            used.add(option)
        elif not separator and (option in legal or open_ended):
            arguments.setdefault(option, value)
            used.add(option)
    positional = [arguments.pop(key) for key in sorted(filter(str.isdecimal, arguments), key=int)]
    if positional and not takes_positional(item):
        raise UnknownParameterError(
            f"{item.__name__} takes its arguments by name, not by position. {suggest('0', legal)}"
        )
    for argument in arguments:
        if argument not in legal and not open_ended:
            raise UnknownParameterError(
                f"{item.__name__} takes no {argument!r}. {suggest(argument, legal)}"
            )
    return item(*positional, **arguments)
