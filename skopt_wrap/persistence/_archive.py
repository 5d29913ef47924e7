"""Write and read the zip file that holds a saved estimator, and refuse files that are not sound.

Nothing of a file is trusted before it was checked: its table of contents, the sizes in it and the
checksum of each part. No part is ever written to the disk by its own name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ..exceptions import LoadError, SaveError
from ._json_text import first_line, is_too_large, parse_json
from ._zip_files import BROKEN, MOST_ENTRIES, open_zip

MANIFEST = "manifest.json"
GRAPH = "estimator.json"
# The names that our files may hold. Names of any other form are refused, so that no name can
# point to another folder.
_NAME = re.compile(
    r"manifest\.json|estimator\.json|arrays/\d+\.npy|networks/\d+\.keras|files/\d+\.(tflite|bin)"
    r"|sklearn/\d+\.skops"
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
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
        if is_too_large(text):
            raise SaveError(
                f"the description of the estimator has {len(text):,} bytes, more than `load` "
                "reads. Keep long lists as arrays."
            )
        self._store(name, text)

    def _store(self, name: str, content: bytes | memoryview) -> None:
        if len(self.entries) >= MOST_ENTRIES - 1:  # the manifest comes last
            raise SaveError(f"the estimator has more than {MOST_ENTRIES:,} parts.")
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
            else:
                with contextlib.suppress(OSError):  # a full disk has been told of already
                    self._zip.close()
        except OSError as problem:
            raise self._failed(problem) from problem
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
                raise LoadError(f"{str(path)!r} is damaged: {first_line(error)}") from error
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
            raise LoadError(f"{name!r} is damaged: {first_line(error)}") from error

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
