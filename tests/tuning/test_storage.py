from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import optuna
import pytest
from scipy import stats

from skopt_wrap.exceptions import ParameterError, SearchError, SkippedWarning
from skopt_wrap.tuning import TunedClassifier
from skopt_wrap.tuning._execution._evaluation import Evaluation
from skopt_wrap.tuning._storage._backends import _name_driver, mend, open_storage

from .search_process import SearchProcesses

SPACE = {"shift": stats.uniform(-3, 6), "power": [1.0, 2.0, 4.0]}


def tuned(model, tuner="random", **kwargs):
    settings = {"max_trials": 8, "cv": 3, "space": SPACE, "random_state": 0, "refit": False}
    if tuner == "grid":
        settings["space"] = {"shift": [-1.0, 0.0, 1.0], "power": [1.0, 2.0, 3.0]}
    if tuner == "hyperband":
        settings["max_trials"] = 1
    return TunedClassifier(model, tuner=tuner, **{**settings, **kwargs})


@pytest.fixture
def cut(monkeypatch):
    """Return a function that ends the next search while it runs its n-th trial."""
    evaluate = Evaluation.__call__

    def set_cut(n):
        count = 0

        def cut_short(self, *args):
            nonlocal count
            count += 1
            if count == n:
                raise KeyboardInterrupt
            return evaluate(self, *args)

        monkeypatch.setattr(Evaluation, "__call__", cut_short if n else evaluate)

    return set_cut


def assert_same(one, other):
    assert [t.params for t in one.trials_] == [t.params for t in other.trials_]
    assert [t.state for t in one.trials_] == [t.state for t in other.trials_]
    for name in one.cv_results_:
        if "test" in name:
            np.testing.assert_array_equal(one.cv_results_[name], other.cv_results_[name])
    assert one.best_index_ == other.best_index_


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "tpe", "genetic", "hyperband"])
def test_interrupted_search_goes_on_as_if_it_had_not_been(centroid, iris, tmp_path, cut, tuner):
    centroid.set_params(power=3.0)
    whole = tuned(centroid, tuner, epochs=9).fit(*iris)
    path = tmp_path / "search.log"
    for n_trials in (1, 4, 2):  # each is cut short in its n-th trial
        cut(n_trials)
        with suppress(KeyboardInterrupt):
            tuned(centroid, tuner, epochs=9, storage=path).fit(*iris)
    cut(None)
    rest = tuned(centroid, tuner, epochs=9, storage=path).fit(*iris)
    assert_same(rest, whole)
    n_results = path.read_text().count('"result"')
    assert_same(tuned(centroid, tuner, epochs=9, storage=path).fit(*iris), whole)
    assert path.read_text().count('"result"') == n_results  # nothing was run again


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.keras
@pytest.mark.parametrize(
    "settings",
    [
        {"model": "auto"},
        {"model": "dense", "tuner": "tpe", "objectives": ["score", "parameters"]},
        {"model": "dense", "space": {"model__units": [2, 3], "decision_threshold": [0.4, 0.5]}},
    ],
    ids=["auto", "objectives", "threshold"],
)
def test_interrupted_search_of_networks_goes_on(iris, tmp_path, cut, settings):
    X, y = iris[0][:40].reshape(40, 2, 2), iris[1][:40]
    if settings["model"] == "dense":
        X = X.reshape(40, 4)
    base = {"model__units": [2, 3], "model__n_layers": 1, "model__filters": [2]}
    if settings["model"] == "dense":
        base.pop("model__filters")
    settings = {"space": base, "max_trials": 3, "cv": 2, "epochs": 1, **settings}
    whole = tuned(**settings).fit(X, y)
    cut(2)
    with suppress(KeyboardInterrupt):
        tuned(**settings, storage=tmp_path).fit(X, y)
    cut(None)
    assert_same(tuned(**settings, storage=tmp_path).fit(X, y), whole)


def test_search_without_storage_writes_nothing(centroid, iris, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tuned(centroid).fit(*iris)
    assert list(tmp_path.iterdir()) == []


def test_stored_trial_holds_scores_and_times(centroid, iris, tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    est = tuned(centroid, storage=url, study="mine").fit(*iris)
    study = optuna.load_study(study_name="mine", storage=url)
    assert study.best_value == est.best_score_
    for stored, trial in zip(study.trials, est.trials_, strict=True):
        assert stored.user_attrs["result"]["scores"] == trial.scores
        assert stored.user_attrs["result"]["fit_seconds"] == trial.fit_seconds
    again = tuned(centroid, storage=url, study="mine").fit(*iris)
    assert_same(again, est)
    np.testing.assert_array_equal(
        again.cv_results_["mean_fit_time"], est.cv_results_["mean_fit_time"]
    )


def test_more_trials_go_on_with_the_same_sequence(centroid, iris, tmp_path):
    short = tuned(centroid, storage=tmp_path / "a.log", max_trials=3).fit(*iris)
    longer = tuned(centroid, storage=tmp_path / "a.log", max_trials=8).fit(*iris)
    assert len(short.trials_) == 3
    assert_same(longer, tuned(centroid).fit(*iris))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"X": 1.0}, r"X was ndarray of float64, shape \(60, 4\).*is now"),
        ({"y": 1}, "y was"),
        ({"cv": 4}, "cv was 3 splits.*is now 4 splits"),
        ({"space": {"shift": stats.uniform(-3, 5)}}, r"space\['power'\].*is now absent"),
        ({"space": dict(reversed(SPACE.items()))}, "order of the space was shift, power and is"),
        ({"scoring": "balanced_accuracy"}, "scoring was None and is now 'balanced_accuracy'"),
        ({"tuner": "tpe"}, "tuner was 'random' and is now 'tpe'"),
        ({"random_state": 1}, "random_state was seeds"),
        ({"model": 5.0}, "model's power was 2.0 and is now 5.0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_changed_search_is_refused_with_what_changed(centroid, iris, tmp_path, change, named):
    X, y = iris
    tuned(centroid, storage=tmp_path, max_trials=1).fit(X, y)
    X, y = X.copy(), y.copy()
    if "X" in change:
        X[3, 2] += change.pop("X")
    if "y" in change:
        y[:2] = y[[-1, -1]][: change.pop("y") + 1]
    if "model" in change:
        centroid.set_params(power=change.pop("model"))
    with pytest.raises(ParameterError, match=named):
        tuned(centroid, **{"storage": tmp_path, "max_trials": 2, **change}).fit(X, y)
    assert (tmp_path / "search.log").is_file()


def test_resume_false_says_what_to_do(centroid, iris, tmp_path):
    tuned(centroid, storage=tmp_path, resume=False).fit(*iris)
    with pytest.raises(ParameterError, match=r"holds 8 trials.*study=.*delete_study"):
        tuned(centroid, storage=tmp_path, resume=False).fit(*iris)
    tuned(centroid, storage=tmp_path, resume=False, study="other").fit(*iris)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_stored_seeds_serve_when_random_state_is_none(centroid, iris, tmp_path, cut):
    cut(4)
    with suppress(KeyboardInterrupt):
        tuned(centroid, "tpe", random_state=None, storage=tmp_path).fit(*iris)
    cut(None)
    est = tuned(centroid, "tpe", random_state=None, storage=tmp_path).fit(*iris)
    assert len(est.trials_) == 8


def test_failed_trials_are_stored_with_their_tracebacks(centroid, iris, tmp_path):
    space = {"fail": [None, ValueError("boom")]}
    for _ in range(2):
        with pytest.warns(SkippedWarning, match="1 of 2 trials failed.*boom"):
            est = tuned(centroid, storage=tmp_path, space=space, tuner="grid").fit(*iris)
        assert "raise self.fail" in est.trials_[1].traceback
        assert est.trials_[1].error == "ValueError: boom"


def test_stored_search_of_failures_raises_the_first(centroid, iris, tmp_path):
    space = {"fail": [ValueError("first"), KeyError("second")]}
    for kind in (ValueError, SearchError):
        with pytest.raises(kind, match="first"):
            tuned(centroid, storage=tmp_path, space=space, tuner="grid").fit(*iris)


def test_half_written_last_line_is_dropped(centroid, iris, tmp_path):
    path = tmp_path / "search.log"
    whole = tuned(centroid, storage=path).fit(*iris)
    for n_bytes in (1, 40, 400, 3000):
        path.write_bytes(path.read_bytes()[:-n_bytes])
        assert_same(tuned(centroid, storage=path).fit(*iris), whole)


def test_mend_keeps_whole_lines(tmp_path):
    path = tmp_path / "file"
    for content, kept in (
        (b"", 0),
        (b"a\nb\n", 4),
        (b"a\nbc", 2),
        (b"abc", 0),
        (b"\n" * 5000, 5000),
    ):
        path.write_bytes(content)
        assert mend(path) == len(content) - kept
        assert path.read_bytes() == content[:kept]
    path.write_bytes(b"a\n" + b"b" * 10_000)
    assert mend(path) == 10_000


def test_damaged_line_is_named(centroid, iris, tmp_path):
    path = tmp_path / "search.log"
    tuned(centroid, storage=path).fit(*iris)
    lines = path.read_text().splitlines()
    lines[4] = lines[4][:20]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SearchError, match="line 5 of storage"):
        tuned(centroid, storage=path).fit(*iris)


def test_file_of_something_else_is_refused_and_kept(centroid, iris, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("a line\nanother\n")
    with pytest.raises(SearchError, match="line 1 of storage"):
        tuned(centroid, storage=path).fit(*iris)
    assert path.read_text() == "a line\nanother\n"


def test_study_of_another_program_is_refused(centroid, iris, tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    optuna.create_study(study_name="search", storage=url).optimize(lambda trial: 1.0, n_trials=1)
    with pytest.raises(ParameterError, match="1 trials of another program"):
        tuned(centroid, storage=url).fit(*iris)


@pytest.mark.parametrize("url", ["nothing://here", "sqlite:////no/such/folder/trials.db"])
def test_storage_that_cannot_be_opened_is_named(centroid, iris, url):
    with pytest.raises(ParameterError, match="storage="):
        tuned(centroid, storage=url).fit(*iris)


@pytest.mark.parametrize("installed", ["psycopg", "psycopg2"])
def test_postgresql_takes_the_driver_that_is_installed(installed, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == installed or None)
    assert _name_driver("postgresql://ann@host/a") == f"postgresql+{installed}://ann@host/a"
    assert _name_driver("postgresql+pg8000://host/a") == "postgresql+pg8000://host/a"
    assert _name_driver("sqlite:///a.db") == "sqlite:///a.db"


def test_postgresql_without_a_driver_says_what_to_install(monkeypatch, centroid, iris):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(ParameterError, match=r"pip install 'skopt_wrap\[postgresql\]'"):
        tuned(centroid, storage="postgresql://ann@host/a").fit(*iris)


def test_wrong_parameters_leave_no_file(centroid, iris, tmp_path):
    with pytest.raises(ValueError, match="powr"):
        tuned(centroid, storage=tmp_path / "new", space={"powr": [1]}).fit(*iris)
    assert list(tmp_path.iterdir()) == []


# In processes that are killed, or that share a search


def run_postgres(command, **kwargs):
    """Run one of PostgreSQL's programs, which refuse to run as root."""
    user = {}
    if os.getuid() == 0:
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **user, **kwargs)


@pytest.fixture(scope="module")
def postgres_url():
    """A PostgreSQL server of its own on loopback, for as long as the tests of this file run."""
    pytest.importorskip("psycopg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *map(str, programs)])
    initdb, pg_ctl = shutil.which("initdb", path=path), shutil.which("pg_ctl", path=path)
    if initdb is None or pg_ctl is None:
        pytest.skip("initdb and pg_ctl of a PostgreSQL server are not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="skopt_wrap-postgres-"))
    folder.chmod(0o777)
    data = str(folder / "data")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    run_postgres([initdb, "-D", data, "-U", "tester", "-A", "trust", "--no-sync"])
    run_postgres([pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        run_postgres([pg_ctl, "-D", data, "-w", "-m", "immediate", "stop"])
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    processes = SearchProcesses(tmp_path_factory.mktemp("processes"))
    yield processes
    processes.close()


def counted(path):
    """Return how often each trial was begun."""
    return sum(json.loads(line)["op_code"] == 4 for line in Path(path).read_text().splitlines())


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_killed_search_is_gone_on_with(processes, tmp_path, tuner):
    whole = processes.run(tuner=tuner, seconds=0.01)
    rng = np.random.RandomState(0 if tuner == "random" else 1)
    path = str(tmp_path / "search.log")
    settings = {"tuner": tuner, "storage": path, "seconds": 0.01}
    finished, n_killed = [], 0
    for delay in rng.uniform(0.02, 0.4, size=4):
        pid, _ = processes.start(**settings)
        time.sleep(delay)
        with suppress(ProcessLookupError):
            processes.kill(pid)
            n_killed += 1
        lines = Path(path).read_text().splitlines() if os.path.exists(path) else []
        finished.append(sum('"state":1' in line for line in lines))
    assert finished == sorted(finished)  # nothing that was finished is lost
    assert n_killed
    assert processes.run(**settings) == whole
    assert counted(path) == 12 or "withdrawn" in Path(path).read_text()


@pytest.mark.slow
@pytest.mark.keras
def test_killed_search_of_networks_is_gone_on_with(processes, tmp_path):
    settings = {"keras": True, "max_trials": 4, "tuner": "random"}
    whole = processes.run(**settings)
    settings["storage"] = str(tmp_path)
    for delay in (3.0, 6.0):
        pid, _ = processes.start(**settings)
        time.sleep(delay)
        with suppress(ProcessLookupError):
            processes.kill(pid)
    assert processes.run(**settings) == whole


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "tpe", "genetic"])
def test_two_processes_share_a_journal_file(processes, tmp_path, tuner):
    settings = {"tuner": tuner, "storage": str(tmp_path / "search.log"), "seconds": 0.03}
    started = [processes.start(**settings) for _ in range(2)]
    one, other = (processes.results(*item) for item in started)
    assert one == other
    assert [trial[0] for trial in one["trials"]] == list(range(12))
    owners = {
        log["user_attrs"]["owner"]
        for log in map(json.loads, Path(settings["storage"]).read_text().splitlines())
        if "withdrawn" not in log.get("user_attrs", {}) and "owner" in log.get("user_attrs", {})
    }
    assert len(owners) == 2
    if tuner in ("random", "grid"):
        assert one == processes.run(tuner=tuner, seconds=0.03)


def test_survivor_takes_over_the_trial_of_the_dead(processes, tmp_path):
    settings = {"tuner": "random", "storage": str(tmp_path), "seconds": 0.1}
    (victim, _), survivor = processes.start(**settings), processes.start(**settings)
    time.sleep(1.5)
    processes.kill(victim)
    assert processes.results(*survivor) == processes.run(tuner="random", seconds=0.1)


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_two_processes_share_a_database(processes, postgres_url, tuner):
    settings = {"tuner": tuner, "storage": postgres_url, "study": tuner, "seconds": 0.03}
    started = [processes.start(**settings) for _ in range(2)]
    one, other = (processes.results(*item) for item in started)
    assert one == other
    assert [trial[0] for trial in one["trials"]] == list(range(12))
    if tuner == "random":
        assert one == processes.run(tuner=tuner, seconds=0.03)
    study = optuna.load_study(study_name=tuner, storage=open_storage(postgres_url))
    trials = [trial for trial in study.trials if "withdrawn" not in trial.user_attrs]
    assert len(trials) == 12
    assert len({trial.user_attrs["owner"] for trial in trials}) == 2


def test_killed_search_in_a_database_is_gone_on_with(processes, postgres_url):
    settings = {"tuner": "tpe", "storage": postgres_url, "study": "killed", "seconds": 0.02}
    for delay in (0.5, 1.0):
        pid, _ = processes.start(**settings)
        time.sleep(delay)
        with suppress(ProcessLookupError):
            processes.kill(pid)
    assert processes.run(**settings) == processes.run(tuner="tpe", seconds=0.02)
