"""Errors of a storage, told in words and with the place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError

from ...exceptions import StorageError

# Kind of a line of a Journal -> what else it holds, and what it refers to.
_STUDY, _TRIAL = "study_id", "trial_id"
_FIELDS: dict[int, tuple[tuple[str, ...], str | None]] = {
    0: (("study_name", "directions"), None),
    1: ((_STUDY,), _STUDY),
    2: ((_STUDY, "user_attr"), _STUDY),
    3: ((_STUDY, "system_attr"), _STUDY),
    4: ((_STUDY,), _STUDY),
    5: ((_TRIAL, "param_name", "param_value_internal", "distribution"), _TRIAL),
    6: ((_TRIAL, "state", "values"), _TRIAL),
    7: ((_TRIAL, "step", "intermediate_value"), _TRIAL),
    8: ((_TRIAL, "user_attr"), _TRIAL),
    9: ((_TRIAL, "system_attr"), _TRIAL),
}
_CREATE_STUDY, _CREATE_TRIAL, _SET_TRIAL_ATTRIBUTE = 0, 4, 8
_HEAD = b'{"op_code"'


class SafeStorage:
    """A storage of Optuna's whose errors name the place and say what to do.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        The storage.
    label : str
        What to call it in messages.
    path : Path or None
        Its file, where it is a Journal.
    """

    # What a caller reckons with: somebody else was quicker.
    _EXPECTED = (UpdateFinishedTrialError, DuplicatedStudyError)

    def __init__(self, storage: Any, label: str, path: Path | None) -> None:
        self.storage = storage
        self.label = label
        self.path = path

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.storage, name)
        if not callable(attribute):
            return attribute

        def method(*args: Any, **kwargs: Any) -> Any:
            try:
                return attribute(*args, **kwargs)
            except self._EXPECTED:
                raise
            except Exception as error:
                if name == "get_study_id_from_name" and isinstance(error, KeyError):
                    raise  # there is no such study yet
                raise self.error(error) from error

        return method

    def error(self, error: Exception) -> StorageError:
        """Return the error of ours for one that reading or writing raised."""
        if self.path is not None and not isinstance(error, OSError):
            try:
                check_lines(self.path)
            except StorageError as found:
                return found
        text = " ".join(str(error).split())
        return StorageError(
            f"storage={self.label} cannot be read or written: {type(error).__name__}: {text}. "
            "Trials that were finished before are kept there; make room or give the right to "
            "write, and call fit again."
        )

    def place(self, key: int, attribute: str) -> str:
        """Return where an attribute of a trial is stored, for messages."""
        if self.path is not None:
            for number, line in _lines(self.path):
                if (
                    line.get("op_code") == _SET_TRIAL_ATTRIBUTE
                    and line.get(_TRIAL) == key
                    and attribute in line.get("user_attr", ())
                ):
                    return f"line {number} of storage={self.label}"
        return f"trial_id {key} of storage={self.label}"


def begins_as_journal(path: Path) -> bool:
    """Whether a file is empty, or begins as the Journal of a search does."""
    with open(path, "rb") as file:
        head = file.read(len(_HEAD))
    return _HEAD.startswith(head)


def check_lines(path: Path) -> None:
    """Raise where a line of a Journal was not written by Optuna, or does not follow the others.

    Raises
    ------
    StorageError
        With the path and the number of the line.
    """
    counts = {_STUDY: 0, _TRIAL: 0}
    for number, line in _lines(path):
        problem = _problem(line, counts)
        if problem is not None:
            raise _damaged(path, number, problem)
        counts[_STUDY] += line["op_code"] == _CREATE_STUDY
        counts[_TRIAL] += line["op_code"] == _CREATE_TRIAL


def _problem(line: Mapping[str, Any], counts: Mapping[str, int]) -> str | None:
    kind = line.get("op_code")
    if kind not in _FIELDS:
        return f"it has the op_code {kind!r}"
    names, refers_to = _FIELDS[kind]
    if missing := [name for name in names if name not in line]:
        return f"it has no {missing[0]!r}"
    if refers_to is not None:
        place = line[refers_to]
        if not isinstance(place, int) or not 0 <= place < counts[refers_to]:
            return f"its {refers_to} {place!r} is not that of an earlier line"
    for name in ("user_attr", "system_attr"):
        if name in names and not isinstance(line[name], dict):
            return f"its {name!r} is no object"
    for name in ("datetime_start", "datetime_complete"):
        if line.get(name) is not None and not _is_moment(line[name]):
            return f"its {name!r} is no date: {line[name]!r}"
    return None


def _is_moment(text: Any) -> bool:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and content of each whole line of a Journal."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):  # somebody is writing it
                return
            try:
                content = json.loads(line)
            except ValueError:
                content = None
            if not isinstance(content, dict) or "op_code" not in content:
                raise _damaged(path, number, f"it holds {line[:60]!r}")
            yield number, content


def _damaged(path: Path, number: int, problem: str) -> StorageError:
    return StorageError(
        f"line {number} of storage={str(path)!r} is damaged or no Journal of a search: {problem}. "
        "Remove that line to go on without the trial that it belongs to, or give another storage=."
    )
