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
# Files of more than 4 GiB state their sizes in a record of 56 bytes, found by a locator of 20.
_IN_ZIP64 = 0xFFFFFFFF
_ZIP64_RECORD = b"PK\x06\x06"
_ZIP64_BYTES = 56 + 20
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
    _check_end(file, size)
    archive = zipfile.ZipFile(file)
    infos = archive.infolist()
    check_entries(infos, archive.start_dir)
    return archive, infos


def _check_end(file: IO[bytes], size: int) -> None:
    """Refuse a file that does not end with its table of contents, or has a huge one.

    A file that was cut off may still hold the complete zip file of a network.
    """
    file.seek(max(size - _END_RECORD_BYTES, 0))
    end = file.read(_END_RECORD_BYTES)
    if len(end) < _END_RECORD_BYTES or not end.startswith(_END_RECORD):
        raise LoadError("the file is not a zip file, or its end is missing.")
    directory, start = (int.from_bytes(end[at : at + 4], "little") for at in (12, 16))
    before = size - _END_RECORD_BYTES  # where the table of contents ends
    if start == _IN_ZIP64:
        before -= _ZIP64_BYTES
        file.seek(max(before, 0))
        record = file.read(_ZIP64_BYTES)
        if len(record) < _ZIP64_BYTES or not record.startswith(_ZIP64_RECORD):
            raise LoadError("the file's end is damaged.")
        directory, start = (int.from_bytes(record[at : at + 8], "little") for at in (40, 48))
    if directory > MOST_ENTRIES * _DIRECTORY_BYTES_PER_ENTRY:
        raise LoadError(f"the file's table of contents has {directory:,} bytes, too many to read.")
    if start + directory != before:
        raise LoadError("the file is cut off, or holds bytes that belong to no entry.")
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
