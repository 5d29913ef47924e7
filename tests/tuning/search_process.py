"""Runs searches in child processes that a test can kill: a script, and what talks to it.

It loads everything once and forks for each search; nothing of TensorFlow runs before a fork.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris

ROOT = Path(__file__).parents[2]


class Slow(ClassifierMixin, BaseEstimator):
    """A threshold on one feature, which takes its time."""

    def __init__(self, threshold=1.0, feature=0, seconds=0.02):
        self.threshold = threshold
        self.feature = feature
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.n_features_in_ = X.shape[1]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, self.feature] > self.threshold).astype(int)]


def make_search(**settings):
    from skopt_wrap import KerasClassifier, TunedClassifier

    settings = {"max_trials": 12, "cv": 3, "random_state": 0, "refit": False, **settings}
    if settings.pop("keras", False):
        model = KerasClassifier(epochs=3)
        space = {"model__units": [4, 8], "optimizer__learning_rate": stats.loguniform(1e-3, 1e-1)}
    else:
        model = Slow(seconds=settings.pop("seconds", 0.02))
        space = {"threshold": stats.uniform(0, 8), "feature": [0, 1, 2, 3]}
        if settings.get("tuner") == "grid":
            space["threshold"] = [1.0, 2.0, 5.0]
    return TunedClassifier(model, space=space, **settings)


def data():
    X, y = load_iris(return_X_y=True)
    return X[::2], y[::2]


def summary(search):
    return {
        "trials": [[t.number, t.params, t.state, t.scores] for t in search.trials_],
        "best": [search.best_index_, search.best_score_, search.best_params_],
        "rank": search.cv_results_["rank_test_score"].tolist(),
    }


class SearchProcesses:
    """Starts searches in processes of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.parent = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.parent.stdout.readline() == "ready\n"

    def start(self, **settings):
        """Return the process id of a search, and the file that its results will be in."""
        self.count += 1
        output = self.folder / f"results{self.count}.json"
        self.parent.stdin.write(json.dumps([settings, str(output)]) + "\n")
        self.parent.stdin.flush()
        return int(self.parent.stdout.readline()), output

    def kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        self.wait(pid)

    def wait(self, pid, seconds=120):
        end = time.monotonic() + seconds
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < end, f"process {pid} did not end"
            time.sleep(0.01)

    def results(self, pid, output):
        self.wait(pid)
        text = output.read_text()
        assert not text.startswith("Traceback"), text
        return json.loads(text)

    def run(self, **settings):
        return self.results(*self.start(**settings))

    def close(self):
        self.parent.stdin.close()
        self.parent.wait()


def main():
    import keras_tuner  # noqa: F401
    import optuna  # noqa: F401

    import skopt_wrap.tuning._execution._search_loop  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that end leave nothing behind
    print("ready", flush=True)
    for line in sys.stdin:
        settings, output = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            text = json.dumps(summary(make_search(**settings).fit(*data())))
        except BaseException:
            text = traceback.format_exc()
        partial = Path(output + ".part")
        partial.write_text(text)
        partial.rename(output)
        os._exit(0)


if __name__ == "__main__":
    main()
