"""Searches that are killed at random moments, and trials that kill their process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from skopt_wrap.exceptions import SkippedWarning

ROOT = Path(__file__).parents[2]

RUN = """
import sys, warnings
import cloudpickle
sys.path.insert(0, sys.argv[1])
import trials
from sklearn.datasets import load_iris
from skopt_wrap import TunedClassifier
warnings.simplefilter("ignore")
cloudpickle.register_pickle_by_value(trials)
search = TunedClassifier(
    trials.Misbehaves(), tuner="grid", max_trials=None, cv=2, random_state=0,
    space={"how": ["ok", "ok2", "kill", "ok3"]}, storage=sys.argv[2],
).fit(*load_iris(return_X_y=True))
print([trial.state for trial in search.trials_], search.trials_[2].error)
"""


def start(*arguments, **kwargs):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **kwargs}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )


@pytest.mark.slow
def test_stored_trial_that_kills_the_process_fails_after_two_attempts(tmp_path):
    arguments = ("-c", RUN, str(Path(__file__).parent), str(tmp_path / "search.log"))
    (tmp_path / "tmp").mkdir()
    for _ in range(2):
        assert start(*arguments, TMPDIR=str(tmp_path / "tmp")).returncode == -signal.SIGKILL
    done = start(*arguments, TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 0, done.stderr
    assert "['COMPLETED', 'COMPLETED', 'FAILED', 'COMPLETED']" in done.stdout
    assert "the worker process of trial 2 died, as the search did before" in done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []  # what the killed ones left is removed
    again = start(*arguments, TMPDIR=str(tmp_path / "tmp"))
    assert again.stdout == done.stdout  # nothing is run a second time


@pytest.mark.slow
def test_nothing_is_lost_by_random_kills():
    done = start(
        str(ROOT / "benchmarks" / "search_faults.py"), "--tables", "faults", "--kills", "20"
    )
    assert done.returncode == 0, done.stderr
    total = re.search(r"\* - All\n\s+- (\d+)\n\s+- (\d+)\n\s+- (\d+)\n", done.stdout)
    n_faults, n_lost, n_corrupt = map(int, total.groups())
    assert n_faults >= 20
    assert (n_lost, n_corrupt) == (0, 0)
    for ended, rounds in re.findall(r"- (\d+) of (\d+)\n", done.stdout):
        assert ended == rounds, done.stdout


def test_ctrl_c_in_the_refit_leaves_the_earlier_fit(search, iris, monkeypatch):
    X, y = iris
    est = search(["ok", "ok2"], refit=True).fit(X, y)
    before = dict(vars(est))
    fit = type(est.best_estimator_).fit

    def interrupted(self, X, y):
        if len(X) == 150:  # the refit
            raise KeyboardInterrupt
        return fit(self, X, y)

    monkeypatch.setattr(type(est.best_estimator_), "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        est.fit(X, y)
    assert vars(est) == before
    assert est.predict(X).shape == (150,)
    new = search(["ok"], refit=True)
    with pytest.raises(KeyboardInterrupt):
        new.fit(X, y)
    assert not [name for name in vars(new) if name.endswith("_")]


def test_system_exit_in_this_process_ends_the_search(search, iris):
    with pytest.raises(SystemExit):  # as a handler of SIGTERM may want it
        search(["ok", "SystemExit"]).fit(*iris)


def test_failed_trial_is_not_run_again_when_a_search_is_continued(search, iris, tmp_path):
    for _ in range(2):
        with pytest.warns(SkippedWarning, match="1 of 2 trials failed"):
            est = search(["ok", "hang"], trial_timeout=3.0, storage=tmp_path / "a.log").fit(*iris)
        assert est.trials_[1].error.startswith("TrialTimeoutError")
