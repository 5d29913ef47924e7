"""Errors of Keras and TensorFlow in the middle of training, in words that say what stopped."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._keras import load_tensorflow
from ..exceptions import ModelError, SkoptWrapError

_LIBRARIES = {"keras", "tensorflow"}


@contextlib.contextmanager
def errors_in_words(model: Any) -> Iterator[None]:
    """Say which network could not be trained when Keras or TensorFlow raise.

    Errors that the user's own code raises (a loss, a layer, a callback) pass as they are.

    Parameters
    ----------
    model : keras.Model
        The network, for the message.

    Raises
    ------
    ModelError
        In the place of an error of TensorFlow, and of a TypeError or ValueError that Keras itself
        raised. The error is chained.
    """
    try:
        yield
    except SkoptWrapError:
        raise
    except load_tensorflow().errors.OpError as error:
        raise _in_words(model, error, error.message) from error
    except (TypeError, ValueError) as error:
        if not _raised_by_library(error):
            raise
        raise _in_words(model, error, str(error)) from error


def _raised_by_library(error: BaseException) -> bool:
    last = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return not _LIBRARIES.isdisjoint(last.parts)


def _in_words(model: Any, error: BaseException, text: str) -> ModelError:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reason = next((line for line in lines if "error:" not in line.lower()), type(error).__name__)
    return ModelError(
        f"The network {model.name!r} cannot be trained as it is: {type(error).__name__}: {reason} "
        "Loss, metrics, optimizer settings and the layers of the network have to suit each other "
        "and the data."
    )
