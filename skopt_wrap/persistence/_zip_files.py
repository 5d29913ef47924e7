"""Open zip files and refuse those whose table of contents is not sound."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterable
from typing import IO

from ..exceptions import LoadError
from ._json_text import first_line

MOST_ENTRIES = 50_000
_DIRECTORY_BYTES_PER_ENTRY = 46 + 256
_END_RECORD = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_ZIP64_LOCATOR = b"PK\x06\x07"
_LOCAL_HEADER_BYTES = 30
# What `zipfile` raises for damaged files, besides its own error.
BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
    struct.error,
)


def open_zip(file: IO[bytes], size: int) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a zip file and check its table of contents.

    Parameters
    ----------
    file : binary file
        Positioned anywhere.
    size : int
        Its length in bytes.

    Returns
    -------
    archive : zipfile.ZipFile
        The open file.
    infos : list of zipfile.ZipInfo
        Its entries, none of which is compressed, linked, encrypted or overlaps another one.

    Raises
    ------
    LoadError
        An entry breaks these rules.
    """
    _check_directory_size(file, size)
    archive = zipfile.ZipFile(file)
    infos = archive.infolist()
    check_entries(infos, archive.start_dir)
    return archive, infos


def _check_directory_size(file: IO[bytes], size: int) -> None:
    """Refuse a table of contents that would take much more memory than the file itself."""
    tail_bytes = min(size, _END_RECORD_BYTES + 65535)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) - at < _END_RECORD_BYTES:
        raise LoadError("the file is not a zip file, or its end is missing.")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if tail[max(at - 20, 0) : at].startswith(_ZIP64_LOCATOR):
        where = int.from_bytes(tail[at - 12 : at - 4], "little")
        if where > size:
            raise LoadError("the file's end points outside the file.")
        file.seek(where)
        directory = max(directory, int.from_bytes(file.read(56)[40:48], "little"))
    if directory > MOST_ENTRIES * _DIRECTORY_BYTES_PER_ENTRY:
        raise LoadError(f"the file's table of contents has {directory:,} bytes, too many to read.")
    file.seek(0)


def check_entries(infos: Iterable[zipfile.ZipInfo], end: int) -> None:
    """Raise LoadError for entries that a sound file never has.

    Parameters
    ----------
    infos : iterable of zipfile.ZipInfo
        The table of contents.
    end : int
        Where the entries end and the table of contents begins, in bytes.
    """
    seen: set[str] = set()
    last_end = 0
    ordered = sorted(infos, key=lambda info: info.header_offset)
    if len(ordered) > MOST_ENTRIES:
        raise LoadError(
            f"the file has {len(ordered):,} entries; at most {MOST_ENTRIES:,} are read."
        )
    for info in ordered:
        name = info.filename[:200]
        if info.filename in seen:
            raise LoadError(f"the name {name!r} stands twice in the file.")
        seen.add(info.filename)
        parts = info.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in info.orig_filename:
            raise LoadError(f"the name {name!r} points outside the file.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise LoadError(f"{name!r} is a link.")
        if info.flag_bits & 0x1:
            raise LoadError(f"{name!r} is encrypted.")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise LoadError(
                f"{name!r} is compressed. `save` stores every part as it is, so that a small file "
                "cannot become a large one while it is read."
            )
        if info.header_offset < last_end or info.file_size < 0:
            raise LoadError(f"{name!r} overlaps another entry.")
        last_end = info.header_offset + _LOCAL_HEADER_BYTES + len(info.orig_filename)
        last_end += info.file_size
        if last_end > end:
            raise LoadError(f"{name!r} is larger than the file.")


def open_nested_zip(content: bytes, name: str) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a zip file that is a part of another one, with the same checks.

    Parameters
    ----------
    content : bytes
        The part.
    name : str
        Its name, for errors.

    Returns
    -------
    archive : zipfile.ZipFile
        The open file.
    infos : list of zipfile.ZipInfo
        Its entries.
    """
    try:
        return open_zip(io.BytesIO(content), len(content))
    except LoadError as error:
        raise LoadError(f"{name}: {error}") from error
    except BROKEN as error:
        raise LoadError(f"{name!r} is damaged: {first_line(error)}") from error
