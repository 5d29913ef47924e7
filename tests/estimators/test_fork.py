"""A process forked from one that has used TensorFlow gets an error, and never waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skopt_wrap

pytestmark = pytest.mark.keras

SCRIPT = """
import os, sys, time
import numpy as np
from skopt_wrap import KerasClassifier
from skopt_wrap.exceptions import BackendError

X = np.arange(40.0).reshape(20, 2)
y = np.arange(20) % 2
used = sys.argv[1] == "used"
classifier = KerasClassifier(epochs=1, random_state=0)
if used:
    classifier.fit(X, y).predict(X)

def child():
    for call in (lambda: classifier.predict(X), lambda: KerasClassifier(epochs=1).fit(X, y)):
        try:
            call()
        except BackendError as error:
            assert "spawn" in str(error) and "worker" in str(error)
        else:
            os._exit(3)
    os._exit(0)

pid = os.fork()
if pid == 0:
    child() if used else os._exit(0 if classifier.fit(X, y).n_iter_ == 1 else 4)
end = time.time() + 200
while time.time() < end:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.1)
os.kill(pid, 9)
sys.exit(5)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
@pytest.mark.parametrize("parent", ["used", "not used"])
def test_forked_process(tmp_path, parent):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(skopt_wrap.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(path), parent],
        capture_output=True, text=True, env=environment, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
