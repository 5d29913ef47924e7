"""Time and size of `skopt_wrap.save` and `load` beside joblib, for a million parameters.

``python benchmarks/persistence.py`` prints the medians of repeated runs, taken in turns so that a
busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopt_wrap


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three repeats")
    options = parser.parse_args()
    repeats = 3 if options.quick else options.repeats
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 100)), rng.integers(0, 2, 500)
    network = skopt_wrap.KerasClassifier(
        "dense", model__units=900, model__n_layers=2, epochs=1, random_state=0
    )
    flow = make_pipeline(StandardScaler(), network).fit(X, y)
    parameters = flow[-1].model_.count_params()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "flow.skw"), Path(folder, "flow.joblib")
        runs: dict[str, Callable[[], object]] = {
            "skopt_wrap.save": lambda: skopt_wrap.save(flow, ours),
            "joblib.dump": lambda: joblib.dump(flow, theirs),
            "skopt_wrap.load": lambda: skopt_wrap.load(ours),
            "joblib.load": lambda: joblib.load(theirs),
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(repeats):
            for name, run in runs.items():
                times[name].append(seconds(run))
        print(f"{parameters:,} parameters, medians of {repeats} runs")
        for name, values in times.items():
            print(f"{name:<18} {statistics.median(values) * 1e3:8.1f} ms")
        for kind in ("save/dump", "load/load"):
            a, b = kind.split("/")
            ratio = statistics.median(times[f"skopt_wrap.{a}"]) / statistics.median(
                times[f"joblib.{b}"]
            )
            print(f"{kind:<18} {ratio:8.2f}")
        print(f"size               {ours.stat().st_size / theirs.stat().st_size:8.3f}")


if __name__ == "__main__":
    main()
