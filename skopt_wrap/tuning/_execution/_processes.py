"""Worker processes of this machine, and workers of a Dask cluster: connect, hand out, end."""

from __future__ import annotations

import atexit
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import joblib
from joblib.externals.loky import ProcessPoolExecutor

from .._folders import make_folder, unwritable
from ._worker_process import begin_worker, dump, mark_of, split

_HAND_OUT_SECONDS = 2.0
_RESTART_SECONDS = 30  # for a worker of Dask
IDLE_SECONDS = 300  # after which workers that have nothing to do end
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


class Connection(Protocol):
    """Processes that have the data of a search and run its trials."""

    def submit(self, function: Callable[..., Any], token: str, result: Any, *args: Any) -> Any:
        """Return the future of ``function(token, source of the data, result, *args)``."""
        ...

    def began(self, number: int) -> float | None:
        """Return the moment at which a trial began to run; None where it is not known."""
        ...

    def end(self, futures: Sequence[Any]) -> bool:
        """End trials that run; return whether all others that ran were ended with them."""
        ...

    def renew(self) -> None:
        """Replace the processes by new ones; nothing runs in them."""
        ...

    def close(self, kill: bool) -> None:
        """Give the processes back; `kill` ends what runs in them."""
        ...


class Processes:
    """Worker processes of this machine, and the data of a search on its disk."""

    def __init__(self, capacity: int, evaluate: Any) -> None:
        self.capacity = capacity
        self.futures: list[Any] = []
        self.folder = make_folder()
        try:
            dump(evaluate, self.folder)
            self.pool = _pool(capacity)
        except OSError as error:
            shutil.rmtree(self.folder)
            raise unwritable(error) from error
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def submit(self, function: Callable[..., Any], token: str, result: Any, *args: Any) -> Any:
        mark_of(self.folder, result.number).unlink(missing_ok=True)
        future = self.pool.submit(function, token, self.folder, result, *args)
        self.futures = [item for item in self.futures if not item.done()] + [future]
        return future

    def began(self, number: int) -> float | None:
        try:
            return float(mark_of(self.folder, number).read_text())
        except (OSError, ValueError):  # the worker has not begun, or is writing
            return None

    def end(self, futures: Sequence[Any]) -> bool:
        self._kill()
        return True

    def renew(self) -> None:
        with _pools_lock:
            _close_pool(self.pool)
        self.pool = _pool(self.capacity)

    def close(self, kill: bool) -> None:
        if kill:
            self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)  # mapped files live on until unmapped

    def _kill(self) -> None:
        # loky's own thread fails when it is told to kill while it hands out a task.
        end = time.monotonic() + _HAND_OUT_SECONDS
        while time.monotonic() < end and any(
            not (item.running() or item.done()) for item in self.futures
        ):
            time.sleep(0.01)
        _forget_pool(self.pool)


class Cluster:
    """The workers of a Dask cluster; the data are sent to each of them once."""

    def __init__(self, client: Any, evaluate: Any) -> None:
        self.client = client
        # A list is scattered item by item, whatever the item is.
        [self.source] = client.scatter([split(evaluate)], broadcast=True, hash=False)
        self.futures: list[Any] = []
        self._begins: dict[int, float] = {}

    def submit(self, function: Callable[..., Any], token: str, result: Any, *args: Any) -> Any:
        self._begins[result.number] = time.monotonic()  # there are no more trials than workers
        future = self.client.submit(function, token, self.source, result, *args, pure=False)
        self.futures = [item for item in self.futures if not item.done()] + [future]
        return future

    def began(self, number: int) -> float | None:
        return self._begins.get(number)

    def end(self, futures: Sequence[Any]) -> bool:
        keys = {future.key for future in futures}
        busy = [name for name, tasks in self.client.processing().items() if keys & set(tasks)]
        self.client.cancel(list(futures))
        if busy:  # a task that runs is not ended by cancelling it
            self.client.restart_workers(busy, timeout=_RESTART_SECONDS, raise_for_error=False)
        return False

    def renew(self) -> None:
        raise NotImplementedError  # `make_workers` refuses it

    def close(self, kill: bool) -> None:
        if kill:
            self.end([item for item in self.futures if not item.done()])
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
    >>> from skopt_wrap.tuning._execution._processes import worker_environment
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
            folder = str(make_folder()) if gpus else None
            pool = ProcessPoolExecutor(
                capacity,
                timeout=IDLE_SECONDS,
                initializer=begin_worker,
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
