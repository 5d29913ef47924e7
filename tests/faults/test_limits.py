"""Trials that hang: `trial_timeout` and `max_time` end them, in this process and in workers."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from skopt_wrap.exceptions import (
    SearchError,
    SkippedWarning,
    TrainingInterruptedWarning,
    TrialTimeoutError,
)
from skopt_wrap.tuning._execution._limits import TimeIsUp, deadline

QUICK = 60.0  # seconds; generous, since a test machine may be busy


@pytest.mark.parametrize("how", ["hang", "loop", "stubborn"])
def test_trial_that_takes_too_long_fails_alone(search, iris, how):
    begin = time.monotonic()
    with pytest.warns(SkippedWarning, match=r"1 of 3 trials failed.*trial_timeout=3 s"):
        est = search(["ok", how, "ok2"], trial_timeout=3.0).fit(*iris)
    assert [t.state for t in est.trials_] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert est.trials_[1].error.startswith("TrialTimeoutError")
    assert time.monotonic() - begin < QUICK


def test_all_trials_too_slow_raise_the_first_error(search, iris):
    with pytest.raises(TrialTimeoutError, match=r"trial 0 was ended after trial_timeout=0\.2 s"):
        search(["hang", "loop"], trial_timeout=0.2).fit(*iris)


def test_max_time_ends_a_search_whose_trial_hangs(search, iris):
    begin = time.monotonic()
    with pytest.warns(TrainingInterruptedWarning, match="max_time"):
        est = search(["ok", "hang", "ok2"], max_time=4.0).fit(*iris)
    assert [t.params["how"] for t in est.trials_] == ["ok"]
    assert time.monotonic() - begin < QUICK


def test_max_time_holds_when_nothing_has_finished(search, iris):
    with pytest.raises(SearchError, match=r"max_time=0\.3 s passed before a trial had finished"):
        search(["hang", "ok"], max_time=0.3).fit(*iris)


def test_limits_hold_in_workers(search, iris):
    with pytest.warns(SkippedWarning, match="1 of 4 trials failed.*trial_timeout"):
        est = search(["ok", "hang", "ok2", "ok3"], trial_timeout=5.0, n_jobs=2).fit(*iris)
    states = [t.state for t in est.trials_]
    assert states == ["COMPLETED", "FAILED", "COMPLETED", "COMPLETED"]
    with pytest.raises(SearchError, match="before a trial had finished"):
        search(["hang", "loop"], max_time=0.5, n_jobs=2).fit(*iris)


def test_limit_is_checked_outside_the_main_thread_too(iris, search):
    raised = []

    def run():
        try:
            search(["ok"], max_time=1e-9).fit(*iris)
        except SearchError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "before a trial had finished" in str(raised[0])


def test_signal_of_the_limits_is_given_back(search, iris):
    search(["ok", "ok2"], trial_timeout=60.0).fit(*iris)
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL


def test_handler_of_the_program_is_left_alone():
    heard = []
    before = signal.signal(signal.SIGUSR2, lambda *_: heard.append(1))
    try:
        with deadline(time.monotonic() - 1.0):
            signal.raise_signal(signal.SIGUSR2)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert heard == [1]


def test_deadline_raises_inside_the_block_alone():
    with pytest.raises(TimeIsUp), deadline(time.monotonic() + 0.05):
        time.sleep(60)
    with deadline(time.monotonic() + 0.05):
        pass
    time.sleep(0.1)  # nothing comes late
    with deadline(None):
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL


@pytest.mark.parametrize("name", ["trial_timeout", "max_time", "max_trials_per_worker"])
@pytest.mark.parametrize("value", [0, -1.0, "1"])
def test_wrong_limits_are_refused(search, iris, name, value):
    with pytest.raises(ValueError, match=name):
        search(["ok"], **{name: value}).fit(*iris)
