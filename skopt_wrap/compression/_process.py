"""The conversion process, a subprocess in which every converter and Keras 2 run.

Why a process: converters can crash with a signal, importing TFMOT changes ``tf.keras``, and the
graphs they leave behind are only freed with the process. It is a plain interpreter that imports
this package, no copy of its parent: scripts need no ``__main__`` guard, and it may be started from
within a joblib worker. It lives while a fit holds a lease and `IDLE_SECONDS`
longer, so that the next fit of a cross-validation finds it warm; it is replaced after
`MAX_TASKS` tasks. It reads its orders from a pipe and ends when that pipe closes: it cannot
outlive its parent.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import exceptions
from .._keras import dump_objects
from ..exceptions import ConversionError

IDLE_SECONDS = 10.0
MAX_TASKS = 64
_TAIL_CHARACTERS = 1500

_ROOT = str(Path(__file__).resolve().parents[2])
# The same copy of this package as here, and otherwise the interpreter's own search path.
_BOOTSTRAP = f"""\
import sys
folder, root = sys.argv[1:]
del sys.argv[1:]
sys.path.insert(0, root)
import {__package__}._conversion._worker as worker
sys.path.remove(root)
worker.main(folder)
"""


class ConversionProcess:
    """A process in which converters and Keras 2 run, started on demand; one at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process: subprocess.Popen[str] | None = None
        self._stderr: Any = None
        self._folder: str | None = None
        self._tasks = 0
        self._leases = 0
        self._timer: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs, or None."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @contextlib.contextmanager
    def lease(self) -> Iterator[ConversionProcess]:
        """Start the process in the background and keep it for the length of the block."""
        with self._lock:
            self._leases += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._start()
        try:
            yield self
        finally:
            with self._lock:
                self._leases -= 1
                if not self._leases:
                    self._timer = threading.Timer(IDLE_SECONDS, self._close_idle)
                    self._timer.daemon = True
                    self._timer.start()

    def run(
        self, function: str | Callable[..., Any], request: dict[str, Any], *, stage: str
    ) -> Any:
        """Call a function in the process and return its answer.

        Parameters
        ----------
        function : str or callable
            ``"package.module:name"``, imported there and not here; or a function, sent there.
        request : dict
            Its keyword arguments. Functions and classes of scripts and notebooks may be in it.
        stage : str
            What the task is for, as error messages name it.

        Raises
        ------
        ConversionError
            When the process died, with the end of what it wrote, or when the task failed. Errors
            of this library that the task raised are raised here as they are.
        """
        with self._lock:
            # The search path comes first: unpickling the rest may import the user's modules.
            content = pickle.dumps((sys.path, dump_objects((function, request))))
            if self._tasks >= MAX_TASKS:
                self.close()
            self._start()
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                answer = Path(folder, "answer.pkl")
                try:
                    Path(folder, "order.pkl").write_bytes(content)
                    if not self._exchange(str(folder)) or not answer.exists():
                        raise self._death(stage)
                except OSError as full:
                    self.close()
                    raise _disk_error(stage, full) from full
                except BaseException:
                    self.close()
                    raise
                self._tasks += 1
                kind, value = pickle.loads(answer.read_bytes())
        if kind == "error":
            name, message = value
            known = getattr(exceptions, name, None)
            error = known if name in exceptions.__all__ and known is not None else ConversionError
            prefix = "" if error is known else f"stage {stage!r} failed: {name}: "
            raise error(prefix + message)
        return value

    def _start(self) -> None:
        if self.pid is not None:
            return
        self.close()
        # A file, not a pipe: a chatty converter must not block on a reader that is not there.
        self._stderr = tempfile.TemporaryFile(prefix="skopt_wrap_")  # noqa: SIM115  closed by close()
        # TensorFlow removes the files it generates when a process exits. This one is killed.
        self._folder = tempfile.mkdtemp(prefix="skopt_wrap_")
        self._process = subprocess.Popen(
            # -P: nothing in the working directory may stand in for a library.
            [sys.executable, "-P", "-c", _BOOTSTRAP, self._folder, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
            env=_environment(self._folder),
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        self._tasks = 0

    def _exchange(self, folder: str) -> bool:
        """Send the folder of an order; return whether the process reported it as done."""
        process = self._process
        assert process is not None and process.stdin and process.stdout
        try:
            process.stdin.write(folder + "\n")
            process.stdin.flush()
        except (BrokenPipeError, OSError):
            return False
        return process.stdout.readline().strip() == "done"

    def _death(self, stage: str) -> ConversionError:
        process = self._process
        assert process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        code = process.returncode
        how = f"exit status {code}"
        if code is not None and code < 0:
            how = f"signal {-code} ({signal.Signals(-code).name})"
        self._stderr.seek(0)
        tail = self._stderr.read().decode("utf-8", "replace")[-_TAIL_CHARACTERS:].strip()
        if os.strerror(errno.ENOSPC) in tail:
            return _disk_error(stage, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        return ConversionError(
            f"stage {stage!r} failed: the conversion process ended with {how}; this process and "
            f"the fitted estimator are unharmed. The end of what it wrote:\n{tail or '(nothing)'}"
        )

    def _close_idle(self) -> None:
        with self._lock:
            if not self._leases:
                self.close()

    def close(self) -> None:
        """End the process, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _disk_error(stage: str, error: OSError) -> ConversionError:
    """Return the error for a temporary folder that cannot be written."""
    return ConversionError(
        f"stage {stage!r} failed: the temporary folder {tempfile.gettempdir()!r} cannot be written "
        f"({error.strerror or error}). Make room there, or name another folder in the environment "
        "variable TMPDIR before Python starts."
    )


def _environment(folder: str) -> dict[str, str]:
    env = dict(os.environ)
    env.update(TMPDIR=folder, TEMP=folder, TMP=folder)
    env.pop("TF_USE_LEGACY_KERAS", None)
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Conversion needs no accelerator, and a second process must not take its memory.
    env["CUDA_VISIBLE_DEVICES"] = "-1"
    env["KERAS_BACKEND"] = "tensorflow"
    return env


_process = ConversionProcess()


def conversion_process() -> ConversionProcess:
    """Return the conversion process of this process."""
    return _process


def _forget() -> None:
    """After a fork: the conversion process belongs to the process that started it."""
    global _process
    _process = ConversionProcess()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(lambda: conversion_process().close())
