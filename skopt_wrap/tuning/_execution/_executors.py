"""Where trials run: in this process, in worker processes, or on a Dask cluster."""

from __future__ import annotations

import atexit
import os
import queue
import shutil
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky import ProcessPoolExecutor
from joblib.parallel import get_active_backend

from ...exceptions import SearchError
from .._trial import TrialResult, fail
from ._pickling import dumps
from ._worker_process import dump, split, start_worker, work

_HAND_OUT_SECONDS = 2.0
IDLE_SECONDS = 300  # after which workers that have nothing to do end
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)  # fmt: skip

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
    """

    capacity = 1

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
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
        self, result: TrialResult, out_of_time: Callable[[], bool], pruning: Any = None
    ) -> None:
        """Run a trial."""
        error = self.evaluate(result, out_of_time, pruning)
        self._outcomes.append(Outcome(result.number, result, error))

    def wait(self, seconds: float) -> list[Outcome]:
        """Return what has run since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def stop(self) -> None:
        """Drop the trials that run."""


@dataclass
class Workers:
    """Run trials in other processes, one at a time in each.

    A worker that dies takes down the pool. The trials that were running are run again, one by
    one, and the one that ends its worker again has failed.

    Parameters
    ----------
    evaluate : callable
        As for Serial; it is sent to each worker once.
    capacity : int
        Number of processes.
    connect : callable
        Returns a connection: an object with ``submit(function, *args)``, ``source`` and
        ``close(kill)``.
    """

    evaluate: Any
    capacity: int
    connect: Callable[[Any], Any]
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    _in_flight: dict[int, tuple[TrialResult, bytes | None]] = field(default_factory=dict)
    _suspects: deque[tuple[TrialResult, bytes | None]] = field(default_factory=deque)
    _alone: int | None = None
    _done: queue.SimpleQueue[tuple[int, Any]] = field(default_factory=queue.SimpleQueue)
    _connection: Any = None
    _is_broken: bool = False

    def __enter__(self) -> Workers:
        self._connection = self.connect(self.evaluate)
        return self

    def __exit__(self, *args: Any) -> None:
        self._connection.close(kill=bool(self._in_flight))

    @property
    def running(self) -> list[int]:
        """Numbers of the trials that run or whose outcome was not fetched."""
        return [*self._in_flight, *(result.number for result, _ in self._suspects)]

    @property
    def is_free(self) -> bool:
        """Whether one more trial can be submitted."""
        waits = self._suspects or self._is_broken or self._alone is not None
        return not waits and len(self.running) < self.capacity

    def submit(
        self,
        result: TrialResult,
        out_of_time: Callable[[], bool] | None = None,
        pruning: Any = None,
    ) -> None:
        """Start a trial; the worker prunes by what is known now."""
        # Pickled here, since what is sent later may have learned of further trials by then.
        self._start(result, None if pruning is None else dumps(pruning))

    def _start(self, result: TrialResult, pruning: bytes | None) -> None:
        number = result.number
        self._in_flight[number] = (result, pruning)
        try:
            future = self._connection.submit(work, self.token, result, pruning)
        except BrokenProcessPool:  # noticed before the trials that run
            self._is_broken = True
            self._suspects.append(self._in_flight.pop(number))
            return
        future.add_done_callback(lambda done: self._done.put((number, done)))

    def wait(self, seconds: float) -> list[Outcome]:
        """Return what has run since the last call; wait when there is nothing yet."""
        outcomes: list[Outcome] = []
        if not self._in_flight and self._is_broken:
            self._connection.close(kill=True)
            self._connection = self.connect(self.evaluate)
            self._is_broken = False
        if not self._in_flight and self._suspects:
            result, pruning = self._suspects.popleft()
            self._alone = result.number
            self._start(result, pruning)
        while self._in_flight:
            try:
                number, future = self._done.get(timeout=0 if outcomes else seconds)
            except queue.Empty:
                break
            if number in self._in_flight:
                outcomes += self._collect(number, future)
        return outcomes

    def _collect(self, number: int, future: Any) -> list[Outcome]:
        result, pruning = self._in_flight.pop(number)
        alone, self._alone = self._alone == number, None
        error: Exception | None
        try:
            result, error = future.result()
        except BrokenProcessPool as broken:
            self._is_broken = True
            if not alone:
                self._suspects.append((result, pruning))
                return []
            error = SearchError(
                f"the worker process of trial {number} died, twice. It ran out of memory, or "
                f"native code crashed: {broken}"
            )
            fail(result, error, None)
        except Exception as lost:  # it could not be sent, or a cluster gave it up
            error = lost
            fail(result, error, None)
        return [Outcome(number, result, error)]

    def stop(self) -> None:
        """Drop the trials that run."""
        self._in_flight.clear()
        self._suspects.clear()
        self._connection.close(kill=True)


def make_workers(evaluate: Any, n_jobs: int | None, n_trials: int | None) -> Serial | Workers:
    """Return what runs the trials of a search.

    Parameters
    ----------
    evaluate : callable
        Picklable, as for Serial.
    n_jobs : int or None
        Number of processes, as joblib takes it.
    n_trials : int or None
        Number of trials, where it is known.

    Returns
    -------
    workers : Serial or Workers
        Dask's cluster under ``joblib.parallel_config("dask")``; otherwise processes of this
        machine. One process is this one, and so is every number inside a worker of joblib.
    """
    backend, _ = get_active_backend()
    capacity = joblib.effective_n_jobs(n_jobs)
    kind = type(backend).__name__
    if kind == "DaskDistributedBackend":
        client = backend.client
        capacity = min(capacity, len(client.scheduler_info(n_workers=-1)["workers"]))
        connect: Callable[[Any], Any] = lambda task: _Cluster(client, task)  # noqa: E731
    elif kind in ("LokyBackend", "MultiprocessingBackend"):
        connect = lambda task: _Processes(capacity, task)  # noqa: E731
        capacity = min(capacity, n_trials or capacity)
    else:
        capacity = 1
    if capacity <= 1 and kind != "DaskDistributedBackend":
        return Serial(evaluate)
    return Workers(evaluate, max(1, capacity), connect)


class _Processes:
    """Worker processes of this machine, and the data of a search on its disk."""

    def __init__(self, capacity: int, evaluate: Any) -> None:
        self.capacity = capacity
        self.pool = _pool(capacity)
        self.folder = Path(tempfile.mkdtemp(prefix="skopt_wrap-"))
        self.futures: list[Any] = []
        dump(evaluate, self.folder)

    def submit(self, function: Callable[..., Any], token: str, *args: Any) -> Any:
        future = self.pool.submit(function, token, self.folder, *args)
        self.futures = [item for item in self.futures if not item.done()] + [future]
        return future

    def close(self, kill: bool) -> None:
        if kill:
            # loky's own thread fails when it is told to kill while it hands out a task.
            end = time.monotonic() + _HAND_OUT_SECONDS
            while time.monotonic() < end and any(
                not (item.running() or item.done()) for item in self.futures
            ):
                time.sleep(0.01)
            _forget_pool(self.pool)
        shutil.rmtree(self.folder, ignore_errors=True)  # mapped files live on until unmapped


class _Cluster:
    """The workers of a Dask cluster; the data are sent to each of them once."""

    def __init__(self, client: Any, evaluate: Any) -> None:
        self.client = client
        # A list is scattered item by item, whatever the item is.
        [self.source] = client.scatter([split(evaluate)], broadcast=True, hash=False)
        self.futures: list[Any] = []

    def submit(self, function: Callable[..., Any], token: str, *args: Any) -> Any:
        future = self.client.submit(function, token, self.source, *args, pure=False)
        self.futures = [item for item in self.futures if not item.done()] + [future]
        return future

    def close(self, kill: bool) -> None:
        if kill:
            self.client.cancel(self.futures)
        self.source.release()


_pools: dict[Any, tuple[Any, str | None]] = {}  # at most one, kept for the next search
_pools_lock = threading.Lock()


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [part.strip() for part in named.split(",") if part.strip() not in ("", "-1")]
    import tensorflow as tf

    return [str(index) for index in range(len(tf.config.list_physical_devices("GPU")))]


def worker_environment(capacity: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that divide the processors among the workers.

    Examples
    --------
    >>> from skopt_wrap.tuning._execution._executors import worker_environment
    >>> worker_environment(10**6, {})["OMP_NUM_THREADS"]
    '1'
    """
    threads = str(max(1, joblib.cpu_count() // capacity))
    return {name: threads for name in _THREADS if name not in environment}


def _pool(capacity: int) -> Any:
    """Return worker processes: those of the last search, where they suit."""
    gpus = visible_gpus()
    key = (os.getpid(), capacity, tuple(gpus))
    with _pools_lock:
        if key not in _pools:
            for pool, _ in list(_pools.values()):
                _close_pool(pool)
            folder = tempfile.mkdtemp(prefix="skopt_wrap-") if gpus else None
            pool = ProcessPoolExecutor(
                capacity,
                timeout=IDLE_SECONDS,
                initializer=start_worker,
                initargs=(folder, gpus),
                env=worker_environment(capacity, os.environ),
            )
            _pools[key] = (pool, folder)
        return _pools[key][0]


def _close_pool(pool: Any, kill: bool = False) -> None:
    for key, (known, folder) in list(_pools.items()):
        if known is pool:
            del _pools[key]
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
    pool.shutdown(wait=kill, kill_workers=kill)


def _forget_pool(pool: Any) -> None:
    with _pools_lock:
        _close_pool(pool, kill=True)


@atexit.register
def _remove_folders() -> None:
    for (pid, *_), (_, folder) in _pools.items():
        if folder is not None and pid == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)
