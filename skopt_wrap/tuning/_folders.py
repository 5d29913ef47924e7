"""Temporary folders that the next search removes when their process was killed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from ..exceptions import StorageError

_PREFIX = "skopt_wrap"
_NAME = re.compile(rf"{_PREFIX}-([0-9a-f]+)-(\d+)-(\d+)-")


def process_space() -> str:
    """Return what tells this machine, since it was started, and its processes from others."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()}/{boot}/{_namespace()}"


def _namespace() -> int:
    """Return the number of the namespace that the numbers of processes belong to."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def started(pid: int) -> str:
    """Return when a process of this machine was started; empty when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]  # a zombie runs nothing


def make_folder() -> Path:
    """Make a temporary folder whose name says which process it belongs to.

    Folders of processes that are gone, which could not remove theirs, are removed first.

    Returns
    -------
    folder : Path
        A new folder in the place for temporary files; the caller removes it.

    Raises
    ------
    StorageError
        When there is no room.
    """
    sweep()
    owner = f"{_space_code()}-{os.getpid()}-{started(os.getpid()) or 0}"
    try:
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{owner}-"))
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> StorageError:
    """Return the error for temporary files that cannot be written."""
    return StorageError(
        f"temporary files cannot be written to {tempfile.gettempdir()!r}: {error}. Make room "
        "there, or let the environment variable TMPDIR name another folder."
    )


def sweep() -> list[Path]:
    """Remove the temporary folders of processes that are gone; return them.

    Only folders of this user that `make_folder` made on this machine are looked at.
    """
    removed = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*"):
        match = _NAME.match(folder.name)
        if match is None or match[1] != _space_code():
            continue
        with suppress(OSError):  # it is another user's, or somebody was quicker
            ours = not folder.is_symlink() and folder.stat().st_uid == os.getuid()
            if ours and started(int(match[2])) != match[3]:
                shutil.rmtree(folder)
                removed.append(folder)
    return removed


def _space_code() -> str:
    return f"{zlib.crc32(f'{socket.gethostname()}/{_namespace()}'.encode()):08x}"
