from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time

import psutil
import pytest

from skopt_wrap.compression import _process
from skopt_wrap.compression._process import ConversionProcess, conversion_process
from skopt_wrap.exceptions import ConversionError

CONVERT = "skopt_wrap.compression._conversion._convert:convert"


@pytest.fixture
def process():
    process = ConversionProcess()
    yield process
    process.close()


def _gone(pid):
    stop = time.monotonic() + 60  # a loaded machine
    while time.monotonic() < stop:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


class _Crash:
    """Crashes the process that unpickles it, as a converter may."""

    def __reduce__(self):
        code = "import os, sys; print('it went wrong', file=sys.stderr, flush=True); os.abort()"
        return exec, (code,)


class _Leave:
    """Leaves a temporary file behind, where it is unpickled."""

    def __reduce__(self):
        code = "import os, tempfile; open(os.path.join(tempfile.gettempdir(), 'left'), 'w')"
        return exec, (code,)


def test_crash_is_an_error_that_names_stage_signal_and_output(process):
    with process.lease(), pytest.raises(ConversionError) as caught:
        process.run(CONVERT, {"network": _Crash()}, stage="quantize")
    for part in ("'quantize'", "SIGABRT", "it went wrong", "unharmed"):
        assert part in str(caught.value)
    assert process.pid is None


def test_process_ends_after_its_idle_time(process, monkeypatch):
    monkeypatch.setattr(_process, "IDLE_SECONDS", 0.2)
    with process.lease():
        pid = process.pid
        with process.lease():  # a fit within a fit
            pass
        time.sleep(0.5)
        assert process.pid == pid, "a lease keeps it"
    assert _gone(pid)
    assert process.pid is None


def test_process_is_replaced_after_its_tasks(process, monkeypatch):
    monkeypatch.setattr(_process, "MAX_TASKS", 2)
    with process.lease():
        pids = []
        for _ in range(4):
            with pytest.raises(ConversionError, match="TypeError"):
                process.run(CONVERT, {}, stage="convert")
            pids.append(process.pid)
    assert pids[0] == pids[1] != pids[2] == pids[3]
    assert _gone(pids[0])


def test_process_that_was_killed_is_started_again(process):
    with process.lease():
        pid = process.pid
        psutil.Process(pid).kill()
        assert _gone(pid)
        process._start()
        assert process.pid not in (None, pid)


def test_process_does_not_outlive_its_parent(tmp_path):
    """Not even a parent that was killed, without cleaning up."""
    script = textwrap.dedent(
        """
        import os, signal
        from skopt_wrap.compression._process import conversion_process
        with conversion_process().lease() as process:
            print(process.pid, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert done.stdout, done.stderr
    assert _gone(int(done.stdout))
    assert not list(tmp_path.iterdir())


def test_temporary_files_go_with_the_process(process, tmp_path, monkeypatch):
    """Also those of TensorFlow, which wait for an exit that a killed process never has."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    request = {"network": _Leave(), "quantization": None, "calibration": None}
    with process.lease(), pytest.raises(ConversionError):
        process.run(CONVERT, {**request, "check_x": None, "check_raw": None}, stage="convert")
    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == ["left"]
    process.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_gets_a_process_of_its_own(process, monkeypatch):
    monkeypatch.setattr(_process, "_process", process)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(
            write,
            b"own"
            if conversion_process() is not process and conversion_process().pid is None
            else b"!",
        )
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 10) == b"own"


@pytest.mark.tfmot
def test_tfmot_leaves_environment_and_keras_as_they_were():
    """In the process that imports it, and in a joblib worker that this process starts."""
    script = textwrap.dedent(
        """
        import os
        import keras  # sets variables of its own
        from skopt_wrap.compression._conversion._tfmot import load_tfmot

        def version():
            import os
            import tensorflow as tf
            return tf.keras.__version__, os.environ.get("TF_USE_LEGACY_KERAS")

        before = dict(os.environ)
        load_tfmot().sparsity.keras.prune_low_magnitude
        assert dict(os.environ) == before
        assert version()[0].startswith("3"), version()
        from joblib import Parallel, delayed
        worker, = Parallel(n_jobs=2)(delayed(version)() for _ in range(1))
        assert worker[0].startswith("3") and worker[1] is None, worker
        print("as before")
        """
    )
    env = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env)
    assert "as before" in done.stdout, done.stderr[-2000:]
