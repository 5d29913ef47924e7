"""Open Optuna's storages: a Journal file for a path, a database for a URL."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection

from ...exceptions import ParameterError, StorageError
from .._optuna import close_storage, quiet
from ._errors import SafeStorage, begins_as_journal, check_lines
from ._fingerprint import differences
from ._proxy import SCHEME, open_proxy
from ._sqlite import check_sqlite, sqlite_path
from ._trial_log import StudyTrialLog, TrialLog

FILE_NAME = "search.log"
STUDY = "search"  # name of the study when none is given
_DEFINITION = "skopt_wrap definition"
_TRIES = 5
# What SQLAlchemy (a dependency of Optuna, and not ours) raises when another process was
# quicker to make the tables.
_DATABASE_ERRORS = {"DatabaseError", "OperationalError", "StorageInternalError"}
_RACES = {
    "IntegrityError", "InternalError", "OperationalError", "ProgrammingError",
    "StorageInternalError",
}  # fmt: skip


class FileLock:
    """Lock of a Journal file that the kernel opens when its holder dies.

    Whoever gets it removes first what a killed process left half written. Optuna's own locks
    are files, and keep everybody waiting for half a minute after such a death.

    Parameters
    ----------
    path : str
        The Journal file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._held: Any = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        file = open(f"{self.path}.lock", "ab")  # noqa: SIM115 - held until `release`
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if begins_as_journal(Path(self.path)):
                mend(self.path)
        except BaseException:
            file.close()
            raise
        self._held = file
        return True

    def release(self) -> None:
        """Open the lock."""
        file, self._held = self._held, None
        file.close()


def mend(path: str | os.PathLike[str]) -> int:
    """Cut off a last line without its end; return the number of bytes that were cut off."""
    with open(path, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        end = size
        while end:
            begin = max(0, end - 4096)
            file.seek(begin)
            chunk = file.read(end - begin)
            newline = chunk.rfind(b"\n")
            if newline >= 0:
                end = begin + newline + 1
                break
            end = begin
        if end < size:
            file.truncate(end)
    return size - end


def is_url(storage: Any) -> bool:
    """Whether `storage` is a database's URL, and not a path.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._backends import is_url
    >>> is_url("sqlite:///trials.db"), is_url("trials.log")
    (True, False)
    """
    return isinstance(storage, str) and "://" in storage


def journal_path(storage: Any) -> Path:
    """Return the Journal file that a path stands for.

    A folder, or a name without suffix, is a folder that the file lies in.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._backends import journal_path
    >>> str(journal_path("runs/iris")), str(journal_path("runs/iris.log"))
    ('runs/iris/search.log', 'runs/iris.log')
    """
    path = Path(storage).expanduser()
    try:
        folder = path.is_dir() or (not path.suffix and not path.is_file())
    except OSError as error:  # such as a name that is too long
        raise StorageError(f"storage={str(path)!r} cannot be used: {error}") from error
    return path / FILE_NAME if folder else path


def exists(storage: Any) -> bool:
    """Whether there may be trials in `storage`; nothing is made."""
    return is_url(storage) or journal_path(storage).is_file()


def label(storage: Any) -> str:
    """Return what to call a storage in messages: without a password.

    Examples
    --------
    >>> from skopt_wrap.tuning._storage._backends import label
    >>> label("postgresql://ann:secret@host/trials")
    "'postgresql://ann:***@host/trials'"
    """
    if not is_url(storage):
        return repr(os.fspath(storage))
    scheme, _, rest = storage.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return repr(f"{scheme}://{user}{colon and ':***'}{at}{place}")


def open_storage(storage: Any) -> Any:
    """Open, and where needed make, the storage.

    Parameters
    ----------
    storage : str or path-like
        A URL such as ``sqlite:///trials.db``, ``postgresql://user@host/name`` or
        ``grpc://host:13000``, or a path.

    Returns
    -------
    opened : optuna.storages.BaseStorage
        The storage.

    Raises
    ------
    ParameterError
        The URL cannot be opened, or its driver is not installed.
    StorageError
        The file is damaged, holds something else, or cannot be written.
    """
    if is_url(storage) and storage.startswith(SCHEME):
        return open_proxy(storage)
    return _open_database(storage) if is_url(storage) else _open_journal(journal_path(storage))


def _open_journal(path: Path) -> Any:
    try:
        if path.is_file() and not begins_as_journal(path):
            raise StorageError(
                f"line 1 of storage={str(path)!r} is not that of a Journal: the file holds "
                "something else and is left as it is. Give the name of a new file."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        lock = FileLock(str(path))
        lock.acquire()  # waits for a process that is writing, then mends
        lock.release()
        check_lines(path)
        return JournalStorage(JournalFileBackend(str(path), lock_obj=cast(Any, lock)))
    except StorageError:
        raise
    except (OSError, ValueError, KeyError) as error:  # a name with a null character is a ValueError
        raise StorageError(f"storage={str(path)!r} cannot be used: {error}") from error


def _name_driver(url: str) -> str:
    # What "postgresql://" alone stands for depends on SQLAlchemy's release: psycopg2 up to 2.0,
    # psycopg from 2.1 on. Either will do.
    scheme, _, rest = url.partition("://")
    if scheme != "postgresql":
        return url
    installed = [name for name in ("psycopg", "psycopg2") if importlib.util.find_spec(name)]
    return f"{scheme}+{installed[0]}://{rest}" if installed else url


def _open_database(url: str) -> Any:
    check_sqlite(url, label(url))
    for attempt in range(1, _TRIES + 1):
        try:
            return optuna.storages.get_storage(_name_driver(url))
        except Exception as error:
            # Processes that start together may make the tables at the same moment.
            if type(error).__name__ in _RACES and attempt < _TRIES:
                time.sleep(0.2 * attempt)
                continue
            text = f"storage={label(url)} cannot be opened: {type(error).__name__}: {error}"
            if sqlite_path(url) is not None and type(error).__name__ in _DATABASE_ERRORS:
                raise StorageError(text) from error
            hint = ""
            if url.startswith("postgresql"):
                hint = " PostgreSQL needs a driver: pip install 'skopt_wrap[postgresql]'."
            raise ParameterError(text + hint) from error
    raise AssertionError  # the last attempt returns or raises


def _open_safely(storage: Any) -> SafeStorage:
    if is_url(storage):
        return SafeStorage(open_storage(storage), label(storage), None)
    path = journal_path(storage)
    return SafeStorage(open_storage(storage), repr(str(path)), path)


def open_study(
    storage: Any,
    name: str,
    label: str,
    definition: Mapping[str, str],
    seeds: tuple[int, int],
    resume: bool,
) -> StudyTrialLog:
    """Return the trials of a study, which is made where there is none.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        Where it is, or will be.
    name : str
        The study's name.
    label : str
        What to call the storage in messages.
    definition : mapping
        What the scores depend on.
    seeds : tuple of two int
        The seeds, for processes whose `random_state` is None.
    resume : bool
        Whether trials may be there.

    Returns
    -------
    trial_log : StudyTrialLog
        The trials.

    Raises
    ------
    ParameterError
        The study holds another search, or trials while `resume` is False.
    """
    study_id = _study_id(storage, name)
    n_trials = len(storage.get_all_trials(study_id, deepcopy=False))
    stored = storage.get_study_user_attrs(study_id).get(_DEFINITION)
    if n_trials and not resume:
        raise ParameterError(
            f"resume=False, and study {name!r} in storage={label} holds {n_trials} trials. Give "
            "another study= or storage=, take resume=True to continue them, or delete them "
            f"with optuna.delete_study(study_name={name!r}, storage=...)."
        )
    if stored is None:
        if n_trials:
            raise ParameterError(
                f"study {name!r} in storage={label} holds {n_trials} trials of another program; "
                "give another study=."
            )
    elif changed := differences(stored["definition"], definition):
        raise ParameterError(
            f"study {name!r} in storage={label} holds a search that was defined otherwise: "
            f"{'; '.join(changed)}. Set it back to go on with that search, or give another "
            "study= or storage= for a new one."
        )
    if stored is None:
        content = {"definition": dict(definition), "seeds": list(seeds)}
        storage.set_study_user_attr(study_id, _DEFINITION, content)
    return StudyTrialLog(storage, study_id, close_storage)


def _study_id(storage: Any, name: str) -> int:
    with suppress(DuplicatedStudyError), quiet():
        return storage.create_new_study([StudyDirection.MAXIMIZE], name)
    return storage.get_study_id_from_name(name)


def stored_seeds(storage: Any, name: str) -> tuple[int, int] | None:
    """Return the seeds of a stored search, or None where there is none."""
    try:
        study_id = storage.get_study_id_from_name(name)
    except KeyError:
        return None
    stored = storage.get_study_user_attrs(study_id).get(_DEFINITION)
    return None if stored is None else (stored["seeds"][0], stored["seeds"][1])


def study_name(study: str | None, architecture: str | None) -> str:
    """Return the study's name inside the storage; "auto" has one for each architecture."""
    return (study or STUDY) + (f"/{architecture}" if architecture else "")


def find_seeds(
    storage: Any, study: str | None, architecture: str | None = None
) -> tuple[int, int] | None:
    """Return the seeds of the search in `storage`; None where there is none yet."""
    if storage is None or not exists(storage):
        return None
    opened = _open_safely(storage)
    try:
        return stored_seeds(opened, study_name(study, architecture))
    finally:
        close_storage(opened)


def open_trial_log(
    tuned: Any,
    definition: Mapping[str, str],
    seeds: tuple[int, int],
    architecture: str | None = None,
) -> TrialLog:
    """Return where a search writes its trials down.

    Parameters
    ----------
    tuned : TunedClassifier or TunedRegressor
        Has `storage`, `study` and `resume`.
    definition : mapping
        What the scores depend on.
    seeds : tuple of two int
        The seeds.
    architecture : str, default=None
        Architecture of one of several searches.

    Returns
    -------
    trial_log : TrialLog
        Nowhere when `storage` is None.
    """
    if tuned.storage is None:
        return TrialLog()
    opened = _open_safely(tuned.storage)
    try:
        return open_study(
            opened,
            study_name(tuned.study, architecture),
            label(tuned.storage),
            definition,
            seeds,
            tuned.resume,
        )
    except BaseException:
        close_storage(opened)
        raise
