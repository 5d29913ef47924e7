"""Callbacks, metrics and the optimizer: made from what the user gave, with routed arguments."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .._keras import copy_optimizer, load_keras
from .._params import class_arguments, takes_positional
from ..exceptions import ParameterError, UnknownParameterError, suggest

# Argument of an optimizer -> its smallest value, whether that itself is too small, and the first
# value that is too large.
_RANGES: dict[str, tuple[float, bool, float]] = {
    **dict.fromkeys(("learning_rate", "weight_decay"), (0.0, False, math.inf)),
    **dict.fromkeys(("beta_1", "beta_2", "rho", "momentum"), (0.0, False, 1.0)),
    **dict.fromkeys(("clipnorm", "clipvalue", "global_clipnorm"), (0.0, True, math.inf)),
    **dict.fromkeys(("epsilon", "loss_scale_factor"), (0.0, True, math.inf)),
}


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


def options_of_each(
    options: Mapping[str, Any], owners: Sequence[Collection[str]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the arguments of each of several parts, and the options that name no part.

    Parameters
    ----------
    options : mapping
        Arguments of all parts by name, and of one part as ``<owner>__<name>``, which count more.
    owners : sequence of collections of str
        The names that each part goes by.
    """
    shared = {option: value for option, value in options.items() if "__" not in option}
    found = [dict(shared) for _ in owners]
    unknown: list[str] = []
    for option in options:
        if option in shared:
            continue
        owner, _, rest = option.partition("__")
        places = [i for i, names in enumerate(owners) if owner in names]
        for place in places:
            found[place][rest] = options[option]
        if not places:
            unknown.append(option)
    return found, unknown


def make_optimizer(optimizer: Any, options: Mapping[str, Any], schedule: Any) -> Any:
    """Return a fresh optimizer.

    Parameters
    ----------
    optimizer : str, class or keras.optimizers.Optimizer
        As the user gave it; an object is never used itself.
    options : mapping
        Its keyword arguments (``optimizer__*``).
    schedule : float, keras.optimizers.schedules.LearningRateSchedule or None
        Learning rate to use instead of the optimizer's own.

    Raises
    ------
    ParameterError
        For an unknown optimizer.
    UnknownParameterError
        For an argument that the optimizer does not take.
    """
    keras = load_keras()
    options = dict(options)
    if schedule is not None:
        if "learning_rate" in options:
            raise ParameterError(
                "learning_rate_schedule and optimizer__learning_rate both set the learning rate; "
                "give one of them."
            )
        options["learning_rate"] = schedule
    if isinstance(optimizer, str):
        classes = {
            name.lower(): cls
            for name, cls in vars(keras.optimizers).items()
            if inspect.isclass(cls) and issubclass(cls, keras.optimizers.Optimizer)
        }
        cls = classes.get(optimizer.lower())
        if cls is None:
            raise ParameterError(
                f"optimizer={optimizer!r} is not a Keras optimizer. "
                + suggest(optimizer.lower(), set(classes) - {"optimizer"})
            )
    elif inspect.isclass(optimizer):
        cls = optimizer
    else:
        cls = type(optimizer)
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise ParameterError(
                "optimizer must be a name, a class or an object of keras.optimizers, got "
                f"{optimizer!r}."
            )
        return copy_optimizer(optimizer, options)
    legal, open_ended = class_arguments(cls)
    for option in options:
        if option not in legal and not open_ended:
            raise UnknownParameterError(
                f"optimizer={cls.__name__!r} takes no {option!r}. "
                + suggest(f"optimizer__{option}", [f"optimizer__{name}" for name in legal])
            )
    _check_numbers(cls, options)
    try:
        return cls(**options)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"optimizer={cls.__name__!r} cannot be made with {sorted(options)}: {error}"
        ) from error


def _check_numbers(cls: type, options: Mapping[str, Any]) -> None:
    """Raise for numbers with which an optimizer of Keras runs, but not towards a smaller loss."""
    if not cls.__module__.startswith(("keras.", "skopt_wrap.")):
        return
    for name, value in options.items():
        if name not in _RANGES or not isinstance(value, int | float | np.integer | np.floating):
            continue
        low, strict, high = _RANGES[name]
        if not (low < value if strict else low <= value) or not value < high:
            rule = f"{'>' if strict else '>='} {low:g}" + (f" and < {high:g}" if high < 2 else "")
            raise ParameterError(f"optimizer__{name} must be a number {rule}, got {value!r}.")
