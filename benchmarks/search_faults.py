"""Kill searches at random moments, and count what is lost.

Every row of the table is one kind of fault. A search of quick trials runs in a process of its own
and is ended there: with SIGKILL at a random moment (alone in a Journal file, in an SQLite database,
two processes at a time, while the best candidate is trained), or by a kill of one of its worker
processes. Then the same call is made again until it comes to its end. Counted are the faults, the
finished trials that a later call did not find again, the storages that could not be read, and the
searches whose trials and scores were in the end those of a search without faults.

Table ``memory``: resident memory of the processes after searches over unlike architectures, in one
process and with ``max_trials_per_worker``.

    python benchmarks/search_faults.py [--tables faults memory] [--kills 200] [--trials 200]
                                       [--out DIR]

The faults take about ten minutes on two cores, the memory about fifteen. ``--out docs/_tables``
writes ``search_<table>.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cloudpickle
import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris

cloudpickle.register_pickle_by_value(sys.modules[__name__])
N_TRIALS = 20
ROUND_SECONDS = 900  # generous: a busy machine must not look like a search that hangs


class Threshold(ClassifierMixin, BaseEstimator):
    """A threshold on one feature, which takes its time."""

    def __init__(self, threshold: float = 1.0, seconds: float = 0.01) -> None:
        self.threshold = threshold
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Threshold:
        """Sleep."""
        time.sleep(self.seconds if len(X) < 150 else 20 * self.seconds)  # the refit is longer
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        """Predict two of the classes."""
        return self.classes_[(X[:, 2] > self.threshold).astype(int)]


def run(settings: dict[str, Any]) -> list[Any]:
    """Return the trials of a search."""
    from skopt_wrap import TunedClassifier

    X, y = load_iris(return_X_y=True)
    search = TunedClassifier(
        Threshold(),
        tuner="tpe",
        max_trials=N_TRIALS,
        cv=3,
        space={"threshold": uniform(0, 8)},
        random_state=0,
        **settings,
    ).fit(X, y)
    return [[trial.params, trial.state, trial.scores] for trial in search.trials_]


# -- searches in processes of their own ---------------------------------------------------------


def start(settings: dict[str, Any], output: Path) -> int:
    """Fork a search; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)  # so that its workers can be ended with it
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        text = json.dumps(["trials", run(settings)])
    except BaseException as error:
        text = json.dumps(["error", f"{type(error).__name__}: {error}"])
    partial = output.with_suffix(".part")
    partial.write_text(text)
    partial.rename(output)
    os._exit(0)


def is_over(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def finished(storage: str) -> dict[str, Any]:
    """Return what is stored of the finished trials, by number, of a Journal or a database."""
    import optuna

    from skopt_wrap.tuning._storage._backends import open_storage

    study = optuna.load_study(study_name="search", storage=open_storage(storage))
    return {
        json.dumps(trial.user_attrs["values"]): trial.user_attrs["result"]
        for trial in study.trials
        if trial.state.is_finished() and "withdrawn" not in trial.user_attrs
    }


def worker_of(pid: int) -> int | None:
    """Return a worker process of a search."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == pid and b"popen_loky_posix" in command:
                return int(folder.name)
    return None


def end(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


# -- the faults -----------------------------------------------------------------------------------


class Count:
    """What happened to the searches of one kind of fault."""

    def __init__(self, expected: list[Any]) -> None:
        self.expected = expected
        self.n_faults = self.n_lost = self.n_corrupt = self.n_rounds = self.n_same = 0
        self._known: dict[str, Any] = {}

    def look(self, storage: str) -> None:
        """Compare what is stored with what was stored before."""
        try:
            now = finished(storage)
        except KeyError:  # killed before there was a study
            now = {}
        except Exception as error:
            print("  corrupt:", type(error).__name__, error, flush=True)
            self.n_corrupt += 1
            return
        self.n_lost += sum(now.get(key) != result for key, result in self._known.items())
        self._known = now

    def close(self, outcome: list[Any]) -> None:
        """End a round with what its last search returned."""
        self.n_rounds += 1
        self.n_same += outcome == ["trials", self.expected]
        if outcome[0] == "error":
            print("  error:", outcome[1], flush=True)
        self._known = {}


def rounds(
    n_faults: int,
    count: Count,
    settings: Callable[[Path], dict[str, Any]],
    fault: Callable[[int], bool],
    n_processes: int = 1,
) -> Count:
    """Run searches to their end, with faults on the way, until there were enough of them."""
    while count.n_faults < n_faults:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        given = settings(folder)
        output, attempts = folder / "out.json", 0
        while not output.exists():
            attempts += 1
            others = [start(given, folder / f"other{i}.json") for i in range(n_processes - 1)]
            pid = start(given, output)
            # After five faults a round is left alone, so that it ends.
            if attempts <= 5 and count.n_faults < n_faults:
                count.n_faults += fault(pid)
            deadline = time.monotonic() + ROUND_SECONDS
            while not is_over(pid):
                if time.monotonic() > deadline:
                    end(pid)
                    raise SystemExit("a search did not come to its end")
                time.sleep(0.01)
            for other in others:
                os.waitpid(other, 0)
            count.look(given["storage"])
        count.close(json.loads(output.read_text()))
        shutil.rmtree(folder)
    return count


def kill_after(low: float, high: float) -> Callable[[int], bool]:
    """Return a fault: SIGKILL at a random moment."""

    def fault(pid: int) -> bool:
        time.sleep(random.uniform(low, high))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    return fault


def kill_worker(pid: int) -> bool:
    """Kill one of the worker processes of a search, once it has some."""
    begin = time.monotonic()
    while time.monotonic() - begin < 60:
        time.sleep(random.uniform(0.05, 0.5))
        worker = worker_of(pid)
        if worker is not None:
            time.sleep(random.uniform(0.0, 3.0))
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                return False
            return True
        if not Path(f"/proc/{pid}").exists():
            return False
    return False


def table_of_faults(n_kills: int) -> str:
    """Return the table."""
    expected = json.loads(json.dumps(run({"refit": False})))

    def journal(folder: Path) -> dict[str, Any]:
        return {"storage": str(folder / "search.log"), "refit": False}

    def database(folder: Path) -> dict[str, Any]:
        return {"storage": f"sqlite:///{folder}/search.db", "refit": False}

    share = max(2, n_kills // 10)
    kinds: list[tuple[str, int, Any, Any, int]] = [
        ("SIGKILL, Journal file", 4 * share, journal, kill_after(0.0, 1.2), 1),
        ("SIGKILL, SQLite", 2 * share, database, kill_after(0.3, 3.0), 1),
        ("SIGKILL, two processes, one file", 2 * share, journal, kill_after(0.0, 1.5), 2),
        (
            "SIGKILL in the refit",
            share,
            lambda folder: {**journal(folder), "refit": True},
            kill_after(0.6, 1.4),
            1,
        ),
        (
            "SIGKILL of a worker from outside",
            share,
            lambda folder: {**journal(folder), "n_jobs": 2},
            kill_worker,
            1,
        ),
    ]
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Fault",
        "     - Faults",
        "     - Finished trials lost",
        "     - Storages corrupt",
        "     - Searches that ended as without faults",
    ]
    total = Count(expected)
    for name, n_faults, settings, fault, n_processes in kinds:
        alone = [] if "worker" in name or n_processes > 1 else expected
        count = rounds(n_faults, Count(alone or expected), settings, fault, n_processes)
        total.n_faults += count.n_faults
        total.n_lost += count.n_lost
        total.n_corrupt += count.n_corrupt
        # Where two work, the strategy knows less at each proposal: other trials, no fault.
        same = f"{count.n_same} of {count.n_rounds}" if alone else f"{count.n_rounds} ended"
        lines += row(name, count, same)
        print(name, count.n_faults, count.n_lost, count.n_corrupt, same, flush=True)
    lines += row("All", total, "")
    return "\n".join(lines) + "\n"


def row(name: str, count: Count, same: str) -> list[str]:
    cells = [name, str(count.n_faults), str(count.n_lost), str(count.n_corrupt), same]
    return [f"   * - {cells[0]}", *(f"     - {cell}" if cell else "     -" for cell in cells[1:])]


# -- memory ---------------------------------------------------------------------------------------


def megabytes(pid: int) -> float:
    text = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(text) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Memory:
    """A scorer that notes the memory of the process in which a trial ran."""

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Return the memory in megabytes, as a score: less is better."""
        return -megabytes(os.getpid())


def table_of_memory(n_trials: int) -> str:
    """Return the table."""
    from skopt_wrap import TunedClassifier

    X, y = load_iris(return_X_y=True)
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - ``max_trials_per_worker``",
        "     - MB after 20 trials",
        f"     - MB after {n_trials} trials",
        "     - MB more a trial",
    ]
    for most in (None, 10):
        search = TunedClassifier(
            "dense",
            tuner="grid",
            max_trials=None,
            cv=0.3,
            epochs=1,
            refit=False,
            space={
                "model__n_layers": [1, 2, 3, 4],
                "model__units": list(range(5, 5 + n_trials // 4)),
            },
            scoring=Memory(),
            max_trials_per_worker=most,
            random_state=0,
        ).fit(X, y)
        used = -search.cv_results_["mean_test_score"]
        early, late = max(used[10:20]), max(used[-10:])
        lines += [
            f"   * - {most}",
            f"     - {early:.0f}",
            f"     - {late:.0f}",
            f"     - {(late - early) / (len(used) - 20):.1f}",
        ]
        print(lines[-4:], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=["faults", "memory"])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.tables:
        if name == "faults":
            import keras_tuner  # noqa: F401 - loaded once, before the forks
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            random.seed(0)
            text = table_of_faults(arguments.kills)
        else:
            text = table_of_memory(arguments.trials)
        print(text)
        if arguments.out is not None:
            (arguments.out / f"search_{name}.txt").write_text(text)


if __name__ == "__main__":
    main()
