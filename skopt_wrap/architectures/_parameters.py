"""Parameters of the named networks, checked before a network is built."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._keras import load_keras
from ..exceptions import ParameterError, suggest
from ._blocks import check_fraction, widths

_SIZES = ("kernel_size", "pool_size", "strides")
_FLAGS = ("batch_norm", "bidirectional")  # also where the default is "auto"


def check_parameters(builder: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """Raise where a parameter of a named network breaks the rule that its name stands for.

    Activations and initializers must be known to Keras, shares of dropout lie in [0, 1), sizes of
    windows are positive whole numbers, and what is True or False by default stays so. Each builder
    checks by itself what is particular to it.

    Parameters
    ----------
    builder : callable
        Builds the network.
    parameters : mapping
        Its keyword arguments.

    Raises
    ------
    ParameterError
        Names the parameter, the rule and the value.

    Examples
    --------
    >>> from skopt_wrap.architectures import check_parameters, dense
    >>> check_parameters(dense, {"activation": "relu", "dropout": 0.2})
    >>> check_parameters(dense, {"activation": "rellu"})
    Traceback (most recent call last):
    ...
    skopt_wrap.exceptions.ParameterError: model__activation='rellu' is no activation of Keras...
    """
    for name, value in parameters.items():
        default = inspect.signature(builder).parameters[name].default
        if isinstance(value, str) and value == default:
            continue  # "auto"
        flag = isinstance(default, bool) or name in _FLAGS
        if flag and not isinstance(value, bool | np.bool_):
            raise ParameterError(f"model__{name} must be True or False, got {value!r}.")
        if name.endswith("activation"):
            _check_known(name, value, load_keras().activations, "activation")
        elif name.endswith("initializer"):
            _check_known(name, value, load_keras().initializers, "initializer")
        elif name.endswith("dropout"):
            check_fraction(name, value)
        elif name in _SIZES:
            _check_size(name, value)
        elif name == "n_layers":
            widths("units", 1, value)


def _check_known(name: str, value: Any, module: Any, kind: str) -> None:
    try:
        found = module.get(value)
    except (TypeError, ValueError):
        found = None
    if not callable(found) and value is not None:
        known = {key for key, item in vars(module).items() if callable(item) and key.islower()}
        known -= {"get", "serialize", "deserialize", "glu"}
        hint = suggest(value, known) if isinstance(value, str) else ""
        raise ParameterError(f"model__{name}={value!r} is no {kind} of Keras. {hint}".rstrip())


def _check_size(name: str, value: Any) -> None:
    sizes = value if isinstance(value, list | tuple) else [value]
    for size in sizes:
        whole = isinstance(size, numbers.Integral) and not isinstance(size, bool)
        if not whole or size < 1:
            raise ParameterError(
                f"model__{name} must be an int >= 1 or a tuple of them, got {value!r}."
            )
