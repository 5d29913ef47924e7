"""Where trials run: in this process, or in worker processes, here or on a Dask cluster."""

from __future__ import annotations

import queue
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from ...exceptions import SearchError
from .._trial import TrialResult, fail
from ._limits import Limits, TimeIsUp, deadline
from ._pickling import dumps
from ._processes import Connection, Processes
from ._worker_process import work

_POLL_SECONDS = 0.2
# A worker that has not said that it runs its trial after this time is taken to run it: its start
# takes some seconds, which are no part of the trial.
_START_SECONDS = 120.0

Evaluate = Callable[[TrialResult, Callable[[], bool], Any], Exception | None]


@dataclass
class Outcome:
    """A trial that has run."""

    number: int
    result: TrialResult
    error: Exception | None


class Serial:
    """Run each trial here and now.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(result, out_of_time, pruning)`` fills in a TrialResult and returns its first
        error.
    limits : Limits, default=None
        Time limits; None for none.
    """

    capacity = 1

    def __init__(self, evaluate: Evaluate, limits: Limits | None = None) -> None:
        self.evaluate = evaluate
        self.limits = limits or Limits()
        self._outcomes: list[Outcome] = []

    def __enter__(self) -> Serial:
        return self

    def __exit__(self, *args: Any) -> None:
        return None

    @property
    def running(self) -> list[int]:
        """Numbers of the trials that run or whose outcome was not fetched."""
        return [outcome.number for outcome in self._outcomes]

    @property
    def is_free(self) -> bool:
        """Whether one more trial can be submitted."""
        return not self._outcomes

    def submit(
        self,
        result: TrialResult,
        out_of_time: Callable[[], bool],
        pruning: Any = None,
        *,
        isolated: bool = False,
    ) -> None:
        """Run a trial; an isolated one in a process of its own, which it may kill."""
        run = self._run_isolated if isolated else self._run
        self._outcomes.append(run(result, out_of_time, pruning))

    def _run(self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any) -> Outcome:
        begin = time.monotonic()
        self.limits.begin(begin)
        end = self.limits.end_of_trial(begin)
        ends = [moment for moment in (end, self.limits.end) if moment is not None]

        def is_late() -> bool:  # asked after every epoch and every split
            return out_of_time() or (end is not None and time.monotonic() >= end)

        try:
            with deadline(min(ends, default=None)):
                error = self.evaluate(result, is_late, pruning)
        except TimeIsUp:
            if end is None or self.limits.is_over():
                raise
            error = self.limits.trial_error(result.number)
            fail(result, error, traceback.format_exc())
        return Outcome(result.number, result, error)

    def _run_isolated(
        self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any
    ) -> Outcome:
        workers = Workers(self.evaluate, 1, lambda task: Processes(1, task), self.limits)
        try:
            workers.__enter__()
        except Exception as raised:  # it cannot be sent to another process
            error = SearchError(
                f"the process of this search died in trial {result.number}, twice. Trial "
                f"{result.number} is not run a third time, since it cannot be sent to a process of "
                f"its own: {type(raised).__name__}: {raised}"
            )
            fail(result, error, None)
            return Outcome(result.number, result, error)
        with workers:
            workers.submit(result, out_of_time, pruning, isolated=True)
            while True:
                if outcomes := workers.wait(_POLL_SECONDS):
                    return outcomes[0]
                if out_of_time():
                    raise TimeIsUp

    def wait(self, _seconds: float) -> list[Outcome]:
        """Return what has run since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def stop(self) -> None:
        """Drop the trials that run."""


@dataclass
class _Job:
    """A trial that was handed to the workers."""

    result: TrialResult
    pruning: bytes | None
    isolated: bool = False
    future: Any = None
    submitted: float = 0.0

    @property
    def number(self) -> int:
        return self.result.number


@dataclass
class Workers:
    """Run trials in other processes, one at a time in each.

    A worker that dies takes down the pool. The trials that were running are run again, one by
    one, and the one that ends its worker again has failed. A trial that takes too long is ended
    with its worker; those that were running beside it are run again.

    Parameters
    ----------
    evaluate : callable
        As for Serial; it is sent to each worker once.
    capacity : int
        Number of processes.
    connect : callable
        Returns a Connection, given `evaluate`.
    limits : Limits, default=Limits()
        Time limits.
    max_trials_per_worker : int or None, default=None
        Trials after which the processes are replaced by new ones, for each process.
    """

    evaluate: Any
    capacity: int
    connect: Callable[[Any], Connection]
    limits: Limits = field(default_factory=Limits)
    max_trials_per_worker: int | None = None
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    _in_flight: dict[int, _Job] = field(default_factory=dict)
    _waiting: deque[_Job] = field(default_factory=deque)  # ran beside one that was ended
    _suspects: deque[_Job] = field(default_factory=deque)  # may have ended their worker
    _alone: int | None = None
    _done: queue.SimpleQueue[tuple[int, Any]] = field(default_factory=queue.SimpleQueue)
    _connection: Any = None
    _is_broken: bool = False
    _n_started: int = 0  # in the processes that run now

    def __enter__(self) -> Workers:
        if self._connection is None:
            self._connection = self.connect(self.evaluate)
        return self

    def __exit__(self, *args: Any) -> None:
        self._connection.close(kill=bool(self._in_flight))

    @property
    def running(self) -> list[int]:
        """Numbers of the trials that run or whose outcome was not fetched."""
        return [*self._in_flight, *(job.number for job in [*self._waiting, *self._suspects])]

    @property
    def is_free(self) -> bool:
        """Whether one more trial can be submitted."""
        if self._waiting or self._suspects or self._is_broken or self._alone is not None:
            return False
        if self._is_worn and self._in_flight:
            return False  # the processes are replaced when their trials have ended
        return len(self.running) < self.capacity

    @property
    def _is_worn(self) -> bool:
        most = self.max_trials_per_worker
        return most is not None and self._n_started >= most * self.capacity

    def submit(
        self,
        result: TrialResult,
        out_of_time: Callable[[], bool] | None = None,
        pruning: Any = None,
        *,
        isolated: bool = False,
    ) -> None:
        """Start a trial; the worker prunes by what is known now."""
        # Pickled here, since what is sent later may have learned of further trials by then.
        job = _Job(result, None if pruning is None else dumps(pruning), isolated)
        if isolated:
            self._suspects.append(job)
        else:
            self._start(job)

    def _start(self, job: _Job) -> None:
        if self._is_worn and not self._in_flight:
            self._connection.renew()
            self._n_started = 0
        number = job.number
        self._in_flight[number] = job
        job.submitted = time.monotonic()
        try:
            job.future = self._connection.submit(work, self.token, job.result, job.pruning)
        except BrokenProcessPool:  # noticed before the trials that run
            self._is_broken = True
            self._suspects.append(self._in_flight.pop(number))
            return
        self._n_started += 1
        job.future.add_done_callback(lambda done: self._done.put((number, done)))

    def wait(self, seconds: float) -> list[Outcome]:
        """Return what has run since the last call; wait when there is nothing yet."""
        outcomes: list[Outcome] = []
        if not self._in_flight and self._is_broken:
            self._connection.close(kill=True)
            self._connection = self.connect(self.evaluate)
            self._is_broken, self._n_started = False, 0
        while self._waiting and not self._is_broken:
            self._start(self._waiting.popleft())
        if not self._in_flight and self._suspects and not self._is_broken:
            job = self._suspects.popleft()
            self._alone = job.number
            self._start(job)
        while self._in_flight:
            try:
                number, future = self._done.get(timeout=0 if outcomes else seconds)
            except queue.Empty:
                break
            if number in self._in_flight and self._in_flight[number].future is future:
                outcomes += self._collect(number)
        return outcomes + self._end_late()

    def _collect(self, number: int) -> list[Outcome]:
        job = self._in_flight.pop(number)
        result = job.result
        alone, self._alone = self._alone == number, None
        error: Exception | None
        try:
            result, error = job.future.result()
        except BrokenProcessPool as broken:
            self._is_broken = True
            if not alone:
                self._suspects.append(job)
                return []
            before = "as the search did before in this trial" if job.isolated else "twice"
            error = SearchError(
                f"the worker process of trial {number} died, {before}. It ran out of memory, or "
                f"native code crashed: {broken}"
            )
            fail(result, error, None)
        except Exception as lost:  # it could not be sent, or a cluster gave it up
            error = lost
            fail(result, error, None)
        return [Outcome(number, result, error)]

    def _end_late(self) -> list[Outcome]:
        """End the trials that have had their time."""
        now, late = time.monotonic(), []
        for job in self._in_flight.values():
            begin = self._connection.began(job.number)
            if begin is None:
                begin = job.submitted + _START_SECONDS
            if begin <= now:
                self.limits.begin(begin)
            end = self.limits.end_of_trial(begin)
            if end is not None and now >= end:
                late.append(job)
        if not late:
            return []
        for job in late:
            del self._in_flight[job.number]
            if self._alone == job.number:
                self._alone = None
        if self._connection.end([job.future for job in late]):
            self._waiting += self._in_flight.values()
            self._in_flight.clear()
            self._is_broken = True
        outcomes = []
        for job in late:
            error = self.limits.trial_error(job.number)
            fail(job.result, error, None)
            outcomes.append(Outcome(job.number, job.result, error))
        return outcomes

    def stop(self) -> None:
        """Drop the trials that run."""
        self._in_flight.clear()
        self._waiting.clear()
        self._suspects.clear()
        self._connection.close(kill=True)
