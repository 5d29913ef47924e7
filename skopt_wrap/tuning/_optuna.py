"""What this package needs of Optuna beyond its public names, and how Optuna is kept quiet.

Optuna may change private names in any release. They are used in this file and nowhere else, each
behind a public name, so that such a change has to be met in one file only.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from announcing studies, and from warning of what is still experimental."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def trial_key(trial: Any) -> int:
    """Return the identifier that a storage gave to a frozen trial."""
    return trial._trial_id


def close_storage(storage: Any) -> None:
    """Close the connections of a database or to a server; a Journal file has none."""
    if isinstance(getattr(storage, "storage", storage), optuna.storages.GrpcStorageProxy):
        storage.close()
        return
    engine = getattr(getattr(storage, "_backend", None), "engine", None)
    if engine is not None:
        storage.remove_session()
        engine.dispose()
