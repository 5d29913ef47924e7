"""Measure what the tools for data quality cost, find and gain.

Four tables, each row of which is kept in a CSV file, so that a run that was stopped goes on:

* ``cleaner``: seconds and memory of ``DataCleaner`` on 1,000,000 rows of 20 mixed columns, in
  pandas and polars;
* ``labels``: of 5 % labels that were made wrong, how many ``RowCleaner`` finds, and how many right
  ones it suspects, on five tables;
* ``report``: seconds of ``quality_report`` on 100,000 rows of 50 columns, beside skrub's
  ``TableReport`` where skrub is installed;
* ``gain``: accuracy of a logistic regression on tables that were made dirty, with minimal
  preprocessing, with ``make_preprocessor`` and with ``skrub.tabular_pipeline``, three splits.

Run ``python benchmarks/quality.py``; ``--quick`` takes a tenth of the rows and one split.
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import psutil
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skopt_wrap import DataCleaner, RowCleaner, make_preprocessor, quality_report

LOADERS = {
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "clusters": lambda return_X_y: make_classification(
        1500, n_features=12, n_informative=8, n_classes=4, class_sep=2.0, flip_y=0, random_state=0
    ),
}


def mixed(n: int) -> dict[str, Any]:
    """Return 20 columns: numbers, texts of many kinds, dates, an index, a constant."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"number{i}": rng.normal(size=n) for i in range(8)}
    columns["number0"][rng.integers(0, n, n // 20)] = np.nan
    columns["skewed"] = rng.lognormal(size=n)
    columns["skewed"][: n // 1000] = -999
    columns |= {f"whole{i}": rng.integers(0, 100, n) for i in range(3)}
    columns["id"], columns["constant"] = np.arange(n), np.ones(n)
    columns["city"] = rng.choice(["London", "Paris", "paris ", "Oslo", "n/a"], n).tolist()
    columns["smoker"] = rng.choice(["yes", "No"], n).tolist()
    columns["weight"] = [f"{v:.2f} kg" for v in rng.uniform(1, 100, n)]
    columns["text"] = [f"{v:.4f}" for v in rng.uniform(1, 100, n)]
    days = np.datetime64("2000-01-01") + rng.integers(0, 8000, n)
    columns["day"] = days.astype(str).tolist()
    columns["moment"] = np.datetime64("2020-01-01", "us") + rng.integers(0, 10**14, n)
    return columns


def measured(function: Callable[[], Any]) -> tuple[float, float, float]:
    """Return wall-clock seconds, processor seconds, and the greatest extra memory in bytes."""
    gc.collect()
    process, peak, done = psutil.Process(), [0], threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, processor = time.perf_counter(), time.process_time()
    function()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    done.set()
    watcher.join()
    return wall, processor, max(0, peak[0] - before)


def cleaner_rows(quick: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    n = 100_000 if quick else 1_000_000
    for name, library in (("pandas", pd), ("polars", pl)):

        def run(library: Any = library) -> dict[str, Any]:
            X = library.DataFrame(mixed(n))
            size = X.memory_usage(deep=True).sum() if library is pd else X.estimated_size()
            wall, processor, extra = measured(lambda: DataCleaner().fit_transform(X))
            return {"rows": n, "seconds": round(wall, 2), "processor seconds": round(processor, 2),
                    "extra memory / frame": round(extra / size, 2)}  # fmt: skip

        yield f"{name} {n}", run


def label_rows(quick: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    for name, load in LOADERS.items():

        def run(load: Any = load) -> dict[str, Any]:
            X, y = load(return_X_y=True)
            rng = np.random.default_rng(0)
            wrong = np.zeros(len(y), dtype=bool)
            wrong[rng.choice(len(y), int(0.05 * len(y)), replace=False)] = True
            k = y.max() + 1
            noisy = np.where(wrong, (y + rng.integers(1, k, len(y))) % k, y)
            flags = RowCleaner(["labels"], random_state=0).fit(X, noisy).flags_["labels"]
            return {"rows": len(y), "found": round(float(flags[wrong].mean()), 3),
                    "right ones suspected": round(float(flags[~wrong].mean()), 3)}  # fmt: skip

        yield name, run


def report_rows(quick: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    n = 10_000 if quick else 100_000
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"number{i}": rng.normal(size=n) for i in range(40)})
    for i in range(10):
        X[f"text{i}"] = rng.choice(["a", "b", "c", "n/a"], n)
    y = (X["number0"] + rng.normal(size=n) > 0).astype(int)

    def ours() -> dict[str, Any]:
        return {"rows": n, "seconds": round(measured(lambda: quality_report(X, y))[0], 2)}

    yield f"quality_report {n}", ours
    if importlib.util.find_spec("skrub"):

        def theirs() -> dict[str, Any]:
            from skrub import TableReport

            seconds = measured(lambda: TableReport(X, verbose=0).html())[0]
            return {"rows": n, "seconds": round(seconds, 2)}

        yield f"TableReport {n}", theirs


def dirtied(X: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table with numbers for missing, units, text and outliers; the same everywhere."""
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    for place, name in enumerate(list(frame.columns)):
        if place % 4 == 0:
            frame[name] = frame[name].where(rng.random(len(frame)) > 0.1, -999.0)
        elif place % 4 == 1:
            frame[name] = [f"{v:.4f} kg" for v in frame[name]]
        elif place % 4 == 2:
            frame[name] = frame[name] * np.where(rng.random(len(frame)) < 0.01, 1000, 1)
        else:
            text = frame[name].map("{:.4f}".format)
            frame[name] = text.where(rng.random(len(frame)) > 0.05, "n/a")
    frame["row"] = np.arange(len(frame))
    return frame


def minimal() -> Any:
    """Return what most people write first: fill, scale, indicators."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
    )


def gain_rows(quick: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    model = LogisticRegression(max_iter=1000)
    for name, load in LOADERS.items():
        for split in range(1 if quick else 3):

            def run(load: Any = load, split: int = split) -> dict[str, Any]:
                X, y = load(return_X_y=True)
                frame = dirtied(X, np.random.default_rng(0))
                X_train, X_test, y_train, y_test = train_test_split(
                    frame, y, stratify=y, random_state=split
                )
                ours = make_preprocessor(X_train, y_train, estimator="linear")
                models = {"minimal": make_pipeline(minimal(), clone(model)),
                          "make_preprocessor": make_pipeline(ours, clone(model))}  # fmt: skip
                if importlib.util.find_spec("skrub"):
                    from skrub import tabular_pipeline

                    models["tabular_pipeline"] = tabular_pipeline(clone(model))
                return {
                    key: round(float(pipe.fit(X_train, y_train).score(X_test, y_test)), 4)
                    for key, pipe in models.items()
                }

            yield f"{name} split {split}", run


TABLES = {"cleaner": cleaner_rows, "labels": label_rows, "report": report_rows, "gain": gain_rows}


def main() -> None:
    """Print one table after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--csv", type=Path, default=Path("demo_output/quality.csv"))
    args = parser.parse_args()
    args.csv.parent.mkdir(parents=True, exist_ok=True)
    done: set[tuple[str, ...]] = set()
    if args.csv.exists():
        with args.csv.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                done.add(tuple(row[:3]))
                if row[0] in args.tables and row[2] == str(args.quick):
                    print(*row[:2], *row[3:], sep="  ")
    for table in args.tables:
        for case, run in TABLES[table](args.quick):
            key = (table, case, str(args.quick))
            if key in done:
                continue
            cells = [f"{name}={value}" for name, value in run().items()]
            with args.csv.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow([*key, *cells])
            print(table, case, *cells, sep="  ", flush=True)


if __name__ == "__main__":
    main()
