"""The trial log: where a search keeps its trials, in memory or in one of Optuna's storages.

A trial is claimed first, which gives it a number, and proposed when all lower numbers have been:
processes that share a search propose in the order of the numbers, each knowing all earlier
proposals. Optuna's trial states say the rest: RUNNING, WAITING for somebody to run it again,
COMPLETE, PRUNED or FAIL.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from ...exceptions import StorageError
from .._folders import process_space, started
from .._optuna import trial_key
from .._trial import COMPLETED, FAILED, PRUNED

_OWNER, _VALUES, _PENDING, _RESULT, _WITHDRAWN, _BEAT, _DEATHS = (
    "owner", "values", "pending", "result", "withdrawn", "beat", "deaths",
)  # fmt: skip
BEAT_SECONDS = 10.0  # how often a process says that it still runs its trials
GRACE_SECONDS = 60.0  # a process on another machine that was silent for so long is dead
_POLL_SECONDS = 0.05
_STATES = {COMPLETED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
_searching: set[str] = set()  # owners that search in this process now


@dataclass
class Entry:
    """A trial of a shared search.

    Attributes
    ----------
    key : int
        The storage's identifier.
    values : dict or None
        What the strategy proposed; None while the trial is claimed and not yet proposed.
    pending : list of int
        Numbers of earlier trials whose results the strategy did not know then.
    state : {"running", "free", "finished"}
        A free trial was left by a process that stopped or died.
    mine : bool
        Whether this process claimed it, or took it over.
    result : dict or None
        The outcome.
    score : float or None
        The score that the storage has besides the outcome.
    """

    key: int
    values: dict[str, Any] | None = None
    pending: list[int] = field(default_factory=list)
    state: str = "running"
    mine: bool = True
    result: dict[str, Any] | None = None
    score: float | None = None


class TrialLog:
    """The trials of a search that is not stored: it has the one process, and is forgotten."""

    def __init__(self) -> None:
        self._n_claimed = 0

    def __enter__(self) -> TrialLog:
        return self

    def __exit__(self, *args: Any) -> None:
        return None

    def entries(self) -> list[Entry]:
        """Return the trials of all processes, by number; the last may have no proposal yet."""
        return []

    def claim(self) -> int:
        """Return the number of a new trial, when every lower number has its proposal."""
        self._n_claimed += 1
        return self._n_claimed - 1

    def propose(self, number: int, values: Mapping[str, Any], pending: Sequence[int]) -> bool:
        """Write down what the claimed trial will try; False when it was taken away."""
        return True

    def withdraw(self, number: int) -> None:
        """Give a claimed number back."""
        self._n_claimed = number

    def take(self, number: int) -> int | None:
        """Take over a free trial and return how many processes died while they ran it.

        None when another process was quicker.
        """
        return None

    def place(self, key: int, attribute: str) -> str:
        """Return where an attribute of a trial is stored, for messages."""
        return ""

    def abandon(self) -> None:
        """Write nothing more: the storage has failed."""

    def finish(self, number: int, result: Mapping[str, Any], score: float | None) -> None:
        """Write down an outcome; `score` is None for a trial that failed."""

    def release(self, number: int) -> None:
        """Leave a trial that is not finished to others."""


class StudyTrialLog(TrialLog):
    """The trials of a search as those of an Optuna study.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        Where they are stored.
    study_id : int
        The study.
    close : callable, default=None
        Called with the storage at the end.
    """

    def __init__(
        self, storage: Any, study_id: int, close: Callable[[Any], None] | None = None
    ) -> None:
        super().__init__()
        self._close = close
        self.storage = storage
        self.study_id = study_id
        self.owner = (
            f"{process_space()}|{os.getpid()}|{started(os.getpid())}|{uuid.uuid4().hex[:12]}"
        )
        self._keys: dict[int, int] = {}  # of the trials that this process runs
        self._claimed: int | None = None
        self._beats: dict[int, tuple[Any, float]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> StudyTrialLog:
        _searching.add(self.owner)
        self._thread = threading.Thread(target=self._beat, daemon=True, name="skopt_wrap-beat")
        self._thread.start()
        return self

    def __exit__(self, *args: Any) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        _searching.discard(self.owner)
        # After an error, the storage may be what failed: the error that is on its way counts.
        with suppress(StorageError) if args[0] is not None else nullcontext():
            for number in list(self._keys):
                self.release(number)
            self.withdraw(-1)
        if self._close is not None:
            self._close(self.storage)

    def entries(self) -> list[Entry]:
        """Return the trials of all processes, by number; the last may have no proposal yet."""
        found = []
        for trial in self._trials():
            proposed = _VALUES in trial.user_attrs
            if trial.state.is_finished() and (not proposed or _PENDING not in trial.user_attrs):
                missing = _PENDING if proposed else _VALUES
                raise StorageError(
                    f"{self.place(trial_key(trial), _RESULT)} holds a result of a trial whose "
                    f"{missing!r} are lost. Remove that trial, or give another storage=."
                )
            if not proposed and self._is_dead(trial):
                self._withdraw(trial_key(trial))
                continue
            found.append(self._entry(trial))
            if not proposed:
                break
        return found

    def claim(self) -> int:
        """Return the number of a new trial, when every lower number has its proposal."""
        template = optuna.trial.create_trial(
            state=TrialState.RUNNING, user_attrs={_OWNER: self.owner}
        )
        self._claimed = self.storage.create_new_trial(self.study_id, template_trial=template)
        while True:
            entries = self.entries()
            if not entries or entries[-1].values is not None:  # others took this process for dead
                return self.claim()
            if entries[-1].key == self._claimed:
                return len(entries) - 1
            time.sleep(_POLL_SECONDS)

    def propose(self, number: int, values: Mapping[str, Any], pending: Sequence[int]) -> bool:
        """Write down what the claimed trial will try; False when it was taken away."""
        key, self._claimed = self._claimed, None
        assert key is not None
        try:
            self.storage.set_trial_user_attr(key, _PENDING, list(pending))
            self.storage.set_trial_user_attr(key, _VALUES, plain(values))
        except UpdateFinishedTrialError:
            return False
        self._keys[number] = key
        return True

    def withdraw(self, number: int) -> None:
        """Give a claimed number back."""
        key, self._claimed = self._claimed, None
        if key is not None:
            self._withdraw(key)

    def take(self, number: int) -> int | None:
        """Take over a free trial and return how many processes died while they ran it."""
        trial = self._trials()[number]
        key = trial_key(trial)
        deaths = int(trial.user_attrs.get(_DEATHS, 0))
        try:
            if trial.state == TrialState.RUNNING:  # nobody gave it back
                deaths += 1
                self.storage.set_trial_user_attr(key, _DEATHS, deaths)
                self.storage.set_trial_state_values(key, TrialState.WAITING)
            if not self.storage.set_trial_state_values(key, TrialState.RUNNING):
                return None
            self.storage.set_trial_user_attr(key, _OWNER, self.owner)
        except UpdateFinishedTrialError:
            return None
        self._keys[number] = key
        return deaths

    def place(self, key: int, attribute: str) -> str:
        """Return where an attribute of a trial is stored, for messages."""
        return self.storage.place(key, attribute)

    def abandon(self) -> None:
        """Write nothing more: the storage has failed."""
        self._keys.clear()
        self._claimed = None

    def finish(self, number: int, result: Mapping[str, Any], score: float | None) -> None:
        """Write down an outcome; `score` is None for a trial that failed."""
        key = self._keys.pop(number)
        state = _STATES[result["state"]]
        with suppress(UpdateFinishedTrialError):  # another process took it over and was quicker
            self.storage.set_trial_user_attr(key, _RESULT, plain(result))
            self.storage.set_trial_state_values(key, state, None if score is None else [score])

    def release(self, number: int) -> None:
        """Leave a trial that is not finished to others."""
        key = self._keys.pop(number, None)
        if key is not None:
            with suppress(UpdateFinishedTrialError):
                self.storage.set_trial_state_values(key, TrialState.WAITING)

    def _trials(self) -> list[Any]:
        trials = self.storage.get_all_trials(self.study_id, deepcopy=False)
        trials = [trial for trial in trials if _WITHDRAWN not in trial.user_attrs]
        return sorted(trials, key=lambda trial: trial.number)

    def _entry(self, trial: Any) -> Entry:
        attributes = trial.user_attrs
        if trial.state.is_finished():
            state = "finished"
        elif trial.state == TrialState.WAITING or self._is_dead(trial):
            state = "free"
        else:
            state = "running"
        return Entry(
            trial_key(trial),
            attributes.get(_VALUES),
            attributes.get(_PENDING, []),
            state,
            attributes.get(_OWNER) == self.owner,
            attributes.get(_RESULT),
            trial.values[0] if trial.values else None,
        )

    def _withdraw(self, key: int) -> None:
        with suppress(UpdateFinishedTrialError):
            self.storage.set_trial_user_attr(key, _WITHDRAWN, True)
            self.storage.set_trial_state_values(key, TrialState.FAIL)

    def _beat(self) -> None:
        """Say again and again that this process is alive."""
        count = 0
        while not self._stop.wait(BEAT_SECONDS):
            count += 1
            for key in [*self._keys.values(), *([self._claimed] if self._claimed else [])]:
                # Finished meanwhile, or the storage is away for a moment: the next beat will do.
                with suppress(UpdateFinishedTrialError, StorageError):
                    self.storage.set_trial_user_attr(key, _BEAT, f"{self.owner} {count}")

    def _is_dead(self, trial: Any) -> bool:
        """Whether the process that runs a trial is gone."""
        owner = trial.user_attrs.get(_OWNER, "")
        if trial.state == TrialState.WAITING:
            return True
        if owner == self.owner:
            return False
        machine, _, rest = owner.partition("|")
        if machine == process_space():
            pid, begun, _ = rest.split("|")
            if int(pid) == os.getpid():
                return owner not in _searching
            if started(int(pid)) != begun:
                return True
        beat = trial.user_attrs.get(_BEAT, owner)
        last, since = self._beats.get(trial_key(trial), (None, 0.0))
        if beat != last:
            self._beats[trial_key(trial)] = (beat, time.monotonic())
            return False
        return time.monotonic() - since > GRACE_SECONDS


def plain(value: Any) -> Any:
    """Return `value` made of what JSON has.

    Examples
    --------
    >>> import numpy as np
    >>> from skopt_wrap.tuning._storage._trial_log import plain
    >>> plain({"a": np.float64(0.5), "b": (np.int64(1), None), "c": np.arange(2)})
    {'a': 0.5, 'b': [1, None], 'c': [0, 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} cannot be written as JSON.")
