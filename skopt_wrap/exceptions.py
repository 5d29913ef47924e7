"""Errors and warnings of skopt_wrap.

Every error is a :class:`SkoptWrapError` and also the builtin that callers of scikit-learn expect,
so ``except ValueError`` keeps working::

    SkoptWrapError (Exception)
    ├── ParameterError (ValueError)         a parameter's value breaks its rule
    │   └── UnknownParameterError (TypeError)   a name that no part takes; suggests the nearest
    ├── DataError (ValueError)              X, y or the weights cannot be used
    ├── ModelError (ValueError)             a network cannot be built, or does not suit the data
    │   ├── BuilderError                        the user's builder raised, or returned no model
    │   └── UnsupportedLayerError               a layer that a technique cannot take
    ├── DivergedError (FloatingPointError)  training or prediction gave numbers that are not finite
    ├── BackendError (RuntimeError)         Keras runs on something other than TensorFlow
    ├── SearchError (RuntimeError)          no trial of a search succeeded
    │   ├── StorageError (OSError)              a stored search cannot be read or written
    │   └── TrialTimeoutError (TimeoutError)    a trial took longer than it may
    ├── ConversionError (RuntimeError)      a network could not be converted, or its file is wrong
    ├── SaveError (ValueError)              an estimator or its file cannot be written
    ├── LoadError (ValueError)              a file cannot be read, or names what is not trusted
    └── BudgetError (RuntimeError)          a promised size, latency or score was not reached

    SkoptWrapWarning (UserWarning)
    ├── TrainingInterruptedWarning          training stopped early; the best weights are kept
    ├── VersionWarning                      a file was written with other versions of libraries
    ├── InputWarning                        data could mean two things; says which was assumed
    ├── DataChangedWarning                  new rows have what the rows of fit had not
    ├── SkippedWarning                      a layer, trial or stage was skipped, with its reason
    └── BudgetWarning                       a budget was missed and the caller asked to go on
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ._aliases import hint_for, known_as

__all__ = [
    "BackendError",
    "BudgetError",
    "BudgetWarning",
    "BuilderError",
    "ConversionError",
    "DataChangedWarning",
    "DataError",
    "DivergedError",
    "InputWarning",
    "LoadError",
    "ModelError",
    "ParameterError",
    "SaveError",
    "SearchError",
    "SkippedWarning",
    "SkoptWrapError",
    "SkoptWrapWarning",
    "StorageError",
    "TrainingInterruptedWarning",
    "TrialTimeoutError",
    "UnknownParameterError",
    "UnsupportedLayerError",
    "VersionWarning",
    "suggest",
]


class SkoptWrapError(Exception):
    """Base of every error that skopt_wrap raises itself."""


class ParameterError(SkoptWrapError, ValueError):
    """A parameter's value breaks its rule."""


class UnknownParameterError(ParameterError, TypeError):
    """A parameter name that no part of the estimator takes."""


class DataError(SkoptWrapError, ValueError):
    """X, y, the weights or the validation data cannot be used."""


class ModelError(SkoptWrapError, ValueError):
    """A network cannot be built, or does not suit the data."""


class BuilderError(ModelError):
    """The user's builder raised, or did not return a Keras model."""


class UnsupportedLayerError(ModelError):
    """A layer that the technique asked for cannot take."""


class SaveError(SkoptWrapError, ValueError):
    """An estimator cannot be saved, or its file cannot be written."""


class LoadError(SkoptWrapError, ValueError):
    """A file cannot be read as an estimator, or names something that is not trusted."""


class DivergedError(SkoptWrapError, FloatingPointError):
    """Training or prediction gave numbers that are not finite (NaN or infinity)."""


class BackendError(SkoptWrapError, RuntimeError):
    """Keras runs on a backend other than TensorFlow."""


class SearchError(SkoptWrapError, RuntimeError):
    """No trial of a search succeeded."""


class StorageError(SearchError, OSError):
    """The storage of a search cannot be read or written, or what it holds is damaged."""


class TrialTimeoutError(SearchError, TimeoutError):
    """A trial of a search took longer than `trial_timeout` allows."""


class ConversionError(SkoptWrapError, RuntimeError):
    """A network could not be converted, or the converted file is wrong."""


class BudgetError(SkoptWrapError, RuntimeError):
    """A promised size, latency or score was not reached."""


class SkoptWrapWarning(UserWarning):
    """Base of every warning that skopt_wrap issues itself."""


class TrainingInterruptedWarning(SkoptWrapWarning):
    """Training was interrupted; the best weights so far are kept."""


class VersionWarning(SkoptWrapWarning):
    """A file was written with other versions of the libraries than those installed."""


class InputWarning(SkoptWrapWarning):
    """The data could mean two things; the message says which was assumed, and how to choose."""


class DataChangedWarning(SkoptWrapWarning):
    """New rows have what the rows of fit had not; the message says what is done with it."""


class SkippedWarning(SkoptWrapWarning):
    """A layer, trial or stage was skipped; the message says why."""


class BudgetWarning(SkoptWrapWarning):
    """A budget was missed and the caller asked to go on."""


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return the tail of an error message that names the nearest legal choice.

    A name of another library is translated (``nb_epoch``, ``val_accuracy``); then spelling decides.

    Parameters
    ----------
    name : str
        What the caller wrote.
    choices : iterable of str
        The legal names.

    Returns
    -------
    tail : str
        ``"Did you mean 'x'?"`` when something is near, then the list of legal names.

    Examples
    --------
    >>> from skopt_wrap.exceptions import suggest
    >>> suggest("unit", ["units", "dropout"])
    "Did you mean 'units'? Known names: 'dropout', 'units'."
    """
    known = sorted(set(choices))
    hint = hint_for(name, known) if known_as(name, known) is None else None
    near = nearest(name, known) if hint is None else None
    head = f"Did you mean {near!r}? " if near else ""
    head += f"{hint} " if hint else ""
    return f"{head}Known names: {', '.join(repr(k) for k in known)}."


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the legal name that was probably meant, or None.

    Parameters
    ----------
    name : str
        What the caller wrote.
    choices : iterable of str
        The legal names.

    Examples
    --------
    >>> from skopt_wrap.exceptions import nearest
    >>> nearest("RandomSearch", ["grid", "random"]), nearest("xyz", ["grid", "random"])
    ('random', None)
    """
    known = sorted(set(choices))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return known_as(name, known) or next(iter(close), None)
