"""A storage behind a server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from skopt_wrap import TunedClassifier
from skopt_wrap.exceptions import ParameterError, StorageError
from skopt_wrap.tuning import serve_storage
from skopt_wrap.tuning._storage import _proxy

ROOT = Path(__file__).parents[2]
SERVE = """
import sys
from skopt_wrap.tuning import serve_storage
serve_storage(sys.argv[1], port=int(sys.argv[2]))
"""
SEARCH = """
import sys, time
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from skopt_wrap import TunedClassifier
class Slow(SVC):
    def fit(self, X, y):
        time.sleep(0.05)
        return super().fit(X, y)
TunedClassifier(
    Slow(), tuner="random", max_trials=int(sys.argv[2]), cv=2, space={"C": uniform(0.1, 10)},
    storage=sys.argv[1], refit=False, random_state=0,
).fit(*load_iris(return_X_y=True))
"""


def start(code, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment)


@pytest.fixture
def server(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    process = start(SERVE, tmp_path / "trials.log", port)
    yield f"grpc://localhost:{port}"
    process.send_signal(signal.SIGINT)
    process.wait(30)


def search(storage, n_trials=3, **options):
    return TunedClassifier(
        SVC(), tuner="tpe", max_trials=n_trials, cv=2, space={"C": uniform(0.1, 10)},
        storage=storage, random_state=0, **options,
    )  # fmt: skip


def test_trials_go_through_a_server(server, tmp_path):
    X, y = load_iris(return_X_y=True)
    first = search(server).fit(X, y)
    longer = search(server, 5).fit(X, y)
    alone = search(None, 5).fit(X, y)
    assert [t.params for t in longer.trials_[:3]] == [t.params for t in first.trials_]
    assert [t.params for t in longer.trials_] == [t.params for t in alone.trials_]
    from_file = search(tmp_path / "trials.log", 5).fit(X, y)
    assert [t.scores for t in from_file.trials_] == [t.scores for t in longer.trials_]
    with pytest.raises(ParameterError, match="defined otherwise"):
        search(server, 5, scoring="f1_macro").fit(X, y)


@pytest.mark.slow
def test_no_trial_is_lost_while_processes_are_killed(server, tmp_path):
    n_trials = 60
    running = [start(SEARCH, server, n_trials) for _ in range(3)]
    for _ in range(4):
        time.sleep(2)
        killed = running.pop(0)
        killed.kill()
        killed.wait()
        running.append(start(SEARCH, server, n_trials))
    assert [process.wait(240) for process in running] == [0] * 3
    X, y = load_iris(return_X_y=True)
    import optuna

    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "trials.log"))
    )
    [study] = storage.get_all_studies()
    done = [
        trial
        for trial in storage.get_all_trials(study._study_id)
        if trial.state == optuna.trial.TrialState.COMPLETE
    ]
    assert len(done) == n_trials
    assert len(X) == len(y)


def test_addresses():
    assert _proxy.address_of("grpc://[::1]:7") == ("[::1]", 7)
    for url in ("grpc://", "grpc://host:port", "grpc://a@host:1", "grpc://host:1/name"):
        with pytest.raises(ParameterError, match=r"write grpc://HOST:PORT"):
            _proxy.address_of(url)


def test_a_server_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(_proxy, "_SECONDS", 0.5)
    with pytest.raises(StorageError, match=r"no server that answers.*serve_storage\('trials.log'"):
        search("grpc://localhost:1").fit(*load_iris(return_X_y=True))


def test_a_server_of_a_server():
    with pytest.raises(ParameterError, match="is a server already"):
        serve_storage("grpc://localhost:13000")
