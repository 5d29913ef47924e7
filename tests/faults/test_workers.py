"""What a trial does to its worker process stays with the trial."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from skopt_wrap.exceptions import SkippedWarning, StorageError
from skopt_wrap.tuning import _folders


@pytest.mark.parametrize("how", ["SystemExit", "KeyboardInterrupt", "GeneratorExit"])
def test_exception_that_would_end_a_worker_fails_its_trial(search, iris, how):
    with pytest.warns(SkippedWarning, match=f"1 of 3 trials failed.*{how}"):
        est = search(["ok", how, "ok2"], n_jobs=2).fit(*iris)
    assert est.trials_[1].error.startswith(how)
    assert f"raise {how}" in est.trials_[1].traceback


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "segfault", "exit"])
def test_trial_that_ends_its_worker_fails_alone(search, iris, how):
    with pytest.warns(SkippedWarning, match="1 of 3 trials failed.*worker process of trial 1 died"):
        est = search(["ok", how, "ok2"], n_jobs=2).fit(*iris)
    assert [t.state for t in est.trials_] == ["COMPLETED", "FAILED", "COMPLETED"]


def pid(estimator, X, y):
    return float(os.getpid())


@pytest.mark.slow
def test_workers_are_replaced_after_so_many_trials(search, iris):
    est = search(["ok", "ok2", "ok3"], max_trials_per_worker=1, scoring=pid).fit(*iris)
    pids = [t.scores["score"][0] for t in est.trials_]
    assert len(set(pids)) == 3
    assert os.getpid() not in pids


def test_folder_of_a_killed_process_is_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = _folders.make_folder()
    (mine / "data").write_text("training data")
    child = os.fork()
    if child == 0:
        try:
            _folders.make_folder()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    foreign = tmp_path / "skopt_wrap-00000000-1-1-other"  # of another machine
    users = tmp_path / "skopt_wrap-notes"
    foreign.mkdir()
    users.mkdir()
    assert len(list(tmp_path.iterdir())) == 4
    removed = _folders.sweep()
    assert len(removed) == 1
    assert {mine, foreign, users} == set(tmp_path.iterdir())
    assert (mine / "data").is_file()


def test_search_leaves_no_folder(search, iris, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    search(["ok"]).fit(*iris)
    assert list(tmp_path.iterdir()) == []


def test_full_temporary_folder_is_named_and_nothing_is_left(search, iris, tmp_path, monkeypatch):
    import joblib

    def full(value, path):
        Path(path).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(joblib, "dump", full)
    with pytest.raises(StorageError, match=r"TMPDIR") as caught:
        search(["ok", "ok2"], n_jobs=2).fit(*iris)
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []
