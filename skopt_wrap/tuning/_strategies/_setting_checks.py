"""Checks of the settings of a strategy, made when its object is made."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from ...exceptions import ParameterError, suggest


def check_name(name: str, value: Any, legal: tuple[str, ...]) -> None:
    """Refuse what is none of the legal names."""
    if value not in legal:
        raise ParameterError(
            f"{name} must be one of {legal}; got {value!r}. {suggest(str(value), legal)}"
        )


def check_share(name: str, value: Any) -> None:
    """Refuse what is no number between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ParameterError(f"{name} must be a number in [0, 1]; got {value!r}.")


def check_count(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number, or is less than `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ParameterError(f"{name} must be an int >= {least}; got {value!r}.")
