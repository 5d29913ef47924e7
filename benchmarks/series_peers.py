"""Classifiers of series of aeon on the sets of ``networks_kinds.py``, in an environment of its own.

aeon and this package want different versions of their dependencies, so nothing of this package is
imported here: ``python -m venv peers && peers/bin/pip install aeon mnist1d torch``, then
``peers/bin/python benchmarks/series_peers.py``. Each result is appended to a CSV file with the
versions of the packages; ``networks_kinds.py --report --peers FILE`` prints them beside its own.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from series_sets import series_sets

FIELDS = (
    "kind", "table", "split", "model", "score", "cpu_s", "wall_s", "n_train", "n_columns",
    "versions",
)  # fmt: skip


def models(seed: int) -> dict[str, Any]:
    from aeon.classification.convolution_based import MiniRocketClassifier, MultiRocketClassifier

    found: dict[str, Any] = {
        "MiniRocket": MiniRocketClassifier(random_state=seed),
        "MultiRocket": MultiRocketClassifier(random_state=seed),
    }
    if importlib.util.find_spec("torch") is not None:
        from aeon.classification.convolution_based import MultiRocketHydraClassifier

        found["MultiRocket-Hydra"] = MultiRocketHydraClassifier(random_state=seed)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=1, help="seeds; the sets are split already")
    parser.add_argument("--output", type=Path, default=Path("series_peers.csv"))
    args = parser.parse_args()
    if not all(importlib.util.find_spec(name) for name in ("aeon", "numba")):
        print("aeon and numba are not installed here; see the first lines of this file.")
        return
    done = set()
    if args.output.exists():
        with args.output.open(newline="", encoding="utf-8") as file:
            done = {(r["table"], r["split"], r["model"]) for r in csv.DictReader(file)}
    names = [n for n in ("aeon", "numpy", "numba", "torch") if importlib.util.find_spec(n)]
    versions = " ".join(f"{name}={version(name)}" for name in names)
    for name, load in series_sets().items():
        X, X_test, y, y_test = load()
        X, X_test = (part.transpose(0, 2, 1).astype("float64") for part in (X, X_test))
        for split in range(args.splits):
            for model_name, model in models(split).items():
                if (name, str(split), model_name) in done:
                    continue
                cpu, wall = time.process_time(), time.perf_counter()
                model.fit(X, y)
                row = {
                    "kind": "series", "table": name, "split": split, "model": model_name,
                    "cpu_s": round(time.process_time() - cpu, 2),
                    "wall_s": round(time.perf_counter() - wall, 2),
                    "score": round(float(np.mean(model.predict(X_test) == y_test)), 5),
                    "n_train": len(y), "n_columns": int(np.prod(X.shape[1:])),
                    "versions": versions,
                }  # fmt: skip
                new = not args.output.exists()
                with args.output.open("a", newline="", encoding="utf-8") as file:
                    writer = csv.DictWriter(file, FIELDS)
                    if new:
                        writer.writeheader()
                    writer.writerow(row)
                print(name, split, model_name, row["score"], row["cpu_s"], flush=True)


if __name__ == "__main__":
    main()
