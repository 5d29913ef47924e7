"""SQLite databases: whether a file is one, and one of Optuna's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ...exceptions import StorageError

_HEAD = b"SQLite format 3\x00"


def sqlite_path(url: str) -> Path | None:
    """Return the existing file of an SQLite database."""
    if not url.startswith("sqlite:///"):
        return None
    path = Path(url.removeprefix("sqlite:///").partition("?")[0])
    return path if path.is_file() else None


def check_sqlite(url: str, label: str) -> None:
    """Refuse a file that is no database, or a database of something else."""
    path = sqlite_path(url)
    if path is None or path.stat().st_size == 0:
        return
    with open(path, "rb") as file:  # SQLite takes a file of a few bytes for an empty database
        if file.read(len(_HEAD)) != _HEAD:
            raise StorageError(
                f"storage={label} is not a database: the file holds something else and is "
                "left as it is. Give the name of a new file."
            )
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
    except sqlite3.OperationalError:
        return  # a killed process left a journal, which SQLite rolls back when it may write
    except sqlite3.Error as error:
        raise StorageError(
            f"storage={label} cannot be read: {type(error).__name__}: {error}. The file is "
            "left as it is."
        ) from error
    if tables and not tables & {"studies", "version_info"}:
        raise StorageError(
            f"storage={label} is a database of something else, with the tables "
            f"{sorted(tables)}. It is left as it is; give the name of a new file."
        )
