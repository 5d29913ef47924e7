"""Targets and raw outputs, nested as the outputs of the network are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._keras import OutputForm
from .._targets._several import SeveralClasses, SeveralValues

ONE_OUTPUT = OutputForm("one", ("output",), (1,))


def is_several(target: Any) -> bool:
    """Return whether a target is that of several outputs."""
    return isinstance(target, SeveralClasses | SeveralValues)


def encoded_target(target: Any, form: OutputForm, y: np.ndarray, dtype: str) -> Any:
    """Return `y` as the losses take it, nested as the outputs are."""
    parts = target.encode(y, dtype) if is_several(target) else [target.transform(y, dtype)]
    return form.pack(parts)


def flat_outputs(target: Any, form: OutputForm, raw: Any) -> Any:
    """Return raw outputs as the target takes them: a list for several outputs, else one array."""
    parts = form.unpack(raw)
    return parts if is_several(target) else parts[0]


def checked_parts(check: Callable[[np.ndarray], np.ndarray], raw: Any) -> Any:
    """Apply a check to the array, or to each array of a list."""
    return [check(part) for part in raw] if isinstance(raw, list) else check(raw)
