"""Write and read the zip file that holds a saved estimator, and refuse files that are not sound.

Nothing of a file is trusted before it was checked: its table of contents, the sizes in it and the
checksum of each part. No part is ever written to the disk by its own name.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from ..exceptions import LoadError, SaveError

MANIFEST = "manifest.json"
GRAPH = "estimator.json"
# The names that our files may hold. Names of any other form are refused, so that no name can
# point to another folder.
_NAME = re.compile(
    r"manifest\.json|estimator\.json|arrays/\d+\.npy|networks/\d+\.keras|files/\d+\.(tflite|bin)"
    r"|sklearn/\d+\.skops"
)
MOST_ENTRIES = 50_000
MOST_JSON_BYTES = 32 << 20
# Each comma or bracket of a JSON text may become a Python object of some 60 bytes.
MOST_JSON_ITEMS = 2_000_000
# Python's own reader of JSON would reach the limit of recursion, which is not safe to reach in C.
MOST_JSON_DEPTH = 500
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
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


class ArchiveWriter:
    """Writes a file beside its final place and moves it there when it is complete.

    A process that is killed, or a disk that is full, leaves the earlier file as it was.

    Parameters
    ----------
    path : Path
        Where the complete file will lie.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, dict[str, Any]] = {}
        self._counts: dict[str, int] = {}

    def __enter__(self) -> ArchiveWriter:
        try:
            handle, name = tempfile.mkstemp(
                prefix=f".{self.path.name}.", suffix=".part", dir=self.path.parent
            )
        except OSError as error:
            raise SaveError(f"path: cannot write to {str(self.path.parent)!r}: {error}") from error
        self._part = Path(name)
        self._file: IO[bytes] = os.fdopen(handle, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        return self

    def add(self, folder: str, suffix: str, content: bytes | memoryview) -> str:
        """Store one part under the next free number of its folder, and return its name."""
        number = self._counts.get(folder, 0)
        self._counts[folder] = number + 1
        name = f"{folder}/{number}{suffix}"
        self._store(name, content)
        return name

    def add_json(self, name: str, value: Any) -> None:
        """Store a JSON text under a fixed name."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._store(name, text.encode())

    def _store(self, name: str, content: bytes | memoryview) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self.entries[name] = {"bytes": len(content), "sha256": digest}
        info = zipfile.ZipInfo(name)  # a fixed date: equal contents make equal files
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w", force_zip64=len(content) > 1 << 31) as entry:
            entry.write(content)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
        except OSError as problem:
            raise SaveError(
                f"path: {str(self.path)!r} could not be written: {problem}"
            ) from problem
        finally:
            self._file.close()
            self._part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> SaveError:
        return SaveError(f"path: {str(self.path)!r} could not be written: {error}")

    def _finish(self) -> None:
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        mode = 0o666 & ~_umask()
        os.chmod(self._part, mode)  # mkstemp makes files that only their owner can read
        os.replace(self._part, self.path)


def _umask() -> int:
    """Return the permissions that new files of this process do not get."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


class ArchiveReader:
    """Reads the parts of a file whose table of contents was found sound.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    LoadError
        The file cannot be read, is no file of ours, or is damaged or hostile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise LoadError(f"path: {str(path)!r} is a folder; give the file that `save` wrote.")
        try:
            self._file: IO[bytes] = open(path, "rb")  # noqa: SIM115  # closed by `__exit__`
        except OSError as error:
            raise LoadError(f"path: {str(path)!r} cannot be read: {error}") from error
        try:
            self._zip, infos = open_zip(self._file, os.fstat(self._file.fileno()).st_size)
            self._infos = {info.filename: info for info in infos}
            self._check_names()
            self.manifest = self._read_manifest()
        except BaseException as error:
            self._file.close()
            if isinstance(error, BROKEN) and not isinstance(error, LoadError):
                raise LoadError(f"{str(path)!r} is damaged: {_first_line(error)}") from error
            raise

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *args: object) -> None:
        self._zip.close()
        self._file.close()

    def read(self, name: str) -> bytes:
        """Return one part, after its size and checksum were compared with the manifest."""
        stated = self.manifest["entries"].get(name)
        if not isinstance(stated, dict) or name not in self._infos:
            raise LoadError(f"{name!r} is named by the file but is not in it.")
        content = self._content(name)
        digest = hashlib.sha256(content).hexdigest()
        if stated.get("bytes") != len(content) or stated.get("sha256") != digest:
            raise LoadError(f"{name!r} has another checksum than the manifest states.")
        return content

    def read_json(self, name: str) -> Any:
        """Return a JSON part."""
        return parse_json(self.read(name), name)

    def _content(self, name: str) -> bytes:
        try:
            return self._zip.read(self._infos[name])
        except BROKEN as error:
            raise LoadError(f"{name!r} is damaged: {_first_line(error)}") from error

    def _check_names(self) -> None:
        for name in self._infos:
            if not _NAME.fullmatch(name):
                raise LoadError(f"the file holds {name[:200]!r}, which `save` never writes.")
        if MANIFEST not in self._infos:
            raise LoadError(
                "the file has no manifest.json, so it was not written by skopt_wrap.save. Keras' "
                "own files are opened by keras.saving.load_model, those of joblib by joblib.load."
            )

    def _read_manifest(self) -> dict[str, Any]:
        manifest = parse_json(self._content(MANIFEST), MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != "skopt_wrap":
            raise LoadError("manifest.json is not that of a file of skopt_wrap.save.")
        entries = manifest.get("entries")
        if not isinstance(entries, dict):
            raise LoadError("manifest.json lists no entries.")
        return manifest


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
        raise LoadError(f"{name!r} is damaged: {_first_line(error)}") from error


def parse_json(content: bytes, name: str) -> Any:
    """Return the value of a JSON text whose size is bounded.

    Parameters
    ----------
    content : bytes
        UTF-8.
    name : str
        The part's name, for errors.

    Returns
    -------
    value : object
        The value.

    Raises
    ------
    LoadError
        The text is too large, nested too deeply, or no JSON.
    """
    items = sum(content.count(sign) for sign in (b",", b"[", b"{", b":"))
    if len(content) > MOST_JSON_BYTES or items > MOST_JSON_ITEMS:
        raise LoadError(f"{name!r} is too large: {len(content):,} bytes, {items:,} items.")
    if json_depth(content) > MOST_JSON_DEPTH:
        raise LoadError(f"{name!r} is nested too deeply.")
    try:
        return json.loads(content, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        raise LoadError(f"{name!r} is no valid JSON: {_first_line(error)}") from error


def json_depth(content: bytes) -> int:
    """Return how deeply the brackets of a JSON text are nested.

    Parameters
    ----------
    content : bytes
        The text; it need not be valid.

    Returns
    -------
    depth : int
        The largest number of brackets that are open at once; those inside texts do not count.

    Examples
    --------
    >>> from skopt_wrap.persistence._archive import json_depth
    >>> json_depth(b'{"a": [1, "[[["]}')
    2
    """
    signs = np.frombuffer(_JSON_TEXT.sub(b"", content), dtype=np.uint8)
    opened = np.isin(signs, list(b"[{")).astype(np.int32)
    closed = np.isin(signs, list(b"]}")).astype(np.int32)
    return int(np.cumsum(opened - closed).max(initial=0))


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
